#!/bin/sh
# Boots pipit in QEMU.
#
#   qemu-run.sh [x86_64|armv7]           a machine for a person: its serial console is this terminal, Ctrl-A X leaves
#   qemu-run.sh --smoke [x86_64|armv7]   the same boot unattended: drives the console and prints a line for each check,
#                                        `ok NAME: figures` or `not ok NAME: what was seen`
#   qemu-run.sh --smoke handoff [x86_64|armv7]   boots roots on disks by an initramfs of handoff, and checks in the same way
#   qemu-run.sh --smoke disk [x86_64|armv7]      boots a whole installation from a disk: power cuts, errors, forced checks, swap, a
#                                                read-only root; after every poweroff the file systems are clean
#   qemu-run.sh --smoke distribution     boots Debian's programs from a disk, udev, sshd, nginx and others, with our init, as a Linux
#                                        From Scratch system would have them; logs in, by ssh too, reboots, powers off
#
# The architecture is x86_64 where none is given. All set-up is done on the way: the packages that are missing (root, Debian-like),
# the programs, a kernel and a static busybox (fetch.sh, into a cache), the image, the driver that writes it and talks to QEMU
# (driver/). The image is an initramfs: what `make install-init` installs, busybox under all its names, the files of rootfs/, the
# sample services of services/. root logs in without a password.
#
# The distribution's packages (47 MB) are downloaded once, into the cache, and unpacked into the image of a disk (distribution/).
#
# What is left behind: out/ARCH/image/initramfs, or out/x86_64/distribution, and after --smoke out/smoke/ARCH-console.log, every line
# of the console with the seconds since QEMU's start; those of the other boots are out/smoke/ARCH-handoff-*.log, ARCH-disk-*.log and
# x86_64-distribution.log.
#
# Environment: KERNEL  a kernel image of your own, which must have built in what it needs (the keyboard on armv7)
#              ACCEL   kvm or tcg; without it kvm only where it is known to work
#              APPEND  more words for the kernel
#              SEED    for `disk`, a number: the moments of the power cuts of another run, which has printed it
#              ONLY    for `disk`, the one check that is wanted, as twenty-cuts
#              CARGO   the cargo that builds the driver
#              PIPIT_CACHE  where kernels and busybox are kept (default ${XDG_CACHE_HOME:-$HOME/.cache}/pipit)
# Exit codes:  0 done, every check passed; 1 a check failed, or something is missing that the last message names; 100 wrong usage

set -eu

EXIT_FAILURE=1
EXIT_USAGE=100

usage='usage: qemu-run.sh [--smoke [handoff|disk|distribution]] [x86_64|armv7]'

fail() {
    printf 'qemu-run: fatal: %s\n' "$1" >&2
    exit "$EXIT_FAILURE"
}

# The lines of the comment above are the help.
print_help() {
    sed -n '2,/^$/{/^$/d;s/^# \{0,1\}//;p;}' "$0"
}

read_arguments() {
    task=boot
    architecture=
    for argument in "$@"; do
        case $argument in
        -h | --help)
            print_help
            exit 0
            ;;
        --smoke) task=smoke ;;
        handoff | disk | distribution)
            [ "$task" = smoke ] || reject_arguments "$argument goes with --smoke"
            task=$argument
            ;;
        x86_64 | armv7)
            [ -z "$architecture" ] || reject_arguments "two architectures: $architecture $argument"
            architecture=$argument
            ;;
        *) reject_arguments "unknown argument: $argument" ;;
        esac
    done
    [ -n "$architecture" ] || architecture=x86_64
    if [ "$task" = distribution ]; then
        [ "$architecture" = x86_64 ] || reject_arguments 'the distribution is for x86_64 alone'
        [ -z "${KERNEL:-}" ] || reject_arguments 'the distribution has its own kernel, whose modules are on its disk'
    fi
}

reject_arguments() {
    printf 'qemu-run: fatal: %s\n%s\n' "$1" "$usage" >&2
    exit "$EXIT_USAGE"
}

check_tools() {
    case $architecture in
    x86_64) emulator=qemu-system-x86_64 package=qemu-system-x86 ;;
    armv7) emulator=qemu-system-arm package=qemu-system-arm ;;
    esac
    command -v "$emulator" >/dev/null || fail "$emulator is missing: apt-get install $package"
    command -v setpriv >/dev/null || fail 'setpriv is missing: apt-get install util-linux'
    command -v make >/dev/null || fail 'make is missing: apt-get install make'
    command -v "${CARGO:-cargo}" >/dev/null || fail "${CARGO:-cargo} is missing: apt-get install cargo-web rustc-web"
}

run_driver() {
    "${CARGO:-cargo}" run --quiet --manifest-path "$root/Cargo.toml" --package qemu-driver -- "$@"
}

# The tree is what a user gets from `make install`, so the boot is a test of the installation too.
build_tree() {
    image_home=$root/out/$architecture/image
    rm -rf "$image_home"
    # A directory sbin of its own tells the installation that /usr is not merged here.
    mkdir -p "$image_home/root/sbin"
    make -s -C "$root" ARCH="$architecture"
    make -s -C "$root" ARCH="$architecture" DESTDIR="$image_home/root" install install-init >"$image_home/install.log"
}

build_image() {
    set -- --layer "$image_home/root" --layer "$root/qemu/rootfs" --layer "$root/qemu/services:etc/sv" --busybox "$guest/busybox"
    case $task in
    handoff) boot_from_disk "$@" ;;
    disk) boot_from_disk "$@" --layer "$guest/check" --layer "$root/qemu/disk" \
        ${SEED:+--seed "$SEED"} ${ONLY:+--only "$ONLY"} ;;
    *) boot_in_memory "$@" ;;
    esac
}

boot_from_disk() {
    print_sizes
    run_driver "$task" "$architecture" --kernel "$kernel" "$@" --handoff "$root/out/$architecture/bin/handoff" \
        --modules "$guest/root-modules" "--append=${APPEND:-}" --artefacts "$root/out/smoke" ${ACCEL:+--accel "$ACCEL"}
}

boot_in_memory() {
    if [ -z "${KERNEL:-}" ]; then
        set -- "$@" --modules "$guest/modules" --release "$(cat "$guest/release")"
    fi
    image=$image_home/initramfs
    run_driver image "$@" --output "$image"
    start_machine
}

boot_distribution() {
    make -s -C "$root" ARCH="$architecture"
    packages=$("$root/qemu/distribution/fetch.sh")
    disk=$root/out/$architecture/distribution
    "$root/qemu/distribution/make-image.sh" "$packages" "$guest/debs/linux-image-$(cat "$guest/release")"_*.deb "$disk"
    run_driver distribution "$architecture" --kernel "$kernel" --disk "$disk" "--append=${APPEND:-}" \
        --artefacts "$root/out/smoke" ${ACCEL:+--accel "$ACCEL"}
}

print_sizes() {
    for program in "$root/out/$architecture/bin"/*; do
        [ -L "$program" ] || printf '# %s: %s has %s bytes\n' "$architecture" "${program##*/}" "$(wc -c <"$program")"
    done
}

start_machine() {
    set -- "$task" "$architecture" --kernel "$kernel" --image "$image" "--append=${APPEND:-}"
    [ -z "${ACCEL:-}" ] || set -- "$@" --accel "$ACCEL"
    case $task in
    boot)
        printf 'Ctrl-A X leaves the machine.\n'
        run_driver "$@"
        ;;
    smoke)
        print_sizes
        run_driver "$@" --artefacts "$root/out/smoke"
        ;;
    esac
}

main() {
    read_arguments "$@"
    root=$(cd "$(dirname "$0")/.." && pwd)
    if [ -x "$root/tests/setup.sh" ]; then
        "$root/tests/setup.sh" build boot
    fi
    check_tools
    guest=$("$root/qemu/fetch.sh" "$architecture")
    kernel=${KERNEL:-$guest/kernel}
    [ -r "$kernel" ] || fail "unable to read the kernel: $kernel"
    if [ "$task" = distribution ]; then
        boot_distribution
    else
        build_tree
        build_image
    fi
}

main "$@"
