#!/bin/sh
# Each part of stage 1 by itself, in each shell: with what it needs present,
# failing and absent, and where it has nothing to do. Programs are stubs, /proc
# and /sys are plain files.
#
# What stands in single quotes is for the shell in the root.
# shellcheck disable=SC2016
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

# What the stubs were asked to mount on an empty machine, in order.
wanted_mounts='mount -t proc -o nosuid,noexec,nodev proc /proc
mount -t tmpfs -o nosuid,nodev,mode=0755 run /run
mount -t sysfs -o nosuid,noexec,nodev sys /sys
mount -t devtmpfs -o nosuid,mode=0755 dev /dev
mount -t devpts -o nosuid,noexec,gid=5,mode=0620,ptmxmode=0666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 shm /dev/shm
mount -t cgroup2 -o nosuid,noexec,nodev,nsdelegate cgroup2 /sys/fs/cgroup'

test_pseudo_filesystems() {
    mkdir -p "$root/sys/fs/cgroup"
    printf 'nodev\t%s\n' proc devtmpfs cgroup2 >"$root/proc/filesystems"
    printf '\text4\n' >>"$root/proc/filesystems"
    try_part boot/05-pseudo-filesystems works
    expect "$shell pseudo: mounts" "$wanted_mounts" "$calls"
    expect_failures pseudo 0
    expect "$shell pseudo: log" '[   12.34] boot: pseudo-filesystems: mounted' "$(cat "$root/run/runit/boot.log")"
    expect "$shell pseudo: /dev/fd" /proc/self/fd "$(readlink "$root/dev/fd")"
    printf '%s\n' '1 1 0:2 / / rw - rootfs rootfs rw' '2 1 0:3 / /proc rw - proc proc rw' \
        '3 1 0:4 / /run rw - tmpfs run rw' '4 1 0:5 / /sys rw - sysfs sys rw' '5 1 0:6 / /dev rw - devtmpfs dev rw' \
        '6 5 0:7 / /dev/pts rw - devpts devpts rw' '7 5 0:8 / /dev/shm rw - tmpfs shm rw' \
        '8 4 0:9 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw' >"$root/proc/self/mountinfo"
    try_part boot/05-pseudo-filesystems works
    expect "$shell pseudo: all there already" '' "$calls"
    in_memory
    rm -r "$root/run/runit"
    try_part boot/05-pseudo-filesystems fails
    expect_failures 'pseudo, mount fails' 7
    expect_part "$shell pseudo: reason kept before there was a log" \
        'warning: pseudo-filesystems: unable to mount /proc: mount: no luck' "$(cat "$root/run/runit/boot.log")"
    printf 'nodev\tproc\n' >"$root/proc/filesystems"
    try_part boot/05-pseudo-filesystems works
    expect_part "$shell pseudo: no devtmpfs: memory" 'mount -t tmpfs -o nosuid,mode=0755 dev /dev' "$calls"
    expect_part "$shell pseudo: no devtmpfs: nodes" 'mknod -m 0666 /dev/null c 1 3' "$calls"
    expect_no_part "$shell pseudo: no cgroup2" cgroup2 "$calls"
    container=lxc try_part boot/05-pseudo-filesystems works
    expect "$shell pseudo: container" '' "$calls"
    rm -r "$root/run/runit"
}

test_requests() {
    mkdir "$root/run/runit"
    for round in fresh again; do
        try_part boot/10-requests works
        expect_failures "requests $round" 0
        expect "$shell requests $round: modes" '0 0' "$(stat -c %a "$root/run/runit/stopit" "$root/run/runit/reboot" | xargs)"
        chmod 0100 "$root/run/runit/stopit" "$root/run/runit/reboot"
    done
    rm -r "$root/run/runit"
    try_part boot/10-requests works
    expect_failures 'requests without a directory' 1
}

test_devices() {
    printf '%s\n' '1 1 0:2 / / rw - rootfs rootfs rw' '5 1 0:6 / /dev rw - devtmpfs dev rw' >"$root/proc/self/mountinfo"
    try_part boot/15-devices works
    expect "$shell devices: devtmpfs alone" '' "$calls"
    touch "$root/etc/mdev.conf"
    try_part boot/15-devices works
    expect "$shell devices: mdev" 'mdev -s' "$calls"
    try_part boot/15-devices fails
    expect_failures 'devices, mdev fails' 1
    rm "$root/etc/mdev.conf"
    printf '%s\n' '1 1 0:2 / / rw - rootfs rootfs rw' '5 1 0:6 / /dev rw - tmpfs dev rw' >"$root/proc/self/mountinfo"
    try_part boot/15-devices works
    expect "$shell devices: no devtmpfs, mdev" 'mdev -s' "$calls"
    try_part boot/15-devices absent
    expect_failures 'devices, nothing there' 0
    mkdir -p "$root/usr/lib/udev"
    printf '%s\n' '#!/bin/sh' 'echo "udevd $*" >>/calls' >"$root/usr/lib/udev/udevd"
    chmod +x "$root/usr/lib/udev/udevd"
    try_part boot/15-devices works
    expect "$shell devices: udev" 'udevd --daemon
udevadm trigger --action=add --type=subsystems
udevadm trigger --action=add --type=devices
udevadm settle --timeout=30' "$calls"
    try_part boot/15-devices fails
    expect_failures 'devices, udevadm fails' 3
    printf '%s\n' '#!/bin/sh' 'exit 1' >"$root/usr/lib/udev/udevd"
    try_part boot/15-devices works
    expect_failures 'devices, udev does not start' 1
    container=lxc try_part boot/15-devices works
    expect "$shell devices: container" '' "$calls"
    rm -r "$root/usr/lib/udev"
    in_memory
}

# try_hostname CONTENT: sets `name`.
try_hostname() {
    printf '%s' "$1" >"$root/etc/hostname"
    printf '%s\n' '(none)' >"$root/proc/sys/kernel/hostname"
    try_part boot/20-hostname works
    name=$(cat "$root/proc/sys/kernel/hostname")
}

test_hostname() {
    try_hostname "board7$newline"
    expect "$shell hostname" board7 "$name"
    try_hostname "# comment$newline$newline board8 and more"
    expect "$shell hostname: comment, blanks, no newline" board8 "$name"
    try_hostname ''
    expect "$shell hostname: empty" '(none)' "$name"
    in_root 'stage=boot; HOSTNAME=other; run_part /etc/runit/boot/20-hostname'
    expect "$shell hostname: runit.conf" other "$(cat "$root/proc/sys/kernel/hostname")"
    rm -r "$root/proc/sys/kernel" "$root/etc/hostname"
    try_part boot/20-hostname works
    expect_failures 'hostname: nowhere to write, nothing to set' 0
    echo x >"$root/etc/hostname"
    try_part boot/20-hostname works
    expect_failures 'hostname: nowhere to write' 1
    mkdir -p "$root/proc/sys/kernel"
    rm "$root/etc/hostname"
}

test_loopback() {
    try_part boot/25-loopback works
    expect "$shell loopback: none" '' "$calls"
    mkdir -p "$root/sys/class/net/lo"
    echo 0x8 >"$root/sys/class/net/lo/flags"
    try_part boot/25-loopback works
    expect "$shell loopback: ip" 'ip link set dev lo up' "$calls"
    try_part boot/25-loopback fails
    expect_failures 'loopback, ip fails' 1
    try_part boot/25-loopback absent
    expect_failures 'loopback, no tool' 1
    echo 0x9 >"$root/sys/class/net/lo/flags"
    try_part boot/25-loopback works
    expect "$shell loopback: up already" '' "$calls"
    rm -r "$root/sys/class"
}

# try_fsck STATUS: the part with a fsck that ends with STATUS.
try_fsck() {
    in_root "stage=boot behaviour=works
        fsck() { take_call fsck \"\$@\"; return $1; }
        run_part /etc/runit/boot/30-check-filesystems
        printf 'status %s\nfailures %s\n' \$? \$failures"
    calls=$(read_calls)
}

test_check() {
    on_disk ro
    try_part boot/30-check-filesystems works
    expect "$shell fsck: no fstab" '' "$calls"
    printf '%s\n' '/dev/sda1 / ext4 defaults 0 1' >"$root/etc/fstab"
    try_part boot/30-check-filesystems works
    expect "$shell fsck: all" 'fsck -A -T -a -t noopts=_netdev' "$calls"
    on_disk rw
    try_part boot/30-check-filesystems works
    expect "$shell fsck: not a writable root" 'fsck -A -T -a -t noopts=_netdev -R' "$calls"
    on_disk ro
    touch "$root/forcefsck"
    try_part boot/30-check-filesystems works
    expect "$shell fsck: forced by file" 'fsck -A -T -a -t noopts=_netdev -f' "$calls"
    rm "$root/forcefsck"
    echo 'quiet forcefsck' >"$root/proc/cmdline"
    try_part boot/30-check-filesystems works
    expect "$shell fsck: forced by word" 'fsck -A -T -a -t noopts=_netdev -f' "$calls"
    echo 'quiet fastboot' >"$root/proc/cmdline"
    try_part boot/30-check-filesystems works
    expect "$shell fsck: fastboot" '' "$calls"
    echo quiet >"$root/proc/cmdline"
    try_part boot/30-check-filesystems absent
    expect_failures 'fsck absent' 0
    try_fsck 1
    expect_failures 'fsck status 1' 0
    expect_no_part "$shell fsck status 1: no shell" sulogin "$calls"
    mkdir "$root/run/runit"
    touch "$root/run/runit/reboot"
    for status in 2 3; do
        chmod 0 "$root/run/runit/reboot"
        try_fsck "$status"
        expect_line "$shell fsck status $status: stops the boot" 'status 100' "$output"
        expect "$shell fsck status $status: asks for a reboot" 100 "$(stat -c %a "$root/run/runit/reboot")"
    done
    rm -r "$root/run/runit"
    for status in 4 6 8 12 32 127; do
        try_fsck "$status"
        expect_failures "fsck status $status" 1
        expect_part "$shell fsck status $status: shell" sulogin "$calls"
    done
    in_memory
    try_part boot/30-check-filesystems works
    expect "$shell fsck: root in memory" '' "$calls"
    rm "$root/etc/fstab"
}

test_root() {
    on_disk ro
    try_part boot/35-root works
    expect "$shell root: no fstab" '' "$calls"
    printf '%s\n' '/dev/sda1 / ext4 defaults 0 1' >"$root/etc/fstab"
    try_part boot/35-root works
    expect "$shell root: writable" 'mount -o remount,rw /' "$calls"
    try_part boot/35-root fails
    expect_failures 'root, mount fails' 1
    printf '%s\n' '/dev/sda1 / ext4 noatime,ro 0 1' >"$root/etc/fstab"
    try_part boot/35-root works
    expect "$shell root: ro in fstab" '' "$calls"
    printf '%s\n' '/dev/sda1 / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
    try_part boot/35-root works
    expect "$shell root: errors=remount-ro is not ro" 'mount -o remount,rw /' "$calls"
    in_memory
    try_part boot/35-root works
    expect "$shell root: in memory" '' "$calls"
    rm "$root/etc/fstab"
}

test_local_filesystems() {
    try_part boot/40-local-filesystems works
    expect "$shell mount: no fstab" '' "$calls"
    touch "$root/etc/fstab"
    try_part boot/40-local-filesystems works
    expect "$shell mount: all" 'mount -a -t nosysfs,nonfs,nonfs4,nosmbfs,nocifs -O no_netdev' "$calls"
    try_part boot/40-local-filesystems fails
    expect_failures 'mount fails' 1
    try_part boot/40-local-filesystems absent
    expect_failures 'mount absent' 1
    container=lxc try_part boot/40-local-filesystems works
    expect "$shell mount: container" '' "$calls"
    rm "$root/etc/fstab"
}

test_swap() {
    try_part boot/45-swap works
    expect "$shell swap: none" '' "$calls"
    echo '/dev/sda2 none swap sw 0 0' >"$root/etc/fstab"
    try_part boot/45-swap works
    expect "$shell swap: used" 'swapon -a' "$calls"
    try_part boot/45-swap fails
    expect_failures 'swap fails' 1
    try_part boot/45-swap absent
    expect_failures 'swap asked for, swapon absent' 1
    rm "$root/etc/fstab"
}

test_temporary_files() {
    touch "$root/etc/nologin" "$root/fastboot"
    chmod 755 "$root/tmp"
    try_part boot/50-temporary-files works
    expect_failures tmp 0
    expect "$shell tmp: mode" 1777 "$(stat -c %a "$root/tmp")"
    if [ ! -e "$root/etc/nologin" ] && [ ! -e "$root/fastboot" ]; then
        pass "$shell flags removed"
    else
        fail "$shell flags removed" 'still there'
    fi
    rmdir "$root/tmp"
    try_part boot/50-temporary-files works
    expect "$shell tmp: made" 1777 "$(stat -c %a "$root/tmp")"
    on_disk ro
    try_part boot/50-temporary-files works
    expect "$shell tmp: memory on a read-only root" 'mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp' "$calls"
    rmdir "$root/tmp"
    try_part boot/50-temporary-files works
    expect_failures 'no tmp on a read-only root' 0
    mkdir -m 1777 "$root/tmp"
    in_memory
}

test_utmp() {
    try_part boot/55-utmp works
    expect_failures utmp 0
    expect "$shell utmp: mode" 664 "$(stat -c %a "$root/run/utmp")"
    expect "$shell utmp: no such group" '' "$calls"
    printf '%s\n' 'root:x:0:' 'utmp:x:13:' >"$root/etc/group"
    try_part boot/55-utmp works
    expect "$shell utmp: group" 'chgrp utmp /run/utmp' "$calls"
    try_part boot/55-utmp fails
    expect_failures 'utmp, chgrp fails' 1
    rm "$root/etc/group" "$root/run/utmp"
    mv "$root/run" "$root/ran"
    try_part boot/55-utmp works
    expect_failures 'utmp without /run' 1
    mv "$root/ran" "$root/run"
}

test_kernel_log() {
    try_part boot/90-kernel-log works
    expect "$shell dmesg: mode" 644 "$(stat -c %a "$root/var/log/dmesg.log")"
    rm "$root/var/log/dmesg.log"
    echo 1 >"$root/proc/sys/kernel/dmesg_restrict"
    try_part boot/90-kernel-log works
    expect "$shell dmesg: private" 600 "$(stat -c %a "$root/var/log/dmesg.log")"
    try_part boot/90-kernel-log fails
    expect_failures 'dmesg fails' 1
    try_part boot/90-kernel-log absent
    expect_failures 'dmesg absent' 0
    on_disk ro
    try_part boot/90-kernel-log works
    expect "$shell dmesg: read-only" '' "$calls"
    in_memory
}

main() {
    can_use_namespaces boot-parts || exit 0
    for shell in $(list_shells); do
        make_root "$shell"
        test_pseudo_filesystems
        test_requests
        test_devices
        test_hostname
        test_loopback
        test_check
        test_root
        test_local_filesystems
        test_swap
        test_temporary_files
        test_utmp
        test_kernel_log
        remove_root
    done
    exit "$failed"
}

main "$@"
