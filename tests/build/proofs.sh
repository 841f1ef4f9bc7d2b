#!/bin/sh
# The build must refuse what it promises to refuse: a panic path, an allocator. Each proof is shown to bite.
#
#   tests/build/proofs.sh ARCH
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${here%/*/*}
# shellcheck source=tests/build/report.sh
. "$here/report.sh"

# What the panic handler of sys/src/entry.rs calls, and nobody defines.
UNDEFINED=a_panic_path_is_left

main() {
    arch=$1
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    label=$arch
    [ -z "${TOOLCHAIN:-}" ] || label=$arch-$TOOLCHAIN
    if ! "$root/target-specs/build.sh" --show "$arch" >"$scratch/show"; then
        fail "$label-proofs" "the toolchain is not complete"
        finish_report
    fi
    plant_panic init-bin
    plant_panic tools-bin
    plant_allocator
    finish_report
}

# A panic that cannot be proven away must stop the link, for that reason and for no other.
plant_panic() {
    name=$label-$1-does-not-link-with-a-panic
    log=$scratch/$1.log
    if "$root/target-specs/build.sh" --cargo "$arch" -p "$1" --features planted-panic >"$log" 2>&1; then
        fail "$name" "it linked, with a panic path in it"
        return
    fi
    undefined=$(grep -o 'undefined symbol: .*' "$log" | sort -u)
    if [ "$undefined" != "undefined symbol: $UNDEFINED" ] || grep -qE '^error(\[E[0-9]+\])?: ' "$log" &&
        ! grep -qE '^error: linking with' "$log"; then
        fail "$name" "$(cat "$log")"
    else
        pass "$name"
    fi
}

# A program that links malloc must be seen by the check that executables.sh makes.
plant_allocator() {
    name=$label-allocator-is-seen-in-a-map
    linker=$(sed -n 's/^linker=//p' "$scratch/show")
    musl=$(sed -n 's/^musl=//p' "$scratch/show")
    case ${linker##*/} in
    rust-lld) set -- "$linker" -flavor gnu ;;
    *) set -- "$linker" ;;
    esac
    if ! "$@" --static --gc-sections --undefined=malloc --defsym=main=0 "--Map=$scratch/map" -o "$scratch/program" \
        "$musl/crt1.o" "$musl/libc.a" 2>"$scratch/log"; then
        fail "$name" "$(cat "$scratch/log")"
        return
    fi
    found=$("$here/list-allocators.sh" "$scratch/map")
    expect "$name" "nothing was found in $(cat "$scratch/map")" [ -n "$found" ]
}

main "$@"
