#!/bin/sh
# Installs what is built, and removes it again; called by make, which passes the directories in the environment.
#
#   install.sh install          programs, pages, stages, services; the init system that is there stays
#   install.sh install-init     /sbin/init, halt, poweroff ... become ours; the old ones are kept beside
#   install.sh uninstall-init   the way back
#   install.sh uninstall        removes what was installed and not changed since
#
# Below $DATADIR/pipit it keeps what it did: `files`, the list of what it installed, and `shipped/`, every
# configuration file as it was shipped last. A configuration file that differs from that one is the user's: it is
# never touched, and the new one is laid beside it as NAME.new.
set -eu

# Names that other init systems own as well; nothing of theirs is touched before `install-init`.
INIT_NAMES='init halt poweroff reboot shutdown runlevel telinit'
# What an old one is called while ours is in its place.
KEPT=before-pipit

say() {
    printf 'install: %s\n' "$1"
}

fatal() {
    printf 'install: fatal: %s\n' "$1" >&2
    exit 1
}

is_init_name() {
    case " $INIT_NAMES " in
    *" $1 "*) return 0 ;;
    *) return 1 ;;
    esac
}

# remember PATH: it is ours. Paths are without DESTDIR.
remember() {
    grep -qxF -e "$1" "$record/files" || printf '%s\n' "$1" >>"$record/files"
}

# put MODE SOURCE PATH: a file that is ours alone. One that runs is replaced, not written to.
put() {
    mkdir -p "$DESTDIR${3%/*}"
    cp "$2" "$DESTDIR$3.new"
    chmod "$1" "$DESTDIR$3.new"
    mv -f "$DESTDIR$3.new" "$DESTDIR$3"
    remember "$3"
}

# put_link TEXT PATH
put_link() {
    mkdir -p "$DESTDIR${2%/*}"
    rm -f "$DESTDIR$2"
    ln -s "$1" "$DESTDIR$2"
    remember "$2"
}

# put_configuration MODE SOURCE PATH: a file that the user may have changed.
put_configuration() {
    shipped=$record/shipped$3
    target=$DESTDIR$3
    mkdir -p "${target%/*}" "${shipped%/*}"
    if [ ! -e "$target" ] && [ -e "$shipped" ]; then
        remember "$3"
        say "kept absent: $3"
    elif [ ! -e "$target" ] || cmp -s "$2" "$target" || cmp -s "$shipped" "$target"; then
        put "$1" "$2" "$3"
    else
        cp "$2" "$target.new"
        chmod "$1" "$target.new"
        remember "$3"
        remember "$3.new"
        say "kept as changed: $3, the new one is $3.new"
    fi
    cp "$2" "$shipped"
}

# put_configured_link TEXT PATH: a link that the user may have removed, as he does to disable a service.
put_configured_link() {
    shipped=$record/shipped$2
    if [ -L "$DESTDIR$2" ] || [ -e "$DESTDIR$2" ]; then
        [ "$(readlink "$DESTDIR$2" || :)" = "$1" ] || say "kept as changed: $2"
        remember "$2"
    elif [ -L "$shipped" ]; then
        remember "$2"
        say "kept absent: $2"
    else
        put_link "$1" "$2"
    fi
    mkdir -p "${shipped%/*}"
    rm -f "$shipped"
    ln -s "$1" "$shipped"
}

# keep_old PATH: what is there and not ours, as of a package of the original runit, comes back when we go.
keep_old() {
    if { [ -e "$DESTDIR$1" ] || [ -L "$DESTDIR$1" ]; } && ! is_ours "$1"; then
        if [ -e "$DESTDIR$1.$KEPT" ] || [ -L "$DESTDIR$1.$KEPT" ]; then
            fatal "$1.$KEPT is there already, and $1 is not ours: see which one is wanted"
        fi
        cp -pP "$DESTDIR$1" "$DESTDIR$1.$KEPT"
        say "kept: $1.$KEPT"
    fi
}

bring_old_back() {
    if [ -e "$DESTDIR$1.$KEPT" ] || [ -L "$DESTDIR$1.$KEPT" ]; then
        mv -f "$DESTDIR$1.$KEPT" "$DESTDIR$1"
        say "back: $1"
    fi
}

# is_ours PATH: installed by us, now or last time.
is_ours() {
    for list in files files.before taken; do
        if [ -e "$record/$list" ] && grep -qxF -e "$1" "$record/$list"; then
            return 0
        fi
    done
    return 1
}

# relative_path FROM TO: the text of a link in the directory FROM to the file TO.
relative_path() {
    from=${1#/}/
    to=${2#/}
    while [ "${from%%/*}" = "${to%%/*}" ]; do
        from=${from#*/}
        to=${to#*/}
    done
    up=
    while [ -n "$from" ]; do
        from=${from#*/}
        up=../$up
    done
    printf '%s%s\n' "$up" "$to"
}

# The names of pipit, as the build laid them out.
list_names() {
    find "$OUT/bin" -type l | while read -r link; do
        [ "$(readlink "$link")" != pipit ] || printf '%s\n' "${link##*/}"
    done | sort
}

install_programs() {
    for path in "$SBINDIR/runit-init" "$SBINDIR/runit" "$SBINDIR/handoff" "$BINDIR/pipit"; do
        keep_old "$path"
    done
    put 755 "$OUT/bin/runit-init" "$SBINDIR/runit-init"
    # Not for this system to run: mkinitramfs takes it from here.
    put 755 "$OUT/bin/handoff" "$SBINDIR/handoff"
    put_link runit-init "$SBINDIR/runit"
    put 755 "$OUT/bin/pipit" "$BINDIR/pipit"
    for name in $(list_names); do
        if ! is_init_name "$name"; then
            keep_old "$BINDIR/$name"
            put_link pipit "$BINDIR/$name"
        fi
    done
    choose_name "$SBINDIR" mkinitramfs ''
    put 755 stage-scripts/mkinitramfs "$path"
}

# choose_name DIRECTORY NAME ENDING: sets path. On other systems a program of this name makes the images whenever a
# kernel is installed, and must go on doing so; then ours has another name.
choose_name() {
    path=$1/$2$3
    if [ -e "$DESTDIR$path" ] && ! is_ours "$path"; then
        say "another one is there: $path, ours is $1/$2-pipit$3"
        path=$1/$2-pipit$3
    fi
}

# A page such as halt(8) of another init system tells of its own halt, which is still there: that one stays.
install_pages() {
    for page in init-bin/man/*.[0-9] tools-bin/man/*.[0-9] stage-scripts/man/*.[0-9]; do
        [ -e "$page" ] || continue
        name=${page##*/}
        path=$MANDIR/man${page##*.}/$name
        if is_init_name "${name%.*}" && [ -e "$DESTDIR$path" ] && ! is_ours "$path"; then
            say "not installed, another one is there: $path"
            continue
        fi
        if [ "$name" = mkinitramfs.8 ]; then
            choose_name "$MANDIR/man8" mkinitramfs .8
        fi
        keep_old "$path"
        if [ -L "$page" ]; then
            put_link "$(readlink "$page")" "$path"
        else
            put 644 "$page" "$path"
        fi
    done
}

# stage-scripts/ is /etc/runit, but for services/, which is /etc/sv, three files of /etc itself, a program, and pages.
install_configuration() {
    (cd stage-scripts && find . \( -name '*.md' -o -name '.*' ! -name . \) -prune -o \( -type f -o -type l \) -print) |
        sort | while read -r file; do
        file=${file#./}
        source=stage-scripts/$file
        case $file in
        mkinitramfs | man/*) continue ;;
        services/*) path=$SYSCONFDIR/sv/${file#services/} ;;
        runit.conf | rc.local | rc.shutdown) path=$SYSCONFDIR/$file ;;
        *) path=$SYSCONFDIR/runit/$file ;;
        esac
        if [ -L "$source" ]; then
            put_configured_link "$(readlink "$source")" "$path"
        elif [ -x "$source" ]; then
            put_configuration 755 "$source" "$path"
        else
            put_configuration 644 "$source" "$path"
        fi
    done
    # Empty directories of levels are levels too.
    mkdir -p "$DESTDIR$SYSCONFDIR/runit/runsvdir/multi" "$DESTDIR$SYSCONFDIR/runit/runsvdir/single"
    # State and requests live in /run, so that /etc can be read-only.
    put_configured_link /run/runit/stopit "$SYSCONFDIR/runit/stopit"
    put_configured_link /run/runit/reboot "$SYSCONFDIR/runit/reboot"
    put_configured_link /run/runit/runsvdir/current "$SYSCONFDIR/service"
}

do_install() {
    [ -x "$OUT/bin/pipit" ] || fatal "$OUT/bin/pipit is not there: call make first"
    mkdir -p "$record/shipped"
    [ ! -e "$record/files" ] || mv -f "$record/files" "$record/files.before"
    : >"$record/files"
    install_programs
    install_pages
    install_configuration
    remove_what_left
    say "done. Boot it once with the kernel word init=$SBINDIR/runit-init; make install-init makes it the default"
}

# Files of the last installation that this one does not have.
remove_what_left() {
    [ -e "$record/files.before" ] || return 0
    while read -r path; do
        grep -qxF -e "$path" "$record/files" || remove_ours "$path"
    done <"$record/files.before"
    rm -f "$record/files.before"
}

# Puts our name in the place of another's, which is kept.
take_over() {
    path=$2
    if [ "$(readlink "$DESTDIR$path" || :)" = "$1" ]; then
        return
    fi
    keep_old "$path"
    mkdir -p "$DESTDIR${path%/*}"
    # In one step: there is no moment without an init.
    ln -s "$1" "$DESTDIR$path.new"
    mv -f "$DESTDIR$path.new" "$DESTDIR$path"
    grep -qxF -e "$path" "$record/taken" || printf '%s\n' "$path" >>"$record/taken"
}

do_install_init() {
    [ -e "$record/files" ] || do_install
    touch "$record/taken"
    for name in $(list_names); do
        if is_init_name "$name"; then
            take_over "$(relative_path "$SBINDIR" "$BINDIR/pipit")" "$SBINDIR/$name"
        fi
    done
    take_over runit-init "$SBINDIR/init"
    say "done. The way back: make uninstall-init, or the kernel word init=$SBINDIR/init.$KEPT"
}

do_uninstall_init() {
    [ -e "$record/taken" ] || fatal "nothing was taken over"
    while read -r path; do
        [ -e "$DESTDIR$path.$KEPT" ] || [ -L "$DESTDIR$path.$KEPT" ] || rm -f "$DESTDIR$path"
        bring_old_back "$path"
    done <"$record/taken"
    rm -f "$record/taken"
}

do_uninstall() {
    [ -e "$record/files" ] || fatal "nothing of ours is recorded in $record"
    [ ! -e "$record/taken" ] || fatal "this is the system's init: make uninstall-init first"
    while read -r path; do
        remove_ours "$path"
    done <"$record/files"
    # Directories, the deepest first, those in which nothing is left.
    sed 's,/[^/]*$,,' "$record/files" | sort -ru | while read -r directory; do
        case $directory in
        "$SYSCONFDIR"/*)
            while [ "$directory" != "$SYSCONFDIR" ] && rmdir "$DESTDIR$directory" 2>/dev/null; do
                directory=${directory%/*}
            done
            ;;
        esac
    done
    rm -rf "${record:?}"
}

# A configuration file that was changed is not ours any more.
remove_ours() {
    shipped=$record/shipped$1
    if [ -L "$shipped" ]; then
        if [ "$(readlink "$DESTDIR$1" || :)" = "$(readlink "$shipped")" ]; then
            rm -f "$DESTDIR$1"
        fi
    elif [ -e "$shipped" ] && [ -e "$DESTDIR$1" ] && ! cmp -s "$shipped" "$DESTDIR$1"; then
        say "kept as changed: $1"
    else
        rm -f "$DESTDIR$1"
        bring_old_back "$1"
    fi
}

main() {
    cd "$(dirname "$0")"
    : "${DESTDIR=}" "${OUT:?called by make}" "${BINDIR:?}" "${SBINDIR:?}" "${MANDIR:?}" "${DATADIR:?}" "${SYSCONFDIR:?}"
    record=$DESTDIR$DATADIR/pipit
    case ${1:-} in
    install) do_install ;;
    install-init) do_install_init ;;
    uninstall-init) do_uninstall_init ;;
    uninstall) do_uninstall ;;
    *) fatal "usage: install.sh install|install-init|uninstall-init|uninstall" ;;
    esac
}

main "$@"
