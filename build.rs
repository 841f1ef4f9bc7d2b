//! Link arguments of the two static executables.
fn main() {}
