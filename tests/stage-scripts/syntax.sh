#!/bin/sh
# Every script: shellcheck, the parser of each shell, and the rules of the
# house that a machine can check.
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

list_scripts() {
    printf '%s\n' 1 2 3 ctrlaltdel functions runit.conf rc.local
    (cd "$scripts" && find boot shutdown services -type f)
}

check_script() {
    for shell in $(list_shells); do
        case $shell in
        ash) set -- "$1" busybox ash ;;
        *) set -- "$1" "$shell" ;;
        esac
        script=$1
        shift
        if complaint=$("$@" -n "$scripts/$script" 2>&1); then
            pass "parse $script $shell"
        else
            fail "parse $script $shell" "$complaint"
        fi
        set -- "$script"
    done
    if ! command -v shellcheck >/dev/null 2>&1; then
        skip "shellcheck $1" 'no shellcheck'
    elif complaint=$(cd "$repository" && shellcheck -x -s sh -f gcc "$scripts/$1" 2>&1); then
        pass "shellcheck $1"
    else
        fail "shellcheck $1" "$complaint"
    fi
}

# A disabled check carries its reason on the line above, nothing follows a
# plain exec in a run file, and eval is not used.
check_rules() {
    case $1 in
    services/*/run | services/*/finish | [123] | ctrlaltdel | rc.local)
        if [ -x "$scripts/$1" ]; then
            pass "executable $1"
        else
            fail "executable $1" 'mode'
        fi
        ;;
    esac
    if grep -nE '(^|[;&| ])eval ' "$scripts/$1"; then
        fail "rules $1" 'eval'
    elif grep -B1 'shellcheck.*disable' "$scripts/$1" | grep -vE '^ *#|^--$'; then
        fail "rules $1" 'a disabled check without its reason'
    else
        pass "rules $1"
    fi
}

main() {
    for script in $(list_scripts); do
        check_script "$script"
        check_rules "$script"
    done
    for script in "$repository"/tests/stage-scripts/*; do
        command -v shellcheck >/dev/null 2>&1 || break
        if complaint=$(cd "$repository" && shellcheck -x -s sh -f gcc "$script" 2>&1); then
            pass "shellcheck ${script##*/}"
        else
            fail "shellcheck ${script##*/}" "$complaint"
        fi
    done
    exit "$failed"
}

main "$@"
