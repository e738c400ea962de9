//! The program against real servers: one test binary, so that it links once.

mod mysql;
mod support;
