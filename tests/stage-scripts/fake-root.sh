# Builds a small root directory around the stage scripts and runs things in
# it. Sourced by the tests next to it.
#
# /proc and /sys of such a root are plain files that a test writes, unless the
# test mounts the real ones in namespaces of its own; so the scripts meet
# whatever machine the test wants. Nothing here mounts outside a private mount
# namespace, and nothing sends a signal outside a private pid namespace.
#
# What is set here is read by the tests.
# shellcheck shell=sh disable=SC2034

repository=$(cd "$(dirname "$0")/../.." && pwd)
scripts=$repository/stage-scripts
newline='
'
failed=0

pass() { printf 'ok %s\n' "$1"; }

fail() {
    printf 'not ok %s: %s\n' "$1" "$2"
    failed=1
}

skip() { printf 'SKIPPED: %s: %s\n' "$1" "$2"; }

# expect NAME WANTED GOT
expect() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "wanted [$2], got [$3]"
    fi
}

# expect_line NAME LINE TEXT: one of the lines of TEXT is LINE.
expect_line() {
    case $newline$3$newline in
    *"$newline$2$newline"*) pass "$1" ;;
    *) fail "$1" "no line [$2] in [$3]" ;;
    esac
}

# expect_part NAME PIECE TEXT: TEXT has PIECE in it.
expect_part() {
    case $3 in
    *"$2"*) pass "$1" ;;
    *) fail "$1" "no [$2] in [$3]" ;;
    esac
}

expect_no_part() {
    case $3 in
    *"$2"*) fail "$1" "[$2] in [$3]" ;;
    *) pass "$1" ;;
    esac
}

# The shells to be tried: those of SHELLS, or all that are there.
list_shells() {
    for shell in ${SHELLS:-dash bash ash}; do
        case $shell in
        ash) command -v busybox >/dev/null 2>&1 || continue ;;
        *) command -v "$shell" >/dev/null 2>&1 || continue ;;
        esac
        printf '%s\n' "$shell"
    done
}

# Whether chroot and namespaces can be had here; says what is missing.
can_use_namespaces() {
    [ "$(id -u)" -eq 0 ] || {
        skip "$1" 'needs root (chroot and namespaces)'
        return 1
    }
    unshare --mount --pid --fork --uts --net --ipc --cgroup true 2>/dev/null || {
        skip "$1" 'namespaces are not allowed here'
        return 1
    }
}

# Copies a program and the libraries that it needs to the same places.
copy_program() {
    mkdir -p "$root/${1%/*}"
    cp -L "$1" "$root/$1"
    ldd "$1" 2>/dev/null | while read -r first second third _; do
        case $first:$second:$third in
        /*:*:*) library=$first ;;
        *:'=>':/*) library=$third ;;
        *) continue ;;
        esac
        mkdir -p "$root/${library%/*}"
        [ -e "$root/$library" ] || cp -L "$library" "$root/$library"
    done
}

# make_root SHELL: sets `root`. bash gets the tools of a full system, as on
# Linux From Scratch; dash and ash get busybox.
make_root() {
    root=$(mktemp -d "${TMPDIR:-/tmp}/stage-scripts.XXXXXX")
    trap remove_root EXIT
    mkdir -p "$root/bin" "$root/dev" "$root/etc/sv" "$root/proc/self" "$root/proc/sys/kernel" \
        "$root/run" "$root/sys" "$root/var/log" "$root/usr/local/bin"
    mkdir -m 1777 "$root/tmp"
    mknod -m 666 "$root/dev/null" c 1 3
    mkdir "$root/etc/runit"
    cp -R "$scripts/1" "$scripts/2" "$scripts/3" "$scripts/ctrlaltdel" "$scripts/functions" \
        "$scripts/boot" "$scripts/shutdown" "$scripts/runsvdir" "$root/etc/runit/"
    cp -R "$scripts/services/." "$root/etc/sv/"
    cp "$repository/tests/stage-scripts/stubs" "$root/stubs"
    printf '%s\n' 'BOOT_IMAGE=/vmlinuz quiet' >"$root/proc/cmdline"
    printf '%s\n' '12.34 5.00' >"$root/proc/uptime"
    printf '%s\n' '1 1 0:2 / / rw - rootfs rootfs rw' >"$root/proc/self/mountinfo"
    case $1 in
    bash) install_full_tools ;;
    *) install_busybox "$1" ;;
    esac
}

install_full_tools() {
    for tool in bash mount umount mkdir ln chmod chgrp cat sleep env setsid dmesg rm mknod ip ls readlink grep; do
        copy_program "$(command -v "$tool")"
    done
    ln -s "$(command -v bash)" "$root/bin/sh"
}

# The swap tools are left out: swap is not a matter of namespaces.
install_busybox() {
    cp -L "$(command -v busybox)" "$root/bin/busybox"
    for tool in mount umount mkdir ln chmod chgrp cat sleep env setsid dmesg rm mknod ip ls readlink grep; do
        ln -s busybox "$root/bin/$tool"
    done
    if [ "$1" = ash ]; then
        ln -s busybox "$root/bin/sh"
    else
        copy_program "$(command -v "$1")"
        ln -s "$(command -v "$1")" "$root/bin/sh"
    fi
}

remove_root() {
    case $root in
    */stage-scripts.*) rm -rf "$root" ;;
    esac
}

# Runs commands in the root with the functions and the stubs; sets `output`.
# The calls that stubs took are in $root/calls.
in_root() {
    rm -f "$root/calls"
    output=$(chroot "$root" /bin/sh -c ". /etc/runit/functions; . /stubs; $1" 2>&1 </dev/null)
}

read_calls() {
    [ ! -e "$root/calls" ] || cat "$root/calls"
}

# Runs one part with stubs of a behaviour (works, fails, absent); sets
# `output`, whose last line is the number of failed steps, and `calls`.
try_part() {
    in_root "behaviour=$2 stage=boot service_timeout=7 process_timeout=1 container=${container:-}
        unset HOSTNAME
        run_part /etc/runit/$1
        printf 'status %s\nfailures %s\n' \$? \$failures"
    calls=$(read_calls)
}

# expect_failures NAME NUMBER: of the part that try_part has run.
expect_failures() {
    expect_line "$shell $1: $2 failed" "failures $2" "$output"
    expect_line "$shell $1: the boot goes on" 'status 0' "$output"
}

# The root is an initramfs.
in_memory() {
    printf '%s\n' '1 1 0:2 / / rw - rootfs rootfs rw' >"$root/proc/self/mountinfo"
}

# on_disk ACCESS: the root is on a disk, ro or rw.
on_disk() {
    printf '%s\n' "2 1 8:1 / / $1,relatime shared:1 - ext4 /dev/sda1 $1" >"$root/proc/self/mountinfo"
}
