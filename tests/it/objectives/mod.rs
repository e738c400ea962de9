//! `[objectives]`: what is configured reaches the alerts, and what is not is the same in the code, the rules and the
//! document.

mod dead;
mod document;
mod mistakes;
mod moving;
mod page;
mod rules;
mod watch;
