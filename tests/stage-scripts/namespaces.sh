#!/bin/sh
# Stage 1 and stage 3 for real, in each shell: real mounts, real processes,
# real signals, in mount, pid, host name, network and cgroup namespaces of
# their own. Process 1 there is a small script.
#
# PIPIT_BIN: where runsvdir, runsv and sv are (out/x86_64/bin).
#
# What stands in single quotes is for the shell in the root.
# shellcheck disable=SC2016
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

programs=${PIPIT_BIN:-$repository/out/x86_64/bin}

# boot_root KIND COMMANDS: process 1 runs them; sets `output`. KIND is how the
# root is mounted: memory (as an initramfs), disk (read-only at first, as the
# kernel does it) or fixed (can only be read). overlay stands for a disk; its
# options are its own, so that no remount reaches the machine's file systems.
boot_root() {
    printf '%s\n' "$2" >"$root/init"
    rm -rf "$root.mount"
    mkdir "$root.mount"
    output=$(root=$root kind=$1 timeout 120 \
        unshare --mount --pid --fork --uts --net --ipc --cgroup sh -c '
            mount -t tmpfs root "$root.mount" && cd "$root.mount" || exit
            case $kind in
            memory)
                cp -a "$root/." . && exec chroot . /bin/sh /init
                ;;
            disk)
                mkdir upper work merged
                mount -t overlay -o "ro,lowerdir=$root,upperdir=upper,workdir=work" overlay merged
                exec chroot merged /bin/sh /init
                ;;
            fixed)
                mkdir empty merged
                mount -t overlay -o "lowerdir=empty:$root" overlay merged
                exec chroot merged /bin/sh /init
                ;;
            esac' 2>&1 </dev/null) || output="$output${newline}process 1 ended with $?"
    rmdir "$root.mount"
}

# What is mounted where, and how: one line "mounted POINT TYPE ACCESS" each.
show_mounts='show_mounts() {
    while read -r _ _ _ _ point options; do
        case $options in
        ro*) access=ro ;;
        *) access=rw ;;
        esac
        options=${options#*" - "}
        printf "%s\n" "$1 $point ${options%% *} $access"
    done </proc/self/mountinfo
}'

# Hundredths of a second since the kernel started.
show_time='show_time() {
    read -r up _ </proc/uptime
    printf "%s\n" "$1 ${up%.*}${up#*.}"
}'

test_memory() {
    boot_root memory "$show_mounts
        $show_time"'
        /etc/runit/1; echo "stage 1 status $?"
        show_mounts up
        read -r name </proc/sys/kernel/hostname; echo "name $name"
        read -r flags </sys/class/net/lo/flags; echo "lo $flags"
        ls -l /run/runit
        while read -r line; do echo "log $line"; done </run/runit/boot.log
        show_time before
        /etc/runit/3; echo "stage 3 status $?"
        show_time after
        show_mounts down'
    expect_line "$shell memory: stage 1" 'stage 1 status 0' "$output"
    expect_line "$shell memory: nothing failed" '- boot: done' "$output"
    for mount in '/ tmpfs' '/proc proc' '/sys sysfs' '/dev devtmpfs' '/dev/pts devpts' '/dev/shm tmpfs' '/run tmpfs'; do
        expect_line "$shell memory: $mount" "up $mount rw" "$output"
        expect_line "$shell memory: $mount stays" "down $mount rw" "$output"
    done
    expect_line "$shell memory: host name" 'name board7' "$output"
    expect_line "$shell memory: loopback" 'lo 0x9' "$output"
    for request in stopit reboot; do
        expect "$shell memory: $request" '----------' \
            "$(printf '%s\n' "$output" | sed -n "s/ .*$request\$//p")"
    done
    expect_part "$shell memory: log" 'boot: done' "$(printf '%s\n' "$output" | grep '^log')"
    expect_line "$shell memory: stage 3" 'stage 3 status 0' "$output"
    expect_line "$shell memory: stage 3, nothing failed" '- shutdown: done' "$output"
    before=$(printf '%s\n' "$output" | sed -n 's/^before //p')
    after=$(printf '%s\n' "$output" | sed -n 's/^after //p')
    if [ "$((after - before))" -lt 300 ]; then
        pass "$shell memory: stage 3 took 0.01 s times $((after - before))"
    else
        fail "$shell memory: stage 3 waits" "0.01 s times $((after - before))"
    fi
}

test_disk() {
    printf '%s\n' 'overlay / overlay defaults 0 1' 'data /data tmpfs size=1m 0 0' \
        'net /net tmpfs size=1m,_netdev 0 0' >"$root/etc/fstab"
    mkdir -p "$root/data" "$root/net"
    boot_root disk "$show_mounts"'
        show_mounts kernel
        /etc/runit/1; echo "stage 1 status $?"
        show_mounts up
        ls /var/log
        mkdir "/data/a b" && mount -t tmpfs more "/data/a b"
        cd "/data/a b" && setsid sleep 100 &
        /etc/runit/3; echo "stage 3 status $?"
        show_mounts down'
    expect_line "$shell disk: nothing failed" '- boot: done' "$output"
    expect_line "$shell disk: root made writable" 'up / overlay rw' "$output"
    expect_line "$shell disk: fstab" 'up /data tmpfs rw' "$output"
    expect_no_part "$shell disk: not over the network" 'up /net' "$output"
    expect_line "$shell disk: boot log kept" boot.log "$output"
    expect_line "$shell disk: kernel log kept" dmesg.log "$output"
    expect_line "$shell disk: stage 3, nothing failed" '- shutdown: done' "$output"
    expect_no_part "$shell disk: all unmounted" 'down /data' "$output"
    expect_line "$shell disk: root read-only" 'down / overlay ro' "$output"
    rm -r "$root/etc/fstab" "$root/data" "$root/net"
}

test_fixed() {
    boot_root fixed "$show_mounts"'
        /etc/runit/1; echo "stage 1 status $?"
        show_mounts up
        echo x >/tmp/x && echo "tmp is writable"
        /etc/runit/ctrlaltdel
        ls -l /run/runit
        /etc/runit/3; echo "stage 3 status $?"'
    expect_line "$shell fixed: nothing failed" '- boot: done' "$output"
    expect_line "$shell fixed: tmp" 'tmp is writable' "$output"
    expect_line "$shell fixed: stage 3, nothing failed" '- shutdown: done' "$output"
    for request in stopit reboot; do
        expect "$shell fixed: ctrlaltdel sets $request" '---x------' \
            "$(printf '%s\n' "$output" | sed -n "s/ .*$request\$//p")"
    done
}

# A process that ignores TERM, one that is stopped, one whose name looks like
# the stat file of a zombie: all go. Stage 3 and its own children stay.
test_processes() {
    printf '%s\n' 'PROCESS_TIMEOUT=1' >"$root/etc/runit.conf"
    printf '%s\n' '#!/bin/sh' 'trap : TERM HUP' 'echo started >"/tmp/started.$$"' \
        'while :; do sleep 0.1; done' >"$root/bin/a) Z 1 1 (b"
    chmod +x "$root/bin/a) Z 1 1 (b"
    boot_root memory '
        /etc/runit/1
        setsid sleep 300 &
        echo "goes $!"
        setsid sleep 300 &
        stopped=$!
        echo "goes $stopped"
        setsid "/bin/a) Z 1 1 (b" &
        until set -- /tmp/started.*; [ -e "$1" ]; do sleep 0.05; done
        kill -STOP $stopped
        /etc/runit/3; echo "stage 3 status $?"
        for directory in /proc/[0-9]*; do
            [ "$directory" = /proc/1 ] || ! read -r line 2>/dev/null <$directory/stat || echo "left $line"
        done'
    expect_line "$shell processes: stage 3" 'stage 3 status 0' "$output"
    expect_part "$shell processes: the one that stays is named" ' (a) Z 1 1 (b)' "$output"
    for pid in $(printf '%s\n' "$output" | sed -n 's/^goes //p'); do
        expect_no_part "$shell processes: one that goes is not" "killing: $pid " "$output"
    done
    expect "$shell processes: nothing is left" '' "$(printf '%s\n' "$output" | grep '^left' | grep -v ') Z ')"
    rm "$root/etc/runit.conf" "$root/bin/a) Z 1 1 (b"
}

# write_service NAME LINE...: a run file below /etc/sv, enabled in multi.
write_service() {
    mkdir -p "$root/etc/sv/$1"
    name=$1
    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$root/etc/sv/$name/run"
    chmod +x "$root/etc/sv/$name/run"
    ln -sfn "../../../sv/$name" "$root/etc/runit/runsvdir/multi/$name"
}

# The real supervision. The gettys are replaced: one that, as a login shell
# does, ignores TERM.
test_services() {
    for program in runsvdir runsv sv; do
        [ -x "$programs/$program" ] || {
            skip "$shell services" "no $programs/$program"
            return 0
        }
    done
    for program in runsvdir runsv sv; do
        copy_program "$(readlink -f "$programs/$program")"
        cp -L "$programs/$program" "$root/usr/local/bin/$program"
    done
    printf '%s\n' 'SERVICE_TIMEOUT=4' 'PROCESS_TIMEOUT=1' >"$root/etc/runit.conf"
    write_service good 'exec sleep 1000'
    write_service logged 'echo out; exec sleep 1000'
    mkdir "$root/etc/sv/logged/log"
    printf '%s\n' '#!/bin/sh' 'exec cat >>/tmp/logged' >"$root/etc/sv/logged/log/run"
    chmod +x "$root/etc/sv/logged/log/run"
    write_service getties 'mkdir -p /run/runit/getties/getty-x' \
        'ln -sf /etc/sv/shell/run /run/runit/getties/getty-x/run' 'exec runsvdir -P /run/runit/getties'
    write_service shell 'trap "" TERM' 'trap "echo hung up; exit" HUP' 'echo >/tmp/shell' \
        'while :; do sleep 0.1; done'
    rm "$root/etc/runit/runsvdir/multi/shell"
    up='until [ -e /tmp/shell ] && [ -e /tmp/logged ] &&
            sv status good | while read -r state _; do [ "$state" = run: ]; done; do sleep 0.1; done'
    boot='export PATH=/usr/local/bin:/usr/bin:/bin SVDIR=/run/runit/runsvdir/current
        /etc/runit/1
        setsid /etc/runit/2 &
        stage2=$!'
    boot_root memory "$boot
        $up
        $show_time"'
        kill $stage2
        show_time before
        /etc/runit/3; echo "stage 3 status $?"
        show_time after'
    expect_line "$shell services: nothing failed" '- shutdown: done' "$output"
    expect_line "$shell services: the login shell was hung up" 'hung up' "$output"
    expect_no_part "$shell services: nothing left to kill" killing "$output"
    before=$(printf '%s\n' "$output" | sed -n 's/^before //p')
    after=$(printf '%s\n' "$output" | sed -n 's/^after //p')
    printf '# %s services: stage 3 took 0.01 s times %s\n' "$shell" "$((after - before))"
    write_service stubborn 'trap "" TERM' 'echo >/tmp/stubborn' 'while :; do sleep 0.1; done'
    rm "$root/etc/runit/runsvdir/multi/getties"
    printf '%s\n' 'SERVICE_TIMEOUT=1' 'PROCESS_TIMEOUT=1' >"$root/etc/runit.conf"
    boot_root memory "$boot"'
        until [ -e /tmp/stubborn ]; do sleep 0.1; done
        kill $stage2
        /etc/runit/3; echo "stage 3 status $?"'
    expect_part "$shell services: late one named" \
        'late: run: /run/runit/runsvdir/current/stubborn: (pid ' "$output"
    expect_line "$shell services: late one killed" '- shutdown: done, 1 step failed' "$output"
}

# agetty must lead the session, and be the process that runsv knows.
test_getty_session() {
    printf '%s\n' '#!/bin/sh' 'read -r _ _ _ _ _ session _ </proc/$$/stat; echo "$1 $$ $session"' \
        >"$root/usr/local/bin/agetty"
    chmod +x "$root/usr/local/bin/agetty"
    boot_root memory '
        /etc/runit/1
        mkdir /run/getty-null && ln -s /etc/sv/getty-generic/run /run/getty-null/run && cd /run/getty-null
        PATH=/usr/local/bin:/usr/bin:/bin
        setsid sh -c "./run & echo \"member \$! \$!\"; wait"
        setsid sh -c "echo \"leader \$\$ \$\$\"; exec ./run"'
    for place in member leader; do
        wanted=$(printf '%s\n' "$output" | sed -n "s/^$place //p")
        expect_line "$shell getty: session of a $place" "--noclear $wanted" \
            "$(printf '%s\n' "$output" | sed 's/^--local-line/--noclear/')"
    done
    rm "$root/usr/local/bin/agetty"
}

main() {
    can_use_namespaces namespaces || exit 0
    for shell in $(list_shells); do
        make_root "$shell"
        # Swap belongs to the whole machine, so it is left alone here.
        rm "$root/etc/runit/boot/45-swap" "$root/etc/runit/shutdown/70-swap"
        echo board7 >"$root/etc/hostname"
        test_memory
        test_disk
        test_fixed
        test_processes
        test_getty_session
        test_services
        remove_root
    done
    exit "$failed"
}

main "$@"
