//! Who plays: which program supervises and which one is the client.

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
pub struct Combination {
    /// Whose `runsv` and `runsvdir`.
    pub supervisor: Programs,
    /// Whose client.
    pub client: Client,
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
        };
        let supervisors: &[Programs] = match self {
            Roles::Client => &[Runit],
            Roles::Supervisor | Roles::Both | Roles::Told | Roles::Busybox => &[Runit, Ours],
        };
        let pairs = supervisors.iter().flat_map(|supervisor| clients.iter().map(move |client| (*supervisor, *client)));
        pairs.map(|(supervisor, client)| Combination { supervisor, client }).collect()
    }
}

impl std::fmt::Display for Combination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let supervisor = match self.supervisor {
            Programs::Runit => "runit's runsv",
            Programs::Ours => "our runsv",
        };
        let client = match self.client {
            Client::Test => "the test",
            Client::Sv(Programs::Runit) => "runit's sv",
            Client::Sv(Programs::Ours) => "our sv",
            Client::Busybox => "busybox",
        };
        write!(formatter, "{supervisor} and {client}")
    }
}
