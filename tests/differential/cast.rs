//! Who plays: which program supervises and which one is the client, which one logs and which one goes on, or whose
//! program does something.

/// A set of binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Programs {
    /// Debian's runit.
    Runit,
    /// The programs under test.
    Ours,
}

/// Who tells the supervisor what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The test itself writes the control bytes.
    Test,
    /// `sv`.
    Sv(Programs),
    /// `svc` and `svok` of busybox.
    Busybox,
}

/// One cast of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combination {
    /// A supervisor, and who tells it what to do.
    Supervised {
        /// Whose `runsv` and `runsvdir`.
        supervisor: Programs,
        /// Whose client.
        client: Client,
    },
    /// Log directories that one `svlogd` after the other writes into.
    Logged {
        /// Whose is the first.
        first: Programs,
        /// Whose goes on.
        next: Programs,
    },
    /// A program that does one thing.
    Command {
        /// Whose it is.
        programs: Programs,
    },
}

/// Which combinations a scenario is played in. Each begins with the one that the others are held against.
#[derive(Clone, Copy, Debug)]
pub enum Roles {
    /// No client but the test.
    Supervisor,
    /// No supervisor but the test.
    Client,
    /// Each `sv` on each `runsv`.
    Both,
    /// Each `sv` and busybox's `svc` on each `runsv`.
    Told,
    /// Busybox's `svc` and `svok` on each `runsv`.
    Busybox,
    /// One `svlogd`.
    Logger,
    /// One `svlogd`, and another that goes on in its directories.
    Loggers,
    /// A program that does one thing.
    Command,
}

impl Roles {
    /// The combinations; in the first everything is runit's that can be.
    pub fn combinations(self) -> Vec<Combination> {
        use Programs::{Ours, Runit};
        let clients: &[Client] = match self {
            Roles::Supervisor => &[Client::Test],
            Roles::Client | Roles::Both => &[Client::Sv(Runit), Client::Sv(Ours)],
            Roles::Told => &[Client::Sv(Runit), Client::Sv(Ours), Client::Busybox],
            Roles::Busybox => &[Client::Busybox],
            Roles::Logger => return [Runit, Ours].map(|all| Combination::Logged { first: all, next: all }).to_vec(),
            Roles::Command => return [Runit, Ours].map(|programs| Combination::Command { programs }).to_vec(),
            Roles::Loggers => {
                return pairs(&[Runit, Ours], &[Runit, Ours], |first, next| Combination::Logged { first, next });
            }
        };
        let supervisors: &[Programs] = if matches!(self, Roles::Client) { &[Runit] } else { &[Runit, Ours] };
        pairs(supervisors, clients, |supervisor, client| Combination::Supervised { supervisor, client })
    }
}

fn pairs<A: Copy, B: Copy>(all: &[A], with: &[B], pair: impl Fn(A, B) -> Combination) -> Vec<Combination> {
    all.iter().flat_map(|one| with.iter().map(|other| pair(*one, *other))).collect()
}

impl std::fmt::Display for Combination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let whose = |programs| match programs {
            Programs::Runit => "runit's",
            Programs::Ours => "our",
        };
        match *self {
            Combination::Supervised { supervisor, client } => {
                write!(formatter, "{} runsv and ", whose(supervisor))?;
                match client {
                    Client::Test => formatter.write_str("the test"),
                    Client::Sv(programs) => write!(formatter, "{} sv", whose(programs)),
                    Client::Busybox => formatter.write_str("busybox"),
                }
            }
            Combination::Logged { first, next } => {
                write!(formatter, "{} svlogd, then {}", whose(first), whose(next))
            }
            Combination::Command { programs } => write!(formatter, "{} program", whose(programs)),
        }
    }
}
