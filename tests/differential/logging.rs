//! What a scenario can do with `svlogd`.

use nix::sys::signal::Signal;
use support::{LogDirectory, LogPipe, Logger, Output};

use crate::contents::{describe_bytes, describe_files, describe_log, without_stamps};
use crate::play::Play;
use crate::words::describe_ending;

impl Play {
    /// A new log directory, empty.
    pub fn log(&self, name: &str) -> LogDirectory {
        self.scratch().log(name)
    }

    /// Starts the first `svlogd` and waits until it waits for input, or has ended.
    pub fn svlogd(&self, words: &[&str]) -> Logger {
        let mut logger = self.scratch().svlogd(words);
        logger.settle();
        logger
    }

    /// Starts the `svlogd` that goes on, and waits like that.
    pub fn next_svlogd(&self, words: &[&str]) -> Logger {
        self.next_svlogd_on(LogPipe::new(), words)
    }

    /// Starts the `svlogd` that goes on with what is left in a pipe, and waits like that.
    pub fn next_svlogd_on(&self, input: LogPipe, words: &[&str]) -> Logger {
        let mut logger = self.scratch().logger(input, self.client(words));
        logger.settle();
        logger
    }

    /// Ends the input of a logger, waits for its end, and records how it ended and what it said.
    pub fn end_input(&mut self, mut logger: Logger) {
        let output = logger.end();
        self.saw_end(&output);
    }

    /// The same with TERM.
    pub fn terminate(&mut self, mut logger: Logger) {
        let output = logger.terminate();
        self.saw_end(&output);
    }

    /// Waits for the end of a logger and records how it ended and what it said.
    pub fn log_ended(&mut self, mut logger: Logger) {
        let ending = logger.wait();
        self.saw_end(&Output { ending, stdout: logger.stdout(), stderr: logger.stderr() });
    }

    fn saw_end(&mut self, output: &Output) {
        self.saw_exactly("end of svlogd", &describe_ending(output.ending));
        self.saw_bytes("stdout of svlogd", output.stdout.as_bytes());
        self.saw_bytes("stderr of svlogd", output.stderr.as_bytes());
    }

    /// Runs `svlogd` with these words on this input, to its end, and records how it ended and what it said.
    pub fn log_all(&mut self, words: &[&str], input: impl AsRef<[u8]>) {
        let mut logger = self.scratch().svlogd(words);
        logger.write(input);
        self.end_input(logger);
    }

    /// The same with the one that goes on.
    pub fn log_all_next(&mut self, words: &[&str], input: impl AsRef<[u8]>) {
        let mut logger = self.next_svlogd(words);
        logger.write(input);
        self.end_input(logger);
    }

    /// Feeds a line for each number, and has the files rotated after each.
    pub fn rotate_each(&self, logger: &mut Logger, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            logger.feed(format!("line {number}\n"));
            logger.tell(Signal::SIGALRM);
        }
    }

    /// Records the files of a log directory.
    pub fn look_at_log(&mut self, log: &LogDirectory) {
        let text = describe_log(log);
        self.saw_exactly(&format!("files of {}", log.name()), text.trim_end_matches('\n'));
    }

    /// Records the names, modes and sizes of the files of a log directory.
    pub fn look_at_sizes(&mut self, log: &LogDirectory) {
        let text = describe_files(log);
        self.saw_exactly(&format!("sizes of {}", log.name()), &text);
    }

    /// Records bytes as lines.
    pub fn saw_bytes(&mut self, label: &str, bytes: &[u8]) {
        let mut text = String::new();
        describe_bytes(bytes, &mut text);
        self.saw_exactly(label, text.trim_end_matches('\n'));
    }

    /// Records text without its stamps.
    pub fn saw_stamped(&mut self, label: &str, text: &str) {
        self.saw_exactly(label, &without_stamps(text.trim_end_matches('\n')));
    }
}
