//! The way to a server and the conversation with it, for all who ask over the network.

pub mod connect;
pub mod detours;
pub(crate) mod http;
pub mod phases;
pub mod threads;
