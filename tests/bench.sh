#!/bin/sh
# All set-up, then the figures of our programs beside those of Debian's runit, measured in one run.
#
#   tests/bench.sh [FIGURE ...]     all figures, or only these; `tests/bench.sh --list` names them
#
# A line `# figure NAME ours=... debian=... s6=... bare=... asked=... unit=...` for each as it comes, then the table.
# Rows that need s6-log are left out, and told, where it could not be had; so is chpst-full without the superuser. The
# exit code is 0 only if all that is asked is reached. PIPIT_BIN=DIRECTORY measures other programs than out/x86_64/bin.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)

main() {
    cd "$root"
    # Words of an outer make must not reach the inner ones.
    unset MAKEFLAGS MFLAGS MAKELEVEL ARCH OUT TOOLCHAIN
    tests/setup.sh build check
    if [ -z "${PIPIT_BIN:-}" ]; then
        PIPIT_BIN=$root/out/x86_64/bin
        [ -d "$PIPIT_BIN" ] || make ARCH=x86_64 >&2
    fi
    cargo build --quiet --release --package bench
    reference=${PIPIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pipit}/reference
    if [ -x "$reference/s6-log" ]; then
        set -- --s6-log "$reference/s6-log" "$@"
    fi
    exec "${CARGO_TARGET_DIR:-target}/release/bench" --ours "$PIPIT_BIN" --debian "$reference/bin" "$@"
}

main "$@"
