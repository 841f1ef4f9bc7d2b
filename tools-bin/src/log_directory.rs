//! One log directory: performs the actions of its machine and of that of its processor.

use supervision::limits::LOG_DIRECTORIES;
use supervision::log::archive::{Census, Name};
use supervision::log::directory::Directory;
use supervision::log::event::{Action, Event, What};
use supervision::log::lines::Lines;
use supervision::log::processor::{self, Processor};
use supervision::log::progress::Parts;
use supervision::process::Pid;
use supervision::process::errno::Errno;
use supervision::process::outcome::Outcome;
use supervision::tai64n::Label;
use supervision::time::{Instant, earlier};
use sys::Descriptor;
use sys::process::Environment;
use sys::report::Errors;
use sys::signal::Signals;

use crate::log_files::Files;
use crate::log_processor::{Job, Workplace};

/// All log directories of a `svlogd`.
pub type LogDirectories = heapless::Vec<LogDirectory, LOG_DIRECTORIES>;

/// What all log directories share.
pub struct Surroundings {
    /// What is read instead of handled.
    pub signals: Signals,
    /// What processors are started with.
    pub environment: Environment,
    /// The directory in which this program was started.
    pub start: Descriptor,
    /// The time of this turn.
    pub now: Instant,
    /// The same, to be shown.
    pub wall: Label,
}

/// One of them.
pub struct LogDirectory {
    /// What is written, and when it is rotated.
    pub machine: Directory<'static>,
    /// What becomes of rotated files.
    pub processor: Processor,
    files: Files,
    workplace: Workplace,
    /// More of the stack was used than usual.
    was_deep: bool,
}

impl LogDirectory {
    /// A directory that is not open yet.
    pub fn new(machine: Directory<'static>, files: Files) -> Self {
        Self { machine, processor: Processor::default(), files, workplace: Workplace::default(), was_deep: false }
    }

    /// Whether more of the stack was used than usual since this was asked.
    pub fn was_deep(&mut self) -> bool {
        core::mem::take(&mut self.was_deep)
    }

    /// When to look again at the latest.
    pub fn deadline(&self, lines: &Lines) -> Option<Instant> {
        earlier(self.machine.deadline(lines), self.processor.deadline())
    }

    /// Hands an event to the machine, and performs what it asks for until nothing is left to do.
    pub fn handle(&mut self, mut event: Event, lines: &Lines, around: &Surroundings) {
        loop {
            let mut parts = Parts::new();
            let Some(action) = self.machine.handle(event, lines, around.now, around.wall, &mut parts) else { return };
            event = match action {
                Action::Write => self.files.write(&parts),
                Action::Show => {
                    Errors.parts(&parts);
                    Event::Look
                }
                Action::Send => self.files.send(&parts),
                _ => {
                    drop(parts);
                    self.perform(action, around)
                }
            };
        }
    }

    /// Does what has nothing to do with lines.
    #[inline(never)]
    fn perform(&mut self, action: Action, around: &Surroundings) -> Event {
        match action {
            Action::Open { must_make } => {
                self.files.open(&around.start, &mut self.machine, self.processor.busy(), must_make)
            }
            Action::Create => self.files.create(),
            Action::Sync => self.files.sync(),
            Action::Seal => self.files.seal(),
            Action::Rename(kind) => self.files.rename(&Name::new(self.machine.latest(), kind), self.machine.size()),
            Action::SyncDirectory => self.files.sync_directory(),
            Action::Prune => self.prune(around),
            Action::MakeRoom(least) => match self.take_census() {
                Ok(census) => self.files.make_room(&census, least),
                Err(_) => Event::Removed(false),
            },
            Action::Check => Event::Checked(self.files.check()),
            Action::Close { is_last } => {
                self.files.close(is_last);
                Event::Done
            }
            Action::Warn(what, reason) => {
                self.files.warn(what, reason);
                Event::Look
            }
            Action::TellLost(lost, reason) => {
                self.files.tell_lost(lost, reason);
                Event::Look
            }
            Action::Write | Action::Show | Action::Send => Event::Look,
        }
    }

    fn prune(&mut self, around: &Surroundings) -> Event {
        let keep = self.machine.config().settings().keep;
        let census = match self.take_census() {
            Ok(census) => census,
            Err(reason) => return Event::Failed(What::ReadDirectory, reason),
        };
        self.machine.saw(census.latest());
        self.was_deep = true;
        let event = self.files.prune(&census, keep);
        if event == (Event::Pruned { is_complete: true }) && self.machine.config().command().is_some() {
            self.process(processor::Event::Waiting(census.waiting()), around);
        }
        event
    }

    fn take_census(&self) -> Result<Census, Errno> {
        self.files.take_census(self.processor.busy(), self.machine.config().command().is_some())
    }

    /// Hands an event to the processor's machine, and performs what it asks for.
    #[inline(never)]
    pub fn process(&mut self, event: processor::Event, around: &Surroundings) {
        let mut next = Some(event);
        while let Some(event) = next {
            let config = self.machine.config();
            let Some(action) = self.processor.handle(event, config.settings().processor_limit, around.now) else {
                return;
            };
            next = match action {
                processor::Action::Look => {
                    let census = self.take_census().ok();
                    if let Some(census) = &census {
                        // What was processed is one of the old files now.
                        let _ = self.files.prune(census, config.settings().keep);
                    }
                    Some(processor::Event::Waiting(census.and_then(|census| census.waiting())))
                }
                _ => {
                    let job = Job {
                        files: &self.files,
                        file: self.processor.file(),
                        command: config.command(),
                        signals: &around.signals,
                        environment: around.environment,
                    };
                    self.workplace.perform(action, &job)
                }
            };
        }
    }

    /// A child has ended.
    pub fn ended(&mut self, pid: Pid, outcome: Outcome, around: &Surroundings) {
        if self.processor.is(pid) {
            self.process(processor::Event::Ended(pid, outcome), around);
        }
    }
}
