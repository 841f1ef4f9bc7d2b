//! A service directory without a runsv: the test holds the fifos, so what `sv` reads and writes is exact.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use crate::service::Service;
use crate::status::Status;

/// A service whose supervisor is the test.
pub struct FakeService {
    service: Service,
    control: File,
    _ok: File,
}

impl FakeService {
    /// Makes `supervise/` with its two fifos open and this status.
    pub fn create(service: Service, status: Status) -> FakeService {
        let supervise = service.path().join("supervise");
        std::fs::create_dir_all(&supervise).expect("supervise");
        let open = |name: &str, write: bool| {
            let path = supervise.join(name);
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600)).expect("a fifo");
            std::fs::OpenOptions::new()
                .read(true)
                .write(write)
                .custom_flags(nix::libc::O_NONBLOCK)
                .open(path)
                .expect("a fifo")
        };
        let control = open("control", true);
        let ok = open("ok", false);
        let fake = FakeService { service, control, _ok: ok };
        fake.set(status);
        fake
    }

    /// Replaces the status record, whole.
    pub fn set(&self, status: Status) {
        let path = self.service.path().join("supervise/status");
        let new = path.with_extension("new");
        std::fs::write(&new, status.encode()).expect("status.new");
        std::fs::rename(new, path).expect("status");
    }

    /// The service directory.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// What was written to `control` since the last call.
    pub fn received(&mut self) -> String {
        let mut bytes = [0; 64];
        match self.control.read(&mut bytes) {
            Ok(count) => String::from_utf8_lossy(&bytes[..count]).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => String::new(),
            Err(error) => panic!("control: {error}"),
        }
    }
}
