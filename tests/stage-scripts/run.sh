#!/bin/sh
# Runs all tests of the stage scripts; SHELLS="dash" limits the shells. Lines:
# `ok NAME`, `not ok NAME: WHY`, `SKIPPED: NAME: REASON`. Exit 1 on failure.
set -eu

main() {
    directory=$(cd "$(dirname "$0")" && pwd)
    status=0
    for test in syntax functions configuration boot-parts boot-early boot-late shutdown-parts shutdown-late stages gettys \
        levels namespaces mkinitramfs; do
        code=0
        sh "$directory/$test" || code=$?
        case $code in
        0) ;;
        3) status=1 ;;
        *)
            status=1
            printf 'not ok %s: cut short with status %s\n' "$test" "$code"
            ;;
        esac
    done
    exit "$status"
}

main "$@"
