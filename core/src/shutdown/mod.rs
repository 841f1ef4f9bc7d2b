//! A shutdown that is asked for, pending, and under way: shutdown(8).

pub mod countdown;
pub mod made;
pub mod news;
pub mod record;
pub mod request;
