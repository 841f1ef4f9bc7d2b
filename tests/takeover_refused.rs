//! What a runsv finds in `supervise/status` and must not take over (F1, F27): another boot, another format, another
//! process, garbage. It is then as if nothing had been there.

use nix::sys::signal::Signal;
use support::{
    LISTEN, STATUS_BYTES, Scratch, Service, Supervisor, boot_name, children, command_line, is_alive, needs,
    process_fields, send_signal, wait_gone, wait_until,
};

/// A service that runs without its runsv, which was killed.
fn orphaned(scratch: &Scratch, name: &str) -> (Service, u32) {
    let service = scratch.service(name).run(LISTEN);
    let mut runsv = scratch.supervise(&service);
    let pid = service.wait_running();
    service.wait_lines("starts", 1);
    runsv.signal(Signal::SIGKILL);
    runsv.wait();
    (service, pid)
}

fn change(service: &Service, with: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = service.status_bytes().expect("status");
    assert_eq!(bytes.len(), STATUS_BYTES);
    with(&mut bytes);
    std::fs::write(service.path().join("supervise/status"), bytes).expect("status");
}

/// Starts a runsv, which starts the service: a second copy here, but only because the test lied.
#[track_caller]
fn starts_afresh(scratch: &Scratch, service: &Service, old: u32) -> Supervisor {
    let runsv = scratch.supervise(service);
    let new = service.wait_running_other_than(old);
    assert_eq!(service.wait_lines("starts", 2)[1], new.to_string());
    let extension = service.extension().expect("an extension");
    assert!(!extension.is_taken_over && extension.supervisor == runsv.pid(), "{extension:?}");
    assert_eq!(runsv.stderr(), "");
    runsv
}

fn put_number(bytes: &mut [u8], at: usize, number: u64, size: usize) {
    bytes[at..at + size].copy_from_slice(&number.to_le_bytes()[..size]);
}

#[test]
fn mends_f1_dead_process_is_not_taken_over() {
    let scratch = Scratch::new();
    let (service, pid) = orphaned(&scratch, "web");
    send_signal(pid, Signal::SIGKILL);
    wait_gone(pid);
    starts_afresh(&scratch, &service, pid);
}

/// A pid that was given out again: whoever has it now is left alone.
#[test]
fn mends_f1_process_that_began_later_is_another() {
    let scratch = Scratch::new();
    let (service, pid) = orphaned(&scratch, "web");
    send_signal(pid, Signal::SIGKILL);
    wait_gone(pid);
    let bytes = service.status_bytes().expect("status");
    let written = u64::from_le_bytes(bytes[72..80].try_into().expect("8 bytes")) / 10_000_000;
    let other = wait_until("a process that began later", || {
        let mut command = scratch.command("sleep");
        command.arg("1000");
        let other = scratch.start(command, Signal::SIGKILL);
        let began: u64 = process_fields(other.pid())?[19].parse().expect("ticks");
        (began > written + 20).then_some(other)
    });
    change(&service, |bytes| put_number(bytes, 12, other.pid().into(), 4));
    let mut runsv = starts_afresh(&scratch, &service, other.pid());
    service.send("dx");
    runsv.wait();
    assert!(is_alive(other.pid()));
}

#[test]
fn mends_f1_record_of_another_boot_is_not_believed() {
    let scratch = Scratch::new();
    let (service, pid) = orphaned(&scratch, "web");
    change(&service, |bytes| bytes[44] = if bytes[44] == b'0' { b'1' } else { b'0' });
    starts_afresh(&scratch, &service, pid);
}

#[test]
fn adds_record_names_the_boot() {
    let scratch = Scratch::new();
    let (service, _pid) = orphaned(&scratch, "web");
    assert_eq!(service.extension().expect("an extension").boot, boot_name());
}

/// Another implementation was there: it knows nothing of taking over, and what it left is as it would be for itself.
#[test]
fn mends_f27_twenty_bytes_are_not_enough() {
    let scratch = Scratch::new();
    let (service, pid) = orphaned(&scratch, "web");
    change(&service, |bytes| bytes.truncate(20));
    starts_afresh(&scratch, &service, pid);
}

#[test]
fn mends_f27_record_of_another_version_is_not_believed() {
    let scratch = Scratch::new();
    for (name, at, byte) in [("mark", 20, b'q'), ("version", 21, 2)] {
        let (service, pid) = orphaned(&scratch, name);
        change(&service, |bytes| bytes[at] = byte);
        starts_afresh(&scratch, &service, pid);
    }
}

/// What is done to a good record of a process that lives.
type Spoil = fn(&mut Vec<u8>);

const GARBAGE: &[(&str, Spoil)] = &[
    ("empty", |bytes| bytes.clear()),
    ("one-byte", |bytes| bytes.truncate(1)),
    ("short", |bytes| bytes.truncate(79)),
    ("zeros", |bytes| bytes.fill(0)),
    ("ones", |bytes| bytes.fill(0xff)),
    ("ones-marked", |bytes| {
        bytes.fill(0xff);
        bytes[20..22].copy_from_slice(&[b'p', 1]);
    }),
    ("pid-0", |bytes| put_number(bytes, 12, 0, 4)),
    ("pid-all", |bytes| put_number(bytes, 12, 0xffff_ffff, 4)),
    ("pid-negative", |bytes| put_number(bytes, 12, 0x8000_0002, 4)),
    ("pid-beyond", |bytes| put_number(bytes, 12, 0x7fff_ffff, 4)),
    ("state-3", |bytes| bytes[19] = 3),
    ("state-down", |bytes| bytes[19] = 0),
    ("nanoseconds", |bytes| put_number(bytes, 32, 0xffff_ffff, 4)),
    ("stamp-0", |bytes| put_number(bytes, 24, 0, 8)),
    ("stamp-beyond", |bytes| put_number(bytes, 24, u64::MAX, 8)),
    ("written-0", |bytes| put_number(bytes, 72, 0, 8)),
    ("wanted", |bytes| bytes[22] = b'?'),
    ("pipe", |bytes| put_number(bytes, 52, 1, 4)),
    ("long", |bytes| bytes.resize(5000, 0xff)),
];

/// Whatever it holds, the record makes runsv neither crash nor hang nor signal a stranger. In a pid namespace, for a pid
/// of -1 means all.
#[test]
fn mends_f27_garbage_does_no_harm() {
    if !needs(&["namespaces"]) {
        return;
    }
    let scratch = Scratch::new();
    let (good, _pid) = orphaned(&scratch, "good");
    let good = good.status_bytes().expect("status");
    for (name, spoil) in GARBAGE {
        let service = scratch.service(name).run(LISTEN);
        let mut bytes = good.clone();
        put_number(&mut bytes, 12, 2, 4);
        spoil(&mut bytes);
        scratch.directory(&format!("{name}/supervise"));
        std::fs::write(service.path().join("supervise/status"), &bytes).expect("status");
        let mut command = scratch.command("unshare");
        let script = "sleep 1000 & exec runsv \"$0\"";
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, name]);
        let namespace = scratch.start(command, Signal::SIGKILL);
        wait_until(&format!("a start of {name}: {}", namespace.stderr()), || {
            (service.lines("starts").len() == 1).then_some(())
        });
        let extension = service.wait_extension(name, |_, extension| extension.supervisor == 1);
        assert!(!extension.is_taken_over, "{name}: {extension:?}");
        service.send("hd");
        service.wait_stat("down");
        let inside = children(namespace.pid())[0];
        assert!(
            children(inside).iter().any(|pid| command_line(*pid) == ["sleep", "1000"]),
            "the stranger of {name} is gone: {:?}, {}",
            children(inside),
            namespace.stderr()
        );
    }
}
