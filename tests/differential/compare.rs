//! Plays scenarios in all their combinations, several at a time, and holds what was seen against what runit alone does.

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::Reference;

use crate::cast::Combination;
use crate::play::{Play, Seen};
use crate::scenario::Scenario;
use crate::wanted::{self, Wanted};

/// Plays at a time: they wait most of the time, so more than there are processors.
const STAGES: usize = 12;

/// A label, the lines of runit that differ, and the lines in their place.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    at: String,
    theirs: String,
    ours: String,
}

/// Plays these scenarios.
///
/// # Panics
/// If there is a difference that is not wanted, or a wanted one is not there; all of them are told.
pub fn compare(scenarios: &[Scenario]) {
    let reference = match support::reference() {
        Ok(reference) => reference,
        Err(reason) => return support::skip(&reason),
    };
    let wish = std::env::var("PIPIT_SCENARIO").unwrap_or_default();
    let chosen: Vec<&Scenario> = scenarios.iter().filter(|scenario| scenario.name.contains(&wish)).collect();
    let jobs: Vec<(&Scenario, Combination)> = chosen
        .iter()
        .flat_map(|scenario| scenario.roles.combinations().into_iter().map(|combination| (*scenario, combination)))
        .collect();
    let seen = play_all(&jobs, &reference);
    let mut troubles = Vec::new();
    for scenario in chosen {
        let of_scenario: Vec<(Combination, &Seen)> = jobs
            .iter()
            .zip(&seen)
            .filter(|((have, _), _)| have.name == scenario.name)
            .map(|((_, combination), seen)| (*combination, seen))
            .collect();
        judge(&scenario.name, &of_scenario, &mut troubles);
    }
    assert!(troubles.is_empty(), "{} troubles:\n{}", troubles.len(), troubles.join("\n"));
}

fn play_all(jobs: &[(&Scenario, Combination)], reference: &Reference) -> Vec<Seen> {
    let ours = support::programs();
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Seen>> = jobs.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _stage in 0..STAGES {
            scope.spawn(|| {
                while let Some((scenario, combination)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                    let number = jobs.iter().position(|job| std::ptr::eq(job.0, scenario) && job.1 == combination);
                    let play = Play::new(combination, &ours, reference);
                    *results[number.expect("a job")].lock().expect("one writer") = play_one(scenario, play);
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().expect("one writer")).collect()
}

/// A wait in vain is something seen, too: the other plays go on.
fn play_one(scenario: &Scenario, mut play: Play) -> Seen {
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| (scenario.play)(&mut play)));
    if let Err(reason) = result {
        let text = reason.downcast_ref::<String>().cloned();
        let text = text.or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        play.saw("given up", &text.unwrap_or_default());
    }
    play.end()
}

/// Tells what of a scenario is not as wanted.
fn judge(name: &str, all: &[(Combination, &Seen)], troubles: &mut Vec<String>) {
    let (base, others) = all.split_first().expect("runit's own");
    if std::env::var_os("PIPIT_SHOW").is_some() {
        let text: String = base.1.iter().map(|(label, text)| format!("--- {label}\n{text}\n")).collect();
        support::figure(&format!("{name}\n{text}"));
    }
    if base.1.iter().any(|(label, _)| label == "given up") {
        troubles.push(format!("{name}: {}: {:#?}", base.0, base.1));
    }
    // Left out: what it needs is not here.
    if all.iter().all(|(_, seen)| seen.is_empty()) {
        return;
    }
    // Held against itself, runit has no difference to show.
    let list: Vec<(&Wanted, &wanted::Seen)> = wanted::all()
        .filter(|_| !support::is_reference())
        .flat_map(|wanted| wanted.differences.iter().map(move |seen| (wanted, seen)))
        .filter(|(_, seen)| seen.scenarios.contains(&name))
        .collect();
    let found: Vec<(Combination, Vec<Difference>)> =
        others.iter().map(|(combination, seen)| (*combination, differences(base.1, seen))).collect();
    let mut told: Vec<&Difference> = Vec::new();
    for have in found.iter().flat_map(|(_, differences)| differences) {
        let is_wanted = |combination: &Combination| {
            list.iter().any(|(wanted, seen)| wanted.side.is_seen_in(*combination) && have.is(seen))
        };
        let combinations: Vec<String> = found
            .iter()
            .filter(|(combination, differences)| differences.contains(have) && !is_wanted(combination))
            .map(|(combination, _)| combination.to_string())
            .collect();
        if !combinations.is_empty() && !told.contains(&have) {
            troubles.push(format!("{name}: not wanted, of {}:\n{have}", combinations.join("; ")));
            told.push(have);
        }
    }
    for (wanted, seen) in list {
        for (combination, differences) in found.iter().filter(|(combination, _)| wanted.side.is_seen_in(*combination)) {
            if !differences.iter().any(|have| have.is(seen)) {
                troubles.push(format!(
                    "{name}: {combination}: does not occur: {} ({}): {seen:#?}",
                    wanted.source, wanted.reason
                ));
            }
        }
    }
}

impl Difference {
    fn is(&self, seen: &wanted::Seen) -> bool {
        self.at == seen.at && self.theirs == seen.theirs && self.ours == seen.ours
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "    at: {:?},\n    theirs: {:?},\n    ours: {:?},", self.at, self.theirs, self.ours)
    }
}

fn differences(theirs: &Seen, ours: &Seen) -> Vec<Difference> {
    let labels = theirs.iter().chain(ours.iter().filter(|(label, _)| text_of(theirs, label).is_none()));
    let pairs = labels.map(|(label, _)| (label, text_of(theirs, label), text_of(ours, label)));
    pairs
        .filter(|(_, theirs, ours)| theirs != ours)
        .map(|(label, theirs, ours)| {
            let (theirs, ours) = without_equal_ends(theirs.unwrap_or("(not seen)"), ours.unwrap_or("(not seen)"));
            Difference { at: label.clone(), theirs, ours }
        })
        .collect()
}

fn text_of<'a>(seen: &'a Seen, label: &str) -> Option<&'a str> {
    seen.iter().find(|(have, _)| have == label).map(|(_, text)| text.as_str())
}

/// The lines that are left when those that begin and end both texts alike are taken off.
fn without_equal_ends(one: &str, other: &str) -> (String, String) {
    let mut one: Vec<&str> = one.split('\n').collect();
    let mut other: Vec<&str> = other.split('\n').collect();
    while !one.is_empty() && one.last() == other.last() {
        one.pop();
        other.pop();
    }
    let equal = one.iter().zip(&other).take_while(|(left, right)| left == right).count();
    (one[equal..].join("\n"), other[equal..].join("\n"))
}
