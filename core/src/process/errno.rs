//! What a failed system call is called: the texts that users of this family of programs search for
//! (numbers of x86 and arm; they are the same).

/// Why a system call failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(u16);

impl Errno {
    /// Not allowed to this user.
    pub const PERM: Self = Self(1);
    /// There is no such file.
    pub const NOENT: Self = Self(2);
    /// There is no such process.
    pub const SRCH: Self = Self(3);
    /// Nobody reads the fifo.
    pub const NXIO: Self = Self(6);
    /// There are more words and variables than the kernel takes, or a longer one.
    pub const TOOBIG: Self = Self(7);
    /// The descriptor is not open.
    pub const BADF: Self = Self(9);
    /// Not now; for a lock: somebody else holds it.
    pub const AGAIN: Self = Self(11);
    /// There is no memory left.
    pub const NOMEM: Self = Self(12);
    /// Not allowed by the file's mode.
    pub const ACCES: Self = Self(13);
    /// Somebody uses it.
    pub const BUSY: Self = Self(16);
    /// It is there already.
    pub const EXIST: Self = Self(17);
    /// It cannot do that: another kind of file was wanted.
    pub const NODEV: Self = Self(19);
    /// A directory was wanted.
    pub const NOTDIR: Self = Self(20);
    /// A directory was not wanted.
    pub const ISDIR: Self = Self(21);
    /// An argument makes no sense, or a link was wanted.
    pub const INVAL: Self = Self(22);
    /// The system has no descriptor left.
    pub const NFILE: Self = Self(23);
    /// The process may have no more descriptors.
    pub const MFILE: Self = Self(24);
    /// It is no terminal.
    pub const NOTTY: Self = Self(25);
    /// A file would be larger than the process, or the file system, may make it.
    pub const FBIG: Self = Self(27);
    /// The file system is full.
    pub const NOSPC: Self = Self(28);
    /// The file system is read-only.
    pub const ROFS: Self = Self(30);
    /// A name is longer than it may be.
    pub const NAMETOOLONG: Self = Self(36);
    /// The kernel does not know this call.
    pub const NOSYS: Self = Self(38);
    /// A link, or too many of them.
    pub const LOOP: Self = Self(40);
    /// The user's share of the file system is used up.
    pub const DQUOT: Self = Self(122);

    /// The error the kernel knows by `number`.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The kernel's number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// What it is called; `unknown error` if it has no text of its own.
    pub fn text(self) -> &'static [u8] {
        self.find(FEW).or_else(|| self.find(COMMON)).or_else(|| self.find(RARE)).unwrap_or(UNKNOWN)
    }

    /// As [`Errno::text`], for those that come from files and processes alone; the texts of all others need not
    /// be linked into a program that meets no others.
    pub fn common_text(self) -> &'static [u8] {
        self.find(FEW).or_else(|| self.find(COMMON)).unwrap_or(UNKNOWN)
    }

    /// As [`Errno::common_text`], for a program that mounts and executes, and does nothing else of note.
    pub fn few_text(self) -> &'static [u8] {
        self.find(FEW).unwrap_or(UNKNOWN)
    }

    fn find(self, texts: &'static [u8]) -> Option<&'static [u8]> {
        let mut rows = texts.split(|byte| *byte == 0);
        rows.find_map(|row| match row.split_first() {
            Some((number, text)) if u16::from(*number) == self.0 => Some(text),
            _ => None,
        })
    }
}

const UNKNOWN: &[u8] = b"unknown error";

// One row an error: its number in one byte, its text, a NUL. Packed, because a table of pointers would be
// larger than the texts.

/// What mounting and executing gives.
static FEW: &[u8] = b"\
\x01permission denied\0\
\x02file does not exist\0\
\x05input/output error\0\
\x06device not configured\0\
\x07argument list too long\0\
\x08exec format error\0\
\x0cout of memory\0\
\x0daccess denied\0\
\x10device busy\0\
\x13device does not support operation\0\
\x14not a directory\0\
\x16invalid argument\0\
\x1eread-only file system\0\
\x24file name too long\0\
\x26system call not available\0\
\x28symbolic link loop";

/// What else files and processes give.
static COMMON: &[u8] = b"\
\x03no such process\0\
\x04interrupted system call\0\
\x09file descriptor not open\0\
\x0ano child processes\0\
\x0btemporary failure\0\
\x0ebad address\0\
\x0fnot a block device\0\
\x11file already exists\0\
\x12cross-device link\0\
\x15is a directory\0\
\x17system cannot open more files\0\
\x18process cannot open more files\0\
\x19not a tty\0\
\x1atext busy\0\
\x1bfile too big\0\
\x1cout of disk space\0\
\x1dunseekable descriptor\0\
\x1ftoo many links\0\
\x20broken pipe\0\
\x21input out of range\0\
\x22output out of range\0\
\x23operation would cause deadlock\0\
\x25no locks available\0\
\x27directory not empty\0\
\x74stale NFS file handle\0\
\x7adisk quota exceeded";

/// What is left: streams, networks, links between machines.
static RARE: &[u8] = b"\
\x2ano message of desired type\0\
\x2bidentifier removed\0\
\x3cnot a stream device\0\
\x3etimer expired\0\
\x3fout of stream resources\0\
\x40machine not on network\0\
\x42too many levels of remote in path\0\
\x43link severed\0\
\x44advertise error\0\
\x45srmount error\0\
\x46communication error\0\
\x47protocol error\0\
\x48multihop attempted\0\
\x4abad message type\0\
\x4eremote address changed\0\
\x57too many users\0\
\x58not a socket\0\
\x59destination address required\0\
\x5amessage too long\0\
\x5bincorrect protocol type\0\
\x5cprotocol not available\0\
\x5dprotocol not supported\0\
\x5esocket type not supported\0\
\x5foperation not supported\0\
\x60protocol family not supported\0\
\x61address family not supported\0\
\x62address already used\0\
\x63address not available\0\
\x64network down\0\
\x65network unreachable\0\
\x66network reset\0\
\x67connection aborted\0\
\x68connection reset\0\
\x69out of buffer space\0\
\x6aalready connected\0\
\x6bnot connected\0\
\x6csocket shut down\0\
\x6dtoo many references\0\
\x6etimed out\0\
\x6fconnection refused\0\
\x70host down\0\
\x71host unreachable\0\
\x72operation already in progress\0\
\x73operation in progress";

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<&'static [u8]> {
        [FEW, COMMON, RARE].into_iter().flat_map(|texts| texts.split(|byte| *byte == 0)).collect()
    }

    #[test]
    fn every_row_is_found_under_its_number() {
        assert_eq!(rows().len(), 86);
        for row in rows() {
            assert_eq!(Errno::new(row[0].into()).text(), &row[1..]);
        }
    }

    #[test]
    fn each_number_has_one_row() {
        let mut numbers: Vec<u8> = rows().iter().map(|row| row[0]).collect();
        numbers.sort_unstable();
        assert!(numbers.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn the_common_ones_are_those_of_files_and_processes() {
        assert_eq!(Errno::NOENT.common_text(), b"file does not exist");
        assert_eq!(Errno::new(116).common_text(), b"stale NFS file handle");
        assert_eq!(Errno::new(111).common_text(), b"unknown error");
        assert_eq!(Errno::NODEV.few_text(), b"device does not support operation");
        assert_eq!(Errno::EXIST.few_text(), b"unknown error");
    }

    #[test]
    fn the_named_errors_have_the_texts_that_users_search_for() {
        assert_eq!(Errno::new(1).text(), b"permission denied");
        assert_eq!(Errno::ACCES.text(), b"access denied");
        assert_eq!(Errno::AGAIN.text(), b"temporary failure");
        assert_eq!(Errno::NOENT.text(), b"file does not exist");
        assert_eq!(Errno::NXIO.text(), b"device not configured");
        assert_eq!(Errno::new(122).text(), b"disk quota exceeded");
    }

    #[test]
    fn errors_without_a_text_are_unknown() {
        for number in [0, 41, 75, 84, 130, 255, 256, 1000] {
            assert_eq!(Errno::new(number).text(), b"unknown error");
        }
    }
}
