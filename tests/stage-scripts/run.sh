#!/bin/sh
# Runs all tests of the stage scripts; SHELLS="dash" limits the shells. Lines:
# `ok NAME`, `not ok NAME: WHY`, `SKIPPED: NAME: REASON`. Exit 1 on failure.
set -eu

main() {
    directory=$(cd "$(dirname "$0")" && pwd)
    status=0
    for test in syntax functions boot-parts shutdown-parts stages gettys namespaces; do
        sh "$directory/$test.sh" || {
            status=1
            printf 'not ok %s: ended with a failure\n' "$test.sh"
        }
    done
    exit "$status"
}

main "$@"
