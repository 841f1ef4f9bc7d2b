#!/bin/sh
# All set-up, then every test. The last line is `N passed, N failed` or `N passed, N failed, N skipped`.
#
#   tests/check.sh [STEP ...]     all steps, or only these; `tests/check.sh --list` names them
#
# What a step says is in out/check/STEP.log, and shown if the step fails. Exit code 0 only if nothing failed.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
logs=$root/out/check

# The steps in their order, and the seconds each may take at most.
list_steps() {
    cat <<'END'
scripts 60
manual 60
messages 60
format 60
build-x86_64 600
build-armv7 600
build-fallback 300
install 60
core 300
lints 300
driver 300
stage-scripts 600
programs 900
smoke-x86_64 300
smoke-armv7 300
handoff-x86_64 300
handoff-armv7 300
disk-x86_64 600
disk-armv7 600
distribution-x86_64 900
END
}

# --- the steps; each prints `ok NAME`, `not ok NAME` or `SKIPPED: NAME: reason` for all it checks -------------------

step_scripts() {
    list_scripts | while read -r script; do
        judge "shellcheck-$script" shellcheck --external-sources "$script"
    done
}

# Files that say in their first lines that they are scripts.
list_scripts() {
    find . \( -path ./target -o -path ./out -o -path ./.git -o -path ./.cache \) -prune -o -type f -print |
        while read -r file; do
            case $file in
            *.rs | *.toml | *.md | *.json | *.[0-9]) continue ;;
            esac
            if head -n 15 "$file" | grep -qE '^(#!.*[/ ](ba|da)?sh( |$)|# shellcheck shell=)'; then
                printf '%s\n' "${file#./}"
            fi
        done | sort
}

step_manual() {
    pages=$(find . -path './*/man/*' -name '*.[0-9]' ! -path './target/*' ! -path './out/*' | sort)
    for page in $pages; do
        judge "mandoc-${page#./}" mandoc -T lint -W warning "$page"
    done
    [ -n "$pages" ] || echo "SKIPPED: manual: no page is written yet"
}

step_messages() {
    tests/build/messages.sh
}

step_format() {
    if ! cargo fmt --version >/dev/null 2>&1; then
        echo "SKIPPED: rustfmt: this Rust has no rustfmt"
        return
    fi
    judge rustfmt cargo fmt --all --check
}

step_build_x86_64() {
    build_and_check x86_64
}

step_build_armv7() {
    build_and_check armv7
}

build_and_check() {
    judge "make-$1" make "ARCH=$1"
    code=0
    tests/build/executables.sh "$1" || code=1
    tests/build/proofs.sh "$1" || code=1
    return "$code"
}

step_build_fallback() {
    code=0
    tests/build/fallback.sh || code=1
    TOOLCHAIN=stable tests/build/proofs.sh x86_64 || code=1
    return "$code"
}

step_install() {
    tests/build/install.sh
}

step_core() {
    run_cargo_tests supervision
}

step_lints() {
    if ! cargo clippy --version >/dev/null 2>&1; then
        echo "SKIPPED: clippy: this Rust has no clippy"
        return
    fi
    # Apart, for what the tests depend on asks rustix for std, and the programs must not have it.
    judge clippy-programs cargo clippy --package sys --package init-bin --package tools-bin -- --deny warnings
    judge clippy-tests cargo clippy --all-targets --package supervision --package pipit-tests --package qemu-driver \
        --package bench -- --deny warnings
}

step_driver() {
    code=0
    run_cargo_tests qemu-driver || code=1
    run_cargo_tests bench || code=1
    return "$code"
}

step_stage_scripts() {
    code=0
    for script in tests/stage-scripts/*.sh; do
        # What is not executable is there to be sourced.
        if [ -x "$script" ]; then
            run_reporting "${script#tests/}" "$script" || code=1
        fi
    done
    return "$code"
}

step_programs() {
    # Nothing to do after the steps above; alone, this step must not test programs of yesterday.
    make ARCH=x86_64 && make ARCH=armv7 || return 1
    # Most of them wait for something most of the time.
    export RUST_TEST_THREADS="${RUST_TEST_THREADS:-6}"
    run_cargo_tests pipit-tests
}

step_smoke_x86_64() {
    qemu/qemu-run.sh --smoke x86_64
}

step_smoke_armv7() {
    qemu/qemu-run.sh --smoke armv7
}

step_handoff_x86_64() {
    qemu/qemu-run.sh --smoke handoff x86_64
}

step_handoff_armv7() {
    qemu/qemu-run.sh --smoke handoff armv7
}

step_disk_x86_64() {
    qemu/qemu-run.sh --smoke disk x86_64
}

step_disk_armv7() {
    qemu/qemu-run.sh --smoke disk armv7
}

step_distribution_x86_64() {
    qemu/qemu-run.sh --smoke distribution
}

# What a test says on stderr must not fall into the middle of a line of cargo's.
run_cargo_tests() {
    said=$logs/$1.stderr
    code=0
    cargo test --package "$1" --no-fail-fast 2>"$said" || code=$?
    cat "$said"
    rm -f "$said"
    return "$code"
}

# judge NAME COMMAND...: one check, passed if the command succeeds. What it says stands before.
judge() {
    judge_name=$1
    shift
    if "$@" 2>&1; then
        printf 'ok %s\n' "$judge_name"
    else
        printf 'not ok %s\n' "$judge_name"
    fi
}

# A script that prints its own checks; if it ends badly without saying which check failed, that is one more.
run_reporting() {
    reporting_name=$1
    shift
    output=$("$@" 2>&1) && reporting_code=0 || reporting_code=$?
    printf '%s\n' "$output"
    if [ "$reporting_code" -ne 0 ] && ! printf '%s\n' "$output" | grep -q '^not ok '; then
        printf 'not ok %s-ended-with-%s\n' "$reporting_name" "$reporting_code"
    fi
    return "$reporting_code"
}

# --- running and counting -------------------------------------------------------------------------------------------

# run_step NAME SECONDS: in a process of its own, so that a limit can end it and all that it started.
run_step() {
    log=$logs/$1.log
    begin=$(date +%s)
    code=0
    timeout --kill-after=10 "$2" "$0" --step "$1" >"$log" 2>&1 </dev/null || code=$?
    took=$(($(date +%s) - begin))

    count_results "$log"
    trouble=
    if [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then
        trouble="was ended after its $2 seconds"
    elif [ "$code" -ne 0 ] && [ "$step_failed" -eq 0 ]; then
        trouble="ended with exit code $code"
    elif [ $((step_passed + step_failed + step_skipped)) -eq 0 ]; then
        trouble="has checked nothing"
    fi
    if [ -n "$trouble" ]; then
        step_failed=$((step_failed + 1))
        printf 'not ok step-%s: it %s\n' "$1" "$trouble" >>"$log"
    fi

    printf '%s: %d passed, %d failed, %d skipped (%d s)\n' "$1" "$step_passed" "$step_failed" "$step_skipped" "$took"
    if [ "$step_failed" -gt 0 ]; then
        sed 's/^/    /' "$log"
    else
        # Figures, and what was left out.
        grep -E '^(# |SKIPPED: )' "$log" | sort -u | sed 's/^/    /' || :
    fi
    passed=$((passed + step_passed))
    failed=$((failed + step_failed))
    skipped=$((skipped + step_skipped))
}

# Counts the lines of our own tests and those of cargo's. A test of cargo's that was left out says so with its name
# and then passes: it is not counted twice.
count_results() {
    # shellcheck disable=SC2046  # three numbers
    set -- $(awk '
        /^ok / { passed++ }
        /^not ok / { failed++ }
        /^test .* \.\.\. ok$/ { passed++ }
        /^test .* \.\.\. FAILED$/ { failed++ }
        /^test .* \.\.\. ignored/ { skipped++ }
        /^test .* \.\.\. ok$/ { ended[$2] = 1 }
        /^SKIPPED: / { name = substr($0, 10); sub(/: .*/, "", name); left_out[name] = 1 }
        END {
            for (name in left_out) { skipped++; if (name in ended) passed-- }
            print passed + 0, failed + 0, skipped + 0
        }' "$1")
    step_passed=$1
    step_failed=$2
    step_skipped=$3
}

# Kernels and packages for the guests come over the network while the processors are busy with the build.
fetch_in_background() {
    [ -x qemu/fetch.sh ] || return 0
    {
        for arch in x86_64 armv7; do
            qemu/fetch.sh "$arch" || :
        done
        qemu/distribution/fetch.sh || :
    } >"$logs/fetch.log" 2>&1 </dev/null &
    fetch=$!
}

end_fetch() {
    if [ -n "$fetch" ]; then
        wait "$fetch" || :
        fetch=
    fi
}

finish() {
    if [ "$skipped" -gt 0 ]; then
        printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    else
        printf '%d passed, %d failed\n' "$passed" "$failed"
    fi
    [ "$failed" -eq 0 ]
}

main() {
    cd "$root"
    export CARGO_TERM_COLOR=never PIPIT_BIN="${PIPIT_BIN:-$root/out/x86_64/bin}"
    # Words of an outer make must not reach the inner ones.
    unset MAKEFLAGS MFLAGS MAKELEVEL ARCH OUT TOOLCHAIN
    case ${1:-} in
    --list)
        list_steps | sed 's/ .*//'
        return
        ;;
    --step)
        "step_$(printf '%s' "$2" | tr - _)"
        return
        ;;
    esac

    passed=0 failed=0 skipped=0 fetch=
    all_begin=$(date +%s)
    mkdir -p "$logs"
    if ! tests/setup.sh; then
        failed=1
        finish
        return
    fi
    fetch_in_background
    steps=${*:-$(list_steps | sed 's/ .*//')}
    for step in $steps; do
        limit=$(list_steps | sed -n "s/^$step //p")
        if [ -z "$limit" ]; then
            printf 'check: there is no step %s\n' "$step" >&2
            failed=$((failed + 1))
            continue
        fi
        case $step in
        # Some tests boot a kernel too.
        programs | smoke-* | handoff-* | disk-* | distribution-*) end_fetch ;;
        esac
        run_step "$step" "$limit"
    done
    end_fetch
    printf 'all steps: %d s\n' "$(($(date +%s) - all_begin))"
    finish
}

main "$@"
