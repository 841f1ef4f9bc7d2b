//! `chpst` in trouble: bad input, files that cannot be had, steps that fail, and what is left of rights and descriptors
//! afterwards. Whatever happens there is one message, the exit code of the page, nothing executed, and nothing left
//! behind.
//!
//! What it does when all is well `tests/differential` holds against the original's.

mod accounts;
mod armv7;
mod case;
mod descriptors;
mod limits;
mod locks;
mod order;
mod rights;
mod steps;
mod variables;
mod words;
