//! One table of scenarios, played by runit alone, by our programs, and by both together: our `sv` on runit's `runsv`,
//! runit's `sv` on ours, busybox's `svc` on each, one `svlogd` after the other in the same log directories, and `chpst`. What
//! is seen (lines, exit codes, the files of `supervise/`, what the services noted, log directories byte by byte, what an
//! executed program finds) is held against what runit alone does; every wanted difference stands in `wanted.rs`.
//!
//! With `PIPIT_SCENARIO` only the scenarios with this in their name are played, and with `PIPIT_SHOW` what runit alone
//! does is printed. With runit's own programs under test there must be no difference at all.

mod cast;
mod chpst;
mod chpst_environment;
mod chpst_limits;
mod chpst_names;
mod chpst_program;
mod chpst_state;
mod chpst_users;
mod compare;
mod contents;
mod control;
mod idle;
mod life;
mod log;
mod logging;
mod play;
mod protocol;
mod runsv;
mod runsvdir;
mod scenario;
mod sv;
mod svlogd_config;
mod svlogd_lines;
mod svlogd_network;
mod svlogd_opening;
mod svlogd_options;
mod svlogd_patterns;
mod svlogd_processor;
mod svlogd_rotation;
mod svlogd_several;
mod svlogd_signals;
mod wanted;
mod words;

#[test]
fn runsvdir_scenarios() {
    compare::compare(&runsvdir::scenarios());
}

#[test]
fn protocol_scenarios() {
    compare::compare(&protocol::scenarios());
}

#[test]
fn runsv_scenarios() {
    compare::compare(&runsv::scenarios());
}

#[test]
fn control_scenarios() {
    compare::compare(&control::scenarios());
}

#[test]
fn log_scenarios() {
    compare::compare(&log::scenarios());
}

#[test]
fn sv_scenarios() {
    compare::compare(&sv::scenarios());
}

#[test]
fn life_scenarios() {
    compare::compare(&life::scenarios());
}

#[test]
fn svlogd_options_scenarios() {
    compare::compare(&svlogd_options::scenarios());
}

#[test]
fn svlogd_opening_scenarios() {
    compare::compare(&svlogd_opening::scenarios());
}

#[test]
fn svlogd_config_scenarios() {
    compare::compare(&svlogd_config::scenarios());
}

#[test]
fn svlogd_patterns_scenarios() {
    compare::compare(&svlogd_patterns::scenarios());
}

#[test]
fn svlogd_lines_scenarios() {
    compare::compare(&svlogd_lines::scenarios());
}

#[test]
fn svlogd_rotation_scenarios() {
    compare::compare(&svlogd_rotation::scenarios());
}

#[test]
fn svlogd_signals_scenarios() {
    compare::compare(&svlogd_signals::scenarios());
}

#[test]
fn svlogd_processor_scenarios() {
    compare::compare(&svlogd_processor::scenarios());
}

#[test]
fn svlogd_network_scenarios() {
    compare::compare(&svlogd_network::scenarios());
}

#[test]
fn svlogd_several_scenarios() {
    compare::compare(&svlogd_several::scenarios());
}

#[test]
fn chpst_scenarios() {
    if !support::needs(&["namespaces"]) {
        support::figure("of chpst only what a user may do without them is played");
    }
    compare::compare(&chpst::scenarios());
}

/// Names are unique, and whatever is wanted is wanted of a scenario that there is.
#[test]
fn names_of_scenarios() {
    let mut names: Vec<String> = scenario::table().into_iter().map(|scenario| scenario.name).collect();
    let differences = wanted::all().flat_map(|wanted| wanted.differences);
    for name in differences.flat_map(|seen| seen.scenarios) {
        assert!(names.iter().any(|have| have == name), "no scenario {name}");
    }
    let count = names.len();
    let differences: usize = wanted::all().map(|wanted| wanted.differences.len()).sum();
    support::figure(&format!("held against runit: {count} scenarios, {differences} wanted differences"));
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
