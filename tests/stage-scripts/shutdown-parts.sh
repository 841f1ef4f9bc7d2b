#!/bin/sh
# Each part of stage 3 by itself, in each shell, as boot-parts.sh does it; the
# part processes is tried in namespaces.sh.
#
# What stands in single quotes is for the shell in the root.
# shellcheck disable=SC2016
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

# try_services BODY: the part with an sv of that body.
try_services() {
    in_root "stage=shutdown behaviour=works service_timeout=7
        sv() { printf 'sv %s\n' \"\$*\" >>/calls; $1
        }
        run_part /etc/runit/shutdown/10-services
        printf 'status %s\nfailures %s\n' \$? \$failures"
    calls=$(read_calls)
}

test_services() {
    try_part shutdown/10-services works
    expect "$shell services: none" '' "$calls"
    mkdir -p "$root/run/runit/runsvdir/current/a b" "$root/run/runit/runsvdir/current/getties" \
        "$root/run/runit/getties/getty-ttyS0"
    r=/run/runit
    try_part shutdown/10-services works
    expect_failures services 0
    expect "$shell services: calls" "sv down $r/getties/getty-ttyS0
sv hup $r/getties/getty-ttyS0
sv -w 7 stop $r/getties/getty-ttyS0 $r/runsvdir/current/a b $r/runsvdir/current/getties
sv -w 2 exit $r/getties/getty-ttyS0 $r/runsvdir/current/a b $r/runsvdir/current/getties" "$calls"
    try_services 'case $3 in
        stop) printf "%s\n" "ok: down: x: 0s" "timeout: run: /a: (pid 9) 7s, want down, got TERM" \
            "fail: /b: runsv not running"; return 2 ;;
        esac'
    expect_failures 'services, one late' 1
    expect_line "$shell services: late one named" \
        '- shutdown: warning: services: late: run: /a: (pid 9) 7s, want down, got TERM' "$output"
    expect_part "$shell services: late ones killed" "sv kill $r/getties" "$calls"
    try_services 'echo "fail: /b: unable to change"; return 1'
    expect_failures 'services, sv complains' 1
    expect_no_part "$shell services: nothing late, nothing killed" 'sv kill' "$calls"
    try_part shutdown/10-services absent
    expect_failures 'services, no sv' 1
    rm -r "$root/run/runit"
}

test_unmount() {
    printf '%s\n' '2 1 8:1 / / rw - ext4 /dev/sda1 rw' '3 2 0:3 / /proc rw - proc proc rw' \
        '4 2 0:4 / /run rw - tmpfs run rw' '5 2 8:2 / /home rw - ext4 /dev/sda2 rw' \
        '6 5 8:3 / /home/a\040b\134c rw - ext4 /dev/sda3 rw' '7 4 8:4 / /run/media rw - vfat /dev/sdb1 rw' \
        '8 3 0:5 / /proc/sys/fs/binfmt_misc rw - binfmt_misc b rw' >"$root/proc/self/mountinfo"
    # The file stays as it is, so one pass gets all, and the next none.
    in_root 'stage=shutdown behaviour=works
        umount() { take_call umount "$@"; [ "$1" = -r ] || return 1; }
        run_part /etc/runit/shutdown/80-filesystems; printf "failures %s\n" $failures'
    expect "$shell unmount: order and names" 'umount /run/media
umount /home/a b\c
umount /home
umount -r /run/media
umount -r /home/a b\c
umount -r /home
mount -o remount,ro /' "$(read_calls)"
    expect_line "$shell unmount: busy ones read-only" 'failures 0' "$output"
    try_part shutdown/80-filesystems fails
    expect_failures 'unmount fails' 4
    expect_line "$shell unmount: named" \
        '- boot: warning: filesystems: unable to unmount /home: umount: no luck' "$output"
    try_part shutdown/80-filesystems absent
    expect_failures 'umount absent' 4
    on_disk ro
    try_part shutdown/80-filesystems works
    expect "$shell unmount: root is read-only" '' "$calls"
    in_memory
    try_part shutdown/80-filesystems works
    expect "$shell unmount: root in memory" '' "$calls"
    on_disk rw
    container=lxc try_part shutdown/80-filesystems works
    expect "$shell unmount: container" '' "$calls"
    in_memory
}

test_swap() {
    echo 'Filename Type Size Used Priority' >"$root/proc/swaps"
    try_part shutdown/70-swap works
    expect "$shell swap: nothing to give up" '' "$calls"
    echo '/dev/sda2 partition 100 0 -2' >>"$root/proc/swaps"
    try_part shutdown/70-swap works
    expect "$shell swap: given up" 'swapoff -a' "$calls"
    try_part shutdown/70-swap fails
    expect_failures 'swapoff fails' 1
    rm "$root/proc/swaps"
    try_part shutdown/70-swap works
    expect "$shell swap: kernel without it" '' "$calls"
}

main() {
    can_use_namespaces shutdown-parts || exit 0
    for shell in $(list_shells); do
        make_root "$shell"
        test_services
        test_swap
        test_unmount
        remove_root
    done
    exit "$failed"
}

main "$@"
