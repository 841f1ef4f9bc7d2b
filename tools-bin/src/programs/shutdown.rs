//! `shutdown`: takes the machine down at a given time, with warnings (shutdown(8)).
//!
//! A shutdown for later is a child that has left the terminal and is told by its parent when it is pending; one for now is the
//! same without that. Whoever cancels or replaces it sends it TERM.

use core::cell::Cell;
use core::ffi::CStr;

use supervision::limits::{REQUEST_LIMIT, ZONE_BYTES};
use supervision::local_time::TimeOfDay;
use supervision::process::Pid;
use supervision::process::birth::Ticks;
use supervision::process::errno::Errno;
use supervision::process::signal::Signal;
use supervision::shutdown::countdown::{Action, Actions, Countdown, Event, minutes};
use supervision::shutdown::made::{Made, Thing};
use supervision::shutdown::news::{self, Message, News};
use supervision::shutdown::record::Holder;
use supervision::shutdown::request::{Fault, Letters, Way, When, Wish};
use supervision::text::{Text, decimal};
use supervision::time::{Duration, Instant};
use sys::file::{self, CURRENT, Waiting};
use sys::process::Environment;
use sys::signal::{SignalSet, Signals};
use sys::timer::Timer;
use sys::{AsFd, Descriptor, clock, memory, poll, process, report, standard};

use crate::Words;
use crate::options::{Options, Wrong, tell_version};
use crate::pending_shutdown::{Pending, Refusal, Step};
use crate::terminals::tell_all;
use crate::zone;

const EXIT_DONE: i32 = 0;
/// Wrong usage, or something failed.
const EXIT_FAILED: i32 = 1;
/// Of a child that could not execute its program.
const EXIT_NOT_EXECUTED: i32 = 111;

/// A terminal that goes away is no reason to end, nor is a pipe that nobody reads.
const CAUGHT: SignalSet = SignalSet::of(&[Signal::TERM, Signal::INT, Signal::HUP, Signal::PIPE, Signal::CHLD]);

/// The command that talks to pid 1.
const INIT: &CStr = c"/sbin/runit-init";

/// What the parent is told when the shutdown is pending.
const PENDING: &[u8] = b"p";

/// What somebody asks for, understood.
#[derive(Clone, Copy)]
struct Order {
    letters: Letters,
    wish: Wish,
    when: When,
}

/// When the time comes.
struct Plan {
    /// On the boot clock.
    end: Instant,
    is_now: bool,
    /// Since 1970.
    seconds: u64,
    shown: TimeOfDay,
}

/// Does what its letters say.
pub fn main(words: Words) -> i32 {
    standard::close_others();
    let mut message = Message::new();
    let order = match read(words, &mut message) {
        Ok(order) => order,
        Err(code) => return code,
    };
    let done = match order.wish {
        Wish::Cancel => cancel(&message),
        Wish::Warn(way) => warn(way, order.when, &message, words.environment()),
        Wish::GoDown(way) => schedule(way, order, &message, words.environment()),
    };
    done.unwrap_or_else(tell)
}

/// Takes the command line apart; all of it is looked at before anything is done. An exit code where that is the end of it.
#[inline(never)]
fn read(words: Words, message: &mut Message) -> Result<Order, i32> {
    let mut letters = Letters::default();
    let mut options = Options::new(words);
    loop {
        match options.next(b"rhHPkcfFanV", b"t") {
            Ok(Some((b't', value))) if decimal(value.to_bytes()).is_some() => {}
            Ok(Some((b't', value))) => return Err(usage(b"not a number: ", value.to_bytes())),
            Ok(Some((b'V', _))) => {
                tell_version();
                return Err(EXIT_DONE);
            }
            Ok(Some((letter @ (b'a' | b'n'), _))) => {
                report::line(standard::error(), b"shutdown: fatal: not implemented: -%", &[&[letter]]);
                return Err(EXIT_FAILED);
            }
            Ok(Some((letter, _))) => letters.add(letter),
            Ok(None) => break,
            Err(Wrong) => return Err(show_usage()),
        }
    }
    let wish = match letters.wish() {
        Ok(wish) => wish,
        Err(Fault::NoAction) => return Err(usage(b"no action: -r, -h, -P, -H, -k or -c", b"")),
        Err(Fault::Exclusive) => return Err(usage(b"these options exclude each other", b"")),
    };
    let mut place = options.operands();
    let word = words.get(place).map(CStr::to_bytes);
    let when = match (word, word.and_then(When::parse)) {
        (_, Some(when)) => {
            place = place.saturating_add(1);
            when
        }
        // Cancelling needs none.
        (_, None) if wish == Wish::Cancel => When::After(0),
        (Some(word), None) => return Err(usage(b"not a time: ", word)),
        (None, None) => return Err(usage(b"no time: now, +minutes or hours:minutes", b"")),
    };
    while let Some(word) = words.get(place) {
        message.push(word.to_bytes());
        place = place.saturating_add(1);
    }
    Ok(Order { letters, wish, when })
}

fn usage(fault: &[u8], word: &[u8]) -> i32 {
    report::line(standard::error(), b"shutdown: fatal: %%", &[fault, word]);
    show_usage()
}

fn show_usage() -> i32 {
    let template = b"usage: shutdown [-k] [-fF] [-t seconds] -r|-h|-P|-H time [message ...] | -c [message ...]\n";
    report::line(standard::error(), template, &[]);
    EXIT_FAILED
}

#[inline(never)]
fn tell(refusal: Refusal) -> i32 {
    match refusal {
        Refusal::Failed(step, reason) => {
            let (what, path) = step.words();
            let values = [what, path.to_bytes(), reason.text()];
            report::line(standard::error(), b"shutdown: fatal: unable to %%: %", &values);
        }
        Refusal::Going => {
            report::line(standard::error(), b"shutdown: fatal: the system is going down already", &[]);
        }
        Refusal::Never => {
            report::line(standard::error(), b"shutdown: fatal: local time never comes to that", &[]);
        }
        Refusal::Stuck(pid) => {
            let mut number = Text::<10>::new();
            number.push_number(pid.raw().into());
            let template = b"shutdown: fatal: unable to end the pending shutdown: process %";
            report::line(standard::error(), template, &[number.as_bytes()]);
        }
    }
    EXIT_FAILED
}

fn cancel(message: &Message) -> Result<i32, Refusal> {
    let ended = match Pending::open()? {
        Some(pending) => pending.take()?,
        None => None,
    };
    if ended.is_none() {
        report::line(standard::error(), b"shutdown: fatal: no shutdown is pending", &[]);
        return Ok(EXIT_FAILED);
    }
    tell_all(news::CANCELLED, message);
    Ok(EXIT_DONE)
}

fn warn(way: Option<Way>, when: When, message: &Message, environment: Environment) -> Result<i32, Refusal> {
    // Who may not take the machine down frightens nobody.
    Pending::create()?;
    tell_all(plan(when, environment)?.warning(way).as_bytes(), message);
    Ok(EXIT_DONE)
}

fn schedule(way: Way, order: Order, message: &Message, environment: Environment) -> Result<i32, Refusal> {
    let flag = order.letters.flag();
    if let Some(flag) = flag
        && file::is_read_only(CURRENT, c"/")
    {
        return Err(Refusal::Failed(Step::Make(flag), Errno::ROFS));
    }
    let request = Request { way, flag, plan: plan(order.when, environment)?, message, environment };
    if request.plan.is_now {
        return run(&request, None);
    }
    let (reader, writer) = file::pipe(Waiting::Always).map_err(|reason| Refusal::Failed(Step::Pipe, reason))?;
    // It tells what goes wrong itself.
    process::spawn(|| run(&request, Some(&writer)).unwrap_or_else(tell))
        .map_err(|reason| Refusal::Failed(Step::Fork, reason))?;
    drop(writer);
    Ok(if file::read(reader.as_fd(), &mut [0]) == Ok(PENDING) { EXIT_DONE } else { EXIT_FAILED })
}

/// A shutdown that is asked for.
struct Request<'a> {
    way: Way,
    flag: Option<Thing>,
    plan: Plan,
    message: &'a Message,
    environment: Environment,
}

impl Plan {
    fn warning(&self, way: Option<Way>) -> News {
        news::warning(way, minutes(self.end.since(clock::since_boot())), self.shown)
    }
}

/// From here on the boot clock decides, whatever becomes of the other one.
#[inline(never)]
fn plan(when: When, environment: Environment) -> Result<Plan, Refusal> {
    let mut buffer = [0; ZONE_BYTES];
    let zone = zone::load(&mut buffer, environment);
    let now = clock::now();
    let wall = now.wall.unix_seconds();
    let (begin, seconds) = match when {
        When::After(minutes) => (now.since_boot, i64::from(minutes).wrapping_mul(60)),
        // The clock shows a time at the begin of its second.
        When::At(time) => {
            let begin = now.since_boot.minus(Instant::new(0, now.wall.nanoseconds()).since(Instant::ORIGIN));
            (begin, zone.next(time, wall).ok_or(Refusal::Never)?.wrapping_sub(wall))
        }
    };
    let moment = wall.wrapping_add(seconds);
    Ok(Plan {
        end: begin.plus(Duration::from_seconds(seconds.max(0).cast_unsigned())),
        is_now: when == When::After(0),
        seconds: moment.max(0).cast_unsigned(),
        shown: zone.time_of_day(moment),
    })
}

/// A shutdown that is pending.
struct Shutdown<'a> {
    request: &'a Request<'a>,
    pending: Pending,
    record: Holder,
    signals: Signals,
}

/// Becomes the pending shutdown, tells so, and stays until it is over.
#[inline(never)]
fn run(request: &Request<'_>, parent: Option<&Descriptor>) -> Result<i32, Refusal> {
    // Before the lock: from then on it must not just die.
    let signals = Signals::catch(CAUGHT).map_err(|reason| Refusal::Failed(Step::Catch, reason))?;
    if parent.is_some() {
        process::lead_session();
        // So that no file system is busy for it.
        let _ = process::enter_path(c"/");
    }
    let pending = Pending::create()?;
    if let Some(shown) = pending.take()? {
        report::line(standard::error(), b"shutdown: info: replaces the one at %", &[&shown.to_text()]);
    }
    let Some(pid) = Pid::new(process::own_pid()) else { return Ok(EXIT_FAILED) };
    let record = Holder {
        pid,
        since: Ticks::of(clock::since_boot()),
        shown: request.plan.shown,
        is_going: request.plan.is_now,
        made: Made::default(),
    };
    let mut shutdown = Shutdown { request, pending, record, signals };
    shutdown.write()?;
    if let Some(flag) = request.flag
        && let Err(refusal) = shutdown.make(flag, &[])
    {
        shutdown.pending.give_up(shutdown.record.made);
        return Err(refusal);
    }
    if let Some(parent) = parent {
        let told = request.plan.warning(Some(request.way));
        report::line(standard::output(), b"shutdown: %", &[told.as_bytes()]);
        standard::leave();
        let _ = file::write(parent.as_fd(), PENDING);
    }
    Ok(shutdown.wait())
}

impl Shutdown<'_> {
    /// Waits for the end, or for being cancelled.
    #[inline(never)]
    fn wait(&mut self) -> i32 {
        let timer = Timer::new().ok();
        let mut countdown = Countdown::new(self.request.plan.end);
        let mut actions = Actions::new();
        let mut event = Event::Start;
        loop {
            countdown.handle(event, clock::since_boot(), &mut actions);
            while let Some(action) = actions.pop_front() {
                match action {
                    Action::KeepOut => self.keep_out(),
                    Action::Warn(minutes) => {
                        let news = news::warning(Some(self.request.way), minutes, self.record.shown);
                        tell_all(news.as_bytes(), self.request.message);
                    }
                    Action::GoDown => return self.go_down(),
                    Action::GiveUp => {
                        self.give_up();
                        return EXIT_DONE;
                    }
                }
            }
            let Some(deadline) = countdown.deadline() else { return EXIT_DONE };
            event = self.next_event(deadline, timer.as_ref());
        }
    }

    /// Waits until something has happened. `deadline` is of the boot clock: the timer knows it, the poll only for as long as the machine
    /// does not sleep.
    fn next_event(&self, deadline: Instant, timer: Option<&Timer>) -> Event {
        let left = deadline.since(clock::since_boot());
        if let Some(timer) = timer {
            // Without it, the other deadline is still there.
            let _ = timer.set(deadline);
        }
        memory::give_back_stack();
        let descriptors = [Some(self.signals.as_fd()), timer.map(AsFd::as_fd), None, None, None];
        poll::wait(descriptors, Some(clock::monotonic().plus(left)));
        let mut event = Event::Deadline;
        while let Some(signal) = self.signals.take() {
            if matches!(signal, Signal::TERM | Signal::INT) {
                event = Event::Cancel;
            }
        }
        // Those that told the terminals.
        while process::reap().is_some() {}
        event
    }

    fn write(&self) -> Result<(), Refusal> {
        self.pending.write(self.record.encode(self.request.way, self.request.plan.seconds).as_bytes())
    }

    /// Makes something, and notes it in the record.
    fn make(&mut self, thing: Thing, text: &[&[u8]]) -> Result<(), Refusal> {
        if Pending::make(thing, text)? {
            self.record.made.add(thing);
            self.write()?;
        }
        Ok(())
    }

    fn keep_out(&mut self) {
        let news = news::notice(Some(self.request.way), self.record.shown);
        let text = [news.as_bytes(), b"\n", self.request.message.as_bytes(), b"\n"];
        match self.make(Thing::NoLogin, &text) {
            // A read-only /etc has none; there is still the file.
            Ok(()) => drop(self.make(Thing::NoLoginLink, &[])),
            Err(Refusal::Failed(step, reason)) => {
                let (what, path) = step.words();
                let values = [what, path.to_bytes(), reason.text()];
                report::line(standard::error(), b"shutdown: warning: unable to %%: %", &values);
            }
            Err(Refusal::Going | Refusal::Never | Refusal::Stuck(_)) => {}
        }
    }

    fn give_up(&self) {
        self.pending.give_up(self.record.made);
        // A child that still tells a terminal has the lock too.
        self.pending.release();
    }

    fn go_down(&mut self) -> i32 {
        self.record.is_going = true;
        // Where that fails, another may come too late to cancel, and is not told.
        let _ = self.write();
        let Err(reason) = self.ask_init() else { return EXIT_DONE };
        self.give_up();
        tell_all(news::FAILED, self.request.message);
        match reason {
            Some(reason) => {
                let template = b"shutdown: fatal: unable to run /sbin/runit-init: %";
                report::line(standard::error(), template, &[reason.text()]);
            }
            None => report::line(standard::error(), b"shutdown: fatal: /sbin/runit-init failed", &[]),
        }
        EXIT_FAILED
    }

    /// Has process 1 take the machine down.
    ///
    /// # Errors
    /// Why the command could not be executed; none if it failed.
    fn ask_init(&self) -> Result<(), Option<Errno>> {
        let failure = Cell::new(None);
        let child = process::spawn_at_once(|| {
            self.signals.restore();
            let [level, way] = self.request.way.ending().request();
            failure.set(Some(process::execute(INIT, &[c"init", level, way], self.request.environment)));
            EXIT_NOT_EXECUTED
        });
        let child = child.map_err(Some)?;
        let deadline = clock::monotonic().plus(REQUEST_LIMIT);
        loop {
            while let Some((pid, outcome)) = process::reap() {
                if pid == child {
                    return if outcome.is_success() { Ok(()) } else { Err(failure.get()) };
                }
            }
            if clock::monotonic() >= deadline {
                return Err(None);
            }
            poll::wait_for(self.signals.as_fd(), Some(deadline));
            while self.signals.take().is_some() {}
        }
    }
}
