//! The program against real servers: one test binary, so that it links once.

mod mysql_names;
mod support;
