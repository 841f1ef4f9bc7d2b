# shellcheck shell=sh
# The lines every shell test prints, one per check; tests/check.sh counts them. To be sourced.

failures=0

pass() {
    printf 'ok %s\n' "$1"
}

# fail NAME [DETAIL]: the detail may have many lines.
fail() {
    printf 'not ok %s\n' "$1"
    failures=$((failures + 1))
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/  | /'
}

skip() {
    printf 'SKIPPED: %s: %s\n' "$1" "$2"
}

# expect NAME DETAIL COMMAND...: passes if the command succeeds.
expect() {
    expect_name=$1
    expect_detail=$2
    shift 2
    if "$@"; then
        pass "$expect_name"
    else
        fail "$expect_name" "$expect_detail"
    fi
}

# Ends a test script: exit code 1 if anything failed.
finish_report() {
    [ "$failures" -eq 0 ]
}
