#!/bin/sh
# Brings what a guest needs and we do not build: a kernel, a few of its modules, a static busybox and e2fsck.
#
#   fetch.sh x86_64|armv7      prints the directory that holds them:
#       kernel                 the image
#       release                its release, the name below /lib/modules
#       modules/*.ko           the modules of the list below
#       root-modules/*.ko      those with which an initramfs finds a root
#       root-modules.list      their names, in the order in which they are loaded
#       busybox                the executable
#       check/                 a tree with a static e2fsck, by all its names
#       debs/                  the packages, kept, so that nothing is downloaded twice
#
# apt downloads them with directories of its own (apt.sh), so no root is needed, no foreign architecture is added to this machine
# and its own apt is not touched. Nothing is installed.
#
# Environment: PIPIT_CACHE  where to keep them (default ${XDG_CACHE_HOME:-$HOME/.cache}/pipit)
#              KERNEL       an image of your own: no kernel is fetched, no modules are given
# Exit codes:  0 done; 1 something could not be brought (a message says what); 100 wrong usage

set -eu

EXIT_FAILURE=1
EXIT_USAGE=100

# shellcheck source=qemu/apt.sh
. "$(dirname "$0")/apt.sh"

fail() {
    printf 'fetch: fatal: %s\n' "$1" >&2
    exit "$EXIT_FAILURE"
}

describe_architecture() {
    # In the order in which insmod would take them. Disk, network and keyboard of a q35 need none: cloud-amd64 has NVMe, ext4
    # and the keyboard built in. ARM's keyboard is a virtio device.
    case $1 in
    x86_64)
        debian_architecture=amd64
        kernel_package=linux-image-cloud-amd64
        wanted_modules=
        root_modules='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk
            scsi_common scsi_mod virtio_scsi sd_mod squashfs overlay loop'
        ;;
    armv7)
        debian_architecture=armhf
        kernel_package=linux-image-armmp
        wanted_modules='virtio_mmio virtio_input'
        root_modules='virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk
            scsi_common scsi_mod virtio_scsi crc64 crct10dif_common crc-t10dif crc64-rocksoft t10-pi sd_mod
            crc32c_generic jbd2 mbcache crc16 ext4 squashfs overlay loop'
        ;;
    *)
        printf 'usage: fetch.sh x86_64|armv7\n' >&2
        exit "$EXIT_USAGE"
        ;;
    esac
}

list_versions() {
    apt-cache madison "$1" | awk '{ print $3 }' | uniq
}

# The package that a version of the kernel's meta package stands for.
resolve_kernel() {
    apt-cache show "$kernel_package=$1" | sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p' | head -n 1
}

# Newest version first; an older one if the pool has dropped the file already.
download_kernel() {
    for version in $(list_versions "$kernel_package"); do
        package=$(resolve_kernel "$version")
        if [ -n "$package" ] && (cd "$home/debs" && apt-get -qq download "$package=$version" >&2); then
            return 0
        fi
    done
    fail "unable to download a kernel: $kernel_package:$debian_architecture: not in the package sources of this machine"
}

# download_package NAME: newest version first, as above.
download_package() {
    for version in $(list_versions "$1"); do
        if (cd "$home/debs" && apt-get -qq download "$1=$version" >&2); then
            return 0
        fi
    done
    fail "unable to download: $1:$debian_architecture: not in the package sources of this machine"
}

has_package() {
    for package in "$home/debs/$1"_*.deb "$home/debs/$1"-*.deb; do
        [ -f "$package" ] && return 0
    done
    return 1
}

bring_packages() {
    mkdir -p "$home/debs"
    missing=
    for wanted in busybox-static e2fsck-static; do
        has_package "$wanted" || missing="$missing $wanted"
    done
    needs_kernel=no
    [ -n "${KERNEL:-}" ] || has_package linux-image || needs_kernel=yes
    [ -n "$missing" ] || [ "$needs_kernel" = yes ] || return 0
    open_apt "$home/apt" "put kernel, release, modules/, modules.list, busybox and check/ into $home"
    for wanted in $missing; do
        download_package "$wanted"
    done
    [ "$needs_kernel" = no ] || download_kernel
    close_apt
}

unpack_busybox() {
    rm -rf "$home/unpacked"
    dpkg-deb -x "$home"/debs/busybox-static_*.deb "$home/unpacked"
    for file in "$home"/unpacked/bin/busybox "$home"/unpacked/usr/bin/busybox; do
        [ -f "$file" ] && mv "$file" "$home/busybox"
    done
    rm -rf "$home/unpacked"
    [ -f "$home/busybox" ] || fail 'unable to find busybox in the package busybox-static'
}

unpack_check() {
    rm -rf "$home/unpacked" "$home/check.new"
    dpkg-deb -x "$home"/debs/e2fsck-static_*.deb "$home/unpacked"
    mkdir -p "$home/check.new/sbin"
    for file in "$home"/unpacked/sbin/e2fsck.static "$home"/unpacked/usr/sbin/e2fsck.static; do
        [ -f "$file" ] && mv "$file" "$home/check.new/sbin/e2fsck"
    done
    rm -rf "$home/unpacked"
    [ -f "$home/check.new/sbin/e2fsck" ] || fail 'unable to find e2fsck.static in the package e2fsck-static'
    for type in ext2 ext3 ext4; do
        ln -s e2fsck "$home/check.new/sbin/fsck.$type"
    done
    mv "$home/check.new" "$home/check"
}

# take_modules DIRECTORY NAME ...
take_modules() {
    directory=$home/$1
    shift
    rm -rf "$directory"
    mkdir -p "$directory"
    for name; do
        file=$(find "$home/unpacked" -name "$name.ko")
        [ -n "$file" ] || fail "unable to find a module in the kernel's package: $name"
        cp "$file" "$directory/"
    done
}

unpack_kernel() {
    rm -rf "$home/unpacked"
    dpkg-deb -x "$home"/debs/linux-image-*.deb "$home/unpacked"
    # The lists are words.
    # shellcheck disable=SC2086
    take_modules modules $wanted_modules
    # shellcheck disable=SC2086
    take_modules root-modules $root_modules
    for image in "$home"/unpacked/boot/vmlinuz-*; do
        printf '%s\n' "${image##*/vmlinuz-}" >"$home/release"
        mv "$image" "$home/kernel"
    done
    rm -rf "$home/unpacked"
    # Last, so that an interrupted run starts again.
    printf '%s\n' "$wanted_modules" >"$home/modules.list"
    printf '%s\n' "$root_modules" >"$home/root-modules.list"
}

# is_list NAME MODULES: that is what was taken last time.
is_list() {
    [ -f "$home/$1.list" ] && [ "$(cat "$home/$1.list")" = "$2" ]
}

main() {
    [ "$#" -eq 1 ] || describe_architecture ''
    describe_architecture "$1"
    home=${PIPIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pipit}/$1
    mkdir -p "$home"
    # Two at once, as in a test run beside a hand's, would write to the same files.
    exec 9>"$home/lock"
    flock 9
    has_kernel=no
    if [ -n "${KERNEL:-}" ]; then
        has_kernel=yes
    elif [ -f "$home/kernel" ] && is_list modules "$wanted_modules" && is_list root-modules "$root_modules"; then
        has_kernel=yes
    fi
    if [ ! -f "$home/busybox" ] || [ ! -d "$home/check" ] || [ "$has_kernel" = no ]; then
        bring_packages
    fi
    [ -f "$home/busybox" ] || unpack_busybox
    [ -d "$home/check" ] || unpack_check
    [ "$has_kernel" = yes ] || unpack_kernel
    printf '%s\n' "$home"
}

main "$@"
