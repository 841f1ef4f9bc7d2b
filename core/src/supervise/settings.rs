//! What a service asks for by files in its directory: how it is stopped, how often it comes back, and whether it is done
//! when `./run` has ended
//! (service-directory(5)).

use crate::process::signal::Signal;
use crate::text::decimal;
use crate::time::Duration;

/// How a service is run, stopped and restarted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What is sent in the place of TERM.
    pub down_signal: Signal,
    /// How long `./run` may take to end.
    pub kill_after: Option<Duration>,
    /// How long `./finish` may take.
    pub finish_limit: Option<Duration>,
    /// After so many failing ends in a row the restarts back off; `None`: never.
    pub back_off_after: Option<u16>,
    /// `./run` is run once, and stays in force when it has ended well.
    pub is_one_shot: bool,
}

impl Settings {
    /// Those of a service that asks for nothing: as runit does it.
    pub const DEFAULT: Self = Self {
        down_signal: Signal::TERM,
        kill_after: None,
        finish_limit: None,
        back_off_after: None,
        is_one_shot: false,
    };
}

/// A file that holds a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum File {
    /// `down-signal`: a signal's name or number.
    DownSignal,
    /// `timeout-kill`: milliseconds, 0 for never.
    TimeoutKill,
    /// `timeout-finish`: milliseconds, 0 for never.
    TimeoutFinish,
    /// `max-death-tally`: a number.
    MaxDeathTally,
    /// `backoff`: there or not.
    Backoff,
    /// `oneshot`: there or not.
    OneShot,
}

impl File {
    /// Those that matter when a service is told to stop.
    pub const OF_STOP: &[Self] = &[Self::DownSignal, Self::TimeoutKill];

    /// Those that matter when `./run` is started.
    pub const OF_START: &[Self] = &[Self::OneShot];

    /// Those that matter for what was started before.
    pub const OF_TAKEOVER: &[Self] = &[Self::DownSignal, Self::TimeoutKill, Self::OneShot];

    /// Those that matter when it has ended; `backoff` before `max-death-tally`, which says more.
    pub const OF_END: &[Self] = &[Self::OneShot, Self::Backoff, Self::MaxDeathTally];

    /// Those that matter when `./finish` is started.
    pub const OF_FINISH: &[Self] = &[Self::TimeoutFinish];

    /// Those that say how long a stop may take.
    pub const OF_TIMES: &[Self] = &[Self::TimeoutKill, Self::TimeoutFinish];

    /// Whether it is the file's being there that counts, whatever it holds.
    pub fn is_flag(self) -> bool {
        matches!(self, Self::Backoff | Self::OneShot)
    }

    /// Its name, NUL-terminated.
    pub fn name(self) -> &'static core::ffi::CStr {
        match self {
            Self::DownSignal => c"down-signal",
            Self::TimeoutKill => c"timeout-kill",
            Self::TimeoutFinish => c"timeout-finish",
            Self::MaxDeathTally => c"max-death-tally",
            Self::Backoff => c"backoff",
            Self::OneShot => c"oneshot",
        }
    }
}

/// The content of a file makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Senseless;

impl Settings {
    /// Counts `file` as absent.
    pub fn forget(&mut self, file: File) {
        match file {
            File::DownSignal => self.down_signal = Self::DEFAULT.down_signal,
            File::TimeoutKill => self.kill_after = None,
            File::TimeoutFinish => self.finish_limit = None,
            File::Backoff => self.back_off_after = None,
            File::OneShot => self.is_one_shot = false,
            // What `backoff` says holds without it.
            File::MaxDeathTally => {}
        }
    }

    /// Takes what `file` holds: its first bytes, as many as there are or as [`crate::limits::SETTING_BYTES`] allows.
    ///
    /// # Errors
    /// [`Senseless`]; the setting stays as it was.
    pub fn take(&mut self, file: File, content: &[u8]) -> Result<(), Senseless> {
        let word = content.split(u8::is_ascii_whitespace).next().unwrap_or(&[]);
        let milliseconds = || match decimal(word).and_then(|number| u32::try_from(number).ok()) {
            Some(0) => Ok(None),
            Some(milliseconds) => Ok(Some(Duration::from_milliseconds(milliseconds))),
            None => Err(Senseless),
        };
        match file {
            File::DownSignal => self.down_signal = Signal::parse(word).ok_or(Senseless)?,
            File::TimeoutKill => self.kill_after = milliseconds()?,
            File::TimeoutFinish => self.finish_limit = milliseconds()?,
            File::MaxDeathTally => {
                let number = decimal(word).and_then(|number| u16::try_from(number).ok());
                self.back_off_after = Some(number.ok_or(Senseless)?);
            }
            File::Backoff => self.back_off_after = Some(0),
            File::OneShot => self.is_one_shot = true,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(file: File, content: &[u8]) -> Result<Settings, Senseless> {
        let mut settings = Settings::DEFAULT;
        settings.take(file, content).map(|()| settings)
    }

    fn every_file() -> impl Iterator<Item = File> {
        [File::OF_TAKEOVER, File::OF_END, File::OF_FINISH].into_iter().flatten().copied()
    }

    #[test]
    fn each_file_sets_its_own() {
        let mut settings = Settings::DEFAULT;
        for (file, content) in [
            (File::DownSignal, &b"HUP\n"[..]),
            (File::TimeoutKill, b"1500"),
            (File::TimeoutFinish, b"5000\r\n"),
            (File::Backoff, b""),
            (File::MaxDeathTally, b"3 times\n"),
            (File::OneShot, b""),
        ] {
            assert_eq!(settings.take(file, content), Ok(()));
        }
        assert_eq!(
            settings,
            Settings {
                down_signal: Signal::HUP,
                kill_after: Some(Duration::from_milliseconds(1500)),
                finish_limit: Some(Duration::from_seconds(5)),
                back_off_after: Some(3),
                is_one_shot: true,
            }
        );
    }

    #[test]
    fn what_is_absent_is_the_default() {
        let mut settings = Settings {
            down_signal: Signal::HUP,
            kill_after: Some(Duration::ZERO),
            finish_limit: Some(Duration::ZERO),
            back_off_after: Some(7),
            is_one_shot: true,
        };
        for file in every_file() {
            settings.forget(file);
        }
        assert_eq!(settings, Settings::DEFAULT);
    }

    #[test]
    fn zero_is_never() {
        assert_eq!(taken(File::TimeoutKill, b"0\n"), Ok(Settings::DEFAULT));
    }

    #[test]
    fn the_rest_is_senseless() {
        for content in ["", "\n", " 5", "5x", "-1", "4294967296", "5\0"] {
            for file in [File::TimeoutKill, File::TimeoutFinish, File::MaxDeathTally, File::DownSignal] {
                assert_eq!(taken(file, content.as_bytes()), Err(Senseless), "{content:?}");
            }
        }
        assert_eq!(taken(File::MaxDeathTally, b"65536"), Err(Senseless));
    }

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["15", "TERM", "term", "SIGTERM", "sigTerm\n"] {
            assert_eq!(taken(File::DownSignal, text.as_bytes()), Ok(Settings::DEFAULT), "{text}");
        }
        for (text, number) in [("1", 1), ("SYS", 31), ("64", 64), ("WINCH", 28), ("USR2", 12), ("CONT", 18)] {
            assert_eq!(taken(File::DownSignal, text.as_bytes()).unwrap().down_signal.number(), number);
        }
        for text in ["0", "65", "SIG", "SIG15", "NONE", "SIGSIGTERM"] {
            assert_eq!(taken(File::DownSignal, text.as_bytes()), Err(Senseless), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_content_is_taken_or_refused(content: Vec<u8>) {
            for file in every_file() {
                let _ = taken(file, &content);
            }
        }

        #[test]
        fn every_number_of_milliseconds_is_kept(milliseconds in 1_u32..) {
            let settings = taken(File::TimeoutKill, milliseconds.to_string().as_bytes()).unwrap();
            let duration = settings.kill_after.unwrap();
            let back = duration.seconds() * 1000 + u64::from(duration.nanoseconds() / 1_000_000);
            prop_assert_eq!(back, u64::from(milliseconds));
        }
    }
}
