//! Scripts of events with invented times.

use super::*;
use crate::limits::PAIR_ACTIONS;

mod one_shot;

/// The moment `seconds` after the boot, which was in the wall clock's second 900.
fn now(seconds: u64) -> Now {
    let since_boot = Instant::new(seconds, 0);
    Now { monotonic: since_boot, wall: Label::from_unix(900 + seconds.cast_signed(), 0), since_boot }
}

/// A service under test: time is invented, and scripts start as told here.
struct Bench {
    service: Service,
    seconds: u64,
    /// Pid of the next child.
    next: u32,
    has_hooks: bool,
    has_finish: bool,
    log: std::vec::Vec<Action>,
}

impl Bench {
    fn new(member: Member) -> Self {
        let now = now(100);
        Self {
            service: Service::new(member, true, now),
            seconds: 100,
            next: 10,
            has_hooks: false,
            has_finish: false,
            log: vec![],
        }
    }

    /// A service that runs with pid 10, and two seconds later.
    fn running(member: Member) -> Self {
        let mut bench = Self::new(member);
        bench.give(Event::Deadline);
        assert_eq!(bench.service.state, State::Running { pid: pid(10) });
        bench.later(2)
    }

    fn later(mut self, seconds: u64) -> Self {
        self.seconds += seconds;
        self.log.clear();
        self
    }

    fn now(&self) -> Now {
        now(self.seconds)
    }

    /// Gives an event, performs what it asks for, and answers.
    fn give(&mut self, event: Event) {
        let mut actions = Actions::new();
        self.service.handle(event, self.now(), &mut actions);
        while let Some((member, action)) = actions.pop_front() {
            assert_eq!(member, self.service.member);
            assert!(actions.len() < PAIR_ACTIONS / 2, "half of the room belongs to the other member");
            self.log.push(action);
            let Action::Spawn(script) = action else {
                continue;
            };
            let exists = match script {
                Script::Run => true,
                Script::Finish(_) => self.has_finish,
                Script::Control(_) => self.has_hooks,
            };
            let answer = if exists {
                let is_alone = matches!(script, Script::Control(_)) || self.service.pid().is_none();
                assert!(is_alone, "a second process beside a live one");
                self.next += 1;
                Event::Spawned(script, pid(self.next - 1))
            } else {
                Event::Absent(script)
            };
            self.service.handle(answer, self.now(), &mut actions);
        }
    }

    fn command(&mut self, byte: u8) {
        self.give(Event::Command(Command::from_byte(byte).unwrap()));
    }

    fn end(&mut self, number: u32, status: u32) {
        self.give(Event::Exited(pid(number), Outcome::from_wait_status(status)));
    }

    fn history(&self) -> History {
        self.service.history
    }

    fn hook(&self) -> u8 {
        self.service.extension(Origin::NONE).hook
    }

    fn signals(&self) -> std::vec::Vec<(u32, u8)> {
        let sent = self.log.iter().filter_map(|action| match action {
            Action::Signal(pid, signal) => Some((pid.raw(), signal.number())),
            _ => None,
        });
        sent.collect()
    }

    fn hooks(&self) -> std::vec::Vec<u8> {
        let asked = self.log.iter().filter_map(|action| match action {
            Action::Spawn(Script::Control(command)) => Some(command.byte()),
            _ => None,
        });
        asked.collect()
    }

    fn stat(&self) -> String {
        String::from_utf8(self.service.record().stat_line().as_bytes().to_vec()).unwrap().trim_end().to_owned()
    }
}

fn pid(raw: u32) -> Pid {
    Pid::new(raw).unwrap()
}

#[test]
fn a_wanted_service_is_started_by_its_first_event() {
    let mut bench = Bench::new(Member::Main);
    bench.give(Event::Deadline);
    assert_eq!(
        bench.log,
        [Action::Spawn(Script::Control(Command::Up)), Action::Spawn(Script::Run), Action::WriteStatus]
    );
    assert_eq!((bench.stat().as_str(), bench.service.pid()), ("run", Some(pid(10))));
}

#[test]
fn a_service_that_is_down_by_file_waits_for_up() {
    let mut bench = Bench::new(Member::Main);
    bench.service = Service::new(Member::Main, false, bench.now());
    bench.give(Event::Deadline);
    assert_eq!(bench.log, []);
    assert_eq!(bench.service.deadline(), None);
    bench.command(b'u');
    assert_eq!(bench.stat(), "run");
}

#[test]
fn a_service_that_lived_for_a_second_is_restarted_at_once() {
    let mut bench = Bench::running(Member::Main);
    bench.end(10, 0);
    assert_eq!(bench.service.state, State::Running { pid: pid(11) });
}

#[test]
fn a_service_that_ends_at_once_is_started_once_a_second() {
    let mut bench = Bench::new(Member::Main);
    bench.give(Event::Deadline);
    bench.end(10, 1 << 8);
    assert_eq!(bench.stat(), "down");
    assert_eq!(bench.service.deadline(), Some(Instant::new(101, 0)));
    bench.give(Event::Deadline);
    assert_eq!(bench.stat(), "down");
    let mut bench = bench.later(1);
    bench.give(Event::Deadline);
    assert_eq!(bench.service.pid(), Some(pid(11)));
}

#[test]
fn down_then_up_while_throttled_is_not_lost() {
    let mut bench = Bench::new(Member::Main);
    bench.give(Event::Deadline);
    bench.end(10, 0);
    bench.command(b'd');
    assert_eq!(bench.service.deadline(), None);
    bench.command(b'u');
    assert_eq!(bench.service.deadline(), Some(Instant::new(101, 0)));
}

#[test]
fn finish_gets_how_run_ended_and_keeps_its_stamp() {
    let mut bench = Bench::running(Member::Main);
    bench.has_finish = true;
    bench.end(10, 139);
    let killed = Outcome::Killed { signal: Signal::new(11).unwrap(), core_dumped: true };
    assert_eq!(bench.log, [Action::Spawn(Script::Finish(killed)), Action::WriteStatus]);
    assert_eq!(bench.stat(), "finish");
    assert_eq!(bench.service.record().stamp, Label::from_unix(1000, 0));
    bench.end(11, 0);
    assert_eq!(bench.service.pid(), Some(pid(12)));
}

#[test]
fn down_sends_term_and_cont_and_runs_both_scripts() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b'd');
    assert_eq!(bench.signals(), [(10, 15), (10, 18)]);
    assert_eq!(bench.hooks(), [b't', b'd']);
    assert_eq!(bench.stat(), "run, got TERM, want down");
    bench.end(10, 15);
    assert_eq!(bench.stat(), "down");
    assert_eq!(bench.service.deadline(), None);
}

#[test]
fn term_alone_sends_no_cont_and_the_service_comes_back() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b't');
    assert_eq!(bench.signals(), [(10, 15)]);
    assert_eq!(bench.stat(), "run, got TERM");
    bench.end(10, 15);
    assert_eq!(bench.stat(), "run");
}

#[test]
fn once_is_started_and_not_again() {
    let mut bench = Bench::new(Member::Main);
    bench.service = Service::new(Member::Main, false, bench.now());
    bench.command(b'o');
    assert_eq!(bench.stat(), "run, want down");
    let mut bench = bench.later(5);
    bench.end(10, 0);
    assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", None));
    assert_eq!(bench.service.record().wanted, Wanted::Down);
}

#[test]
fn once_to_a_service_that_runs_lets_it_run_to_its_end() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b'o');
    assert_eq!((bench.stat().as_str(), bench.service.record().wanted), ("run, want down", Wanted::Once));
    assert_eq!((bench.signals(), bench.hooks()), (vec![], vec![]));
    bench.command(b't');
    assert_eq!((bench.signals(), bench.hooks()), (vec![(10, 15), (10, 18)], vec![b't', b'd']));
    bench.end(10, 15);
    assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", None));
}

#[test]
fn once_while_throttled_still_starts_once() {
    let mut bench = Bench::new(Member::Main);
    bench.give(Event::Deadline);
    bench.end(10, 0);
    bench.command(b'o');
    let mut bench = bench.later(1);
    bench.give(Event::Deadline);
    assert_eq!(bench.stat(), "run, want down");
}

#[test]
fn kill_leaves_the_state_to_the_end_of_the_process() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b'k');
    assert_eq!((bench.signals(), bench.stat().as_str()), (vec![(10, 9)], "run"));
    bench.command(b'd');
    assert_eq!(bench.stat(), "run, got TERM, want down");
}

#[test]
fn kill_while_finishing_kills_finish_and_does_not_repeat_it() {
    let mut bench = Bench::running(Member::Main);
    bench.has_finish = true;
    bench.end(10, 0);
    bench.command(b'd');
    bench.command(b'k');
    assert_eq!(bench.signals(), [(11, 9)]);
    bench.end(11, 9);
    assert_eq!(bench.stat(), "down");
}

#[test]
fn signals_reach_a_running_process_only() {
    let mut bench = Bench::running(Member::Main);
    for byte in b"haiq12" {
        bench.command(*byte);
    }
    assert_eq!(bench.signals(), [(10, 1), (10, 14), (10, 2), (10, 3), (10, 10), (10, 12)]);
    assert_eq!(bench.hooks(), b"haiq12");
    bench.command(b'd');
    bench.end(10, 15);
    let mut bench = bench.later(0);
    for byte in b"thaiq12k" {
        bench.command(*byte);
    }
    assert_eq!(bench.log, []);
}

#[test]
fn pause_is_shown_and_cleared_by_continue() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b'p');
    assert_eq!((bench.signals(), bench.stat().as_str()), (vec![(10, 19)], "run, paused"));
    bench.command(b'c');
    assert_eq!((bench.signals(), bench.stat().as_str()), (vec![(10, 19), (10, 18)], "run"));
}

#[test]
fn pause_while_down_changes_nothing() {
    let mut bench = Bench::new(Member::Main);
    bench.service = Service::new(Member::Main, false, bench.now());
    bench.command(b'p');
    assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "down"));
}

#[test]
fn a_paused_service_that_is_stopped_goes_on_and_is_paused_no_more() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b'p');
    bench.command(b't');
    assert_eq!(bench.stat(), "run, paused, got TERM");
    bench.command(b'd');
    assert_eq!(bench.stat(), "run, got TERM, want down");
    assert_eq!(bench.signals(), [(10, 19), (10, 15), (10, 15), (10, 18)]);
}

#[test]
fn a_control_script_that_succeeds_replaces_the_signal() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b'd');
    assert_eq!((bench.hooks(), bench.stat().as_str()), (vec![b't'], "run, want down"));
    bench.end(11, 0);
    assert_eq!((bench.signals(), bench.hooks()), (vec![(10, 18)], vec![b't', b'd']));
    assert_eq!(bench.stat(), "run, want down");
}

#[test]
fn a_control_script_that_fails_or_is_killed_does_not() {
    for status in [1 << 8, 9] {
        let mut bench = Bench::running(Member::Main);
        bench.has_hooks = true;
        bench.command(b't');
        assert_eq!(bench.signals(), []);
        bench.end(11, status);
        assert_eq!(bench.signals(), [(10, 15)]);
    }
}

#[test]
fn commands_wait_for_a_control_script_in_order() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b't');
    bench.has_hooks = false;
    bench.command(b'h');
    bench.command(b'1');
    assert_eq!(bench.signals(), []);
    bench.end(11, 1 << 8);
    assert_eq!(bench.signals(), [(10, 15), (10, 1), (10, 10)]);
}

#[test]
fn kill_does_not_wait_for_a_control_script() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b't');
    bench.command(b'k');
    assert_eq!(bench.signals(), [(11, 9), (10, 9)]);
}

#[test]
fn repeated_commands_wait_once_in_their_latest_place() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b't');
    bench.has_hooks = false;
    for byte in b"hphc1h" {
        bench.command(*byte);
    }
    bench.end(11, 1 << 8);
    assert_eq!(bench.signals(), [(10, 15), (10, 19), (10, 18), (10, 10), (10, 1)]);
}

#[test]
fn what_is_wanted_does_not_wait_for_a_control_script() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b'h');
    bench.command(b'x');
    assert_eq!(bench.stat(), "run, want exit");
    bench.command(b'k');
    assert_eq!(bench.signals(), [(11, 9), (10, 9)]);
    bench.end(11, 9);
    bench.end(10, 9);
    assert!(bench.service.is_down() && bench.service.wants_exit());
}

#[test]
fn a_control_script_that_hangs_does_not_hold_up_the_next_start() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b't');
    bench.has_hooks = false;
    bench.end(10, 15);
    assert_eq!((bench.stat().as_str(), bench.service.pid()), ("run", Some(pid(12))));
    bench.end(11, 1 << 8);
    assert_eq!((bench.signals(), bench.stat().as_str()), (vec![], "run"));
}

#[test]
fn down_during_control_u_means_no_start() {
    let mut bench = Bench::new(Member::Main);
    bench.has_hooks = true;
    bench.give(Event::Deadline);
    bench.command(b'd');
    bench.end(10, 0);
    assert_eq!((bench.signals(), bench.stat().as_str(), bench.service.deadline()), (vec![], "down", None));
}

#[test]
fn exit_is_final() {
    let mut bench = Bench::running(Member::Main);
    bench.command(b'x');
    assert_eq!((bench.stat().as_str(), bench.hooks()), ("run, got TERM, want exit", vec![b't', b'x']));
    for byte in b"dou" {
        bench.command(*byte);
    }
    assert_eq!(bench.stat(), "run, got TERM, want exit");
    bench.end(10, 0);
    assert!(bench.service.is_down() && bench.service.wants_exit());
}

#[test]
fn a_log_service_has_no_scripts_beside_run_and_does_not_exit_by_command() {
    let mut bench = Bench::running(Member::Log);
    bench.has_hooks = true;
    bench.has_finish = true;
    bench.command(b'x');
    assert_eq!(bench.log, []);
    bench.command(b't');
    assert_eq!(bench.log, [Action::Signal(pid(10), Signal::TERM), Action::WriteStatus]);
    bench.end(10, 15);
    assert_eq!(bench.stat(), "run");
}

#[test]
fn a_fork_that_fails_is_tried_again_later_and_commands_are_heard_meanwhile() {
    let mut bench = Bench::new(Member::Log);
    let mut actions = Actions::new();
    bench.service.handle(Event::Deadline, bench.now(), &mut actions);
    bench.service.handle(Event::SpawnFailed(Script::Run, Errno::AGAIN), bench.now(), &mut actions);
    assert_eq!(bench.service.deadline(), Some(Instant::new(105, 0)));
    bench.command(b'd');
    assert_eq!(bench.service.deadline(), None);
}

#[test]
fn a_finish_that_cannot_be_forked_is_tried_again_with_its_arguments() {
    let mut bench = Bench::running(Member::Main);
    let mut actions = Actions::new();
    let ended = Outcome::Exited(7);
    bench.service.handle(Event::Exited(pid(10), ended), bench.now(), &mut actions);
    bench.service.handle(Event::SpawnFailed(Script::Finish(ended), Errno::AGAIN), bench.now(), &mut actions);
    assert_eq!(bench.service.deadline(), Some(Instant::new(107, 0)));
    let mut bench = bench.later(5);
    bench.has_finish = true;
    bench.give(Event::Deadline);
    assert_eq!(bench.log, [Action::Spawn(Script::Finish(ended)), Action::WriteStatus]);
}

#[test]
fn an_exec_error_is_told_with_the_start_it_happened_at() {
    let mut bench = Bench::running(Member::Main);
    bench.give(Event::ExecFailed(pid(10), Errno::NOENT));
    bench.end(10, 111 << 8);
    let history = bench.history();
    assert_eq!(history.failure, Some((Failure::Run(Errno::NOENT), 1)));
    assert_eq!((history.starts, history.last_end), (2, Some(Outcome::Exited(111))));
}

#[test]
fn exec_errors_of_the_other_scripts_are_told_too() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b'h');
    bench.give(Event::ExecFailed(pid(11), Errno::ACCES));
    assert_eq!(bench.history().failure, Some((Failure::Control(Errno::ACCES), 1)));
    bench.end(11, 111 << 8);
    bench.has_finish = true;
    bench.end(10, 0);
    bench.give(Event::ExecFailed(pid(12), Errno::NOENT));
    assert_eq!(bench.history().failure, Some((Failure::Finish(Errno::NOENT), 1)));
    bench.give(Event::ExecFailed(pid(99), Errno::PERM));
    assert_eq!(bench.history().failure, Some((Failure::Finish(Errno::NOENT), 1)));
}

#[test]
fn a_control_script_is_shown_while_it_runs() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b'h');
    assert_eq!((bench.hook(), bench.log.last()), (b'h', Some(&Action::WriteStatus)));
    bench.log.clear();
    bench.end(11, 1 << 8);
    assert_eq!((bench.hook(), bench.log.last()), (0, Some(&Action::WriteStatus)));
}

#[test]
fn another_signal_may_stand_for_term() {
    let mut bench = Bench::running(Member::Main);
    bench.service.configure(Settings { down_signal: Signal::HUP, ..Settings::DEFAULT });
    bench.command(b'd');
    assert_eq!(bench.signals(), [(10, 1), (10, 18)]);
    assert_eq!(bench.stat(), "run, got TERM, want down");
}

const IN_THREE: Settings = Settings { kill_after: Some(Duration::from_seconds(3)), ..Settings::DEFAULT };

#[test]
fn what_does_not_stop_in_its_time_is_killed_once() {
    for byte in *b"dxt" {
        let mut bench = Bench::running(Member::Main);
        bench.service.configure(IN_THREE);
        bench.command(byte);
        assert_eq!(bench.service.deadline(), Some(Instant::new(105, 0)));
        let mut bench = bench.later(2);
        // Told again, it gets no more time.
        bench.command(byte);
        let mut bench = bench.later(1);
        bench.give(Event::Deadline);
        assert_eq!((bench.signals(), bench.log.last()), (vec![(10, 9)], Some(&Action::WriteStatus)));
        assert_eq!(bench.history().failure, Some((Failure::Stop, 1)));
        assert_eq!(bench.service.deadline(), None);
    }
}

#[test]
fn what_stops_in_its_time_is_not_killed() {
    let mut bench = Bench::running(Member::Main);
    bench.service.configure(IN_THREE);
    bench.command(b't');
    bench.end(10, 15);
    assert_eq!((bench.service.pid(), bench.service.deadline()), (Some(pid(11)), None));
    let mut bench = bench.later(60);
    bench.give(Event::Deadline);
    assert_eq!((bench.log.as_slice(), bench.history().failure), (&[][..], None));
}

#[test]
fn a_control_script_that_took_over_a_stop_has_its_time_too_but_not_one_for_term_alone() {
    for (byte, deadline) in [(b'd', Some(Instant::new(105, 0))), (b't', None)] {
        let mut bench = Bench::running(Member::Main);
        bench.service.configure(IN_THREE);
        bench.has_hooks = true;
        bench.command(byte);
        bench.end(11, 0);
        assert_eq!(bench.service.deadline(), deadline);
    }
}

#[test]
fn a_finish_that_takes_too_long_is_killed() {
    let mut bench = Bench::running(Member::Main);
    bench.has_finish = true;
    bench.service.configure(Settings { finish_limit: Some(Duration::from_seconds(2)), ..Settings::DEFAULT });
    bench.end(10, 0);
    assert_eq!(bench.service.deadline(), Some(Instant::new(104, 0)));
    let mut bench = bench.later(2);
    bench.give(Event::Deadline);
    assert_eq!(bench.signals(), [(11, 9)]);
    assert_eq!(bench.history().failure, Some((Failure::FinishStop, 1)));
    bench.end(11, 9);
    assert_eq!((bench.stat().as_str(), bench.history().last_end), ("run", Some(Outcome::Exited(0))));
}

/// Seconds from each end to the next start of a service that ends at once.
fn pauses(bench: &mut Bench, count: usize) -> std::vec::Vec<u64> {
    let mut pauses = vec![];
    for _ in 0..count {
        let running = bench.service.pid().unwrap().raw();
        bench.end(running, 1 << 8);
        let due = bench.service.deadline().unwrap();
        pauses.push(due.seconds() - bench.seconds);
        bench.seconds = due.seconds();
        bench.give(Event::Deadline);
    }
    pauses
}

fn backing_off(after: u16) -> Bench {
    let mut bench = Bench::new(Member::Main);
    bench.service.configure(Settings { back_off_after: Some(after), ..Settings::DEFAULT });
    bench.give(Event::Deadline);
    bench
}

#[test]
fn restarts_come_every_second_unless_asked_otherwise() {
    let mut bench = Bench::new(Member::Main);
    bench.give(Event::Deadline);
    assert_eq!(pauses(&mut bench, 9), [1; 9]);
    assert_eq!(bench.history().tally, 9);
}

#[test]
fn a_service_that_asks_for_patience_backs_off_up_to_a_minute() {
    assert_eq!(pauses(&mut backing_off(0), 9), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(pauses(&mut backing_off(3), 6), [1, 1, 1, 1, 2, 4]);
    let mut bench = backing_off(0);
    bench.service.history.tally = u16::MAX;
    assert_eq!(pauses(&mut bench, 2), [60, 60]);
}

#[test]
fn a_longer_life_and_a_command_end_the_back_off() {
    let mut bench = backing_off(0);
    pauses(&mut bench, 4);
    let mut bench = bench.later(FAILING_LIFE.seconds());
    assert_eq!(bench.history().tally, 4);
    let running = bench.service.pid().unwrap().raw();
    bench.end(running, 1 << 8);
    assert_eq!((bench.history().tally, bench.stat().as_str()), (0, "run"));

    pauses(&mut bench, 4);
    let running = bench.service.pid().unwrap().raw();
    bench.end(running, 1 << 8);
    assert_eq!(bench.history().backoff, 16);
    bench.command(b'u');
    assert_eq!(bench.service.deadline(), Some(Instant::new(bench.seconds + 1, 0)));
    assert_eq!((bench.history().tally, bench.history().backoff), (0, 0));
}

#[test]
fn an_end_that_was_asked_for_is_no_failure() {
    for (byte, tally) in [(b't', 0), (b'k', 0), (b'i', 0), (b'q', 0), (b'h', 1), (b'c', 1)] {
        let mut bench = backing_off(0);
        bench.command(byte);
        bench.end(10, 15);
        assert_eq!(bench.history().tally, tally, "{}", char::from(byte));
    }
}

fn found(phase: Phase, wanted: Wanted) -> (Record, Extension) {
    let bench = Bench::running(Member::Main);
    let record = Record { phase, wanted, got_term: phase == Phase::Run, ..bench.service.record() };
    (record, Extension { wanted, ..bench.service.extension(Origin::NONE) })
}

fn taken_over(phase: Phase, wanted: Wanted, wants_up: bool) -> Bench {
    let mut bench = Bench::new(Member::Main).later(400);
    let (record, extension) = found(phase, wanted);
    let found = (&record, &extension);
    bench.service = Service::taken_over(Member::Main, wants_up, found, Some(pid(10)), IN_THREE, bench.now());
    bench.give(Event::Deadline);
    bench
}

#[test]
fn a_stop_that_had_sent_no_signal_begins_anew() {
    for (wanted, signals) in [(Wanted::Down, vec![(10, 15), (10, 18)]), (Wanted::Once, vec![]), (Wanted::Up, vec![])] {
        let mut bench = Bench::new(Member::Main).later(400);
        let (mut record, extension) = found(Phase::Run, wanted);
        record.got_term = false;
        let found = (&record, &extension);
        bench.service = Service::taken_over(Member::Main, true, found, Some(pid(10)), IN_THREE, bench.now());
        assert_eq!(bench.service.deadline(), None);
        bench.give(Event::Deadline);
        assert_eq!(bench.signals(), signals);
    }
}

#[test]
fn a_restart_that_hung_in_its_script_begins_anew() {
    let mut bench = Bench::new(Member::Main).later(400);
    let (mut record, mut extension) = found(Phase::Run, Wanted::Up);
    (record.got_term, extension.hook) = (false, b't');
    let found = (&record, &extension);
    bench.service = Service::taken_over(Member::Main, true, found, Some(pid(10)), IN_THREE, bench.now());
    bench.give(Event::Deadline);
    assert_eq!(bench.signals(), [(10, 15)]);
}

#[test]
fn a_process_of_another_supervisor_goes_on_as_it_was() {
    let mut bench = taken_over(Phase::Run, Wanted::Up, false);
    assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "run, got TERM"));
    assert_eq!(bench.service.record().stamp, Label::from_unix(1000, 0));
    let history = bench.history();
    assert_eq!((history.starts, history.is_taken_over), (1, true));
    bench.has_finish = true;
    bench.next = 20;
    bench.give(Event::Exited(pid(10), Outcome::Unknown));
    assert_eq!(bench.log[0], Action::Spawn(Script::Finish(Outcome::Unknown)));
    bench.end(20, 0);
    // It was started long ago.
    assert_eq!((bench.service.pid(), bench.history().is_taken_over), (Some(pid(21)), false));
}

#[test]
fn a_finish_of_another_supervisor_is_awaited_and_not_repeated() {
    let mut bench = taken_over(Phase::Finish, Wanted::Down, true);
    bench.has_finish = true;
    bench.give(Event::Exited(pid(10), Outcome::Unknown));
    assert_eq!((bench.stat().as_str(), bench.service.deadline()), ("down", None));
}

#[test]
fn what_was_wanted_before_is_wanted_still_unless_it_was_exit() {
    for (wanted, wants_up, stat) in [
        (Wanted::Down, true, "run, got TERM, want down"),
        (Wanted::Once, true, "run, got TERM, want down"),
        (Wanted::Exit, true, "run, got TERM"),
        (Wanted::Exit, false, "run, got TERM, want down"),
    ] {
        assert_eq!(taken_over(Phase::Run, wanted, wants_up).stat(), stat);
    }
}

#[test]
fn a_stop_that_was_under_way_keeps_its_limit() {
    let mut bench = taken_over(Phase::Run, Wanted::Down, true);
    assert_eq!(bench.service.deadline(), Some(Instant::new(503, 0)));
    bench.seconds = 503;
    bench.give(Event::Deadline);
    assert_eq!(bench.signals(), [(10, 9)]);
}

#[test]
fn a_late_pause_script_does_not_mark_another_process() {
    let mut bench = Bench::running(Member::Main);
    bench.has_hooks = true;
    bench.command(b'p');
    bench.has_hooks = false;
    bench.end(10, 9);
    bench.end(11, 1 << 8);
    assert_eq!((bench.signals(), bench.stat().as_str()), (vec![], "run"));
}

#[test]
fn strangers_change_nothing() {
    let mut bench = Bench::running(Member::Main);
    bench.end(4711, 0);
    bench.give(Event::Spawned(Script::Run, pid(99)));
    bench.give(Event::Absent(Script::Finish(Outcome::Exited(0))));
    assert_eq!((bench.log.as_slice(), bench.stat().as_str()), (&[][..], "run"));
}
