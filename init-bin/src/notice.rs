//! The words of pid 1 (runit-init(8)).

use core::ffi::CStr;

use supervision::boot::event::{Child, Ending, Notice, Stage};
use supervision::process::errno::Errno;

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

/// The words that tell `notice`: a template, what stands in its place, and why.
pub fn words(notice: Notice) -> (&'static [u8], &'static CStr, Option<Errno>) {
    let stage = |stage| path(Child::Stage(stage));
    let nothing = c"";
    match notice {
        Notice::Enter(child) => (b"enter stage: %", path(child), None),
        Notice::LeaveChild(child) => (b"leave stage: %", path(child), None),
        Notice::UnableToFork(child, errno) => (b"fatal: unable to fork for \"%\" pausing", path(child), Some(errno)),
        Notice::UnableToStart(child, errno) => (b"fatal: unable to start child: %", path(child), Some(errno)),
        Notice::Crashed(child) => (b"warning: child crashed: %", path(child), None),
        Notice::Failed(child) => (b"warning: child failed: %", path(child), None),
        Notice::Emergency(of) => (b"warning: running the emergency program instead of: %", stage(of), None),
        Notice::Stranded(of) => (b"fatal: nothing can be run instead of: %, waiting for ctrl-alt-del", stage(of), None),
        Notice::NotTerminated(of) => {
            let number = match of {
                Stage::One => c"1",
                Stage::Two => c"2",
                Stage::Three => c"3",
            };
            (b"warning: stage % not terminated, sending sigkill...", number, None)
        }
        Notice::SkippingStageTwo => (b"warning: skipping stage 2...", nothing, None),
        Notice::KillingStageTwo => (b"warning: killing all processes in stage 2...", nothing, None),
        Notice::Restarting => (b"warning: restarting.", nothing, None),
        Notice::CtrlAltDelRequest => (b"ctrl-alt-del request...", nothing, None),
        Notice::GoingDownAlready => (b"warning: busy, the third request forces it.", nothing, None),
        Notice::Forcing => (b"warning: forced by ctrl-alt-del, sending sigkill...", nothing, None),
        Notice::PowerFailure => (b"power failure...", nothing, None),
        Notice::PowerFailureIgnored => {
            (b"warning: power failure ignored: % is not executable.", path(Child::PowerFail), None)
        }
        Notice::KillingAll => (b"sending KILL signal to all processes...", nothing, None),
        Notice::Ending(Ending::Reboot) => (b"system reboot.", nothing, None),
        Notice::Ending(Ending::PowerOff) => (b"power off...", nothing, None),
        Notice::Ending(Ending::Halt) => (b"system halt.", nothing, None),
        Notice::Ending(Ending::Kexec) => (b"system kexec.", nothing, None),
        Notice::NoKexec => (b"warning: unable to start another kernel by kexec.", nothing, None),
        Notice::NotSynced => (b"warning: sync takes too long.", nothing, None),
    }
}
