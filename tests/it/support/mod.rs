//! The harness: real servers and the real binary, on free loopback ports, in folders that go away.

pub(crate) mod daemon;
pub(crate) mod found;
pub(crate) mod mariadb;
