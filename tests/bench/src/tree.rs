//! A directory of services that all run the stub, and the `runsvdir` over them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::reports::Reports;
use crate::{Bench, Side, children, clock};

/// Looks at many services are this far apart: often enough to wait no longer than needed, seldom enough not to disturb.
const PAUSE: Duration = Duration::from_millis(2);

/// The age at which a service may be restarted at once: a second, and room for two clocks.
const MATURE: Duration = Duration::from_millis(1100);

/// The age of a directory of services.
const AGE: Duration = Duration::from_secs(3600);

/// One service directory.
struct Service {
    path: PathBuf,
    /// Of the instance that reported last, 0 before.
    pid: i32,
    first_instruction: Duration,
    starts: usize,
}

/// Service directories, and what their services have told.
pub struct Tree {
    path: PathBuf,
    side: Side,
    services: Vec<Service>,
    by_inode: HashMap<u64, usize>,
    reports: Option<Reports>,
    pid: u32,
}

impl Tree {
    /// Makes a new directory with so many service directories. Nothing runs yet.
    pub fn plant(bench: &Bench, side: Side, count: usize) -> Result<Self> {
        let path = bench.scratch.join(format!("{side:?}"));
        fs::create_dir(&path).context("unable to make a directory for services")?;
        let mut services = Vec::new();
        let mut by_inode = HashMap::new();
        for number in 0..count {
            let service = path.join(format!("s{number:03}"));
            fs::create_dir(&service).context("unable to make a service directory")?;
            fs::hard_link(&bench.programs.stub, service.join("run")).context("unable to link ./run")?;
            by_inode.insert(fs::metadata(&service).context("unable to look at a service directory")?.ino(), number);
            services.push(Service { path: service, pid: 0, first_instruction: Duration::ZERO, starts: 0 });
        }
        // Debian's runsvdir waits for a second where a directory has just changed; at a boot it has not.
        let directory = File::open(&path).context("unable to open the directory")?;
        directory.set_modified(SystemTime::now() - AGE).context("unable to make the directory look old")?;
        Ok(Self { path, side, services, by_inode, reports: None, pid: 0 })
    }

    /// Plants, starts, and waits until all run.
    pub fn grow(bench: &Bench, side: Side, count: usize) -> Result<Self> {
        let mut tree = Self::plant(bench, side, count)?;
        tree.start(bench)?;
        tree.wait_running()?;
        Ok(tree)
    }

    /// Starts `runsvdir`, or what stands in for it, with the environment that a stage 2 gives it.
    pub fn start(&mut self, bench: &Bench) -> Result<()> {
        let paths = self.services.iter().map(|service| &service.path);
        let mut command = match self.side {
            Side::Ours => runsvdir(&bench.ours, &self.path),
            Side::Debian => runsvdir(&bench.debian, &self.path),
            Side::Bare => {
                let mut launcher = Command::new(&bench.programs.launcher);
                launcher.args(paths).env_clear().env("PATH", &bench.ours);
                launcher
            }
        };
        let (reports, writer) = Reports::open()?;
        let errors = File::create(self.errors()).context("unable to make a file for errors")?;
        command.stdin(Stdio::null()).stdout(writer).stderr(errors);
        self.pid = children::start_supervisor(&mut command)?.id();
        self.reports = Some(reports);
        Ok(())
    }

    fn errors(&self) -> PathBuf {
        self.path.with_extension("errors")
    }

    /// Waits until every service has reported; the last first instruction.
    fn wait_reported(&mut self) -> Result<Duration> {
        let found = clock::wait_until("every service to start", PAUSE, || {
            self.hear()?;
            Ok(self.services.iter().all(|service| service.starts > 0).then_some(()))
        });
        if let Err(error) = found {
            let said = fs::read_to_string(self.errors()).unwrap_or_default();
            return Err(error.context(format!("the supervisors say: {said:?}")));
        }
        let last = self.services.iter().map(|service| service.first_instruction).max();
        last.context("there is no service")
    }

    /// Waits until every service has reported, and its status, if there is one, says `run`; when that came true.
    pub fn wait_running(&mut self) -> Result<Duration> {
        let mut since = self.wait_reported()?;
        if self.side == Side::Bare {
            return Ok(since);
        }
        clock::wait_until("every status to say run", PAUSE, || {
            let is_true = self.services.iter().all(Service::is_run);
            if !is_true {
                since = clock::now();
            }
            Ok(is_true.then_some(()))
        })?;
        Ok(since)
    }

    /// Waits until the children of what was started have nothing to do: a `runsv` for each service, or a bare service.
    pub fn wait_asleep(&self) -> Result<Vec<i32>> {
        let pids = children::children_of(self.pid);
        ensure!(pids.len() == self.services.len(), "{} children for {} services", pids.len(), self.services.len());
        clock::wait_until("sleep of all supervisors", PAUSE, || {
            Ok(pids.iter().all(|pid| children::is_asleep(*pid)).then_some(()))
        })?;
        Ok(pids)
    }

    /// Takes the reports that have come.
    fn hear(&mut self) -> Result<()> {
        let Some(reports) = &mut self.reports else { bail!("nothing was started") };
        for report in reports.take()? {
            let place = self.by_inode.get(&report.directory_inode).context("a report of an unknown directory")?;
            let service = &mut self.services[*place];
            service.pid = report.pid;
            service.first_instruction = report.first_instruction;
            service.starts += 1;
        }
        Ok(())
    }

    /// How often a service has started.
    pub fn starts(&self, place: usize) -> usize {
        self.services[place].starts
    }

    /// Waits until a service has started so often, as soon as it tells; its first instruction.
    pub fn wait_start(&mut self, place: usize, starts: usize) -> Result<Duration> {
        loop {
            self.hear()?;
            let service = &self.services[place];
            if service.starts >= starts {
                ensure!(service.starts == starts, "{} has started too often", service.path.display());
                return Ok(service.first_instruction);
            }
            let waited = self.reports.as_ref().context("nothing was started")?.wait();
            waited.with_context(|| {
                format!("{} does not start for the {starts}. time", self.services[place].path.display())
            })?;
        }
    }

    /// Waits until a service may be restarted at once.
    pub fn wait_mature(&self, place: usize) {
        clock::sleep_until(self.services[place].first_instruction + MATURE);
    }

    /// Kills a service, and says when.
    pub fn kill(&self, place: usize) -> Result<Duration> {
        let service = &self.services[place];
        ensure!(service.pid > 0, "{} has not started", service.path.display());
        let begin = clock::now();
        kill(Pid::from_raw(service.pid), Signal::SIGKILL).context("unable to kill a service")?;
        Ok(begin)
    }

    /// Kills a service that has lived for a second; from then to the first instruction of the next.
    pub fn time_restart(&mut self, place: usize) -> Result<Duration> {
        self.wait_mature(place);
        let starts = self.starts(place) + 1;
        let begin = self.kill(place)?;
        Ok(self.wait_start(place, starts)?.saturating_sub(begin))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of services.
    pub fn names(&self, places: Range<usize>) -> Vec<&str> {
        self.services[places].iter().filter_map(|service| service.path.file_name()?.to_str()).collect()
    }

    /// Ends all that was started, by whomever, and removes the directory.
    pub fn fell(self) -> Result<()> {
        children::end_all();
        fs::remove_dir_all(&self.path).context("unable to remove service directories")
    }
}

fn runsvdir(programs: &Path, directory: &Path) -> Command {
    let mut command = Command::new(programs.join("runsvdir"));
    command.arg(directory).env_clear().env("PATH", programs);
    command
}

impl Service {
    /// Whether `supervise/status` has this process, in the state `run`.
    fn is_run(&self) -> bool {
        const PID: usize = 12;
        const STATE: usize = 19;
        const RUN: u8 = 1;
        let record = fs::read(self.path.join("supervise/status")).unwrap_or_default();
        record.len() > STATE && record[STATE] == RUN && record[PID..].starts_with(&self.pid.to_le_bytes())
    }
}
