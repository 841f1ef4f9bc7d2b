//! Waits for descriptors or a deadline: the only call that blocks a supervisor.

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::BorrowedFd;
use supervision::limits::LOOK_INTERVAL;
use supervision::time::{Instant, earlier};

use crate::clock;

/// Descriptors that one wait can be for: a supervisor's signals, two fifos, and two processes that are not its children.
const WAITED: usize = 5;

/// Waits until one of `descriptors` can be read (or its other end is gone), or until `deadline`.
/// Returns which of them are ready; none after the deadline, or when a signal came first.
///
/// `None` in the place of a descriptor is never ready.
pub fn wait(descriptors: [Option<BorrowedFd<'_>>; WAITED], deadline: Option<Instant>) -> [bool; WAITED] {
    // The place of `None` asks nothing of the first that is there.
    let Some(spare) = descriptors.iter().find_map(|descriptor| *descriptor) else {
        poll(&mut [], deadline);
        return [false; WAITED];
    };
    let mut polled = descriptors.map(|descriptor| match descriptor {
        Some(descriptor) => PollFd::from_borrowed_fd(descriptor, PollFlags::IN),
        None => PollFd::from_borrowed_fd(spare, PollFlags::empty()),
    });
    let outcome = poll(&mut polled, deadline);
    if outcome == Polled::Failed
        && let Some(first) = polled.first_mut()
    {
        // For one alone there is room; the others are tried now and then.
        poll(core::slice::from_mut(first), earlier(deadline, Some(clock::monotonic().plus(LOOK_INTERVAL))));
    }
    let mut ready = [false; WAITED];
    for ((ready, polled), descriptor) in ready.iter_mut().zip(&polled).zip(&descriptors) {
        *ready = descriptor.is_some() && (outcome == Polled::Failed || !polled.revents().is_empty());
    }
    ready
}

/// Waits until `descriptor` can be read, or until `deadline`; whether it can.
pub fn wait_for(descriptor: BorrowedFd<'_>, deadline: Option<Instant>) -> bool {
    poll(&mut [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)], deadline) != Polled::Nothing
}

/// Waits until `deadline`.
pub fn pause_until(deadline: Instant) {
    poll(&mut [], Some(deadline));
}

/// What a poll found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polled {
    Nothing,
    Something,
    /// The kernel will not poll (no descriptors allowed any more): each must be tried, which takes no waiting.
    Failed,
}

fn poll(polled: &mut [PollFd<'_>], deadline: Option<Instant>) -> Polled {
    let timeout = deadline.map(|deadline| {
        let left = deadline.since(clock::monotonic());
        Timespec {
            tv_sec: i64::try_from(left.seconds()).unwrap_or(i64::MAX),
            tv_nsec: left.nanoseconds().cast_signed().into(),
        }
    });
    match rustix::event::poll(polled, timeout.as_ref()) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Polled::Nothing,
        Ok(_) => Polled::Something,
        Err(_) => Polled::Failed,
    }
}

/// Whether `descriptor` can be read now.
pub fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    wait_for(descriptor, Some(Instant::ORIGIN))
}

/// Whether nobody reads the pipe whose writing end this is.
pub fn has_no_reader(writer: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(writer, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut polled, Some(&now)).is_ok()
        && polled.iter().all(|polled| polled.revents().contains(PollFlags::ERR))
}

/// Whether all of these are open descriptors.
pub fn are_open(descriptors: [BorrowedFd<'_>; 3]) -> bool {
    let mut polled = descriptors.map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::empty()));
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // A descriptor that is closed is told as such although nothing is asked of it.
    rustix::event::poll(&mut polled, Some(&now)).is_ok()
        && polled.iter().all(|polled| !polled.revents().contains(PollFlags::NVAL))
}

/// Whether a short line can be written to `descriptor` without waiting.
pub fn is_writable(descriptor: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(descriptor, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut polled, Some(&now)).is_ok_and(|count| count > 0)
        && polled.iter().all(|polled| polled.revents() == PollFlags::OUT)
}
