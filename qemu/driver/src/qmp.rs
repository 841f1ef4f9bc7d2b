//! QEMU's own control channel: commands out, answers and events in, one JSON value per line.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long QEMU itself, not the guest, may take for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

pub struct Qmp {
    reader: BufReader<UnixStream>,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Events that came while an answer was awaited.
    events: VecDeque<Value>,
}

impl Qmp {
    /// Reads the greeting and leaves the negotiation mode.
    ///
    /// # Errors
    /// QEMU says something else, or nothing.
    pub fn open(stream: UnixStream) -> Result<Self> {
        let mut qmp = Self { reader: BufReader::new(stream), partial: Vec::new(), events: VecDeque::new() };
        let greeting = qmp.read_value(Instant::now() + ANSWER_LIMIT)?.context("QMP: no greeting")?;
        if greeting.get("QMP").is_none() {
            bail!("QMP: not a greeting: {greeting}");
        }
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Runs one command and returns what it answers.
    ///
    /// # Errors
    /// The command is refused, or QEMU is gone.
    pub fn execute(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        self.reader
            .get_mut()
            .write_all(format!("{request}\n").as_bytes())
            .with_context(|| format!("QMP: unable to send {command}"))?;
        let deadline = Instant::now() + ANSWER_LIMIT;
        loop {
            let value =
                self.read_value(deadline)?.with_context(|| format!("QMP: closed before the answer to {command}"))?;
            if let Some(answer) = value.get("return") {
                return Ok(answer.clone());
            }
            if let Some(error) = value.get("error") {
                bail!("QMP: {command}: {error}");
            }
            self.events.push_back(value);
        }
    }

    /// Drops the events that have come so far.
    ///
    /// # Errors
    /// QEMU is gone.
    pub fn forget_events(&mut self) -> Result<()> {
        // Events before the answer come before it.
        self.execute("query-status", json!({}))?;
        self.events.clear();
        Ok(())
    }

    /// The data of the next event of this name, past or to come; other events before it are dropped. `None`: QEMU closed the channel.
    ///
    /// # Errors
    /// Neither event nor end within the limit.
    pub fn wait_event(&mut self, name: &str, limit: Duration) -> Result<Option<Value>> {
        let deadline = Instant::now() + limit;
        loop {
            let value = match self.events.pop_front() {
                Some(event) => event,
                None => match self.read_value(deadline).with_context(|| format!("QMP: waiting for {name}"))? {
                    Some(value) => value,
                    None => return Ok(None),
                },
            };
            if value.get("event").and_then(Value::as_str) == Some(name) {
                return Ok(Some(value["data"].clone()));
            }
        }
    }

    /// The next value, `None` at the end.
    fn read_value(&mut self, deadline: Instant) -> Result<Option<Value>> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("QMP: nothing came within the limit");
            }
            self.reader.get_ref().set_read_timeout(Some(left))?;
            match self.reader.read_until(b'\n', &mut self.partial) {
                Ok(0) => return Ok(None),
                Ok(_) if self.partial.ends_with(b"\n") => {
                    let line = std::mem::take(&mut self.partial);
                    return serde_json::from_slice(&line).map(Some).context("QMP: not JSON");
                }
                Ok(_) => return Ok(None),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                // A killed QEMU resets what was not read.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error).context("QMP: unable to read"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> (Qmp, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(b"{\"QMP\": {}}\r\n{\"return\": {}}\r\n").expect("written");
        (Qmp::open(ours).expect("open"), theirs)
    }

    #[test]
    fn an_event_before_the_answer_is_kept() {
        let (mut qmp, mut theirs) = opened();
        theirs
            .write_all(b"{\"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n{\"return\": {\"a\": 1}}\r\n")
            .expect("written");

        assert_eq!(qmp.execute("query-status", json!({})).expect("an answer"), json!({ "a": 1 }));
        assert_eq!(qmp.wait_event("RESET", ANSWER_LIMIT).expect("an event"), Some(json!({ "guest": true })));
    }

    #[test]
    fn a_refused_command_is_an_error_that_tells_why() {
        let (mut qmp, mut theirs) = opened();
        theirs.write_all(b"{\"error\": {\"desc\": \"no such key\"}}\n").expect("written");

        let error = qmp.execute("send-key", json!({})).expect_err("refused").to_string();
        assert!(error.contains("no such key"), "{error}");
    }

    #[test]
    fn the_end_is_not_an_event() {
        let (mut qmp, mut theirs) = opened();
        theirs.write_all(b"{\"event\": \"RESET\"}\n").expect("written");
        drop(theirs);

        assert_eq!(qmp.wait_event("SHUTDOWN", ANSWER_LIMIT).expect("the end"), None);
    }
}
