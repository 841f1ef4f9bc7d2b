//! A service whose `./run` is run once.

use super::*;

const ONCE: Settings = Settings { is_one_shot: true, ..Settings::DEFAULT };
const SUPERVISOR: Origin = Origin { supervisor: 7, ..Origin::NONE };

fn running() -> Bench {
    let mut bench = Bench::running(Member::Main);
    bench.service.configure(ONCE);
    bench.has_finish = true;
    bench
}

/// One whose `./run` had pid 10 and took two seconds; three seconds ago.
fn done() -> Bench {
    let mut bench = running();
    bench.end(10, 0);
    assert_eq!(bench.log, [Action::WriteStatus]);
    bench.next = 20;
    bench.later(3)
}

fn one_shot(bench: &Bench) -> OneShot {
    bench.service.extension(SUPERVISOR).one_shot
}

fn finishes(bench: &Bench) -> std::vec::Vec<Outcome> {
    let asked = bench.log.iter().filter_map(|action| match action {
        Action::Spawn(Script::Finish(outcome)) => Some(*outcome),
        _ => None,
    });
    asked.collect()
}

#[test]
fn it_stays_up_without_a_process_when_run_has_ended_well() {
    let mut bench = running();
    assert_eq!(one_shot(&bench), OneShot::Running);
    bench.end(10, 0);
    assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[Action::WriteStatus][..], "run"));
    let (record, extension) = bench.service.status(SUPERVISOR);
    assert_eq!((record.pid, bench.service.pid()), (Some(pid(7)), None));
    assert_eq!(record.stamp, Label::from_unix(1002, 0));
    assert_eq!(extension.one_shot, OneShot::Done);
    let mut bench = bench.later(3600);
    bench.give(Event::Deadline);
    assert_eq!((bench.log.as_slice(), bench.service.deadline()), (&[][..], None));
}

#[test]
fn one_that_is_not_done_is_told_with_its_own_process() {
    let (record, _) = running().service.status(SUPERVISOR);
    assert_eq!(record.pid, Some(pid(10)));
}

#[test]
fn down_and_exit_run_finish_and_nothing_after_it() {
    for byte in [b'd', b'x'] {
        let mut bench = done();
        bench.has_hooks = true;
        bench.command(byte);
        assert_eq!((finishes(&bench), bench.hooks(), bench.signals()), (vec![Outcome::Exited(0)], vec![], vec![]));
        bench.end(20, 0);
        assert!(bench.service.is_down());
        assert_eq!((one_shot(&bench), bench.service.deadline()), (OneShot::No, None));
    }
}

#[test]
fn term_and_kill_run_finish_and_then_run_again() {
    for byte in [b't', b'k'] {
        let mut bench = done();
        bench.command(byte);
        assert_eq!((finishes(&bench), bench.signals()), (vec![Outcome::Exited(0)], vec![]));
        bench.end(20, 0);
        assert_eq!((bench.service.pid(), one_shot(&bench)), (Some(pid(21)), OneShot::Running));
        bench.end(21, 0);
        assert_eq!(one_shot(&bench), OneShot::Done);
    }
}

#[test]
fn other_commands_mean_nothing_when_it_is_done() {
    let mut bench = done();
    for byte in *b"pchaiq12" {
        bench.command(byte);
    }
    assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "run"));
    bench.command(b'u');
    bench.command(b'o');
    assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[Action::WriteStatus; 2][..], "run"));
    assert_eq!(one_shot(&bench), OneShot::Done);
}

#[test]
fn one_that_fails_finishes_and_does_not_come_back() {
    for status in [3 << 8, 9, 139] {
        let mut bench = running();
        bench.end(10, status);
        assert_eq!(finishes(&bench), [Outcome::from_wait_status(status)]);
        assert_eq!(bench.stat(), "finish, want down");
        bench.end(11, 0);
        let mut bench = bench.later(3600);
        bench.give(Event::Deadline);
        assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "down"));
        assert_eq!((one_shot(&bench), bench.service.deadline()), (OneShot::Failed, None));
        assert_eq!(bench.history().last_end, Some(Outcome::from_wait_status(status)));
    }
}

#[test]
fn one_that_has_failed_is_run_again_when_it_is_told() {
    for byte in [b'u', b'o'] {
        let mut bench = running();
        bench.end(10, 1 << 8);
        bench.end(11, 0);
        bench.command(byte);
        assert_eq!((bench.service.pid(), one_shot(&bench)), (Some(pid(12)), OneShot::Running));
    }
}

#[test]
fn whoever_tells_it_down_has_seen_the_failure() {
    let mut bench = running();
    bench.end(10, 1 << 8);
    bench.end(11, 0);
    bench.log.clear();
    bench.command(b'd');
    assert_eq!((bench.log.last(), one_shot(&bench)), (Some(&Action::WriteStatus), OneShot::No));
}

/// Even if it ends well by that, what is wanted decides.
#[test]
fn an_end_that_was_asked_for_is_that_of_any_service() {
    for status in [0, 15] {
        let mut bench = running();
        bench.command(b'd');
        assert_eq!(bench.signals(), [(10, 15), (10, 18)]);
        bench.end(10, status);
        bench.end(11, 0);
        assert_eq!((bench.stat().as_str(), one_shot(&bench)), ("down", OneShot::No));

        let mut bench = running();
        bench.command(b't');
        bench.end(10, status);
        assert_eq!(finishes(&bench), [Outcome::from_wait_status(status)]);
        bench.end(11, 0);
        assert_eq!((bench.service.pid(), one_shot(&bench)), (Some(pid(12)), OneShot::Running));
    }
}

#[test]
fn once_is_up() {
    let mut bench = Bench::new(Member::Main);
    bench.service = Service::new(Member::Main, false, bench.now());
    bench.service.configure(ONCE);
    bench.command(b'o');
    assert_eq!(bench.stat(), "run, want down");
    bench.end(10, 0);
    assert_eq!((bench.stat().as_str(), one_shot(&bench)), ("run", OneShot::Done));

    let mut bench = done();
    bench.command(b'd');
    bench.command(b'o');
    bench.end(20, 0);
    assert_eq!(bench.service.pid(), Some(pid(21)));
}

#[test]
fn failures_of_a_one_shot_put_nothing_off() {
    let mut bench = running();
    bench.service.configure(Settings { back_off_after: Some(0), ..ONCE });
    bench.end(10, 1 << 8);
    assert_eq!((bench.history().tally, bench.history().backoff), (0, 0));
}

#[test]
fn starts_are_a_second_apart_here_too() {
    let mut bench = Bench::new(Member::Main);
    bench.service.configure(ONCE);
    bench.give(Event::Deadline);
    bench.end(10, 0);
    bench.command(b't');
    assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", Some(Instant::new(101, 0))));
}

/// Whether it is one shows when it ends; what is in force stays so.
#[test]
fn the_file_counts_when_run_ends() {
    let mut bench = running();
    bench.service.configure(Settings::DEFAULT);
    bench.end(10, 0);
    assert_eq!(bench.stat(), "finish");

    let mut bench = done();
    bench.service.configure(Settings::DEFAULT);
    bench.give(Event::Deadline);
    assert_eq!(one_shot(&bench), OneShot::Done);
    bench.command(b't');
    bench.end(20, 0);
    bench.end(21, 0);
    assert_eq!(finishes(&bench).len(), 2);
}

#[test]
fn a_control_script_that_hangs_does_not_hold_up_its_end() {
    let mut bench = running();
    bench.has_hooks = true;
    bench.command(b'h');
    bench.end(10, 0);
    assert_eq!((bench.hook(), one_shot(&bench)), (b'h', OneShot::Done));
    bench.log.clear();
    bench.command(b'd');
    assert_eq!(finishes(&bench), [Outcome::Exited(0)]);
    bench.end(11, 0);
    assert_eq!(bench.signals(), []);
}

#[test]
fn a_paused_run_that_ends_all_the_same_is_not_paused_when_done() {
    let mut bench = running();
    bench.command(b'p');
    bench.end(10, 0);
    assert_eq!((bench.stat().as_str(), one_shot(&bench)), ("run", OneShot::Done));
}

#[test]
fn a_log_service_is_no_one_shot() {
    let mut bench = Bench::running(Member::Log);
    bench.service.configure(ONCE);
    assert_eq!(one_shot(&bench), OneShot::No);
    bench.end(10, 0);
    assert_eq!(bench.service.pid(), Some(pid(11)));
}

fn taken_over_from(one: &Bench, process: Option<Pid>) -> Bench {
    let mut bench = Bench::new(Member::Main).later(400);
    let (record, extension) = one.service.status(SUPERVISOR);
    let found = (&record, &extension);
    bench.service = Service::taken_over(Member::Main, false, found, process, ONCE, bench.now());
    bench.has_finish = true;
    bench.next = 30;
    bench.give(Event::Deadline);
    bench
}

#[test]
fn one_that_is_done_is_taken_over_as_done() {
    let mut bench = taken_over_from(&done(), None);
    assert_eq!((bench.log.as_slice(), one_shot(&bench)), (&[][..], OneShot::Done));
    assert_eq!((bench.history().starts, bench.history().is_taken_over), (1, true));
    assert_eq!(bench.service.record().stamp, Label::from_unix(1002, 0));
    bench.command(b't');
    assert_eq!(finishes(&bench), [Outcome::Exited(0)]);
    bench.end(30, 0);
    assert_eq!((bench.service.pid(), bench.history().is_taken_over), (Some(pid(31)), false));
}

/// Nobody knows how it ended, and that is no reason to count it as up, or to leave it down.
#[test]
fn one_that_is_taken_over_while_it_runs_is_run_again() {
    let mut bench = taken_over_from(&running(), Some(pid(10)));
    assert_eq!(one_shot(&bench), OneShot::Running);
    bench.give(Event::Exited(pid(10), Outcome::Unknown));
    assert_eq!(finishes(&bench), [Outcome::Unknown]);
    bench.end(30, 0);
    bench.end(31, 0);
    assert_eq!((bench.history().starts, one_shot(&bench)), (2, OneShot::Done));
}

#[test]
fn one_that_has_failed_and_finishes_is_taken_over_as_that() {
    let mut failed = running();
    failed.end(10, 1 << 8);
    let mut bench = taken_over_from(&failed, Some(pid(11)));
    assert_eq!((bench.stat().as_str(), one_shot(&bench)), ("finish, want down", OneShot::Failed));
    bench.give(Event::Exited(pid(11), Outcome::Unknown));
    assert_eq!((bench.stat().as_str(), one_shot(&bench)), ("down", OneShot::Failed));
}
