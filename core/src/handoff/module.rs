//! Modules that the initramfs loads, as `/etc/handoff/modules` lists them: a line each, the path of the file and what the module is told,
//! separated by blanks. What begins with `#` is a comment.

use crate::handoff::command_line::CommandLine;
use crate::limits::MODULE_PARAMETERS_BYTES;
use crate::text::Text;

/// What a module is told, as finit_module(2) takes it.
pub type Parameters = Text<MODULE_PARAMETERS_BYTES>;

/// A line of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Module<'line> {
    /// Its file, as it is written there.
    pub path: &'line [u8],
    /// What it is told.
    pub parameters: &'line [u8],
}

impl<'line> Module<'line> {
    /// Reads a line; `None` if it says nothing.
    pub fn parse(line: &'line [u8]) -> Option<Self> {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return None;
        }
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (path, parameters) = line.split_at_checked(end)?;
        Some(Self { path, parameters: parameters.trim_ascii_start() })
    }

    /// Its name, as it is written: what is left of the path without directories, and up to `.ko`.
    pub fn name(&self) -> &'line [u8] {
        let file = self.path.rsplit(|byte| *byte == b'/').next().unwrap_or(&[]);
        let end = file.windows(3).position(|part| part == b".ko").unwrap_or(file.len());
        file.get(..end).unwrap_or(file)
    }

    /// Whether its file is compressed, which the kernel must be told.
    pub fn is_compressed(&self) -> bool {
        !self.path.ends_with(b".ko")
    }

    /// All that it is told: what the list says, and the words `NAME.PARAMETER` of the kernel's command line, which are for modules that
    /// are loaded later too. `None` if there is no room for it.
    pub fn parameters(&self, command_line: CommandLine<'_>) -> Option<Parameters> {
        let mut text = Parameters::new();
        text.push(self.parameters);
        for word in command_line.words() {
            let Some(parameter) = parameter_of(word.name, self.name()) else { continue };
            text.push(b" ");
            text.push(parameter);
            if let Some(value) = word.value {
                // The kernel takes the quotes off again.
                text.push(b"=\"");
                text.push(value);
                text.push(b"\"");
            }
        }
        // What fills it may be cut.
        Some(text).filter(|text| text.as_bytes().len() < MODULE_PARAMETERS_BYTES)
    }
}

/// What is behind the name of the module and a dot; `-` and `_` are the same in it.
fn parameter_of<'line>(name: &'line [u8], module: &[u8]) -> Option<&'line [u8]> {
    let (before, rest) = name.split_at_checked(module.len())?;
    let plain = |byte: &u8| if *byte == b'-' { b'_' } else { *byte };
    rest.strip_prefix(b".").filter(|_| before.iter().map(plain).eq(module.iter().map(plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(line: &str) -> Module<'_> {
        Module::parse(line.as_bytes()).unwrap()
    }

    fn told(line: &str, command_line: &str) -> String {
        let parameters = module(line).parameters(CommandLine::new(command_line.as_bytes())).unwrap();
        String::from_utf8(parameters.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_line_is_a_path_and_what_it_is_told() {
        for (line, path, parameters) in [
            ("virtio_blk.ko", "virtio_blk.ko", ""),
            ("  /lib/modules/a b.ko", "/lib/modules/a", "b.ko"),
            ("loop.ko \t max_loop=8  max_part=4 \r", "loop.ko", "max_loop=8  max_part=4"),
            ("a.ko # no comment", "a.ko", "# no comment"),
        ] {
            let expected = Module { path: path.as_bytes(), parameters: parameters.as_bytes() };
            assert_eq!(module(line), expected, "{line:?}");
        }
    }

    #[test]
    fn empty_lines_and_comments_say_nothing() {
        for line in ["", "  \t", "# a", "  #a.ko", "#"] {
            assert_eq!(Module::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn a_name_has_no_directory_and_no_end() {
        for line in ["nvme-core", "nvme-core.ko", "/lib/modules/6.1/nvme-core.ko.xz x=1", "k.ko/nvme-core.ko"] {
            assert_eq!(module(line).name(), b"nvme-core", "{line}");
        }
        assert_eq!(module(".ko").name(), b"");
    }

    #[test]
    fn a_compressed_file_is_known_by_its_end() {
        for (path, is_compressed) in [("a.ko.gz", true), ("a.ko.xz", true), ("a.ko.zst", true), ("xz/a.ko", false)] {
            assert_eq!(module(path).is_compressed(), is_compressed, "{path}");
        }
    }

    #[test]
    fn a_module_is_told_what_the_list_and_the_command_line_say() {
        assert_eq!(told("loop.ko max_loop=8", "quiet"), "max_loop=8");
        assert_eq!(
            told("loop.ko max_loop=8", "loop.max_part=4 xloop.a=1 loop=5 loopx.a loop.b"),
            "max_loop=8 max_part=\"4\" b"
        );
        assert_eq!(
            told("nvme-core.ko", "nvme_core.io_timeout=9 nvme-core.a-b=1 -- nvme_core.c"),
            " io_timeout=\"9\" a-b=\"1\""
        );
        assert_eq!(told("a.ko", "a.text=\"b c\" \"a.d=e f\""), " text=\"b c\" d=\"e f\"");
    }

    #[test]
    fn what_is_too_much_is_not_cut() {
        let long = "x".repeat(MODULE_PARAMETERS_BYTES - 1);
        assert_eq!(told(&format!("a.ko {long}"), ""), long);
        assert_eq!(module(&format!("a.ko {long}")).parameters(CommandLine::new(b"a.b")), None);
    }
}
