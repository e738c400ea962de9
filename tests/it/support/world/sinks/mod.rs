//! Where the calls arrive: a mail server and a web server that write down whatever comes.

mod mail;

mod smtp;
mod web;

pub(crate) use mail::claims;
pub(crate) use smtp::{Manners, Smtp};
pub(crate) use web::Web;
