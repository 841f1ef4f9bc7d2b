#!/bin/sh
# Runs cargo for one architecture with the first toolchain that can, and says which one it took.
#
#   target-specs/build.sh ARCH DIRECTORY                   builds all; DIRECTORY/bin gets every program by its name
#   target-specs/build.sh --cargo ARCH [ARGUMENT ...]      runs cargo build with these arguments, no more
#   target-specs/build.sh --show ARCH                      prints what it takes, as NAME=VALUE; exit 1 if a piece is missing
#
# ARCH is x86_64 or armv7.
# Environment, all of it optional:
#   TOOLCHAIN         source: only a toolchain with library source; stable: only the fall-back; else the first that is there
#   CARGO             the cargo to take, its rustc beside it; else those in PATH, then all of rustup's
#   MUSL_LIBDIR       where musl's libc.a is
#   LLD               the linker, an ld.lld
#   CARGO_TARGET_DIR  as cargo knows it
#
# The choice lives here, and not in the Makefile, because the tests of tests/build need the very same command.
set -eu

# The oldest Rust that compiles this code: `rust-version` in Cargo.toml.
OLDEST_RUST=1.88

# Equal runs of instructions become functions: 1 % smaller, and nothing here is ever waited for by a processor.
OUTLINE=-Cllvm-args=-enable-machine-outliner=always
# Jump tables have 8 bytes a row; a chain of comparisons is smaller, and nobody waits for it either: 1 %.
NO_TABLES=-Cllvm-args=-min-jump-table-entries=40

say() {
    printf 'build: %s\n' "$1" >&2
}

# Names a missing piece and the command that brings it.
miss() {
    say "fatal: $1"
    shift
    for remedy; do
        say "bring it with: $remedy"
    done
    exit 1
}

# What differs between the architectures, in one place: triples, packages and musl's name for the machine.
describe_architecture() {
    case $1 in
    x86_64)
        spec=x86_64-pipit-linux-musl
        host=x86_64-unknown-linux-gnu
        multiarch=x86_64-linux-musl
        musl_package='musl-dev'
        # musl's memory functions, assembler of a few dozen bytes each.
        library_features=
        ;;
    armv7)
        spec=armv7-pipit-linux-musleabihf
        host=armv7-unknown-linux-gnueabihf
        multiarch=arm-linux-musleabihf
        musl_package='musl-dev:armhf'
        # musl's memcpy for ARM is 1 KiB of unrolled loads; the one of compiler_builtins is smaller.
        library_features=compiler-builtins-mem
        ;;
    *)
        say "fatal: unable to build for $1: the architectures are x86_64 and armv7"
        exit 1
        ;;
    esac
    if is_debian_like && [ "$(dpkg --print-architecture)" = armhf ]; then
        case $1 in
        x86_64) musl_package='musl-dev:amd64' ;;
        armv7) musl_package='musl-dev' ;;
        esac
    fi
}

is_debian_like() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1
}

# The cargos of this machine, one per line.
list_cargos() {
    if [ -n "${CARGO:-}" ]; then
        printf '%s\n' "$CARGO"
        return
    fi
    (
        IFS=:
        for directory in $PATH; do
            printf '%s\n' "$directory/cargo"
        done
        printf '%s\n' "${RUSTUP_HOME:-${HOME:-/root}/.rustup}"/toolchains/*/bin/cargo
    ) | while read -r candidate; do
        if [ -x "$candidate" ]; then
            printf '%s\n' "$candidate"
        fi
    done
}

# The compiler that belongs to a cargo.
find_rustc() {
    if [ -x "${1%/*}/rustc" ]; then
        printf '%s\n' "${1%/*}/rustc"
    else
        command -v rustc
    fi
}

is_new_enough() {
    "$1" -V 2>/dev/null | awk -v oldest="$OLDEST_RUST" '{
        split($2, have, "."); split(oldest, want, ".")
        exit !(have[1] > want[1] || have[1] == want[1] && have[2] + 0 >= want[2] + 0)
    }'
}

# Whether this rustc has the source of the library, and understands our target specification.
has_source() {
    [ -e "$("$1" --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs" ] &&
        RUSTC_BOOTSTRAP=1 "$1" -Zunstable-options --print cfg --target "$here/$spec.json" >/dev/null 2>&1
}

# Whether this rustc came with a compiled core for the architecture.
has_core() {
    libdir=$("$1" --print target-libdir --target "$host" 2>/dev/null) &&
        [ -n "$(find "$libdir" -name 'libcore-*' 2>/dev/null)" ]
}

# Sets cargo, rustc and way to the first toolchain that has_source, or with `stable` that has_core.
take_toolchain() {
    way=$1
    old_ifs=$IFS
    IFS='
'
    for cargo in $(list_cargos); do
        IFS=$old_ifs
        rustc=$(find_rustc "$cargo") || continue
        is_new_enough "$rustc" || continue
        case $way in
        source) has_source "$rustc" && return ;;
        stable) has_core "$rustc" && return ;;
        esac
    done
    IFS=$old_ifs
    return 1
}

find_toolchain() {
    if [ -n "${CARGO:-}" ] && [ ! -x "$CARGO" ]; then
        miss "no cargo is at $CARGO" "CARGO=PATH of a cargo, or none to search for one"
    fi
    case ${TOOLCHAIN:-} in
    source) take_toolchain source && return ;;
    stable) take_toolchain stable && return ;;
    '') { take_toolchain source || take_toolchain stable; } && return ;;
    *) miss "TOOLCHAIN=$TOOLCHAIN is not known" "TOOLCHAIN=source, TOOLCHAIN=stable, or none" ;;
    esac
    debian='apt-get install rustc-web cargo-web rust-web-src   (Debian; elsewhere rustc, cargo, rust-src)'
    rustup='rustup toolchain install nightly -c rust-src'
    if [ -z "$(list_cargos)" ]; then
        miss "no cargo is installed" "$debian" "$rustup"
    elif [ "${TOOLCHAIN:-}" = stable ]; then
        miss "no Rust $OLDEST_RUST or later with a compiled core of $host, and the fall-back builds only for that" \
            "rustup target add $host" "TOOLCHAIN=source, with library source: $debian"
    else
        miss "no Rust $OLDEST_RUST or later with library source, and none with a compiled core of $host" \
            "$debian" "$rustup"
    fi
}

find_musl() {
    places="/usr/lib/$multiarch /usr/$multiarch/lib /usr/local/$multiarch/lib"
    # Where musl's own installation puts them, and distributions with a musl beside their C library.
    case $arch,$(uname -m) in
    x86_64,x86_64 | armv7,armv7l) places="$places /usr/local/musl/lib /usr/lib/musl/lib" ;;
    esac
    if [ -n "${MUSL_LIBDIR:-}" ]; then
        places=$MUSL_LIBDIR
        musl=$MUSL_LIBDIR
        if holds_musl "$musl"; then return; fi
    else
        for musl in $places; do
            if holds_musl "$musl"; then return; fi
        done
    fi
    set -- "apt-get install $musl_package" "MUSL_LIBDIR=DIRECTORY where it is"
    case $musl_package in
    *:*) set -- "dpkg --add-architecture ${musl_package#*:} && apt-get update && $1" "$2" ;;
    esac
    miss "musl's libc.a for $arch is not in $places" "$@"
}

holds_musl() {
    [ -e "$1/libc.a" ]
}

find_linker() {
    if [ -n "${LLD:-}" ]; then
        linker=$(command -v "$LLD") || miss "the linker $LLD is not there" "LLD=PATH of an ld.lld"
        return
    fi
    if linker=$(command -v ld.lld); then
        return
    fi
    # Debian's lld-NN, and the one inside a toolchain of rustup.
    sysroot=$("$rustc" --print sysroot)
    for linker in /usr/bin/ld.lld-* "$sysroot"/lib/rustlib/*/bin/rust-lld; do
        if [ -x "$linker" ]; then
            return
        fi
    done
    miss "no ld.lld" "apt-get install lld" "LLD=PATH of an ld.lld"
}

# Cargo compiles build.rs for the machine it runs on, and links it with `cc`.
find_host_linker() {
    command -v cc >/dev/null 2>&1 || miss "no cc, which links the build script" "apt-get install gcc libc6-dev"
}

find_all() {
    find_toolchain
    find_host_linker
    find_linker
    find_musl
    case $way in
    source) target=$spec ;;
    stable) target=$host ;;
    esac
    results=${CARGO_TARGET_DIR:-$root/target}/$target/release
}

# Core is compiled for our own target, from the library's source: the smallest, and every architecture.
build_from_source() {
    export RUSTC_BOOTSTRAP=1
    set -- "--target=$here/$spec.json" -Zbuild-std=core,compiler_builtins \
        "-Zbuild-std-features=$library_features" "$@"
    # Where cargo asks for leave to read a target specification.
    if "$cargo" -Z help 2>/dev/null | grep -q json-target-spec; then
        set -- -Zjson-target-spec "$@"
    fi
    export "CARGO_TARGET_$(environment_name "$spec")_LINKER=$linker"
    run_cargo "$(printf '%s\037%s' "$OUTLINE" "$NO_TABLES")" "$@"
}

# The compiled core of the machine's own glibc target, linked against musl: nothing unstable.
build_from_compiled_core() {
    unset RUSTC_BOOTSTRAP
    # The crate `libc` names these libraries for a static glibc target. Musl has all of them inside libc.a or has
    # no use for them, so empty archives stand in for those it does not ship.
    stand_ins=$results/stand-ins
    mkdir -p "$stand_ins"
    for library in util rt pthread m dl gcc_eh gcc; do
        printf '!<arch>\n' >"$stand_ins/lib$library.a"
    done
    flags=$(printf '%s\037' -Cpanic=abort -Clinker-flavor=ld.lld "-Clinker=$linker" -Crelocation-model=static \
        -Ctarget-feature=+crt-static -Cforce-unwind-tables=no "-Lnative=$stand_ins" "$OUTLINE" \
        "$NO_TABLES")
    run_cargo "${flags%?}" --target "$host" "$@"
}

environment_name() {
    printf '%s\n' "$1" | tr 'a-z.-' 'A-Z__'
}

# run_cargo FLAGS ARGUMENTS...: the flags of rustc are separated as cargo wants it.
run_cargo() {
    (
        export CARGO_ENCODED_RUSTFLAGS="$1"
        shift
        export RUSTC="$rustc" PIPIT_MUSL="$musl"
        cd "$root"
        "$cargo" build --release "$@"
    )
}

build() {
    # What a shell or an outer cargo left behind must not change the result.
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER
    case $way in
    source)
        say "$arch with $("$rustc" -V) and its library source ($cargo), musl in $musl, $linker"
        build_from_source "$@"
        ;;
    stable)
        say "$arch with $("$rustc" -V), its compiled core of $host ($cargo), musl in $musl, $linker"
        build_from_compiled_core "$@"
        ;;
    esac
}

# The other names of pipit, from the one table of them.
list_pipit_names() {
    sed -n 's/^ *("\([^"]*\)", *programs::[a-z_0-9]*::main),.*/\1/p' "$root/tools-bin/src/main.rs"
}

# lay_out DIRECTORY: DIRECTORY/bin with all names, DIRECTORY/*.map with all symbols.
lay_out() {
    mkdir -p "$1/bin"
    for program in runit-init handoff pipit; do
        replace_file "$results/$program.map" "$1/$program.map"
        replace_file "$results/$program" "$1/bin/$program"
    done
    # Names that have left the table go.
    find "$1/bin" -type l ! -name runit ! -name init | while read -r link; do
        list_pipit_names | grep -qxF -e "${link##*/}" || rm -f "$link"
    done
    for name in runit init; do
        ln -sf runit-init "$1/bin/$name"
    done
    list_pipit_names | while read -r name; do
        ln -sf pipit "$1/bin/$name"
    done
}

# A program that is running cannot be written to; it can be replaced.
replace_file() {
    if ! cmp -s "$1" "$2"; then
        cp "$1" "$2.new"
        mv -f "$2.new" "$2"
    fi
}

main() {
    here=$(cd "$(dirname "$0")" && pwd)
    root=${here%/*}
    task=build
    case ${1:-} in
    --cargo | --show)
        task=$1
        shift
        ;;
    esac
    if [ "$#" -eq 0 ]; then
        say "usage: ${0##*/} [--cargo|--show] x86_64|armv7 [...]"
        exit 100
    fi
    arch=$1
    shift
    describe_architecture "$arch"
    find_all

    case $task in
    --show)
        printf '%s\n' "way=$way" "cargo=$cargo" "rustc=$rustc" "linker=$linker" "musl=$musl" "results=$results"
        ;;
    --cargo) build "$@" ;;
    build)
        build -p init-bin -p tools-bin
        lay_out "${1:-$root/out/$arch}"
        ;;
    esac
}

main "$@"
