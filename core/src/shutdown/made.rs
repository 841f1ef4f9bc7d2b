//! What a shutdown makes on its way, and undoes where it does not come to its end.

use core::ffi::CStr;

/// Something that a shutdown makes, and that is undone when it does not come to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    /// Who logs in is shown this, and let out again.
    NoLogin,
    /// Where programs look for it.
    NoLoginLink,
    /// The next boot checks no file systems.
    FastBoot,
    /// The next boot checks all file systems.
    ForceCheck,
}

impl Thing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoLogin, Self::NoLoginLink, Self::FastBoot, Self::ForceCheck];

    /// Where it is.
    pub const fn path(self) -> &'static CStr {
        match self {
            Self::NoLogin => c"/run/nologin",
            Self::NoLoginLink => c"/etc/nologin",
            Self::FastBoot => c"/fastboot",
            Self::ForceCheck => c"/forcefsck",
        }
    }

    /// Its letter in the record.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::NoLogin => b'n',
            Self::NoLoginLink => b'l',
            Self::FastBoot => b'f',
            Self::ForceCheck => b'F',
        }
    }
}

/// Which of them were made; a bit for each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Made(u8);

impl Made {
    /// Notes one.
    pub fn add(&mut self, thing: Thing) {
        self.0 |= 1 << thing as u8;
    }

    /// Whether one was made.
    pub fn has(self, thing: Thing) -> bool {
        self.0 & 1 << thing as u8 != 0
    }

    /// Each that was made.
    pub fn things(self) -> impl Iterator<Item = Thing> {
        Thing::ALL.iter().copied().filter(move |thing| self.has(*thing))
    }
}
