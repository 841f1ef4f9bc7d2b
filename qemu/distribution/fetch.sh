#!/bin/sh
# Brings Debian's packages for a whole system on x86_64, with all that they depend on; prints the directory that holds
# them:
#
#   packages.list      the names of the files, what is needed first at the beginning
#   *.deb              the packages
#
# Nothing is installed, and what is there is not downloaded again. No init system is among them: none is depended on.
#
# Environment: PIPIT_CACHE  where to keep them (default ${XDG_CACHE_HOME:-$HOME/.cache}/pipit)
# Exit codes:  0 done; 1 something could not be brought (a message says what)

set -eu

# shellcheck source=qemu/apt.sh
. "$(dirname "$0")/../apt.sh"

# The base of a system; what boots it; what runs on it. Debian's essential packages are named, for to an apt that knows
# of no system nothing is essential.
wanted='base-files base-passwd bash bsdutils coreutils dash debianutils diffutils findutils grep gzip hostname libc-bin
    login mawk mount ncurses-base passwd procps psmisc sed tar util-linux util-linux-extra
    e2fsprogs iproute2 kmod less udev
    chrony cron dbus nginx openssh-server rsyslog'
debian_architecture=amd64

fail() {
    printf 'distribution: fatal: %s\n' "$1" >&2
    exit 1
}

has_all() {
    [ -f "$home/packages.list" ] && [ "$(cat "$home/wanted")" = "$wanted" ] || return 1
    while read -r file; do
        [ -f "$home/$file" ] || return 1
    done <"$home/packages.list"
}

install_nothing() {
    # The list is words.
    # shellcheck disable=SC2086
    apt-get --no-install-recommends -o Dir::Cache::archives="$home" "$@" install $wanted
}

# apt tells in which order it would install, and with which versions; a colon in one is %3a in the name of its file.
list_files() {
    install_nothing --simulate |
        sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) [^[]*\[\([a-z0-9]*\)\]).*/\1_\2_\3.deb/p' | sed 's/:/%3a/'
}

remove_others() {
    for file in "$home"/*.deb; do
        grep -qxF -e "${file##*/}" "$home/packages.list.new" || rm -f "$file"
    done
}

download() {
    mkdir -p "$home/partial"
    open_apt "$home/apt" "put the packages of Debian, and packages.list with their names, into $home"
    list_files >"$home/packages.list.new"
    [ -s "$home/packages.list.new" ] || fail 'unable to find the packages: not in the package sources of this machine'
    install_nothing -qq --yes --download-only >&2 || fail 'unable to download the packages'
    remove_others
    printf '%s\n' "$wanted" >"$home/wanted"
    # Last, so that an interrupted run starts again.
    mv "$home/packages.list.new" "$home/packages.list"
    close_apt
    has_all || fail "packages are missing in $home"
}

main() {
    home=${PIPIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pipit}/distribution
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock 9
    has_all || download
    printf '%s\n' "$home"
}

main "$@"
