#!/bin/sh
# All set-up: looks for what the build, the tests and the guests need, and installs what is missing.
#
#   tests/setup.sh [build] [check] [boot]      these parts; without a word all of them
#
# On a Debian-like system root gets the packages. Everybody else gets the command or the list, and exit code 1.
# Where nothing is missing nothing is done.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${here%/*}

# What is needed, for which part, and the Debian package that brings it. Rust and musl are looked for by
# target-specs/build.sh, which knows where they may be.
list_tools() {
    cat <<'END'
build make make
build cc gcc
check readelf binutils
check shellcheck shellcheck
check mandoc mandoc
check busybox busybox-static
check unshare util-linux
check ps procps
check ip iproute2
check strace strace
check cpio cpio
check depmod kmod
check xz xz-utils
check zstd zstd
check lz4 lz4
check prlimit util-linux
check setpriv util-linux
check qemu-arm-static qemu-user-static
check blkid util-linux
check partx util-linux
check mkswap util-linux
check sfdisk fdisk
check mke2fs e2fsprogs
check mkfs.btrfs btrfs-progs
check mkfs.xfs xfsprogs
check mkfs.vfat dosfstools
check mksquashfs squashfs-tools
check mkfs.erofs erofs-utils
check mkfs.f2fs f2fs-tools
boot qemu-system-x86_64 qemu-system-x86
boot qemu-system-arm qemu-system-arm
boot dpkg-deb dpkg
boot mke2fs e2fsprogs
boot debugfs e2fsprogs
boot dumpe2fs e2fsprogs
boot e2fsck e2fsprogs
boot cmp diffutils
boot mksquashfs squashfs-tools
boot sfdisk fdisk
boot mkswap util-linux
boot depmod kmod
boot ssh openssh-client
END
}

say() {
    printf 'setup: %s\n' "$1" >&2
}

has_tool() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1
}

is_debian_like() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1
}

is_wanted() {
    case " $parts " in
    *" $1 "*) return 0 ;;
    *) return 1 ;;
    esac
}

want() {
    case " $packages " in
    *" $1 "*) ;;
    *)
        packages="$packages $1"
        pieces="$pieces$2
"
        ;;
    esac
}

# Sets packages, Debian's names, and pieces, one per line for people elsewhere.
find_missing() {
    packages=
    pieces=
    while read -r part tool package; do
        if is_wanted "$part" && ! has_tool "$tool"; then
            want "$package" "$tool"
        fi
    done <<END
$(list_tools)
END
    # Without root, owners and device nodes of an image are made up.
    if is_wanted boot && [ "$(id -u)" -ne 0 ] && ! has_tool fakeroot; then
        want fakeroot fakeroot
    fi
    is_wanted build || return 0
    [ -e /usr/include/stdlib.h ] || want libc6-dev "the C library's development files"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -n "$(ls /etc/ssl/cert.pem /etc/pki/tls/certs 2>/dev/null)" ] ||
        want ca-certificates "certificates, to fetch crates"
    find_missing_toolchain
}

# The build script stops at the first missing piece; here each is looked for while the others are given.
find_missing_toolchain() {
    for arch in x86_64 armv7; do
        if said=$("$root/target-specs/build.sh" --show "$arch" 2>&1); then
            continue
        fi
        case $said in
        *cargo* | *Rust*)
            want RUST "Rust 1.88 or later with library source (rustup toolchain install nightly -c rust-src)"
            # These two would have been looked for next.
            look_for_linker
            look_for_musl "$arch"
            ;;
        *'no cc'*)
            look_for_linker
            look_for_musl "$arch"
            ;;
        *ld.lld*)
            want lld "ld.lld"
            look_for_musl "$arch"
            ;;
        *) look_for_musl "$arch" ;;
        esac
    done
}

look_for_linker() {
    has_tool ld.lld || want lld "ld.lld"
}

look_for_musl() {
    case $1 in
    x86_64)
        [ -e /usr/lib/x86_64-linux-musl/libc.a ] || want "$(name_musl amd64)" "musl's libc.a for x86_64"
        ;;
    armv7)
        [ -e /usr/lib/arm-linux-musleabihf/libc.a ] || want "$(name_musl armhf)" "musl's libc.a for armv7"
        ;;
    esac
}

name_musl() {
    if is_debian_like && [ "$(dpkg --print-architecture)" != "$1" ]; then
        printf 'musl-dev:%s\n' "$1"
    else
        printf 'musl-dev\n'
    fi
}

# Debian's rustc-web follows Rust closely; where it is missing the ordinary one may do.
name_rust_packages() {
    if is_new_enough "$(candidate_of rustc-web)" && [ -n "$(candidate_of rust-web-src)" ]; then
        printf '%s\n' "rustc-web cargo-web rust-web-src $(name_lints rustfmt-web rust-web-clippy)"
    elif is_new_enough "$(candidate_of rustc)"; then
        printf '%s\n' "rustc cargo rust-src $(name_lints rustfmt rust-clippy)"
    fi
}

# Formatter and lints come with it if they can: the check leaves them out, and says so, where they are not.
name_lints() {
    is_wanted check || return 0
    for package; do
        if [ -n "$(candidate_of "$package")" ]; then
            printf '%s ' "$package"
        fi
    done
}

is_new_enough() {
    dpkg --compare-versions "$1" ge 1.88
}

candidate_of() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9].*\)/\1/p'
}

# The foreign architectures among the packages that this system does not know yet.
list_new_architectures() {
    for package in $packages; do
        case $package in
        *:*) printf '%s\n' "${package#*:}" ;;
        esac
    done | sort -u | while read -r architecture; do
        dpkg --print-foreign-architectures | grep -qx "$architecture" || printf '%s\n' "$architecture"
    done
}

# As one line, for those who are not root.
print_command() {
    for architecture in $(list_new_architectures); do
        printf 'dpkg --add-architecture %s && ' "$architecture"
    done
    printf 'apt-get update; apt-get install --no-install-recommends%s\n' \
        "$(printf '%s' "$packages" | sed 's/ RUST/ rustc-web cargo-web rust-web-src/')"
}

# Own packages first, foreign ones after them: a suite whose index cannot be had for the foreign architecture (which
# happens) is left out as a whole by apt-get, and its own packages, perhaps the newer Rust, would be gone with it.
install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    native=$(dpkg --print-architecture)
    own=$(list_packages | grep -v :) || :
    foreign=$(list_packages | grep :) || :
    if [ -n "$own" ]; then
        update_indexes -o "APT::Architectures=$native" -o APT::Get::List-Cleanup=false
        case $own in
        *RUST*) choose_rust ;;
        esac
        install_now "$own"
    fi
    if [ -n "$foreign" ]; then
        for architecture in $(list_new_architectures); do
            dpkg --add-architecture "$architecture"
        done
        update_indexes
        install_now "$foreign"
    fi
}

list_packages() {
    # Word splitting is wanted: the names are a list.
    # shellcheck disable=SC2086
    printf '%s\n' $packages
}

# What cannot be had of one index must not stop the rest: if a package is out of reach for it, its installation will
# say so.
update_indexes() {
    apt-get -q "$@" update || say "warning: unable to update every package index"
}

install_now() {
    # shellcheck disable=SC2086
    apt-get -q install -y --no-install-recommends $1
}

choose_rust() {
    rust=$(name_rust_packages)
    if [ -z "$rust" ]; then
        say "fatal: no package brings Rust 1.88 or later; install it by hand, then call again:"
        say "  rustup toolchain install nightly -c rust-src"
        exit 1
    fi
    own=$(printf '%s\n' "$own" | sed "s/^RUST\$/$rust/")
}

# Or says what is missing, and ends.
install_missing() {
    if ! is_debian_like; then
        say "missing, to be installed by hand:"
        printf '%s' "$pieces" | sed 's/^/  /' >&2
        exit 1
    elif [ "$(id -u)" -ne 0 ]; then
        say "missing; as root:"
        print_command | sed 's/^/  /' >&2
        exit 1
    fi
    say "installing$packages"
    install_packages </dev/null >&2
    find_missing
    if [ -n "$packages" ]; then
        say "fatal: still missing:$packages"
        exit 1
    fi
}

# The programs that ours are held against: Debian's runit, static busybox and s6-log, unpacked into the cache and never
# installed. Without them what needs them is left out and says so, so nothing ends here.
bring_reference() {
    cache=${PIPIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pipit}
    if [ -x "$cache/reference/bin/chpst" ] && [ -x "$cache/reference/busybox" ] &&
        [ -x "$cache/reference/s6-log" ]; then
        return 0
    fi
    if ! is_debian_like || [ "$(dpkg --print-architecture)" != amd64 ]; then
        say "warning: no reference programs: Debian's runit, busybox-static and s6 are brought on Debian for amd64 only"
        return 0
    fi
    mkdir -p "$cache/reference" "$cache/x86_64/debs"
    # Those who bring a guest's busybox hold the same lock, and take the package from the same place.
    (
        flock 9
        code=0
        unpack_runit || code=1
        unpack_busybox || code=1
        unpack_s6_log || code=1
        exit "$code"
    ) 9>"$cache/x86_64/lock" >&2 || say "warning: unable to bring all reference programs"
}

unpack_runit() {
    [ ! -x "$cache/reference/bin/chpst" ] || return 0
    download_once runit "$cache/reference" || return 1
    rm -rf "$cache/reference/runit" "$cache/reference/bin" "$cache/reference/bin.new"
    for package in "$cache"/reference/runit_*.deb; do
        dpkg -x "$package" "$cache/reference/runit" || return 1
    done
    mkdir "$cache/reference/bin.new"
    for program in usr/bin/runsv usr/bin/runsvdir usr/bin/sv usr/bin/svlogd usr/bin/chpst usr/sbin/utmpset \
        usr/sbin/runsvchdir sbin/runit lib/runit/runit-init; do
        ln -s "../runit/$program" "$cache/reference/bin.new/"
    done
    ln -s runit-init "$cache/reference/bin.new/init"
    mv "$cache/reference/bin.new" "$cache/reference/bin"
}

unpack_busybox() {
    [ ! -x "$cache/reference/busybox" ] || return 0
    download_once busybox-static "$cache/x86_64/debs" || return 1
    rm -rf "$cache/reference/unpacked"
    for package in "$cache"/x86_64/debs/busybox-static_*.deb; do
        dpkg -x "$package" "$cache/reference/unpacked" || return 1
    done
    for file in "$cache"/reference/unpacked/bin/busybox "$cache"/reference/unpacked/usr/bin/busybox; do
        [ ! -f "$file" ] || mv "$file" "$cache/reference/busybox"
    done
    rm -rf "$cache/reference/unpacked"
    [ -x "$cache/reference/busybox" ]
}

# Its libraries come from packages whose names change with every release, so the package itself is asked for them.
unpack_s6_log() {
    [ ! -x "$cache/reference/s6-log" ] || return 0
    rm -rf "$cache/reference/s6" "$cache/reference/s6.debs"
    mkdir "$cache/reference/s6.debs"
    download_once s6 "$cache/reference/s6.debs" || return 1
    for package in $(dpkg-deb -f "$cache"/reference/s6.debs/s6_*.deb Depends | list_libraries); do
        download_once "$package" "$cache/reference/s6.debs" || return 1
    done
    for package in "$cache"/reference/s6.debs/*.deb; do
        dpkg -x "$package" "$cache/reference/s6" || return 1
    done
    cat >"$cache/reference/s6-log.new" <<'END'
#!/bin/sh
# One process from the exec on.
s6=${0%/*}/s6
LD_LIBRARY_PATH=$s6/usr/lib/x86_64-linux-gnu:$s6/lib/x86_64-linux-gnu exec "$s6/usr/bin/s6-log" "$@"
END
    chmod 755 "$cache/reference/s6-log.new"
    # Where a library is missing it ends here.
    [ "$(printf 'line\n' | "$cache/reference/s6-log.new" 1)" = line ] || return 1
    mv "$cache/reference/s6-log.new" "$cache/reference/s6-log"
}

# The names in a list of dependencies that are those of libraries. The system has its own C library.
list_libraries() {
    tr ',' '\n' | sed -n 's/^ *\(lib[^ ]*\).*/\1/p' | grep -v '^libc6$'
}

# download_once PACKAGE DIRECTORY: unless it is there.
download_once() {
    for package in "$2/$1"_*.deb; do
        [ ! -f "$package" ] || return 0
    done
    if ! download "$1" "$2" && [ "$(id -u)" -eq 0 ]; then
        update_indexes && download "$1" "$2"
    fi
}

download() {
    (cd "$2" && apt-get -q -o APT::Sandbox::User= download "$1") </dev/null
}

main() {
    parts=${*:-build check boot}
    for part in $parts; do
        case $part in
        build | check | boot) ;;
        *)
            say "usage: setup.sh [build] [check] [boot]"
            exit 100
            ;;
        esac
    done
    find_missing
    [ -z "$packages" ] || install_missing
    if is_wanted check; then
        bring_reference
    fi
}

main "$@"
