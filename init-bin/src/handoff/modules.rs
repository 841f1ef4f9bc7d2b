//! Loads the modules that the image lists.

use supervision::handoff::command_line::CommandLine;
use supervision::handoff::module::Module;
use supervision::process::errno::Errno;
use sys::module;

use crate::{paths, tell};

/// Loads all of them, in their order. The command line may have parameters for them.
#[inline(never)]
pub fn load_all(said: CommandLine<'_>) {
    paths::visit_lines(c"/etc/handoff/modules", &mut |line, is_whole| {
        let Some(module) = Module::parse(line) else { return };
        match load(&module, said, is_whole) {
            Ok(()) => tell::step(said, b"loaded %", &[module.path]),
            // By somebody else, or it is built in.
            Err(Errno::EXIST) => {}
            Err(reason) => tell::warn(b"unable to load %: %", &[module.path, reason.few_text()]),
        }
    });
}

#[inline(never)]
fn load(module: &Module<'_>, said: CommandLine<'_>, is_whole: bool) -> sys::Result<()> {
    let mut parameters = module.parameters(said).filter(|_| is_whole).ok_or(Errno::TOOBIG)?;
    let file = paths::open(b"", module.path)?;
    module::load(file.as_fd(), parameters.terminated().ok_or(Errno::TOOBIG)?, module.is_compressed())
}
