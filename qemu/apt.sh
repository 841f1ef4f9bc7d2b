# apt with directories of its own: its lists, its cache, its idea of the architecture and of what is installed, which is
# nothing. So no root is needed, no foreign architecture is added to this machine and its own apt is not touched. The
# packages come from the suites this machine is configured for, checked by apt against their signed index.
#
# Sourced, never run. Whoever does sets debian_architecture and defines fail.
#
# What the caller sets is not known here.
# shellcheck shell=sh disable=SC2154

# The settings of this machine, a proxy above all, without the commands that it wants to have run for its own apt.
copy_settings() {
    mkdir -p "$apt_home/apt.conf.d"
    for settings in /etc/apt/apt.conf.d/* /etc/apt/apt.conf; do
        [ ! -r "$settings" ] || cp "$settings" "$apt_home/apt.conf.d/"
    done
    cat >"$apt_home/apt.conf.d/zz-no-commands" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
}

# The sources of this machine without their limits to an architecture.
copy_sources() {
    mkdir -p "$apt_home/sources.list.d"
    : >"$apt_home/sources.list"
    if [ -r /etc/apt/sources.list ]; then
        sed 's/arch=[^] ]*//' /etc/apt/sources.list >"$apt_home/sources.list"
    fi
    for source in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -r "$source" ] || continue
        sed -e 's/arch=[^] ]*//' -e '/^Architectures:/d' "$source" >"$apt_home/sources.list.d/${source##*/}"
    done
}

# open_apt DIRECTORY ADVICE: from here on apt is the one with this directory. The advice is for systems without apt.
open_apt() {
    for tool in apt-get apt-cache dpkg-deb; do
        command -v "$tool" >/dev/null || fail "unable to find $tool: this works on Debian and its like; elsewhere $2"
    done
    apt_home=$1
    mkdir -p "$apt_home/lists/partial" "$apt_home/archives/partial"
    : >"$apt_home/status"
    copy_settings
    copy_sources
    cat >"$apt_home/apt.conf" <<END
APT::Architecture "$debian_architecture";
APT::Architectures { "$debian_architecture"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "$apt_home";
Dir::State::status "$apt_home/status";
Dir::State::lists "$apt_home/lists";
Dir::Cache "$apt_home";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$apt_home/apt.conf.d";
Dir::Etc::sourcelist "$apt_home/sources.list";
Dir::Etc::sourceparts "$apt_home/sources.list.d";
END
    APT_CONFIG=$apt_home/apt.conf
    export APT_CONFIG
    # One suite whose index cannot be had does not stop us: the packages may be in the others.
    apt-get -qq update >&2 || printf 'fetch: warning: unable to update every package index\n' >&2
}

close_apt() {
    rm -rf "$apt_home"
}
