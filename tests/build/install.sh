#!/bin/sh
# `make install` and its ways back, in a staging directory.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${here%/*/*}
# shellcheck source=tests/build/report.sh
. "$here/report.sh"

main() {
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    if [ ! -x "$root/out/x86_64/bin/pipit" ]; then
        fail install-needs-a-build "out/x86_64/bin/pipit is not built"
        finish_report
    fi
    # A system that is there already, with an init of its own and a merged /usr.
    mkdir -p "$stage/usr/sbin" "$stage/etc"
    ln -s usr/sbin "$stage/sbin"
    echo old >"$stage/usr/sbin/init"
    echo old >"$stage/usr/sbin/reboot"
    echo old >"$stage/usr/sbin/shutdown"
    # And the sv of another runit.
    mkdir -p "$stage/usr/bin"
    echo old >"$stage/usr/bin/sv"
    list_tree >"$stage.before"

    expect_make install-succeeds install
    expect install-lays-programs "$(list_tree)" has_programs
    expect install-lays-pages-in-their-sections "$(list_tree | grep /man/ || :)" has_pages
    expect install-lays-configuration "$(list_tree)" has_configuration
    expect install-touches-nothing-outside "$(find "$stage" -lname "*$stage*")" \
        [ -z "$(find "$stage" -lname "*$stage*")" ]
    expect install-leaves-the-old-init "$(ls -l "$stage/usr/sbin")" [ "$(cat "$stage/sbin/init")" = old ]
    if grep -q '"sv"' "$root/tools-bin/src/main.rs"; then
        expect install-keeps-what-is-not-ours "$(ls -l "$stage/usr/bin")" [ "$(cat "$stage/usr/bin/sv.before-pipit")" = old ]
    fi
    list_tree >"$stage.after"
    expect_make install-again-succeeds install
    expect install-again-changes-nothing "$(list_tree | diff "$stage.after" - || :)" same_tree "$stage.after"

    keep_changes
    go_and_return
    meet_another_mkinitramfs
    expect_make uninstall-succeeds uninstall
    expect uninstall-removes-the-pages "$(list_tree | grep /man/ || :)" [ -z "$(list_tree | grep /man/)" ]
    expect uninstall-keeps-a-changed-file "$(list_tree)" [ "$(cat "$stage/etc/runit.conf")" = changed ]
    rm -f "$stage/etc/runit.conf"
    expect uninstall-leaves-only-what-was-there "$(list_tree | diff "$stage.before" - || :)" same_tree "$stage.before"
    rm -f "$stage.before" "$stage.after"
    refuse_without_record
    finish_report
}

expect_make() {
    expect_make_name=$1
    shift
    if said=$(make -C "$root" ARCH=x86_64 "DESTDIR=$stage" "$@" 2>&1); then
        pass "$expect_make_name"
    else
        fail "$expect_make_name" "$said"
    fi
}

# All files with their kind, mode and text; empty directories of /etc are not of interest.
list_tree() {
    (cd "$stage" && find . ! -type d -exec ls -l {} + | awk '{ print $1, $9, $10, $11 }')
}

same_tree() {
    [ "$(list_tree)" = "$(cat "$1")" ]
}

has_programs() {
    [ -x "$stage/sbin/runit-init" ] && [ -x "$stage/sbin/handoff" ] && [ -x "$stage/usr/sbin/mkinitramfs" ] &&
        [ ! -e "$stage/etc/runit/mkinitramfs" ] && [ -x "$stage/usr/bin/pipit" ] && [ -x "$stage/sbin/runit" ]
}

# Each page of the source, under the section that its name ends with, and service-directory(5) among them.
has_pages() {
    [ -e "$stage/usr/share/man/man5/service-directory.5" ] &&
        for page in "$root"/*-bin/man/*.[0-9] "$root"/stage-scripts/man/*.[0-9]; do
            cmp -s "$page" "$stage/usr/share/man/man${page##*.}/${page##*/}" || return 1
        done
}

has_configuration() {
    [ "$(readlink "$stage/etc/runit/stopit")" = /run/runit/stopit ] &&
        [ "$(readlink "$stage/etc/service")" = /run/runit/runsvdir/current ] &&
        for file in 1 2 3 ctrlaltdel functions; do
            [ ! -e "$root/stage-scripts/$file" ] || [ -e "$stage/etc/runit/$file" ] || return 1
        done
}

# What the user changed or took away stays so when we install again.
keep_changes() {
    mkdir -p "$stage/usr/share/pipit/shipped/etc"
    echo changed >"$stage/etc/runit.conf"
    link=$(cd "$stage" && find etc/runit/runsvdir -type l | head -n 1)
    [ -z "$link" ] || rm "$stage/$link"
    expect_make install-over-changes-succeeds install
    if [ -e "$root/stage-scripts/runit.conf" ]; then
        expect install-keeps-a-changed-file "$said" [ "$(cat "$stage/etc/runit.conf")" = changed ]
        expect install-lays-the-new-one-beside "$said" \
            cmp -s "$root/stage-scripts/runit.conf" "$stage/etc/runit.conf.new"
    fi
    if [ -n "$link" ]; then
        expect install-keeps-a-service-disabled "$said" [ ! -L "$stage/$link" ]
    fi
    # Not changed by the user, but older than what is shipped now.
    echo older >"$stage/etc/runit/1"
    echo older >"$stage/usr/share/pipit/shipped/etc/runit/1"
    expect_make install-over-an-older-one-succeeds install
    expect install-replaces-what-nobody-changed "$said" cmp -s "$root/stage-scripts/1" "$stage/etc/runit/1"
}

go_and_return() {
    expect_make install-init-succeeds install-init
    expect install-init-takes-init "$(ls -l "$stage/usr/sbin")" [ "$(readlink "$stage/sbin/init")" = runit-init ]
    expect install-init-takes-shutdown "$(ls -l "$stage/usr/sbin")" [ "$(readlink "$stage/sbin/shutdown")" = ../bin/pipit ]
    expect install-init-keeps-the-old-one "$said" [ "$(cat "$stage/sbin/init.before-pipit")" = old ]
    wrong=$(find "$stage/usr" -type l ! -path '*/pipit/shipped/*' ! -exec test -e {} \; -print)
    expect install-init-links-lead-somewhere "$wrong" [ -z "$wrong" ]
    if said=$(make -C "$root" ARCH=x86_64 "DESTDIR=$stage" uninstall 2>&1); then
        fail uninstall-refuses-while-it-is-the-init "$said"
    else
        pass uninstall-refuses-while-it-is-the-init
    fi
    expect_make uninstall-init-succeeds uninstall-init
    expect uninstall-init-brings-the-old-one-back "$said" \
        [ "$(cat "$stage/sbin/init" "$stage/sbin/reboot" "$stage/sbin/shutdown" | tr '\n' ' ')" = 'old old old ' ]
}

# Another system's, which it calls whenever a kernel is installed, must go on being called.
meet_another_mkinitramfs() {
    expect_make uninstall-before-another-mkinitramfs uninstall
    page=$stage/usr/share/man/man8/mkinitramfs
    mkdir -p "${page%/*}"
    echo old >"$stage/usr/sbin/mkinitramfs"
    echo old >"$page.8"
    expect_make install-beside-another-mkinitramfs install
    expect install-leaves-another-mkinitramfs "$said" \
        [ "$(cat "$stage/usr/sbin/mkinitramfs" "$page.8" | tr '\n' ' ')" = 'old old ' ]
    expect install-lays-mkinitramfs-beside "$said" \
        cmp -s "$root/stage-scripts/mkinitramfs" "$stage/usr/sbin/mkinitramfs-pipit"
    expect install-lays-its-page-beside "$said" cmp -s "$root/init-bin/man/mkinitramfs.8" "$page-pipit.8"
    # And when it has left.
    rm "$stage/usr/sbin/mkinitramfs" "$page.8"
    expect_make install-after-another-mkinitramfs install
    expect install-takes-the-name-that-is-free "$said" [ -x "$stage/usr/sbin/mkinitramfs" ]
    expect install-takes-the-other-name-away "$said" [ ! -e "$stage/usr/sbin/mkinitramfs-pipit" ]
}

refuse_without_record() {
    if said=$(make -C "$root" ARCH=x86_64 "DESTDIR=$stage" uninstall 2>&1); then
        fail uninstall-refuses-where-nothing-is-recorded "$said"
    else
        pass uninstall-refuses-where-nothing-is-recorded
    fi
}

main "$@"
