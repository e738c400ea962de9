//! The shop from outside: HTTP, TCP, TLS and DNS as a visitor meets them, and the certificates on disk.

pub mod certificates;
pub mod tls;
