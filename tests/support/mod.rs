//! What the real-process tests share.
