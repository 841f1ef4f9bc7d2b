#!/bin/sh
# What must hold of the built files: size, static, no allocator, links.
#
#   tests/build/executables.sh ARCH [DIRECTORY]      DIRECTORY as `make` fills it, out/ARCH by default
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${here%/*/*}
# shellcheck source=tests/build/report.sh
. "$here/report.sh"

main() {
    arch=$1
    out=${2:-$root/out/$arch}
    label=$arch
    [ "$out" = "$root/out/$arch" ] || label="$arch-${out##*/}"
    for program in runit-init handoff pipit; do
        file=$out/bin/$program
        if [ ! -x "$file" ]; then
            fail "$label-$program-is-built" "$file is missing"
            continue
        fi
        check_size
        check_segments
        check_allocator
    done
    check_links
    check_names
    finish_report
}

check_size() {
    name=$label-$program-keeps-its-size
    most=$(awk -v arch="$arch" -v program="$program" '$1 == arch && $2 == program { print $3 }' "$here/limits.txt")
    size=$(wc -c <"$file")
    if [ -z "$most" ]; then
        fail "$name" "limits.txt has no line for $arch $program"
        return
    fi
    printf '# %s: %d of at most %d bytes\n' "$label-$program" "$size" "$most"
    expect "$name" "$file has $size bytes, $((size - most)) too many" [ "$size" -le "$most" ]
}

check_segments() {
    headers=$(readelf --program-headers --wide "$file")
    name=$label-$program-is-static
    if printf '%s\n' "$headers" | grep -qE '^ +(INTERP|DYNAMIC) '; then
        fail "$name" "$headers"
    else
        pass "$name"
    fi
    # Columns of a segment: type, offset, two addresses, two sizes, then flags: W and E together in no line.
    name=$label-$program-has-no-writable-code
    if printf '%s\n' "$headers" | grep -E '^ +(LOAD|GNU_STACK) ' | grep -qE ' (RWE|WE|W E) '; then
        fail "$name" "$headers"
    elif ! printf '%s\n' "$headers" | grep -qE '^ +GNU_STACK '; then
        fail "$name" "no GNU_STACK: the kernel would make the stack executable"
    else
        pass "$name"
    fi
    # Each page of it that is touched is private memory of every process.
    writable=$(printf '%s\n' "$headers" | awk '$1 == "LOAD" && $7 == "RW" { print $6 }')
    printf '# %s: %d bytes writable, %d in a page\n' "$label-$program" "$writable" 4096
}

# The files are stripped; the linker's map of the very same link has every symbol.
check_allocator() {
    name=$label-$program-has-no-allocator
    map=$out/$program.map
    if ! grep -q '_start' "$map"; then
        fail "$name" "$map is not the map of a program"
        return
    fi
    found=$("$here/list-allocators.sh" "$map")
    expect "$name" "$found" [ -z "$found" ]
}

check_links() {
    name=$label-links-are-relative-and-whole
    wrong=$(find "$out/bin" -type l | while read -r link; do
        case $(readlink "$link") in
        runit-init | pipit) ;;
        *) printf '%s -> %s\n' "$link" "$(readlink "$link")" ;;
        esac
    done)
    for needed in runit init; do
        [ "$(readlink "$out/bin/$needed")" = runit-init ] || wrong="$wrong $needed"
    done
    expect "$name" "$wrong" [ -z "$wrong" ]
}

# The names the program knows are the names it has.
check_names() {
    name=$label-links-are-those-of-pipit--list
    case $arch in
    "$(uname -m)") run= ;;
    armv7) run=qemu-arm-static ;;
    *) run=none ;;
    esac
    if [ -n "$run" ] && ! command -v "$run" >/dev/null 2>&1; then
        skip "$name" "nothing here runs $arch programs"
        return
    fi
    known=$($run "$out/bin/pipit" --list | sort) || :
    present=$(find "$out/bin" -type l | while read -r link; do
        [ "$(readlink "$link")" != pipit ] || printf '%s\n' "${link##*/}"
    done | sort)
    expect "$name" "pipit --list: $(printf '%s' "$known" | tr '\n' ' '), links: $(printf '%s' "$present" | tr '\n' ' ')" \
        [ "$known" = "$present" ]
}

main "$@"
