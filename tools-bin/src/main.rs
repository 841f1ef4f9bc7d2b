//! Every tool in one executable, chosen by name.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

sys::entry!(run);

fn run(arguments: sys::entry::Arguments) -> i32 {
    #[cfg(feature = "planted-panic")]
    assert!(arguments.len() < 100);
    arguments.len() as i32
}
