//! `handoff` where it is not the `/init` of an initramfs. What it does there is seen in QEMU: `qemu/driver/src/handoff.rs`.

use support::Scratch;

#[test]
fn adds_handoff_is_not_for_users() {
    let scratch = Scratch::new();
    let output = scratch.command("handoff").args(["shutdown", "poweroff"]).output().expect("started");
    assert_eq!(output.status.code(), Some(111));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "handoff: fatal: must be run as process no 1.\n");
    assert!(output.stdout.is_empty());
}
