//! The shop's own traffic, from the access logs of nginx and Apache.

pub mod classes;
pub mod format;
pub mod line;
pub mod security;
