//! The shop's own traffic, from the access logs of nginx and Apache.

pub mod classes;
mod discover;
pub mod format;
pub mod line;
pub mod remedy;
pub mod route;
pub mod security;

pub use discover::DISCOVERY;
