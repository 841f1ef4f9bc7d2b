#!/bin/sh
# Stage 2 and ctrlaltdel, and who may start a stage, in each shell. The stages
# run as children of process 1 of a pid namespace.
#
# What stands in single quotes is for the shell in the root.
# shellcheck disable=SC2016
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

# as_init COMMANDS: process 1 of a new pid namespace runs them; sets `output`.
as_init() {
    output=$(timeout 30 unshare --pid --fork chroot "$root" /bin/sh -c "$1; :" 2>&1 </dev/null) ||
        output="$output${newline}process 1 ended with $?"
}

# Says what stage 2 would run, and ends with 0, so that stage 2 does.
write_runsvdir() {
    printf '%s\n' '#!/bin/sh' 'printf "runsvdir %s\n" "$*"' 'printf "level %s\n" "$(readlink "$2")"' \
        'env' >"$root/usr/local/bin/runsvdir"
    chmod +x "$root/usr/local/bin/runsvdir"
}

# try_level NAME WANTED COMMAND-LINE
try_level() {
    rm -rf "$root/run/runit"
    printf '%s\n' "$3" >"$root/proc/cmdline"
    as_init /etc/runit/2
    expect_line "$shell level: $1" "level /etc/runit/runsvdir/$2" "$output"
}

test_levels() {
    mkdir -p "$root/etc/runit/runsvdir/kiosk" "$root/etc/runit/runsvdir/current"
    try_level 'multi by default' multi 'root=/dev/sda1 quiet'
    try_level 'named by a word' single 'quiet single'
    try_level 'any directory' kiosk 'kiosk=1 kiosk'
    try_level 'the last one wins' single 'kiosk single'
    try_level 'paths, dots and links are no levels' multi '/ . .. ../runsvdir kiosk/ current *'
    try_level 'inside quotes' multi 'a="b single c"'
    try_level 'a file is none' multi '1 2 3'
    rm "$root/proc/cmdline"
    rm -rf "$root/run/runit"
    as_init /etc/runit/2
    expect_line "$shell level: no /proc" 'level /etc/runit/runsvdir/multi' "$output"
    rmdir "$root/etc/runit/runsvdir/kiosk" "$root/etc/runit/runsvdir/current"
}

test_stage_2() {
    printf '%s\n' quiet >"$root/proc/cmdline"
    rm -rf "$root/run/runit"
    as_init 'SECRET=1 /etc/runit/2; echo "status $?"'
    expect_line "$shell stage 2: becomes runsvdir" 'runsvdir -P /run/runit/runsvdir/current' "$output"
    expect_no_part "$shell stage 2: clean environment" SECRET "$output"
    expect_line "$shell stage 2: PATH" \
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$output"
    ln -sfn /etc/runit/runsvdir/single "$root/run/runit/runsvdir/current"
    as_init /etc/runit/2
    expect_line "$shell stage 2: started again, the level stays" 'level /etc/runit/runsvdir/single' "$output"
    ln -sfn /etc/runit/runsvdir/gone "$root/run/runit/runsvdir/current"
    as_init /etc/runit/2
    expect_line "$shell stage 2: a dangling link is mended" 'level /etc/runit/runsvdir/multi' "$output"
    rm -rf "$root/run/runit"
    : >"$root/run/runit"
    as_init /etc/runit/2
    expect_line "$shell stage 2: nowhere for the link" 'runsvdir -P /etc/runit/runsvdir/multi' "$output"
    rm "$root/run/runit"
    mv "$root/etc/runit/runsvdir" "$root/etc/runit/away"
    as_init /etc/runit/2
    expect_part "$shell stage 2: no levels" 'no such directory: /etc/runit/runsvdir/multi' "$output"
    expect_line "$shell stage 2: no levels, runsvdir all the same" 'runsvdir -P /run/runit/runsvdir/current' "$output"
    mv "$root/etc/runit/away" "$root/etc/runit/runsvdir"
    rm "$root/usr/local/bin/runsvdir"
    as_init '/etc/runit/2; echo "status $?"'
    expect_line "$shell stage 2: no runsvdir: comes back" 'status 111' "$output"
    mv "$root/etc/runit/functions" "$root/functions"
    as_init '/etc/runit/2; echo "status $?"'
    expect_line "$shell stage 2: no functions: comes back" 'status 111' "$output"
    mv "$root/functions" "$root/etc/runit/functions"
    rm -rf "$root/run/runit"
}

# rc.local waits for a file that is made only after stage 2 has ended; so it
# cannot have held up anything. Once per boot.
test_rc_local() {
    rm -rf "$root/run/runit"
    mkdir "$root/run/runit"
    : >"$root/run/runit/boot.log"
    printf '%s\n' '#!/bin/sh' 'while [ ! -e /go ]; do sleep 0.05; done' 'read -r x && echo input' \
        'echo "rc.local ran"' 'exit 3' >"$root/etc/rc.local"
    chmod +x "$root/etc/rc.local"
    as_init '/etc/runit/2 >/2.out; : >/go; /etc/runit/2 >/2.again; n=0
        while [ $n -lt 100 ] && ! grep -q rc.local /run/runit/boot.log; do n=$((n + 1)); sleep 0.05; done'
    expect_part "$shell rc.local: runs beside runsvdir, once" \
        "rc.local ran" "$(cat "$root/2.out" "$root/2.again")$output"
    expect "$shell rc.local: once" 1 "$(cat "$root/2.out" "$root/2.again" | grep -c 'rc.local ran')"
    expect_part "$shell rc.local: its failure is kept" 'rc.local: ended with status 3' \
        "$(cat "$root/run/runit/boot.log")"
    rm -rf "$root/run/runit" "$root/go" "$root/etc/rc.local" "$root"/2.*
    cp "$scripts/rc.local" "$root/etc/rc.local"
    chmod -x "$root/etc/rc.local"
    as_init /etc/runit/2
    expect_line "$shell rc.local: not executable" 'level /etc/runit/runsvdir/multi' "$output"
    rm -rf "$root/run/runit" "$root/etc/rc.local"
}

test_ctrlaltdel() {
    printf '%s\n' '#!/bin/sh' 'while read -r line; do echo "wall $line"; done' >"$root/usr/local/bin/wall"
    chmod +x "$root/usr/local/bin/wall"
    for round in 'no directory' 'not set' 'set already'; do
        as_init '/etc/runit/ctrlaltdel; echo "status $?"'
        expect_line "$shell ctrlaltdel, $round" 'status 0' "$output"
        expect "$shell ctrlaltdel, $round: modes" '100 100' \
            "$(stat -c %a "$root/run/runit/stopit" "$root/run/runit/reboot" | xargs)"
        if [ "$round" = 'no directory' ]; then
            chmod 0 "$root/run/runit/stopit" "$root/run/runit/reboot"
        fi
    done
    expect_part "$shell ctrlaltdel: wall" 'wall Ctrl-Alt-Del: ' "$output"
    rm "$root/usr/local/bin/wall"
    as_init /etc/runit/ctrlaltdel
    expect "$shell ctrlaltdel: without wall" '- ctrlaltdel: the system goes down for reboot now' "$output"
    rm -r "$root/run/runit"
    : >"$root/run/runit"
    as_init '/etc/runit/ctrlaltdel; echo "status $?"'
    expect_part "$shell ctrlaltdel: nowhere for the requests" 'unable to create /run/runit/stopit' "$output"
    rm "$root/run/runit"
}

# Run by hand, a stage 1 or 3 would do harm.
test_guard() {
    for stage in 1 2 3; do
        output=$(chroot "$root" /bin/sh -c "/etc/runit/$stage; echo \"status \$?\"" 2>&1 </dev/null)
        expect "$shell guard: stage $stage" \
            "/etc/runit/$stage: fatal: only process 1 runs this${newline}status 1" "$output"
    done
    [ ! -e "$root/run/runit" ] || fail "$shell guard" 'something was done'
}

main() {
    can_use_namespaces stages || exit 0
    for shell in $(list_shells); do
        make_root "$shell"
        write_runsvdir
        test_levels
        test_rc_local
        test_stage_2
        test_ctrlaltdel
        test_guard
        remove_root
    done
    exit "$failed"
}

main "$@"
