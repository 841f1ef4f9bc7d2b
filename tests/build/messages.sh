#!/bin/sh
# A missing piece of the build is named, with the command that brings it, and the exit code is not 0.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${here%/*/*}
# shellcheck source=tests/build/report.sh
. "$here/report.sh"

main() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    mkdir "$scratch/home" "$scratch/bare"
    # The tools the build script itself needs, and no more; tests add what they do not want to miss.
    for tool in sh make awk sed tr grep find dirname uname env cmp cp mv mkdir ln rm cat readlink apt-get dpkg; do
        if path=$(command -v "$tool"); then
            ln -s "$path" "$scratch/bare/$tool"
        fi
    done

    missing missing-musl-is-named 'libc.a for armv7 is not in /nonexistent' 'MUSL_LIBDIR=' \
        make -C "$root" ARCH=armv7 MUSL_LIBDIR=/nonexistent
    missing missing-linker-is-named 'the linker /nonexistent/ld.lld is not there' 'LLD=' \
        make -C "$root" ARCH=x86_64 LLD=/nonexistent/ld.lld
    missing missing-cargo-given-is-named 'no cargo is at /nonexistent/cargo' 'CARGO=' \
        make -C "$root" ARCH=x86_64 CARGO=/nonexistent/cargo
    missing missing-cargo-is-named 'no cargo is installed' 'apt-get install rustc-web' \
        env -i "HOME=$scratch/home" "PATH=$scratch/bare" make -C "$root" ARCH=x86_64
    missing unknown-toolchain-is-named 'TOOLCHAIN=other is not known' 'TOOLCHAIN=source' \
        make -C "$root" ARCH=x86_64 TOOLCHAIN=other
    missing unknown-architecture-is-named 'unable to build for sparc' 'x86_64 and armv7' \
        make -C "$root" ARCH=sparc
    miss_library_source
    miss_host_linker
    miss_all_of_the_setup
    finish_report
}

# missing NAME WHAT REMEDY COMMAND...: the command fails and says both.
missing() {
    missing_name=$1
    what=$2
    remedy=$3
    shift 3
    if said=$("$@" 2>&1); then
        fail "$missing_name" "it succeeded: $said"
        return
    fi
    case $said in
    *"$what"*"$remedy"*) pass "$missing_name" ;;
    *) fail "$missing_name" "$said" ;;
    esac
}

# A stable Rust without library source cannot build for another machine.
miss_library_source() {
    name=missing-library-source-is-named
    case $(uname -m) in
    x86_64) other=armv7 ;;
    *) other=x86_64 ;;
    esac
    if TOOLCHAIN=stable "$root/target-specs/build.sh" --show "$other" >/dev/null 2>&1; then
        skip "$name" "a compiled core for $other is installed"
        return
    fi
    missing "$name" 'with a compiled core' 'apt-get install rustc-web cargo-web rust-web-src' \
        make -C "$root" "ARCH=$other" TOOLCHAIN=stable
}

# A cargo there, and nothing to link its build scripts with.
miss_host_linker() {
    name=missing-host-linker-is-named
    if ! cargo=$("$root/target-specs/build.sh" --show "$(uname -m)" 2>/dev/null | sed -n 's/^cargo=//p') ||
        [ -z "$cargo" ]; then
        skip "$name" "no toolchain here"
        return
    fi
    ln -s "$cargo" "$scratch/bare/cargo"
    ln -s "${cargo%/*}/rustc" "$scratch/bare/rustc"
    missing "$name" 'no cc, which links the build script' 'apt-get install gcc' \
        env -i "HOME=$HOME" "PATH=$scratch/bare" make -C "$root" ARCH=x86_64
}

# Set-up where it may not install: the command for root on a Debian-like system, a list elsewhere.
miss_all_of_the_setup() {
    rm -f "$scratch/bare/cargo" "$scratch/bare/rustc"
    for tool in cat sort ls sed; do
        ln -sf "$(command -v "$tool")" "$scratch/bare/$tool"
    done
    printf '#!/bin/sh\necho 1000\n' >"$scratch/bare/id"
    chmod 755 "$scratch/bare/id"
    if [ -e "$scratch/bare/apt-get" ]; then
        missing setup-prints-the-command-for-root 'missing; as root:' 'rustc-web cargo-web rust-web-src' \
            env -i "HOME=$scratch/home" "PATH=$scratch/bare" "$root/tests/setup.sh"
    else
        skip setup-prints-the-command-for-root "this is not a Debian-like system"
    fi
    rm -f "$scratch/bare/apt-get"
    missing setup-prints-a-list-elsewhere 'missing, to be installed by hand:' 'Rust 1.88' \
        env -i "HOME=$scratch/home" "PATH=$scratch/bare" "$root/tests/setup.sh"
}

main "$@"
