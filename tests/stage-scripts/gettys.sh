#!/bin/sh
# The services getties and getty-generic, in each shell. What they would run
# are programs that tell how they were called.
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

# write_program NAME: tells its own name and arguments.
write_program() {
    printf '%s\n' '#!/bin/sh' "echo $1 \"\$@\"" >"$root/usr/local/bin/$1"
    chmod +x "$root/usr/local/bin/$1"
}

# run_service DIRECTORY [FILE [ARGUMENT...]]: as runsv would; sets `output`.
run_service() {
    directory=$1
    file=${2:-run}
    [ "$#" -lt 2 ] || shift
    shift
    output=$(chroot "$root" /bin/sh -c "PATH=/usr/local/bin:/bin:/usr/bin:/sbin:/usr/sbin; export PATH
        cd $directory && exec ./$file $*" 2>&1 </dev/null) || output="$output${newline}status $?"
}

# make_terminals NAME...: in /dev and /sys.
make_terminals() {
    for name in "$@"; do
        mknod "$root/dev/$name" c 1 3
        mkdir -p "$root/sys/class/tty/$name"
    done
}

# The gettys that were made, in one line.
list_gettys() {
    (cd "$root/run/runit/getties" && set -- * && printf '%s' "$*")
}

# try_consoles NAME WANTED CONSOLES: which gettys getties makes.
try_consoles() {
    mkdir -p "$root/sys/class/tty/console"
    printf '%s\n' "$3" >"$root/sys/class/tty/console/active"
    run_service /etc/sv/getties
    expect "$shell getties: $1" "$2" "$(list_gettys)"
}

test_getties() {
    write_program runsvdir
    make_terminals ttyS0 ttyS1 ttyAMA0 tty0 tty1 tty2 hvc0 console
    rm -r "$root/sys/class/tty/ttyS1"
    mkdir -p "$root/sys/class/tty/netcon0"
    echo tty2 >"$root/sys/class/tty/tty0/active"
    try_consoles 'one' getty-ttyS0 ttyS0
    expect "$shell getties: runsvdir" 'runsvdir -P /run/runit/getties' "$output"
    for file in run finish; do
        expect "$shell getties: $file" "/etc/sv/getty-generic/$file" "$(readlink "$root/run/runit/getties/getty-ttyS0/$file")"
    done
    mkdir "$root/run/runit/getties/getty-ttyS0/supervise"
    try_consoles 'two; tty0 is the one shown' 'getty-tty2 getty-ttyS0' 'tty0 ttyS0'
    expect "$shell getties: again, in place" "$root/run/runit/getties/getty-ttyS0/supervise" \
        "$(echo "$root"/run/runit/getties/getty-ttyS0/supervise*)"
    try_consoles 'gone ones are removed' getty-ttyAMA0 ttyAMA0
    try_consoles 'not without a device, not without a tty' getty-hvc0 'netcon0 ttyS1 nothing hvc0'
    try_consoles 'twice the same' getty-tty2 'tty0 tty2'
    rm "$root/sys/class/tty/tty0/active"
    try_consoles 'tty0 without virtual terminals' getty-tty0 tty0
    try_consoles 'none' '*' ''
    rm "$root/sys/class/tty/console/active"
    run_service /etc/sv/getties
    expect "$shell getties: the kernel says nothing" getty-console "$(list_gettys)"
}

test_getties_finish() {
    printf '%s\n' '#!/bin/sh' 'echo "$*" >>/calls' >"$root/usr/local/bin/sv"
    chmod +x "$root/usr/local/bin/sv"
    rm -f "$root/calls"
    run_service /etc/sv/getties finish -1 9
    expect "$shell getties: crashed, gettys stay" '' "$(read_calls)"
    run_service /etc/sv/getties finish 0 0
    expect "$shell getties: down, gettys too" 'down /run/runit/getties/getty-console
hup /run/runit/getties/getty-console
-w 5 exit /run/runit/getties/getty-console' "$(read_calls)"
    rm -r "$root/run/runit/getties" "$root/calls"
    run_service /etc/sv/getties finish 0 0
    expect "$shell getties: down, no gettys" '' "$(read_calls)$output"
}

# make_getty NAME: a service directory as getties makes it.
make_getty() {
    mkdir -p "$root/run/runit/getties/$1"
    ln -sf /etc/sv/getty-generic/run /etc/sv/getty-generic/finish "$root/run/runit/getties/$1/"
}

test_getty() {
    write_program pause
    for name in ttyS0 tty1 gone; do
        make_getty "getty-$name"
    done
    write_program agetty
    run_service /run/runit/getties/getty-ttyS0
    expect "$shell getty: agetty on a serial line" \
        'agetty --local-line --keep-baud ttyS0 115200,57600,38400,9600 vt102' "$output"
    run_service /run/runit/getties/getty-tty1
    expect "$shell getty: agetty on a virtual terminal" 'agetty --noclear tty1 linux' "$output"
    ln -s ../run/runit/getties/getty-tty1 "$root/etc/other"
    run_service /etc/other
    expect "$shell getty: through a link" 'agetty --noclear tty1 linux' "$output"
    rm "$root/usr/local/bin/agetty" "$root/etc/other"
    run_service /run/runit/getties/getty-gone
    expect_line "$shell getty: no such device: waits" pause "$output"
    expect_part "$shell getty: no such device: says so" 'no /dev/gone' "$output"
    write_program utmpset
    run_service /run/runit/getties/getty-ttyS0 finish 0 0
    expect "$shell getty: finish" 'utmpset -w ttyS0' "$output"
    rm "$root/usr/local/bin/utmpset"
    run_service /run/runit/getties/getty-ttyS0 finish 0 0
    expect "$shell getty: finish without utmpset" '' "$output"
    if [ "$shell" = ash ]; then
        skip "$shell getty: getty of busybox" "this shell takes its own getty, not the test's"
        return 0
    fi
    run_service /run/runit/getties/getty-ttyS0
    expect_line "$shell getty: neither agetty nor getty: waits" pause "$output"
    write_program getty
    run_service /run/runit/getties/getty-ttyS0
    expect "$shell getty: getty of busybox" 'getty -L 0 ttyS0 vt102' "$output"
    run_service /run/runit/getties/getty-tty1
    expect "$shell getty: getty of busybox, virtual terminal" 'getty -L 0 tty1 linux' "$output"
}

# The links of the levels as they are installed.
test_levels() {
    for level in multi single; do
        expect "$shell level $level: getties" "$(cat "$scripts/services/getties/run")" \
            "$(cat "$root/etc/runit/runsvdir/$level/getties/run")"
    done
}

main() {
    can_use_namespaces gettys || exit 0
    for shell in $(list_shells); do
        make_root "$shell"
        test_getties
        test_getties_finish
        test_getty
        test_levels
        remove_root
    done
    exit "$failed"
}

main "$@"
