//! The pipe through which services tell when they ran their first instruction.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// `struct report` of `stub.c`.
#[derive(Clone, Copy)]
pub struct Report {
    /// When it ran its first instruction.
    pub first_instruction: Duration,
    /// Its service directory.
    pub directory_inode: u64,
    /// The process.
    pub pid: i32,
}

impl Report {
    const BYTES: usize = 32;

    fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut numbers = bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_ne_bytes(*chunk));
        let seconds = numbers.next()?;
        let nanoseconds = u32::try_from(numbers.next()?).ok()?;
        let directory_inode = numbers.next()?;
        let pid = i32::try_from(numbers.next()?).ok()?;
        Some(Self { first_instruction: Duration::new(seconds, nanoseconds), directory_inode, pid })
    }
}

/// The reading end.
pub struct Reports(File);

impl Reports {
    /// A pipe, and its writing end for descriptor 1 of a supervisor.
    pub fn open() -> Result<(Self, Stdio)> {
        let (reader, writer) = std::io::pipe().context("unable to make a pipe")?;
        let reader = File::from(std::os::fd::OwnedFd::from(reader));
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).context("unable to prepare a pipe")?;
        Ok((Self(reader), writer.into()))
    }

    /// All that have come. Each was written at once, so that none is torn.
    pub fn take(&mut self) -> Result<Vec<Report>> {
        let mut bytes = [0; 512 * Report::BYTES];
        let mut taken = Vec::new();
        loop {
            let length = match self.0.read(&mut bytes) {
                Ok(0) => bail!("all services and their supervisor have ended"),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(taken),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("unable to read reports"),
            };
            let (reports, rest) = bytes[..length].as_chunks();
            let decoded: Option<Vec<Report>> = reports.iter().map(Report::decode).collect();
            match decoded {
                Some(decoded) if rest.is_empty() => taken.extend(decoded),
                _ => bail!("something that is no report came from the services"),
            }
        }
    }

    /// Sleeps until one comes, a minute at most.
    pub fn wait(&self) -> Result<()> {
        let mut descriptors = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PollTimeout::from(60_000u16)) {
            Ok(0) => bail!("waited 60 s in vain for a service to start"),
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error).context("unable to wait for a report"),
        }
    }
}
