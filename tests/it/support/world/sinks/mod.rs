//! Where the calls arrive: a mail server and a web server that write down whatever comes.

pub(crate) mod mail;

pub(crate) mod smtp;
mod web;

pub(crate) use smtp::Smtp;
pub(crate) use web::Web;
