//! What the `/init` of an initramfs knows: what it was asked for, and what lies on block devices.

pub mod command_line;
pub mod device;
pub mod fstab;
pub mod identity;
mod keyword;
pub mod lines;
pub mod module;
pub mod mount_options;
pub mod partition;
pub mod superblock;
pub mod uevent;

/// What is before the first such byte, and what is behind it.
fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..place)?, text.get(place.wrapping_add(1)..)?))
}
