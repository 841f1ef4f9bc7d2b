#!/bin/sh
# The functions that all parts share, in each shell, on made-up machines.
#
# What stands in single quotes is for the shell in the root.
# shellcheck disable=SC2016
set -eu

# shellcheck source=tests/stage-scripts/fake-root.sh
. "$(dirname "$0")/fake-root.sh"

test_kernel_words() {
    printf '%s\n' 'root=/dev/sda single  "a=b c" x="y single2 z" * multi' >"$root/proc/cmdline"
    in_root 'read_kernel_words; printf "[%s]" "$kernel_words"'
    expect "$shell kernel_words quotes" '[root=/dev/sda single  a=b_c x=y_single2_z * multi]' "$output"
    in_root 'read_kernel_words; has_kernel_word single && has_kernel_word "*" && echo yes'
    expect "$shell kernel_words found" yes "$output"
    in_root 'read_kernel_words; has_kernel_word single2 || has_kernel_word sing || has_kernel_word c || echo no'
    expect "$shell kernel_words not found" no "$output"
    printf '%s' 'a "open quote' >"$root/proc/cmdline"
    in_root 'read_kernel_words; printf "[%s]" "$kernel_words"'
    expect "$shell kernel_words open quote, no newline" '[a open_quote]' "$output"
    rm "$root/proc/cmdline"
    in_root 'read_kernel_words; has_kernel_word x || printf "[%s]" "$kernel_words"'
    expect "$shell kernel_words no file" '[]' "$output"
    printf '%s\n' quiet >"$root/proc/cmdline"
}

test_mounts() {
    write_mounts '1 1 0:2 / / ro,relatime - rootfs rootfs rw' \
        '2 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 ro,errors=remount-ro' \
        '3 2 0:3 / /run rw,nosuid shared:2 master:1 - tmpfs run rw,mode=755' \
        '4 2 0:4 / /run/a\040b rw - vfat /dev/sdb1 rw'
    in_root 'is_mounted / && is_mounted /run && echo yes'
    expect "$shell is_mounted" yes "$output"
    in_root 'is_mounted /ru || is_mounted /run/x || is_mounted /proc || echo no'
    expect "$shell is_mounted not" no "$output"
    in_root 'is_read_only /etc && ! is_read_only /run/runit && ! is_read_only /run && echo yes'
    expect "$shell is_read_only" yes "$output"
    in_root 'find_mount /running; printf "%s %s" "$mount_point" "$mount_type"'
    expect "$shell find_mount takes whole names" '/ ext4' "$output"
    in_root 'is_root_in_memory || echo no'
    expect "$shell is_root_in_memory no: the later line covers" no "$output"
    write_mounts '1 1 0:2 / / rw - rootfs rootfs rw'
    in_root 'is_root_in_memory && echo yes'
    expect "$shell is_root_in_memory" yes "$output"
    rm "$root/proc/self/mountinfo"
    in_root 'is_mounted / || echo no'
    expect "$shell is_mounted without proc" no "$output"
    write_mounts '1 1 0:2 / / rw - rootfs rootfs rw'
}

write_mounts() {
    printf '%s\n' "$@" >"$root/proc/self/mountinfo"
}

test_fstab() {
    printf '%s\n' '# comment' '' '/dev/sda1 / ext4 ro,noatime 0 1' 'UUID=1 swap swap pri=1 0 0' >"$root/etc/fstab"
    in_root 'find_fstab_entry 2 / && printf "%s " "$entry_options"; find_fstab_entry 3 swap && printf "%s" "$entry_options"'
    expect "$shell find_fstab_entry" 'ro,noatime pri=1' "$output"
    in_root 'find_fstab_entry 2 /home || echo no'
    expect "$shell find_fstab_entry none" no "$output"
    rm "$root/etc/fstab"
    in_root 'find_fstab_entry 2 / || echo no'
    expect "$shell find_fstab_entry without fstab" no "$output"
}

try_configuration() {
    printf '%s\n' "$1" >"$root/etc/runit.conf"
    in_root 'stage=boot; load_configuration; printf "%s/%s/%s %s" "${HOSTNAME:-}" "$service_timeout" "$process_timeout" "$failures"'
}

test_configuration() {
    rm -f "$root/etc/runit.conf"
    in_root 'stage=boot; load_configuration; printf "%s/%s/%s %s" "${HOSTNAME:-}" "$service_timeout" "$process_timeout" "$failures"'
    expect "$shell configuration missing" '/20/5 0' "$output"
    cp "$scripts/runit.conf" "$root/etc/runit.conf"
    in_root 'stage=boot; load_configuration; printf "%s" "$failures"'
    expect "$shell configuration as installed" 0 "$output"
    try_configuration 'HOSTNAME=board
SERVICE_TIMEOUT=3'
    expect "$shell configuration" 'board/3/5 0' "$output"
    try_configuration 'SERVICE_TIMEOUT=3
if then fi ('
    expect_part "$shell configuration cannot be parsed" '/20/5 1' "$output"
    try_configuration 'exit 0'
    expect_part "$shell configuration that exits" '/20/5 1' "$output"
    try_configuration 'SERVICE_TIMEOUT=soon'
    expect_part "$shell configuration with a wrong number" '/20/5 1' "$output"
    try_configuration 'CREATEFILES[1]="mkdir /x"
PROCESS_TIMEOUT=9'
    expect "$shell configuration of the seed, with an array" '/20/9 0' "$output"
    rm "$root/etc/runit.conf"
}

write_part() {
    printf '%s\n' "$2" >"$root/etc/test/$1"
}

# Each part spoils what it can; the others run all the same, in order.
test_parts() {
    mkdir "$root/etc/test"
    write_part 10-first 'cd /tmp; part=wrong; failures=9; echo first; failures=0'
    write_part 20-exits 'echo exits; exit 3'
    write_part 30-unparsable 'if then ('
    write_part 40-fails 'count_failure one; count_failure two'
    write_part 45-many 'failures=200'
    write_part 50-dies 'sh -c "kill -9 \$PPID"'
    write_part 60-last 'echo last in $(pwd) $#'
    write_part 60-last.bak 'echo backup'
    write_part 60-last~ 'echo backup'
    write_part README 'echo readme'
    in_root 'stage=boot; cd /; run_parts /etc/test; echo "status $? failures $failures"'
    expect_line "$shell parts: first" first "$output"
    expect_part "$shell parts: one that exits is told" 'exits: ended with status 3' "$output"
    expect_part "$shell parts: one that cannot be parsed is told" 'unparsable: ended with status' "$output"
    expect_part "$shell parts: one that dies is told" 'dies: ended with status 137' "$output"
    expect_line "$shell parts: a failure is told" '- boot: warning: fails: two' "$output"
    expect_line "$shell parts: last, unharmed" 'last in / 0' "$output"
    expect_line "$shell parts: counted" 'status 0 failures 30' "$output"
    expect_no_part "$shell parts: backups and others are left alone" backup "$output"
    expect_no_part "$shell parts: no README" readme "$output"
    write_part 15-stops 'exit 100'
    in_root 'stage=boot; run_parts /etc/test; echo "status $?"'
    expect "$shell parts: 100 stops" "first${newline}status 100" "$output"
    in_root 'stage=boot; run_parts /etc/nothing; echo "status $?"'
    expect "$shell parts: none" 'status 0' "$output"
    rm -r "$root/etc/test"
}

test_log() {
    mkdir "$root/run/runit"
    in_root 'stage=boot; tell_step early; open_log; part=x; log_skip reason; count_failure bad; cat $boot_log'
    expect_line "$shell log: early lines" '[   12.34] boot: early' "$output"
    expect_line "$shell log: skips" '[   12.34] boot: x: skipped: reason' "$output"
    expect_line "$shell log: failures" '[   12.34] boot: warning: x: bad' "$output"
    rm -r "$root/run/runit"
    in_root 'stage=boot; tell_step early; open_log; tell_step "100%s \\n"; echo status $?'
    expect "$shell log: nowhere to keep it, and text is not a format" \
        "- boot: early${newline}- boot: 100%s \\n${newline}status 0" "$output"
}

test_commands() {
    in_root 'stage=boot; behaviour=fails; try_command "mount it" mount x; echo "status $? failures $failures"'
    expect "$shell try_command tells the reason" \
        "- boot: warning: unable to mount it: mount: no luck${newline}status 1 failures 1" "$output"
    in_root 'stage=boot; try_command "do it" false; try_command "do that" /no/such; try_command "do this" true; echo $failures'
    expect_line "$shell try_command without a reason" '- boot: warning: unable to do it: false: status 1' "$output"
    expect_line "$shell try_command counts" 2 "$output"
    in_root 'behaviour=works; stage=boot; run_emergency_shell why; echo "after"'
    expect "$shell emergency: sulogin" sulogin "$(read_calls)"
    in_root 'behaviour=absent; stage=boot; run_emergency_shell why; echo "after"'
    expect_line "$shell emergency: a plain shell, then the boot goes on" after "$output"
}

main() {
    can_use_namespaces functions || exit 0
    for shell in $(list_shells); do
        make_root "$shell"
        test_kernel_words
        test_mounts
        test_fstab
        test_configuration
        test_parts
        test_log
        test_commands
        remove_root
    done
    exit "$failed"
}

main "$@"
