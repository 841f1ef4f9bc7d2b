//! The words of pid 1 (`runit.md`, section 7).

use core::ffi::CStr;

use heapless::Vec;
use supervision::boot::stage::{Child, Ending, Notice, Stage};

/// The parts of one line.
pub type Parts = Vec<&'static [u8], 6>;

/// The path of a child's program; none for the child that ends the machine.
pub fn path(child: Child) -> &'static CStr {
    match child {
        Child::Stage(Stage::One) => c"/etc/runit/1",
        Child::Stage(Stage::Two) => c"/etc/runit/2",
        Child::Stage(Stage::Three) => c"/etc/runit/3",
        Child::CtrlAltDel => c"/etc/runit/ctrlaltdel",
        Child::PowerFail => c"/etc/runit/pwrfail",
        Child::Emergency => c"/etc/runit/emergency",
        Child::Ending { .. } => c"the end",
    }
}

/// Makes the line that tells `notice`.
pub fn write(notice: Notice, parts: &mut Parts) {
    let stage = |stage| path(Child::Stage(stage)).to_bytes();
    let mut push = |part: &'static [u8]| {
        // No line has more parts than there is room for.
        let _ = parts.push(part);
    };
    push(b"- runit: ");
    match notice {
        Notice::Enter(child) => {
            push(b"enter stage: ");
            push(path(child).to_bytes());
        }
        Notice::LeaveChild(child) => {
            push(b"leave stage: ");
            push(path(child).to_bytes());
        }
        Notice::UnableToFork(child, errno) => {
            push(b"fatal: unable to fork for \"");
            push(path(child).to_bytes());
            push(b"\" pausing: ");
            push(errno.text());
        }
        Notice::UnableToStart(child, errno) => {
            push(b"fatal: unable to start child: ");
            push(path(child).to_bytes());
            push(b": ");
            push(errno.text());
        }
        Notice::Crashed(child) => {
            push(b"warning: child crashed: ");
            push(path(child).to_bytes());
        }
        Notice::Failed(child) => {
            push(b"warning: child failed: ");
            push(path(child).to_bytes());
        }
        Notice::Emergency(of) => {
            push(b"warning: running the emergency program instead of: ");
            push(stage(of));
        }
        Notice::Stranded(of) => {
            push(b"fatal: nothing can be run instead of: ");
            push(stage(of));
            push(b": waiting for ctrl-alt-del");
        }
        Notice::NotTerminated(Stage::One) => push(b"warning: stage 1 not terminated, sending sigkill..."),
        Notice::NotTerminated(_) => push(b"warning: stage 2 not terminated, sending sigkill..."),
        Notice::SkippingStageTwo => push(b"warning: skipping stage 2..."),
        Notice::KillingStageTwo => push(b"warning: killing all processes in stage 2..."),
        Notice::Restarting => push(b"warning: restarting."),
        Notice::CtrlAltDelRequest => push(b"ctrl-alt-del request..."),
        Notice::GoingDownAlready => push(b"warning: busy with a request already, a third one forces it."),
        Notice::Forcing => push(b"warning: forced by ctrl-alt-del, sending sigkill..."),
        Notice::PowerFailure => push(b"power failure..."),
        Notice::PowerFailureIgnored => push(b"warning: power failure ignored: /etc/runit/pwrfail is not executable."),
        Notice::KillingAll => push(b"sending KILL signal to all processes..."),
        Notice::Ending(Ending::Reboot) => push(b"system reboot."),
        Notice::Ending(Ending::PowerOff) => push(b"power off..."),
        Notice::Ending(Ending::Halt) => push(b"system halt."),
        Notice::NotSynced => push(b"warning: sync takes too long, going on without it."),
    }
}
