//! What `sv status` prints, read back: `run: NAME: (pid N) Ns, flags; run: log: (pid N) Ns`.

use anyhow::{Context, Result, bail};

#[derive(Debug, PartialEq, Eq)]
pub struct StatusLine {
    pub state: String,
    pub name: String,
    pub pid: Option<u32>,
    pub seconds: u64,
    /// `normally up`, `want down` and the like.
    pub flags: Vec<String>,
    pub log: Option<Box<StatusLine>>,
}

impl StatusLine {
    /// Reads one line, of a service with or without its log service.
    ///
    /// # Errors
    /// The line is not in that form; it stands in the error.
    pub fn parse(line: &str) -> Result<Self> {
        let (service, log) = match line.split_once("; ") {
            Some((service, log)) => (service, Some(log)),
            None => (line, None),
        };
        let mut status = parse_service(service).with_context(|| format!("not a status line: {line:?}"))?;
        if let Some(log) = log {
            status.log = Some(Box::new(parse_service(log).with_context(|| format!("not a status line: {line:?}"))?));
        }
        Ok(status)
    }

    /// The pid of a service that runs.
    ///
    /// # Errors
    /// It does not run.
    pub fn running_pid(&self) -> Result<u32> {
        match self.pid {
            Some(pid) if self.state == "run" => Ok(pid),
            _ => bail!(
                "{} does not run: {}, pid {:?}, {}s {:?}",
                self.name,
                self.state,
                self.pid,
                self.seconds,
                self.flags
            ),
        }
    }
}

fn parse_service(text: &str) -> Result<StatusLine> {
    let (state, rest) = text.split_once(": ").context("no state")?;
    let (name, rest) = rest.split_once(": ").context("no name")?;
    let (pid, rest) = match rest.strip_prefix("(pid ") {
        Some(rest) => {
            let (pid, rest) = rest.split_once(") ").context("no end of the pid")?;
            (Some(pid.parse()?), rest)
        }
        None => (None, rest),
    };
    let mut words = rest.split(", ");
    let seconds = words.next().and_then(|word| word.strip_suffix('s')).context("no seconds")?.parse()?;
    if !matches!(state, "run" | "down" | "finish") {
        bail!("no such state: {state}");
    }
    Ok(StatusLine {
        state: state.to_owned(),
        name: name.to_owned(),
        pid,
        seconds,
        flags: words.map(str::to_owned).collect(),
        log: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_its_log() {
        let status =
            StatusLine::parse("run: logged: (pid 22691) 7s; down: log: 1s, normally up, want up").expect("a status");

        assert_eq!(status.running_pid().expect("a pid"), 22691);
        assert_eq!((status.name.as_str(), status.seconds), ("logged", 7));
        let log = status.log.expect("a log");
        assert_eq!((log.state.as_str(), log.pid, log.seconds), ("down", None, 1));
        assert_eq!(log.flags, ["normally up", "want up"]);
        assert!(log.running_pid().is_err());
    }

    #[test]
    fn a_service_in_finish_does_not_run() {
        let status = StatusLine::parse("finish: fin: (pid 22911) 3s, want down").expect("a status");

        assert_eq!(status.pid, Some(22911));
        assert!(status.running_pid().is_err());
    }

    #[test]
    fn messages_are_not_status_lines() {
        for line in [
            "fail: gone: runsv not running",
            "warning: a: unable to open supervise/ok: file does not exist",
            "",
            "run: x",
        ] {
            assert!(StatusLine::parse(line).is_err(), "{line}");
        }
    }
}
