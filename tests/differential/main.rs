//! One table of scenarios, played by runit alone, by our programs, and by both together: our `sv` on runit's `runsv`,
//! runit's `sv` on ours, busybox's `svc` on each. What is seen (lines, exit codes, the files of `supervise/`, what the
//! services noted) is held against what runit alone does; every wanted difference stands in `wanted.rs`.
//!
//! With `PIPIT_SCENARIO` only the scenarios with this in their name are played. With runit's own programs under test
//! there must be no difference at all.

mod cast;
mod compare;
mod control;
mod idle;
mod life;
mod log;
mod play;
mod protocol;
mod runsv;
mod runsvdir;
mod scenario;
mod sv;
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

/// Names are unique, and whatever is wanted is wanted of a scenario that there is.
#[test]
fn names_of_scenarios() {
    let mut names: Vec<String> = scenario::table().into_iter().map(|scenario| scenario.name).collect();
    let differences = wanted::WANTED.iter().flat_map(|wanted| wanted.differences);
    for name in differences.flat_map(|seen| seen.scenarios) {
        assert!(names.iter().any(|have| have == name), "no scenario {name}");
    }
    let count = names.len();
    let differences: usize = wanted::WANTED.iter().map(|wanted| wanted.differences.len()).sum();
    support::figure(&format!("held against runit: {count} scenarios, {differences} wanted differences"));
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
