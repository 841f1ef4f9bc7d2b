//! Every capacity: its value, its unit, why it is that large, and what happens when it is full.

use crate::time::Duration;

/// Commands that wait while a control script runs: one of each kind that waits, so it is never full.
pub const WAITING_COMMANDS: usize = 9;

/// Bytes that a supervisor takes from a control fifo before it looks at what else happened.
pub const COMMANDS_AT_ONCE: usize = 8;

/// Actions that one event can make a service and its log service ask for. Proven by the test that
/// tries every short history, with room to spare.
pub const PAIR_ACTIONS: usize = 12;

/// Actions that one event can make pid 1 ask for. Proven likewise.
pub const STAGE_ACTIONS: usize = 8;

/// Services below one directory, as in runit. One more is refused with a message.
pub const SERVICES: usize = 1000;

/// Services that one call of `sv` tells before it waits for them; more are told after these.
pub const SERVICES_AT_ONCE: usize = 512;

/// What a control script gets that is still busy when its service is down and told to exit.
pub const HOOK_GRACE: Duration = Duration::from_seconds(5);

/// Descriptors that `sv` keeps for looking at a service: enough for all that are open at one time.
pub const RESERVED: usize = 4;

/// What `sv` waits beyond the time that a service's supervisor gives it to stop.
pub const STOP_MARGIN: Duration = Duration::from_seconds(1);

/// Until `sv` looks again where nothing tells it of a change: a check script that did not pass.
pub const CHECK_INTERVAL: Duration = Duration::from_milliseconds(420);

/// Bytes of the longest status text: `finish, paused, got TERM, want down` and a newline.
pub const STAT_LINE: usize = 40;

/// Bytes of a status file: the 20 that everybody knows, and ours.
pub const STATUS_FILE: usize = 80;

/// Bytes read of a file that holds a setting, a number or a signal's name. What is behind them is not looked at.
pub const SETTING_BYTES: usize = 32;

/// Bytes of what `sv status` says behind a service's name, numbers of 20 digits included.
pub const STATUS_TAIL: usize = 128;

/// Parts of one line: the longest is that of a service and its log service, five and six and what joins them.
pub const MESSAGE_PARTS: usize = 14;

/// Bytes of the longest path that is made here: the text of a `supervise` link, the true path of a service
/// directory. A longer one counts as missing. Small, because it lies on the stack of every supervisor.
pub const PATH_BYTES: usize = 1024;

/// What is put before or behind such a path: `/run/runit/supervise.`, `-log`, a NUL.
pub const PATH_MARGIN: usize = 32;

/// Bytes of the text of a link, with a NUL; the kernel takes no longer one. A program that ends at once may have so much
/// on its stack.
pub const LINK_BYTES: usize = 4096;

/// Links on the way to a directory; the kernel itself follows 40. Those beyond are not watched.
pub const LINKS: usize = 16;

/// Names of entries that were told to be in trouble, so that they are not told again; what is beyond is told each time.
pub const TOLD_NAMES: usize = 32;

/// Between two marks in the log of a `runsvdir`: that it lives.
pub const MARK_INTERVAL: Duration = Duration::from_seconds(900);

/// Bytes of services' messages that a `runsvdir` takes at once.
pub const READOUT_BYTES: usize = 1024;

/// Between two starts of `./run`, and of a `runsv` that ends at once.
pub const START_INTERVAL: Duration = Duration::from_seconds(1);

/// The longest time between two starts of a service that keeps failing, if it asks for patience.
pub const LONGEST_BACK_OFF: u16 = 60;

/// An end so soon after the start counts as failing.
pub const FAILING_LIFE: Duration = Duration::from_seconds(10);

/// Until a process that is watched without the kernel's help is looked at again; and what is left of a
/// `supervise/` that somebody is removing is left alone for so long.
pub const LOOK_INTERVAL: Duration = Duration::from_seconds(1);

/// Where the kernel does not tell of changes: until the next look for them, as in runit. Also until an entry
/// that could not be examined is tried again.
pub const SCAN_INTERVAL: Duration = Duration::from_seconds(5);

/// The same where there was a change just now, or the directory is missing.
pub const SCAN_RETRY: Duration = Duration::from_seconds(1);

/// Until a process that could not be forked is tried again.
pub const FORK_RETRY: Duration = Duration::from_seconds(5);

/// What stage 1 or 2 gets between TERM and KILL when a shutdown was asked for.
pub const STAGE_GRACE: Duration = Duration::from_seconds(5);

/// What stage 3 gets in all, services with long good-byes included. After it, what is left is killed.
pub const STAGE_THREE_LIMIT: Duration = Duration::from_seconds(600);

/// Until a stage that crashed, or could not be run, is tried again.
pub const STAGE_RETRY: Duration = Duration::from_seconds(5);

/// Bytes of a kernel's release, with a NUL: the kernel has no longer one.
pub const RELEASE_BYTES: usize = 65;

/// Bytes read of the stop file, and of that of the exit code: the longest word in it has eight, and a newline. One with more says
/// nothing.
pub const STOP_FILE_BYTES: usize = 16;

/// Until the child that ends the machine is forked again, if there was no room for it among those that were just killed.
pub const END_RETRY: Duration = Duration::from_seconds(1);

/// How long the last sync may take before pid 1 ends the machine without it.
pub const SYNC_LIMIT: Duration = Duration::from_seconds(30);

/// After this long a machine that did not go off when told is halted.
pub const POWER_OFF_LIMIT: Duration = Duration::from_seconds(2);

/// So many ctrl-alt-del requests during stage 3, or during the script of the first one, end the wait.
pub const FORCING_INTERRUPTS: u8 = 3;

/// Children that pid 1 takes before it listens again. Tens of thousands may end at once.
pub const REAPED_AT_ONCE: u16 = 256;

/// Log directories of one `svlogd`. One more is refused at the start.
pub const LOG_DIRECTORIES: usize = 32;

/// Bytes of lines that a `svlogd` holds, for all its directories together; more if it is told so. As much as is read at
/// once comes from it, so it decides how many system calls there are. Full: lines are dropped, or no more is read.
/// Less than whole pages, so that a small config fits into the last one.
pub const LINES_BYTES: usize = 44 * 1024 - 512;

/// Characters of a line by which it is chosen, if nothing else is said.
pub const LINE_CHARACTERS: usize = 1000;

/// What `svlogd -b` counts as without being given, as in runit.
pub const BUFFER_LENGTH: usize = 1024;

/// Bytes of the config of a log directory; what is behind them is told and not looked at.
pub const CONFIG_BYTES: usize = 8192;

/// Faults of one config that are told.
pub const CONFIG_FAULTS: u32 = 10;

/// Bytes at which a log file is rotated, if nothing else is said.
pub const LOG_SIZE: u64 = 1_000_000;

/// Old log files that are kept, if nothing else is said.
pub const LOG_FILES: u32 = 10;

/// Files that wait for a processor beside those that are kept; of more the oldest is removed.
pub const WAITING_FILES: u32 = 100;

/// Old log files that are removed after one look at their directory. If more must go there is another look.
pub const OLDEST_FILES: usize = 16;

/// Parts of what is written at once into a log that has a prefix or patterns. The rest comes after it.
pub const LINE_PARTS: usize = 32;

/// Reads of a `svlogd` under full load until it looks for signals again.
pub const READS_AT_ONCE: u8 = 12;

/// Until a log directory in trouble is tried again.
pub const LOG_RETRY: Duration = Duration::from_seconds(1);

/// What TERM leaves for the rest of a line.
pub const LAST_LINE_LIMIT: Duration = Duration::from_seconds(3);

/// How long lines are tried to be written after the end of the input.
pub const LAST_LINES_LIMIT: Duration = Duration::from_seconds(5);

/// The longest pause before a failed processor is started again.
pub const LONGEST_PROCESSOR_PAUSE: u64 = 60;

/// What a processor gets to end after TERM.
pub const PROCESSOR_GRACE: Duration = Duration::from_seconds(5);

/// The same after the end of the input.
pub const PROCESSOR_LAST_GRACE: Duration = Duration::from_seconds(60);

/// Groups that a program is started with, as in runit. More are refused.
pub const GROUPS: usize = 60;

/// Bytes of a variable that is read from a file, its name included: the kernel takes no more (`MAX_ARG_STRLEN`). A longer one is
/// refused.
pub const VARIABLE_BYTES: usize = 128 * 1024;

/// Bytes of memory taken at once for variables that are read from files. Those that are not used cost nothing.
pub const VARIABLES_BYTES: usize = 4 * VARIABLE_BYTES;

/// Variables that there is room for beside those that are there. For more of them, room is made.
pub const VARIABLES: usize = 62;

/// Bytes of `/etc/passwd` and `/etc/group` that are read at once.
pub const ACCOUNTS_BYTES: usize = 1024;

/// Bytes of a file of the time zone database; the longest has not 4000. A longer one counts as missing.
pub const ZONE_BYTES: usize = 8192;

/// Minutes in which the clock must show a time that is asked for: a day, and the longest that clocks are put back.
pub const SEARCHED_MINUTES: u32 = 3 * 24 * 60;

/// The longest time until a shutdown, in minutes: a year. More is refused.
pub const SHUTDOWN_MINUTES: u64 = 525_600;

/// Bytes of the message that goes with a shutdown. What is beyond is cut.
pub const SHUTDOWN_MESSAGE: usize = 512;

/// Bytes of the record of a shutdown that is pending: a pid, two words, three times, four letters.
pub const SHUTDOWN_RECORD: usize = 96;

/// Bytes of what is told of a shutdown, without the message.
pub const SHUTDOWN_NEWS: usize = 128;

/// Actions that one event can make a shutdown ask for.
pub const SHUTDOWN_ACTIONS: usize = 4;

/// So long before the machine goes down nobody may log in any more.
pub const KEPT_OUT: Duration = Duration::from_seconds(5 * 60);

/// What a pending shutdown gets to end when another replaces it.
pub const REPLACE_LIMIT: Duration = Duration::from_seconds(5);

/// Until a lock that somebody has is tried again.
pub const LOCK_INTERVAL: Duration = Duration::from_milliseconds(10);

/// How long the lock of a file of records, or of the links to the levels, is waited for: who may read may hold it for good. What it
/// is for is then done without it.
pub const LOCK_LIMIT: Duration = Duration::from_seconds(2);

/// How long a message to all terminals is waited for.
pub const TELL_LIMIT: Duration = Duration::from_seconds(1);

/// How long `runit-init`, which only leaves a request, is waited for.
pub const REQUEST_LIMIT: Duration = Duration::from_seconds(10);

/// Records in which users with a terminal are looked for. The users of those beyond are told nothing.
pub const USER_RECORDS: usize = 4096;

/// Bytes of a kernel's command line that are read: no kernel's own is longer. Of a longer one the words behind them are not looked at.
pub const COMMAND_LINE_BYTES: usize = 4096;

/// Bytes of a UUID as a text; none is longer.
pub const UUID_BYTES: usize = 36;

/// How long an initramfs waits for the root, if nothing else is said. Disks on slow buses take ten seconds.
pub const ROOT_LIMIT: Duration = Duration::from_seconds(30);

/// Bytes of a line of `/etc/fstab` and of the list of modules. A longer one is told and not looked at.
pub const FILE_LINE_BYTES: usize = 1024;

/// Bytes of what a module is told, one less than this. A module that is told more is not loaded.
pub const MODULE_PARAMETERS_BYTES: usize = 1024;

/// Bytes of the options that a file system itself is mounted with, one less than this; the kernel takes 4095. With more it is not mounted.
pub const MOUNT_DATA_BYTES: usize = 1024;

/// Until it is told again what is waited for.
pub const ROOT_TOLD_AGAIN: Duration = Duration::from_seconds(10);

/// After how long it is first told: most devices are there sooner.
pub const ROOT_TOLD_AFTER: Duration = Duration::from_seconds(1);

/// Bytes of what the kernel tells of a device; longer news are cut, and tell what is needed at their beginning.
pub const UEVENT_BYTES: usize = 2048;

/// Bytes of a kernel's name of a device.
pub const DEVICE_NAME_BYTES: usize = 64;

/// Bytes of a seed of the kernel's random numbers: the largest pool that a kernel had. Of a longer file only so many are taken.
pub const SEED_BYTES: usize = 512;
