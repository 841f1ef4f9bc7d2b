#!/bin/sh
# Makes the disk of a machine that runs Debian's programs and our init, as a Linux From Scratch system would.
#
#   make-image.sh PACKAGES KERNEL DIRECTORY
#
# PACKAGES is what fetch.sh prints, KERNEL the kernel's package, whose modules are taken. The packages are unpacked and
# none of their own scripts is run: what those would have done to a system, and what its owner would have, is done
# below, package by package. Then our init comes over it by `make install install-init`, and the services of services/.
#
# In DIRECTORY are then:
#   disk.img      a partition table, / and /home as ext4, swap; their UUIDs are those below
#   key key.pub   with which root may log in by ssh; missing where this machine has no ssh-keygen
#   install.log   what the installation said
#
# Owners and modes are those of a real system: without root this runs itself under fakeroot.
# Exit codes: 0 done; 1 something failed, the last message says what; 100 wrong usage

set -eu

# The names by which the kernel and fstab find the parts of the disk. A figure is a number of MiB.
ROOT_PARTITION=0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1a01
ROOT_UUID=0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1b01 ROOT_BEGIN=1 ROOT_SIZE=640
HOME_UUID=0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1b02 HOME_BEGIN=641 HOME_SIZE=64
SWAP_UUID=0e0a8a1c-7d53-4f0e-9c39-3f6d2f8c1b03 SWAP_BEGIN=705 SWAP_SIZE=64
DISK_SIZE=770

# Those who prefer fakeroot to root have these out of their way.
PATH=$PATH:/usr/sbin:/sbin
export PATH

fail() {
    printf 'distribution: fatal: %s\n' "$1" >&2
    exit 1
}

check_tools() {
    for tool in dpkg-deb depmod ldconfig mke2fs mkswap sfdisk; do
        command -v "$tool" >/dev/null || fail "$tool is missing"
    done
}

# ---- the packages ----------------------------------------------------------

unpack_packages() {
    # A merged /usr; some packages still ship files in /bin and /lib.
    for name in bin sbin lib lib64; do
        mkdir -p "$root/usr/$name"
        ln -s "usr/$name" "$root/$name"
    done
    while read -r file; do
        unpack "$packages/$file"
    done <"$packages/packages.list"
    unpack "$kernel" ./lib/modules
}

# unpack PACKAGE [PATH]
unpack() {
    file=$1
    shift
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$root" --keep-directory-symlink "$@" ||
        fail "unable to unpack: $file"
}

# ---- what their scripts would have done ------------------------------------

set_up_packages() {
    set_up_accounts
    set_up_base
    set_up_programs
    set_up_daemons
    ldconfig -r "$root"
    for modules in "$root"/lib/modules/*; do
        depmod -b "$root" "${modules##*/}"
    done
}

# base-passwd, and adduser as the daemons call it. root and lfs have no password.
set_up_accounts() {
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    sed -i 's/^root:[^:]*/root:x/' "$root/etc/passwd"
    cat >>"$root/etc/group" <<END
crontab:x:101:
messagebus:x:102:
_chrony:x:103:
_ssh:x:104:
log:x:105:
lfs:x:1000:
END
    cat >>"$root/etc/passwd" <<END
messagebus:x:102:102::/nonexistent:/usr/sbin/nologin
_chrony:x:103:103:Chrony daemon:/var/lib/chrony:/usr/sbin/nologin
sshd:x:104:65534::/run/sshd:/usr/sbin/nologin
log:x:105:105:log services:/var/log/sv:/usr/sbin/nologin
lfs:x:1000:1000:a user:/home/lfs:/bin/bash
END
    sed -e 's/^\(root\|lfs\):.*/\1::20000:0:99999:7:::/' -e t -e 's/:.*/:*:20000:0:99999:7:::/' \
        "$root/etc/passwd" >"$root/etc/shadow"
    chown 0:42 "$root/etc/shadow"
    chmod 640 "$root/etc/shadow"
}

# base-files, libc-bin, debianutils, tzdata.
set_up_base() {
    cp "$root/usr/share/base-files/profile" "$root/etc/profile"
    cp "$root/usr/share/base-files/dot.profile" "$root/root/.profile"
    cp "$root/usr/share/base-files/dot.bashrc" "$root/root/.bashrc"
    printf '%s\n' /bin/sh /bin/bash /usr/bin/sh /usr/bin/bash >"$root/etc/shells"
    rm -rf "$root/var/run" "$root/var/lock"
    ln -s /run "$root/var/run"
    ln -s /run/lock "$root/var/lock"
    mkdir -p "$root/media" "$root/mnt" "$root/opt" "$root/srv" "$root/var/mail"
    # Of the group utmp, those of the failed logins for nobody else.
    for record in wtmp lastlog btmp; do
        : >"$root/var/log/$record"
        chown 0:43 "$root/var/log/$record"
        chmod 664 "$root/var/log/$record"
    done
    chmod 660 "$root/var/log/btmp"
    ln -s /usr/share/zoneinfo/UTC "$root/etc/localtime"
    # A kernel that does not mount devtmpfs by itself, as Debian's, shows process 1 this directory.
    mknod -m 600 "$root/dev/console" c 5 1
    mknod -m 666 "$root/dev/null" c 1 3
}

# The choices among alternatives; and sh, which on Linux From Scratch is bash.
set_up_programs() {
    ln -sf bash "$root/usr/bin/sh"
    ln -s /usr/bin/mawk "$root/etc/alternatives/awk"
    ln -s /etc/alternatives/awk "$root/usr/bin/awk"
    ln -s /usr/bin/less "$root/etc/alternatives/pager"
    ln -s /etc/alternatives/pager "$root/usr/bin/pager"
    ln -s /usr/bin/which.debianutils "$root/etc/alternatives/which"
    ln -s /etc/alternatives/which "$root/usr/bin/which"
}

set_up_daemons() {
    # cron
    chown 0:101 "$root/usr/bin/crontab" "$root/var/spool/cron/crontabs"
    chmod 2755 "$root/usr/bin/crontab"
    chmod 1730 "$root/var/spool/cron/crontabs"
    # dbus; its machine-id is made by its service
    chown 0:102 "$root/usr/lib/dbus-1.0/dbus-daemon-launch-helper"
    chmod 4754 "$root/usr/lib/dbus-1.0/dbus-daemon-launch-helper"
    # openssh; its host key is made by its service
    cp "$root/usr/share/openssh/sshd_config" "$root/etc/ssh/sshd_config"
    chown 0:104 "$root/usr/bin/ssh-agent"
    chmod 2755 "$root/usr/bin/ssh-agent"
    # chrony
    cp "$root/usr/share/chrony/chrony.conf" "$root/usr/share/chrony/chrony.keys" "$root/etc/chrony/"
    chmod 640 "$root/etc/chrony/chrony.keys"
    mkdir -p "$root/var/log/chrony"
    chown 103:103 "$root/etc/chrony/chrony.keys" "$root/var/lib/chrony" "$root/var/log/chrony"
    # nginx
    ln -s /etc/nginx/sites-available/default "$root/etc/nginx/sites-enabled/default"
    mkdir -p "$root/var/www/html"
    cp "$root/usr/share/nginx/html/index.html" "$root/var/www/html/index.nginx-debian.html"
    chown 33:4 "$root/var/log/nginx"
}

# ---- what the owner does ---------------------------------------------------

configure_system() {
    cp -R "$here/files/." "$root/"
    cat >"$root/etc/fstab" <<END
# file system    mount point    type      options                     dump  fsck
UUID=$ROOT_UUID  /              ext4      defaults                    1     1
UUID=$HOME_UUID  /home          ext4      defaults                    0     2
UUID=$SWAP_UUID  swap           swap      pri=1                       0     0
proc             /proc          proc      nosuid,noexec,nodev         0     0
sysfs            /sys           sysfs     nosuid,noexec,nodev         0     0
devpts           /dev/pts       devpts    gid=5,mode=620              0     0
tmpfs            /run           tmpfs     defaults                    0     0
devtmpfs         /dev           devtmpfs  mode=0755,nosuid            0     0
tmpfs            /dev/shm       tmpfs     nosuid,nodev                0     0
cgroup2          /sys/fs/cgroup cgroup2   nosuid,noexec,nodev         0     0
tmpfs            /tmp           tmpfs     nosuid,nodev                0     0
END
    allow_key
    mkdir -p "$directory/home/lfs"
    chown 1000:1000 "$directory/home/lfs"
}

allow_key() {
    if ! command -v ssh-keygen >/dev/null; then
        printf 'distribution: warning: no ssh-keygen: nobody can log in by ssh\n' >&2
        return 0
    fi
    ssh-keygen -q -t ed25519 -N '' -C test -f "$directory/key"
    mkdir -m 700 "$root/root/.ssh"
    cp "$directory/key.pub" "$root/root/.ssh/authorized_keys"
}

install_init() {
    make -s -C "$here/../.." ARCH=x86_64 DESTDIR="$root" install install-init >"$directory/install.log"
    for service in "$here"/services/*; do
        name=${service##*/}
        cp -R "$service" "$root/etc/sv/$name"
        # The generic log service is no service by itself.
        [ "$name" = log-generic ] || ln -s "../../../sv/$name" "$root/etc/runit/runsvdir/multi/$name"
    done
    mkdir "$root/var/log/sv"
}

# ---- the disk --------------------------------------------------------------

make_disk() {
    disk=$directory/disk.img
    truncate -s "${DISK_SIZE}M" "$disk"
    sfdisk --quiet "$disk" <<END
label: gpt
start=${ROOT_BEGIN}MiB, size=${ROOT_SIZE}MiB, uuid=$ROOT_PARTITION, name=root
start=${HOME_BEGIN}MiB, size=${HOME_SIZE}MiB, name=home
start=${SWAP_BEGIN}MiB, size=${SWAP_SIZE}MiB, type=swap, name=swap
END
    make_extended "$ROOT_BEGIN" "$ROOT_SIZE" "$ROOT_UUID" "$root"
    make_extended "$HOME_BEGIN" "$HOME_SIZE" "$HOME_UUID" "$directory/home"
    truncate -s "${SWAP_SIZE}M" "$directory/swap"
    # It grumbles at holes, which only matter to a file that is swapped to as it is.
    mkswap --uuid "$SWAP_UUID" "$directory/swap" >"$directory/mkswap.log" 2>&1 ||
        fail "mkswap: see $directory/mkswap.log"
    dd if="$directory/swap" of="$disk" bs=1M seek="$SWAP_BEGIN" conv=notrunc,sparse status=none
}

# make_extended BEGIN SIZE UUID DIRECTORY
make_extended() {
    mke2fs -q -F -t ext4 -U "$3" -E "offset=$(($1 * 1024 * 1024)),root_owner=0:0" -d "$4" "$disk" "$2M"
}

main() {
    if [ "$#" -ne 3 ]; then
        printf 'usage: make-image.sh PACKAGES KERNEL DIRECTORY\n' >&2
        exit 100
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v fakeroot >/dev/null || fail 'fakeroot is missing: apt-get install fakeroot'
        exec fakeroot "$0" "$@"
    fi
    packages=$1 kernel=$2 directory=$3
    here=$(cd "$(dirname "$0")" && pwd)
    check_tools
    root=$directory/root
    umask 022
    rm -rf "$directory"
    mkdir -p "$root"
    unpack_packages
    set_up_packages
    configure_system
    install_init
    make_disk
    rm -rf "$root" "${directory:?}/home" "$directory/swap"
}

main "$@"
