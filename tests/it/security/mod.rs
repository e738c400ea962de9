//! The security score, and what it is made from.

mod facts;
mod score;
