//! Every short history of a service, against a few promises that must hold at each step.

use std::collections::BTreeMap;
use std::vec::Vec;

use super::*;
use crate::limits::PAIR_ACTIONS;
use crate::supervise::extension::Extension;

const STEPS: usize = 4;
const BYTES: &[u8] = b"udoxtkpch";

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Command(u8),
    /// What is in the foreground ends like this.
    End(Outcome),
    /// What is in the foreground could not be executed.
    NoProgram,
    /// A control script that is busy ends like this.
    HookEnd(Outcome),
    /// Time passes.
    Seconds(u64),
    /// The next script cannot be forked.
    NoFork,
}

fn steps() -> Vec<Step> {
    let killed = Outcome::from_wait_status(9);
    let others = [
        Step::End(Outcome::Exited(0)),
        Step::End(killed),
        Step::End(Outcome::Unknown),
        Step::NoProgram,
        Step::HookEnd(Outcome::Exited(0)),
        Step::HookEnd(killed),
        Step::Seconds(1),
        Step::Seconds(70),
        Step::NoFork,
    ];
    BYTES.iter().map(|byte| Step::Command(*byte)).chain(others).collect()
}

/// In what surroundings a history happens.
#[derive(Clone, Copy, Debug)]
struct Setting {
    member: Member,
    has_hooks: bool,
    has_finish: bool,
    wants_up: bool,
    settings: Settings,
    /// What the history begins with, after the first deadline.
    before: &'static [u8],
}

const IMPATIENT: Settings = Settings {
    down_signal: Signal::HUP,
    kill_after: Some(Duration::from_seconds(1)),
    finish_limit: Some(Duration::from_seconds(1)),
    back_off_after: Some(0),
    is_one_shot: false,
};

const ONCE: Settings = Settings { is_one_shot: true, ..Settings::DEFAULT };

const PLAIN: Setting = Setting {
    member: Member::Main,
    has_hooks: false,
    has_finish: false,
    wants_up: true,
    settings: Settings::DEFAULT,
    before: b"",
};

const ALL: [Setting; 12] = [
    PLAIN,
    Setting { has_hooks: true, ..PLAIN },
    Setting { has_finish: true, settings: IMPATIENT, ..PLAIN },
    Setting { has_hooks: true, has_finish: true, wants_up: false, ..PLAIN },
    Setting { wants_up: false, settings: IMPATIENT, ..PLAIN },
    Setting { member: Member::Log, ..PLAIN },
    Setting { has_finish: true, before: b"x", ..PLAIN },
    Setting { settings: ONCE, ..PLAIN },
    Setting { settings: ONCE, has_hooks: true, has_finish: true, ..PLAIN },
    Setting { settings: ONCE, has_finish: true, wants_up: false, before: b"o", ..PLAIN },
    Setting { settings: Settings { is_one_shot: true, ..IMPATIENT }, has_finish: true, wants_up: false, ..PLAIN },
    // A log service is none, whatever its directory holds.
    Setting { member: Member::Log, settings: ONCE, ..PLAIN },
];

struct World {
    setting: Setting,
    service: Service,
    seconds: u64,
    next: u32,
    has_room: bool,
    /// The children that live.
    live: BTreeMap<u32, Script>,
    /// What the status file tells.
    told: Option<(Record, Extension)>,
    /// What commands have asked for.
    wanted: Wanted,
    /// The one-shot has ended well, and nothing has ended it since.
    is_done: bool,
    /// The process in the foreground was told to end.
    is_told: bool,
    /// How often a one-shot may still be started without being told anything.
    permits: u32,
    /// Which history this is, to be told if it breaks a promise.
    history: Option<usize>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let (true, Some(mut number)) = (std::thread::panicking(), self.history) {
            let steps = steps();
            eprintln!("{:?}", self.setting);
            for _ in 0..STEPS {
                eprintln!("{:?}", steps[number % steps.len()]);
                number /= steps.len();
            }
        }
    }
}

impl World {
    fn new(setting: Setting) -> Self {
        let mut world = Self {
            setting,
            service: Service::new(setting.member, setting.wants_up, Self::at(100)),
            seconds: 100,
            next: 10,
            has_room: true,
            live: BTreeMap::new(),
            told: None,
            wanted: if setting.wants_up { Wanted::Up } else { Wanted::Down },
            is_done: false,
            is_told: false,
            permits: u32::from(setting.wants_up),
            history: None,
        };
        world.service.configure(setting.settings);
        world.give(Event::Deadline);
        for byte in setting.before {
            world.step(Step::Command(*byte));
        }
        world
    }

    fn at(seconds: u64) -> Now {
        let since_boot = Instant::new(seconds, 0);
        Now { monotonic: since_boot, wall: Label::from_unix(900 + seconds.cast_signed(), 0), since_boot }
    }

    /// Gives an event, performs what it asks for, answers, and holds the promises against what came of it.
    fn give(&mut self, event: Event) {
        let mut actions = Actions::new();
        self.service.handle(event, Self::at(self.seconds), &mut actions);
        while let Some((member, action)) = actions.pop_front() {
            assert_eq!(member, self.setting.member);
            assert!(actions.len() < PAIR_ACTIONS / 2, "half of the room belongs to the other member");
            match action {
                Action::Spawn(script) => {
                    let answer = self.spawn(script);
                    self.service.handle(answer, Self::at(self.seconds), &mut actions);
                }
                Action::Signal(pid, _) => assert!(self.live.contains_key(&pid.raw()), "a signal to nobody"),
                Action::WriteStatus => self.told = Some(self.truth()),
                Action::ClosePipe | Action::Exit => panic!("that is for the pair to say"),
            }
        }
        self.hold_promises();
    }

    fn spawn(&mut self, script: Script) -> Event {
        let is_there = match script {
            Script::Run => true,
            Script::Finish(_) => self.setting.has_finish,
            Script::Control(_) => self.setting.has_hooks,
        };
        if !is_there {
            return Event::Absent(script);
        }
        if !std::mem::replace(&mut self.has_room, true) {
            return Event::SpawnFailed(script, Errno::AGAIN);
        }
        if script == Script::Run {
            self.is_told = false;
            if self.is_one_shot() {
                self.permits = self.permits.checked_sub(1).expect("a one-shot comes back by itself");
            }
        }
        let pid = self.next;
        self.next += 1;
        self.live.insert(pid, script);
        Event::Spawned(script, Pid::new(pid).unwrap())
    }

    fn truth(&self) -> (Record, Extension) {
        (self.service.record(), self.service.extension(Origin::NONE))
    }

    fn hold_promises(&self) {
        let (record, extension) = self.truth();
        let is_hook = |script: &Script| matches!(script, Script::Control(_));
        let foreground: Vec<u32> =
            self.live.iter().filter(|(_, script)| !is_hook(script)).map(|(pid, _)| *pid).collect();
        assert!(foreground.len() <= 1, "two of one service live: {foreground:?}");
        assert_eq!(record.pid.map(Pid::raw), foreground.first().copied(), "the record names another process");
        let runs = self.live.values().any(|script| *script == Script::Run);
        assert_eq!(record.phase == Phase::Run, runs || self.is_done);
        assert!(!self.is_done || foreground.is_empty() && record.wanted == Wanted::Up, "done, and not up");
        assert_eq!(extension.one_shot == OneShot::Done, self.is_done, "that it is done is not told");
        assert_eq!(extension.one_shot == OneShot::Running, runs && self.is_one_shot());
        let hooks: Vec<&Script> = self.live.values().filter(|script| is_hook(script)).collect();
        let starts = hooks.iter().filter(|script| ***script == Script::Control(Command::Up)).count();
        assert!(starts <= 1 && hooks.len() - starts <= 1, "control scripts run beside each other: {hooks:?}");
        assert_eq!(extension.hook != 0, !hooks.is_empty(), "a control script is not shown");
        assert!(self.service.state != State::Starting, "an answer was not taken");
        assert_eq!(record.wanted, self.wanted, "what is wanted was lost");
        if let Some((told, more)) = &self.told {
            assert_eq!((told, more), (&record, &extension), "the status file does not tell the truth");
        }
    }

    fn step(&mut self, step: Step) {
        let in_foreground = self.service.pid();
        let hook = self.live.iter().find(|(_, script)| matches!(script, Script::Control(_))).map(|(pid, _)| *pid);
        match step {
            Step::Command(byte) => {
                self.want(byte);
                self.give(Event::Command(Command::from_byte(byte).unwrap()));
            }
            Step::End(outcome) => self.end(in_foreground, outcome),
            Step::NoProgram => {
                if let Some(pid) = in_foreground {
                    self.service.handle(
                        Event::ExecFailed(pid, Errno::NOENT),
                        Self::at(self.seconds),
                        &mut Actions::new(),
                    );
                    self.end(Some(pid), Outcome::Exited(111));
                }
            }
            Step::HookEnd(outcome) => self.end(hook.and_then(Pid::new), outcome),
            Step::Seconds(seconds) => self.seconds += seconds,
            Step::NoFork => self.has_room = false,
        }
        self.give(Event::Deadline);
    }

    fn end(&mut self, pid: Option<Pid>, outcome: Outcome) {
        let Some(pid) = pid else { return };
        if self.live.remove(&pid.raw()) == Some(Script::Run) {
            self.run_ended(outcome);
        }
        self.give(Event::Exited(pid, outcome));
    }

    fn is_one_shot(&self) -> bool {
        self.setting.settings.is_one_shot && self.setting.member == Member::Main
    }

    /// What is wanted, and whether it is done, when `./run` has ended.
    fn run_ended(&mut self, outcome: Outcome) {
        let is_wanted = matches!(self.wanted, Wanted::Up | Wanted::Once);
        if self.is_one_shot() && is_wanted && !self.is_told {
            self.is_done = outcome == Outcome::Exited(0);
            match outcome {
                Outcome::Exited(0) => self.wanted = Wanted::Up,
                Outcome::Unknown => self.permits += 1,
                _ => self.wanted = Wanted::Down,
            }
        } else if self.wanted == Wanted::Once {
            self.wanted = Wanted::Down;
        }
    }

    fn want(&mut self, byte: u8) {
        self.is_told |= Command::from_byte(byte).unwrap().stops();
        self.permits += u32::from(b"uotk".contains(&byte));
        let was_done = self.is_done;
        self.is_done &= !b"dxtk".contains(&byte);
        let is_log = self.setting.member == Member::Log;
        let finishes = self.live.values().any(|script| matches!(script, Script::Finish(_)))
            || matches!(self.service.state, State::Finishing { .. });
        self.wanted = match byte {
            _ if self.wanted == Wanted::Exit => Wanted::Exit,
            b'u' => Wanted::Up,
            b'd' => Wanted::Down,
            b'o' if was_done => Wanted::Up,
            b'o' if finishes && !self.is_one_shot() => Wanted::Down,
            b'o' => Wanted::Once,
            b'x' if !is_log => Wanted::Exit,
            _ => self.wanted,
        };
    }

    /// Lets everything end that runs, and time pass, until nothing happens any more: then what is wanted has come true.
    fn settle(&mut self) {
        self.has_room = true;
        for _ in 0..8 {
            let is_settled = match self.wanted {
                Wanted::Up => {
                    self.service.record().phase == Phase::Run && self.live.len() == usize::from(!self.is_done)
                }
                Wanted::Once | Wanted::Down | Wanted::Exit => self.live.is_empty() && self.service.is_down(),
            };
            if is_settled && self.wanted != Wanted::Once {
                break;
            }
            let ending: Vec<u32> = self.live.keys().copied().collect();
            for pid in ending {
                if self.live.get(&pid) != Some(&Script::Run) || self.wanted != Wanted::Up {
                    self.end(Pid::new(pid), Outcome::Exited(0));
                    self.give(Event::Deadline);
                }
            }
            self.seconds += 70;
            self.give(Event::Deadline);
        }
        let phase = self.service.record().phase;
        match self.wanted {
            Wanted::Up => {
                assert_eq!(phase, Phase::Run, "wanted up, and never up");
                assert!(!self.is_done || self.service.deadline().is_none(), "it wakes up for nothing");
            }
            Wanted::Once => panic!("wanted once, and never run"),
            Wanted::Down | Wanted::Exit => {
                assert!(self.service.is_down() && self.live.is_empty(), "wanted down, and never down");
                assert_eq!(self.service.deadline(), None, "it wakes up for nothing");
            }
        }
    }
}

/// Every sequence of so many steps, in all surroundings: the promises hold after each step, and in the end what is wanted
/// comes true.
#[test]
fn every_short_history_keeps_the_promises() {
    let steps = steps();
    for setting in ALL {
        for number in 0..steps.len().pow(u32::try_from(STEPS).unwrap()) {
            let mut world = World::new(setting);
            world.history = Some(number);
            let mut rest = number;
            for _ in 0..STEPS {
                world.step(steps[rest % steps.len()]);
                rest /= steps.len();
            }
            world.settle();
        }
    }
}

proptest::proptest! {
    /// Long histories, chosen by chance.
    #[test]
    fn long_histories_keep_the_promises(
        setting in 0..ALL.len(),
        history in proptest::collection::vec(0_usize..18, 0..60),
    ) {
        let steps = steps();
        assert_eq!(steps.len(), 18);
        let mut world = World::new(ALL[setting]);
        for step in history {
            world.step(steps[step]);
        }
        world.settle();
    }
}
