//! The program against real servers: one test binary, so that it links once.

mod host;
mod support;
