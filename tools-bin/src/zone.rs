//! Where local time comes from: `TZ`, or `/etc/localtime`.

use core::ffi::CStr;

use supervision::limits::ZONE_BYTES;
use supervision::local_time::{Zone, file_name};
use supervision::text::Path;
use sys::file::{self, CURRENT};
use sys::process::Environment;

/// What holds where nothing is said.
const LOCAL: &[u8] = b"/etc/localtime";
/// Where zones are by their names.
const DATABASE: &[u8] = b"/usr/share/zoneinfo/";

/// The zone that this environment means, in `buffer` if it comes from a file; UTC if it is not there, or makes no sense.
pub fn load(buffer: &mut [u8; ZONE_BYTES], environment: Environment) -> Zone<'_> {
    let name = match environment.variable(b"TZ").map(CStr::to_bytes) {
        None => Some(LOCAL),
        Some(value) => match Zone::from_rule(value) {
            Some(zone) => return zone,
            None => file_name(value),
        },
    };
    name.and_then(|name| read(name, buffer)).unwrap_or(Zone::UTC)
}

fn read<'buffer>(name: &[u8], buffer: &'buffer mut [u8; ZONE_BYTES]) -> Option<Zone<'buffer>> {
    let mut path = Path::new();
    if !name.starts_with(b"/") {
        path.push(DATABASE);
    }
    path.push(name);
    let zone = file::open_read(CURRENT, path.terminated()?).ok()?;
    let bytes = file::read(zone.as_fd(), buffer).ok()?;
    // One that fills the buffer may be longer.
    if bytes.len() < ZONE_BYTES { Zone::from_file(bytes) } else { None }
}
