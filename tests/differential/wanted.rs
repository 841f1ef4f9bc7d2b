//! Every difference from runit that is wanted, with its reason and the entry of the specification it comes from: `K…` is
//! a known defect of runit, `F…` a fault to survive, else a file of the specification and its section.
//!
//! A difference that is not here fails the tests, and so does an entry that no longer occurs.

mod chpst;
mod svlogd;

use crate::cast::{Client, Combination, Programs};

/// Whose doing a difference is.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// Our `runsv` or `runsvdir`: seen in every combination with it.
    Runsv,
    /// Our `sv`: seen in every combination with it.
    Sv,
    /// Our `svlogd`: seen where it is the first.
    Svlogd,
    /// Our `svlogd`: seen where it goes on.
    NextSvlogd,
    /// Our `chpst`.
    Chpst,
}

impl Side {
    /// Whether a difference of this side is seen in a combination.
    pub fn is_seen_in(self, combination: Combination) -> bool {
        match (self, combination) {
            (Side::Runsv, Combination::Supervised { supervisor, .. }) => supervisor == Programs::Ours,
            (Side::Sv, Combination::Supervised { client, .. }) => client == Client::Sv(Programs::Ours),
            (Side::Svlogd, Combination::Logged { first, .. }) => first == Programs::Ours,
            (Side::NextSvlogd, Combination::Logged { next, .. }) => next == Programs::Ours,
            (Side::Chpst, Combination::Command { programs }) => programs == Programs::Ours,
            (
                Side::Runsv | Side::Sv | Side::Svlogd | Side::NextSvlogd | Side::Chpst,
                Combination::Supervised { .. } | Combination::Logged { .. } | Combination::Command { .. },
            ) => false,
        }
    }
}

/// One wish, and all there is to see of it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The entry of the specification.
    pub source: &'static str,
    /// What is wanted, and why.
    pub reason: &'static str,
    /// Whose doing it is.
    pub side: Side,
    /// Where it is seen.
    pub differences: &'static [Seen],
}

/// One difference.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The scenarios, each of which shows it.
    pub scenarios: &'static [&'static str],
    /// The label of what was seen.
    pub at: &'static str,
    /// The lines of runit that differ.
    pub theirs: &'static str,
    /// The lines in their place.
    pub ours: &'static str,
}

const fn seen(scenarios: &'static [&'static str], at: &'static str, theirs: &'static str, ours: &'static str) -> Seen {
    Seen { scenarios, at, theirs, ours }
}

/// The list.
pub fn all() -> impl Iterator<Item = &'static Wanted> {
    SUPERVISION.iter().chain(svlogd::WANTED).chain(chpst::WANTED)
}

/// What is wanted of `runsv`, `runsvdir` and `sv`.
const SUPERVISION: &[Wanted] = &[
    Wanted {
        source: "K1",
        reason: "k ends finish, and finish does not run a second time with its own end as arguments.",
        side: Side::Runsv,
        differences: &[seen(&["k while finishing"], "notes of web", "TERM\nfinish 3 0", "")],
    },
    Wanted {
        source: "K2",
        reason: "k after x: the process is reaped, finish runs, and the files tell it.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["k after x"],
                "look web #2",
                "pid file 0644 \"P\\n\"\nstat file 0644 \"run, got TERM, want exit\\n\"\nstatus file 0644 STAMP P 0 d 1 1",
                "pid file 0644 \"\"\nstat file 0644 \"down\\n\"\nstatus file 0644 STAMP 0 0 d 0 0",
            ),
            seen(&["k after x"], "notes of web #2", "", "finish -1 9"),
            seen(
                &["force-shutdown of a service that ignores TERM"],
                "look web",
                "pid file 0644 \"P\\n\"\nstat file 0644 \"run, got TERM, want exit\\n\"\nstatus file 0644 STAMP P 0 d 1 1",
                "pid file 0644 \"\"\nstat file 0644 \"down\\n\"\nstatus file 0644 STAMP 0 0 d 0 0",
            ),
            seen(&["force-shutdown of a service that ignores TERM"], "notes of web", "", "finish -1 9"),
        ],
    },
    Wanted {
        source: "K3",
        reason: "A control/k that takes over does not make the service down while it lives: d still reaches it.",
        side: Side::Runsv,
        differences: &[
            seen(&["control/k takes over"], "notes of web", "", "TERM\nCONT"),
            seen(
                &["control/k takes over"],
                "look web #2",
                "stat file 0644 \"down\\n\"\nstatus file 0644 STAMP P 0 d 0 0",
                "stat file 0644 \"run, got TERM, want down\\n\"\nstatus file 0644 STAMP P 0 d 1 1",
            ),
        ],
    },
    Wanted {
        source: "K4",
        reason: "A control script that was killed has not taken over.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["control script killed"],
                "look web",
                "stat file 0644 \"run\\n\"\nstatus file 0644 STAMP P 0 u 0 1",
                "stat file 0644 \"run, got TERM\\n\"\nstatus file 0644 STAMP P 0 u 1 1",
            ),
            seen(&["control script killed"], "notes of web", "", "TERM"),
        ],
    },
    Wanted {
        source: "K4",
        reason: "A check script that was killed has not passed.",
        side: Side::Sv,
        differences: &[
            seen(
                &["check is killed"],
                "sv -w1 check web off",
                "ok: run: web: (pid P) Ns\nok: down: off: Ns, normally up\nexit 0",
                "ok: down: off: Ns, normally up\ntimeout: run: web: (pid P) Ns\nexit 1",
            ),
            seen(
                &["check is killed"],
                "sv -w1 start web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "timeout: run: web: (pid P) Ns\nexit 1",
            ),
        ],
    },
    Wanted {
        source: "K5",
        reason: "Control scripts run beside the supervisor: with clean signals, ended by k, and a death is seen meanwhile.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["signals of run and control scripts"],
                "of control/h",
                "SigBlk:\t0000000000014000",
                "SigBlk:\t0000000000000000",
            ),
            seen(&["k during a control script"], "control scripts of web", "end", ""),
            seen(&["death during a control script"], "stat during the script", "run", "down"),
        ],
    },
    Wanted {
        source: "K6",
        reason: "Commands are heard in the second between two starts.",
        side: Side::Runsv,
        differences: &[seen(&["d in the second after the start"], "runsv", "it sleeps", "it has heard it")],
    },
    Wanted {
        source: "K7",
        reason: "u while the log drains starts nothing that has no pipe any more.",
        side: Side::Runsv,
        differences: &[
            seen(&["u while the log drains"], "ended", "false", "true"),
            seen(
                &["u while the log drains"],
                "stderr of web",
                "runsv web: fatal: unable to setup filedescriptor for ./run: file descriptor not open",
                "",
            ),
        ],
    },
    Wanted {
        source: "runsv.md 8",
        reason: "The log pipe is closed once, however often the log is told.",
        side: Side::Runsv,
        differences: &[seen(
            &["a log that ignores the end of file"],
            "stderr of web",
            "runsv web: warning: unable to close logpipe[1]: file descriptor not open\nrunsv web: warning: unable to \
             close logpipe[0]: file descriptor not open",
            "",
        )],
    },
    Wanted {
        source: "F27",
        reason: "A status that is wanted neither up nor down was written by nobody known: it is not up.",
        side: Side::Sv,
        differences: &[
            seen(
                &["status records of every content"],
                "sv status want-x",
                "run: want-x: (pid P) Ns",
                "run: want-x: (pid P) Ns, want down",
            ),
            seen(
                &["status records of every content"],
                "sv status want-0",
                "run: want-0: (pid P) Ns",
                "run: want-0: (pid P) Ns, want down",
            ),
        ],
    },
    Wanted {
        source: "K38",
        reason: "A process that was told to go down is on its way: up is told when the next one is.",
        side: Side::Sv,
        differences: &[
            seen(
                &["sv start of every status", "sv up of every status"],
                "ending",
                "ok: run: ending: (pid P) Ns, want down, got TERM",
                "timeout: run: ending: (pid P) Ns, want down, got TERM",
            ),
            seen(
                &["sv start of every status", "sv up of every status"],
                "all",
                "ok: run: all: (pid P) Ns, paused, want down, got TERM",
                "timeout: run: all: (pid P) Ns, paused, want down, got TERM",
            ),
        ],
    },
    Wanted {
        source: "K35",
        reason: "The wait ends in time, so a check that cannot be examined is told once and not once more.",
        side: Side::Sv,
        differences: &[seen(
            &["check cannot be executed"],
            "sv -w0 check loop",
            "stderr: warning: unable to stat loop/check: symbolic link loop",
            "",
        )],
    },
    Wanted {
        source: "K8",
        reason: "An exit is final.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["d after x"],
                "look web",
                "stat file 0644 \"run, got TERM, want down\\n\"",
                "stat file 0644 \"run, got TERM, want exit\\n\"",
            ),
            seen(
                &["u after x"],
                "look web",
                "stat file 0644 \"run, got TERM\\n\"\nstatus file 0644 STAMP P 0 u 1 1",
                "stat file 0644 \"run, got TERM, want exit\\n\"\nstatus file 0644 STAMP P 0 d 1 1",
            ),
            seen(&["d while the log drains"], "end of web", "runs", "exit 0"),
        ],
    },
    Wanted {
        source: "K10",
        reason: "The lock of the log is not awaited.",
        side: Side::Runsv,
        differences: &[
            seen(&["lock of the log is held"], "end of web", "waits for a lock", "exit 111"),
            seen(
                &["lock of the log is held"],
                "stderr of web",
                "",
                "runsv web: fatal: unable to lock log/supervise/lock: temporary failure",
            ),
        ],
    },
    Wanted {
        source: "K11",
        reason: "No signal leaves a service without its supervisor; INT, which is meant for all of it, ends both.",
        side: Side::Runsv,
        differences: &[
            seen(&["SIGHUP to runsv"], "end of web", "signal 1", "runs"),
            seen(&["SIGQUIT to runsv"], "end of web", "signal 3", "runs"),
            seen(&["SIGUSR1 to runsv"], "end of web", "signal 10", "runs"),
            seen(&["SIGUSR2 to runsv"], "end of web", "signal 12", "runs"),
            seen(&["SIGALRM to runsv"], "end of web", "signal 14", "runs"),
            seen(&["SIGPIPE to runsv"], "end of web", "signal 13", "runs"),
            seen(&["SIGINT to runsv"], "end of web", "signal 2", "exit 0"),
            seen(
                &["SIGINT to runsv"],
                "look web",
                "pid file 0644 \"P\\n\"\nstat file 0644 \"run\\n\"\nstatus file 0644 STAMP P 0 u 0 1",
                "pid file 0644 \"\"\nstat file 0644 \"down\\n\"\nstatus file 0644 STAMP 0 0 d 0 0",
            ),
            seen(&["SIGINT to runsv"], "notes of web", "", "TERM\nfinish 0 0"),
        ],
    },
    Wanted {
        source: "K13",
        reason: "The log has a pid file from the start.",
        side: Side::Runsv,
        differences: &[seen(&["files of a service that is down"], "look web/log", "", "pid file 0644 \"\"")],
    },
    Wanted {
        source: "K14",
        reason: "The stamp has the nanoseconds of the clock, not microseconds and 500.",
        side: Side::Runsv,
        differences: &[seen(&["stamps of a life"], "nanoseconds", "microseconds and 500", "as the clock tells them")],
    },
    Wanted {
        source: "K18",
        reason: "paused is told of a process that was stopped, and only until its CONT.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["p while down"],
                "look web #2",
                "stat file 0644 \"down, paused\\n\"\nstatus file 0644 STAMP 0 1 d 0 0",
                "stat file 0644 \"down\\n\"\nstatus file 0644 STAMP 0 0 d 0 0",
            ),
            seen(
                &["p while finishing"],
                "look web",
                "stat file 0644 \"finish, paused\\n\"\nstatus file 0644 STAMP P 1 u 0 2",
                "stat file 0644 \"finish\\n\"\nstatus file 0644 STAMP P 0 u 0 2",
            ),
            seen(
                &["p while finishing"],
                "look web #2",
                "stat file 0644 \"down, paused\\n\"\nstatus file 0644 STAMP 0 1 d 0 0",
                "stat file 0644 \"down\\n\"\nstatus file 0644 STAMP 0 0 d 0 0",
            ),
            seen(
                &["x while paused"],
                "look web",
                "stat file 0644 \"down, paused\\n\"\nstatus file 0644 STAMP 0 1 d 0 0",
                "stat file 0644 \"down\\n\"\nstatus file 0644 STAMP 0 0 d 0 0",
            ),
            seen(
                &["d while paused"],
                "look web",
                "stat file 0644 \"run, paused, got TERM, want down\\n\"\nstatus file 0644 STAMP P 1 d 1 1",
                "stat file 0644 \"run, got TERM, want down\\n\"\nstatus file 0644 STAMP P 0 d 1 1",
            ),
            seen(
                &["letters for the log while it is down"],
                "state of log #5",
                "down, paused\nSTAMP 0 1 d 0 0",
                "down\nSTAMP 0 0 d 0 0",
            ),
        ],
    },
    Wanted {
        source: "K19",
        reason: "A link in place of supervise may lead several directories deep, and be of any length.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["supervise is a link to a missing directory in a missing one", "supervise is a link of 256 bytes"],
                "end of web",
                "exit 111",
                "runs",
            ),
            seen(
                &["supervise is a link to a missing directory in a missing one"],
                "stderr of web",
                "runsv web: fatal: unable to open supervise/lock: file does not exist",
                "",
            ),
            seen(
                &["supervise is a link of 256 bytes"],
                "stderr of web",
                "runsv web: fatal: unable to readlink ./supervise: name too long",
                "",
            ),
        ],
    },
    Wanted {
        source: "F1",
        reason: "A new runsv takes over the processes that an earlier one left, instead of starting a second copy.",
        side: Side::Runsv,
        differences: &[
            seen(
                &["new runsv after a kill"],
                "processes are the same",
                "run: false, log: false",
                "run: true, log: true",
            ),
            seen(
                &["new runsv after a kill"],
                "stderr of web #2",
                "",
                "runsv web: info: taking over ./run: pid \nrunsv web: info: taking over log/./run: pid ",
            ),
            seen(&["a runsv is killed"], "process is the same", "false", "true"),
            seen(&["a runsv is killed"], "stderr of runsvdir", "", "runsv web: info: taking over ./run: pid "),
        ],
    },
    Wanted {
        source: "F26",
        reason: "What was removed from supervise is made anew.",
        side: Side::Runsv,
        differences: &[
            seen(&["control is removed"], "look web", "", "control fifo 0600"),
            seen(&["ok is removed"], "look web", "", "ok fifo 0600"),
            seen(&["supervise is emptied"], "look web", "", "control fifo 0600\nlock file 0600 \"\"\nok fifo 0600"),
        ],
    },
    Wanted {
        source: "deltas.md 2",
        reason: "The control fifo of the log is examined, as upstream since 2.3.0, not the service's for a second time.",
        side: Side::Runsv,
        differences: &[
            seen(&["control of the log is no fifo"], "web", "runs", "exit 111"),
            seen(
                &["control of the log is no fifo"],
                "stderr of web",
                "",
                "runsv web: fatal: log/supervise/control exists but is not a fifo",
            ),
        ],
    },
    Wanted {
        source: "runsv.md 6",
        reason: "The message names the script instead of a literal question mark.",
        side: Side::Runsv,
        differences: &[seen(
            &["control scripts that cannot be executed"],
            "stderr of web",
            "runsv web: fatal: unable to run control/?: file does not exist\nrunsv web: fatal: unable to run control/?: access denied",
            "runsv web: fatal: unable to run control/h: file does not exist\nrunsv web: fatal: unable to run control/i: access denied",
        )],
    },
    Wanted {
        source: "K30",
        reason: "restart, term and kill are done when there is another process, not when the old one started in this second; once when it has run.",
        side: Side::Sv,
        differences: &[
            seen(
                &[
                    "sv restart of every status",
                    "sv try-restart of every status",
                    "sv term of every status",
                    "sv kill of every status",
                ],
                "future",
                "ok: run: future: (pid P) Ns",
                "timeout: run: future: (pid P) Ns",
            ),
            seen(
                &["sv try-restart of every status", "sv term of every status", "sv kill of every status"],
                "late",
                "ok: finish: late: (pid P) Ns",
                "timeout: finish: late: (pid P) Ns",
            ),
            seen(
                &["sv force-reload of every status", "sv force-restart of every status", "sv T of every status"],
                "future",
                "ok: run: future: (pid P) Ns",
                "kill: run: future: (pid P) Ns",
            ),
            seen(
                &["sv force-reload of every status", "sv T of every status"],
                "late",
                "ok: finish: late: (pid P) Ns",
                "kill: finish: late: (pid P) Ns",
            ),
            seen(
                &["sv force-reload of every status", "sv T of every status"],
                "bytes",
                "future: tc\nfinishing: tck\nlast: tck\nlate: tc",
                "future: tck\nfinishing: tck\nlast: tck\nlate: tck",
            ),
            seen(&["sv force-restart of every status"], "bytes", "future: tcu", "future: tcuk"),
            seen(
                &["sv once of every status"],
                "fallen",
                "ok: down: fallen: Ns, normally up, want up",
                "timeout: down: fallen: Ns, normally up, want up",
            ),
            seen(
                &["sv once of every status"],
                "fell",
                "ok: down: fell: Ns, normally up",
                "timeout: down: fell: Ns, normally up",
            ),
        ],
    },
    Wanted {
        source: "K31",
        reason: "A name that ends in a slash means the same directory in both phases.",
        side: Side::Sv,
        differences: &[seen(
            &["paths of every shape for sv"],
            "sv -w0 check web/ in here",
            "ok: run: web/: (pid P) Ns",
            "ok: down: web/: Ns, normally up",
        )],
    },
    Wanted {
        source: "K32",
        reason: "A log whose status cannot be read is not told with the data of its service.",
        side: Side::Sv,
        differences: &[
            seen(&["status of a service with a log"], "sv status bare", "run: log: (pid P) Ns", ""),
            seen(&["status of a service with a log"], "sv status short", "run: log: (pid P) Ns", ""),
            seen(&["init scripts tell the status of a log"], "bare status", "down: log: Ns, normally up", ""),
        ],
    },
    Wanted {
        source: "K33",
        reason: "The exit code of an init script is the service's, not its log's, as upstream since 2.3.0.",
        side: Side::Sv,
        differences: &[
            seen(&["init scripts tell the status of a log"], "web status", "exit 3", "exit 0"),
            seen(&["init scripts tell the status of a log"], "off status", "exit 0", "exit 3"),
        ],
    },
    Wanted {
        source: "K34",
        reason: "check is about what is wanted, up or down, as upstream since 2.3.0; finish is neither.",
        side: Side::Sv,
        differences: &[
            seen(
                &["sv check of every status"],
                "once",
                "ok: run: once: (pid P) Ns, want down",
                "timeout: run: once: (pid P) Ns, want down",
            ),
            seen(
                &["sv check of every status"],
                "ending",
                "ok: run: ending: (pid P) Ns, want down, got TERM",
                "timeout: run: ending: (pid P) Ns, want down, got TERM",
            ),
            seen(
                &["sv check of every status"],
                "all",
                "ok: run: all: (pid P) Ns, paused, want down, got TERM",
                "timeout: run: all: (pid P) Ns, paused, want down, got TERM",
            ),
            seen(
                &["sv check of every status"],
                "finishing",
                "ok: finish: finishing: (pid P) Ns",
                "timeout: finish: finishing: (pid P) Ns",
            ),
            seen(
                &["sv check of every status"],
                "last",
                "ok: finish: last: (pid P) Ns, want down",
                "timeout: finish: last: (pid P) Ns, want down",
            ),
            seen(
                &["sv check of every status"],
                "late",
                "ok: finish: late: (pid P) Ns",
                "timeout: finish: late: (pid P) Ns",
            ),
            seen(
                &["sv check of every status"],
                "failing",
                "ok: down: failing: Ns, normally up, want up",
                "timeout: down: failing: Ns, normally up, want up",
            ),
            seen(
                &["sv check of every status"],
                "fallen",
                "ok: down: fallen: Ns, normally up, want up",
                "timeout: down: fallen: Ns, normally up, want up",
            ),
            seen(
                &["check is not asked of a service that is down"],
                "sv -w0 check failing",
                "ok: down: failing: Ns, normally up, want up\nexit 0",
                "timeout: down: failing: Ns, normally up, want up\nexit 1",
            ),
            seen(
                &["check is not asked of a service that is down"],
                "sv -w0 check finish",
                "ok: finish: finish: (pid P) Ns\nstderr: check\nexit 0",
                "timeout: finish: finish: (pid P) Ns\nexit 1",
            ),
            seen(
                &["check is not asked of a service that is down"],
                "sv -w0 check last",
                "ok: finish: last: (pid P) Ns, want down\nstderr: check\nexit 0",
                "timeout: finish: last: (pid P) Ns, want down\nexit 1",
            ),
            seen(
                &["check is not asked of a service that is down"],
                "sv -w0 check once",
                "ok: run: once: (pid P) Ns, want down\nstderr: check\nexit 0",
                "timeout: run: once: (pid P) Ns, want down\nexit 1",
            ),
            seen(
                &["a finish that hangs"],
                "sv -w0 check web",
                "ok: finish: web: (pid P) Ns\nexit 0",
                "timeout: finish: web: (pid P) Ns\nexit 1",
            ),
        ],
    },
    Wanted {
        source: "K36",
        reason: "A time that is no number is wrong usage.",
        side: Side::Sv,
        differences: &[
            seen(
                &["times of every shape"],
                "sv -w abc up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "sv -w  up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "sv -w 3x up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "sv -w  3 up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "sv -w -3 up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "sv -w 1.5 up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "sv -w 0x10 up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\"abc\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\"\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\"3x\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\" 3\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\"-3\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\"1.5\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
            seen(
                &["times of every shape"],
                "SVWAIT=\"0x10\" sv -v up web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "stderr: usage: sv [-v] [-w sec] command service ...\nstderr: \nexit 100",
            ),
        ],
    },
    Wanted {
        source: "K37",
        reason: "A check script runs for what is left of the wait, and one that cannot be executed does not pass.",
        side: Side::Sv,
        differences: &[
            seen(
                &["check takes longer than the wait"],
                "sv -w1 check web off",
                "ok: run: web: (pid P) Ns\nok: down: off: Ns, normally up\nexit 0",
                "timeout: run: web: (pid P) Ns\nok: down: off: Ns, normally up\nexit 1",
            ),
            seen(
                &["check takes longer than the wait"],
                "sv -w1 start web",
                "ok: run: web: (pid P) Ns\nexit 0",
                "timeout: run: web: (pid P) Ns\nexit 1",
            ),
            seen(
                &["check cannot be executed"],
                "sv -w0 check mode",
                "ok: run: mode: (pid P) Ns\nstderr: warning: unable to run mode/check: access denied\nexit 0",
                "timeout: run: mode: (pid P) Ns\nstderr: warning: unable to run mode/check: access denied\nexit 1",
            ),
            seen(
                &["check cannot be executed"],
                "sv -w0 check directory",
                "ok: run: directory: (pid P) Ns\nstderr: warning: unable to run directory/check: access denied\nexit 0",
                "timeout: run: directory: (pid P) Ns\nstderr: warning: unable to run directory/check: access denied\nexit 1",
            ),
            seen(
                &["check cannot be executed"],
                "sv -w0 check interpreter",
                "ok: run: interpreter: (pid P) Ns\nstderr: warning: unable to run interpreter/check: file does not exist\nexit 0",
                "timeout: run: interpreter: (pid P) Ns\nstderr: warning: unable to run interpreter/check: file does not exist\nexit 1",
            ),
            seen(
                &["check cannot be executed"],
                "sv -w0 check format",
                "ok: run: format: (pid P) Ns\nstderr: warning: unable to run format/check: exec format error\nexit 0",
                "timeout: run: format: (pid P) Ns\nstderr: warning: unable to run format/check: exec format error\nexit 1",
            ),
        ],
    },
    Wanted {
        source: "K38",
        reason: "A command is always sent, whatever the status said last; so somebody who may not send is told.",
        side: Side::Sv,
        differences: &[
            seen(&["down and up before runsv looks"], "want", "d", "u"),
            seen(&["first letters"], "bytes of up to up-high", "", "u"),
            seen(&["first letters"], "bytes of upfoo to upfoo-high", "", "u"),
            seen(&["first letters"], "bytes of u to u-high", "", "u"),
            seen(&["first letters"], "bytes of down to down-last", "", "d"),
            seen(&["first letters"], "bytes of dead to dead-last", "", "d"),
            seen(
                &["sv start of every status", "sv up of every status"],
                "bytes",
                "running: \npaused: \nonce: u\nterm: \nending: u\nall: u\nfuture: \nfinishing: \nlast: u\nlate: \nstopped: u\nfailing: \nasleep: u\nfallen: ",
                "running: u\npaused: u\nonce: u\nterm: u\nending: u\nall: u\nfuture: u\nfinishing: u\nlast: u\nlate: u\nstopped: u\nfailing: u\nasleep: u\nfallen: u",
            ),
            seen(
                &["sv stop of every status", "sv down of every status"],
                "bytes",
                "ending: \nall: ",
                "ending: d\nall: d",
            ),
            seen(
                &["sv force-stop of every status", "sv D of every status"],
                "bytes",
                "ending: k\nall: k\nfuture: dk\nfinishing: dk\nlast: dk\nlate: dk\nstopped: d\nfailing: d\nasleep: d\nfallen: d",
                "ending: dk\nall: dk\nfuture: dk\nfinishing: dk\nlast: dk\nlate: dk\nstopped: d\nfailing: dk\nasleep: d\nfallen: dk",
            ),
            seen(&["init script with start", "init script with up", "init script with u"], "bytes to high", "", "u"),
            seen(
                &["a user who may not"],
                "sv -w1 up web, modes 755 and 666",
                "ok: run: web: (pid P) Ns\nexit 0",
                "warning: web: unable to open supervise/control: access denied\nexit 1",
            ),
        ],
    },
    Wanted {
        source: "K38",
        reason: "stop and down wait for their own effect: that the service is down, and wanted so.",
        side: Side::Sv,
        differences: &[
            seen(
                &["sv stop of every status", "sv down of every status"],
                "failing",
                "ok: down: failing: Ns, normally up, want up",
                "timeout: down: failing: Ns, normally up, want up",
            ),
            seen(
                &["sv force-stop of every status", "sv D of every status"],
                "failing",
                "ok: down: failing: Ns, normally up, want up",
                "kill: down: failing: Ns, normally up, want up",
            ),
            seen(
                &["sv stop of every status", "sv down of every status"],
                "fallen",
                "ok: down: fallen: Ns, normally up, want up",
                "timeout: down: fallen: Ns, normally up, want up",
            ),
            seen(
                &["sv force-stop of every status", "sv D of every status"],
                "fallen",
                "ok: down: fallen: Ns, normally up, want up",
                "kill: down: fallen: Ns, normally up, want up",
            ),
        ],
    },
    Wanted {
        source: "F29",
        reason: "Links in supervise are not followed.",
        side: Side::Runsv,
        differences: &[seen(
            &["control is no fifo"],
            "stderr of link",
            "runsv link: fatal: unable to stat supervise/control: file does not exist",
            "runsv link: fatal: supervise/control exists but is not a fifo",
        )],
    },
    Wanted {
        source: "F27",
        reason: "A record with a state that is not known is a bad one.",
        side: Side::Sv,
        differences: &[
            seen(
                &["status records of every content"],
                "sv status state-3",
                "state-3: (pid P) Ns\nexit 0",
                "warning: state-3: unable to read supervise/status: bad format\nexit 1",
            ),
            seen(
                &["status records of every content"],
                "sv status state-255",
                "state-255: (pid P) Ns\nexit 0",
                "warning: state-255: unable to read supervise/status: bad format\nexit 1",
            ),
        ],
    },
    Wanted {
        source: "README.md",
        reason: "The version is our own.",
        side: Side::Sv,
        differences: &[
            seen(
                &["version of sv"],
                "sv -V",
                "stderr: $Id: 900314260c6d52c986c5357673bea2f3bd3f4698 $",
                "stderr: pipit VERSION",
            ),
            seen(
                &["usage of init scripts"],
                "web -V",
                "stderr: $Id: 900314260c6d52c986c5357673bea2f3bd3f4698 $",
                "stderr: pipit VERSION",
            ),
        ],
    },
    Wanted {
        source: "K54",
        reason: "Standard error of the services does not drop what is written while the pipe is full.",
        side: Side::Runsv,
        differences: &[seen(
            &["log of seven characters", "log of many characters", "log of bytes that cannot be printed"],
            "flags of it",
            "04001",
            "01",
        )],
    },
    Wanted {
        source: "K55",
        reason: "What cannot be printed is a blank in the title.",
        side: Side::Runsv,
        differences: &[
            seen(&["log of seven characters"], "title", "0 dots in \"scan|log: b\\n\"", "0 dots in \"scan|log: b \""),
            seen(
                &["log of many characters"],
                "title",
                "383 dots in \"scan|log: line of web\\n\"",
                "383 dots in \"scan|log: line of web \"",
            ),
            seen(
                &["log of bytes that cannot be printed"],
                "title",
                "37 dots in \"scan|log: a\\u{1b}[31mbc\\tdone\"",
                "37 dots in \"scan|log: a [31mbc done\"",
            ),
            seen(
                &["log with other words after it"],
                "title",
                "19 dots in \"scan|log: spoken\\n|more|words\"",
                "19 dots in \"scan|log: spoken |more|words\"",
            ),
        ],
    },
    Wanted {
        source: "K58",
        reason: "A service that an earlier runsvdir has left supervised is left alone, without a word, until its runsv ends.",
        side: Side::Runsv,
        differences: &[seen(
            &["new runsvdir after a kill"],
            "stderr of runsvdir #2",
            "runsv web: fatal: unable to lock supervise/lock: temporary failure",
            "",
        )],
    },
    Wanted {
        source: "K60",
        reason: "Trouble with an entry does not remove its service; only that it is gone does.",
        side: Side::Runsv,
        differences: &[seen(&["an entry becomes a loop"], "service is left alone", "false", "true")],
    },
    Wanted {
        source: "F2",
        reason: "No signal but TERM and HUP ends the scan.",
        side: Side::Runsv,
        differences: &[
            seen(&["SIGUSR1 to runsvdir"], "runsvdir", "signal 10", "runs"),
            seen(&["SIGUSR2 to runsvdir"], "runsvdir", "signal 12", "runs"),
            seen(&["SIGPIPE to runsvdir"], "runsvdir", "signal 13", "runs"),
        ],
    },
];
