#!/bin/sh
# Plain stable Rust builds the machine's own architecture, with nothing unstable, and the result behaves the same.
#
#   tests/build/fallback.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${here%/*/*}
# shellcheck source=tests/build/report.sh
. "$here/report.sh"

main() {
    case $(uname -m) in
    x86_64) arch=x86_64 ;;
    armv7*) arch=armv7 ;;
    *)
        skip fallback "the machine is neither x86_64 nor armv7"
        finish_report
        return
        ;;
    esac
    name=$arch-fallback-builds
    out=$root/out/stable
    if log=$(cd "$root" && unset RUSTC_BOOTSTRAP && make "ARCH=$arch" TOOLCHAIN=stable OUT="$out" 2>&1); then
        pass "$name"
    else
        fail "$name" "$log"
        finish_report
    fi
    expect "$arch-fallback-says-what-it-took" "$log" contains "$log" "its compiled core of"
    "$here/executables.sh" "$arch" "$out" || failures=1
    compare pipit --list
    compare runit-init 9
    compare handoff
    compare sv
    finish_report
}

# compare NAME [ARGUMENT ...]: both builds say the same and end the same.
compare() {
    program=$1
    shift
    [ -e "$out/bin/$program" ] || return 0
    name=$arch-fallback-$program-behaves-the-same
    if [ ! -e "$root/out/$arch/bin/$program" ]; then
        fail "$name" "out/$arch/bin/$program is not built"
        return
    fi
    # From inside the directory, so that messages which name the program are equal too.
    ours=$(cd "$out/bin" && "./$program" "$@" 2>&1) && code=0 || code=$?
    other=$(cd "$root/out/$arch/bin" && "./$program" "$@" 2>&1) && other_code=0 || other_code=$?
    expect "$name" "fall-back: $ours ($code), first choice: $other ($other_code)" \
        [ "$ours $code" = "$other $other_code" ]
}

contains() {
    case $1 in
    *"$2"*) return 0 ;;
    *) return 1 ;;
    esac
}

main "$@"
