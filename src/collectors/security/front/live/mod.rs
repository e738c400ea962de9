//! What the interpreter says, held against a running nginx: every request is asked of both.

mod differential;
mod echo;
mod generated;
mod limits;
mod opencart;
mod world;

use super::{Front, Outcome, Request};
use world::{Nginx, Response};

/// What the interpreter says of a request, in a line.
fn told(front: &Front, method: &str, target: &str) -> String {
    let (uri, args) = target.split_once('?').unwrap_or((target, ""));
    match front.answer_to(&Request { uri, args, method, planted: &[] }) {
        Err(unknown) => format!("unknown: {}", unknown.why),
        Ok(answer) => match answer.outcome {
            Outcome::Php { script, pathinfo } => format!("php {script} [{pathinfo}]"),
            Outcome::File(path) => format!("file {}", plain(&path)),
            Outcome::Missing => "404".to_owned(),
            Outcome::Denied(status) => status.to_string(),
            Outcome::Redirect { status, to } => format!("{status} to {to}"),
            Outcome::Proxied => "proxied".to_owned(),
            Outcome::Other(_) => "other".to_owned(),
        },
    }
}

/// What nginx really does, in the same words.
fn real(nginx: &Nginx, host: &str, method: &str, target: &str) -> String {
    let Response { status, location, body } = nginx.ask(host, method, target);
    if let Some(script) = body.strip_prefix("PHP ") {
        return if script.starts_with(' ') { "other".to_owned() } else { format!("php {script}") };
    }
    if let Some(path) = body.strip_prefix("FILE ") {
        return format!("file {}", plain(path));
    }
    match (status, body.as_str()) {
        (300..400, _) => format!("{status} to {}", nginx.without_origin(host, &location)),
        (_, "PROXIED") => "proxied".to_owned(),
        (200..300, _) => "other".to_owned(),
        _ => status.to_string(),
    }
}

/// A path as the kernel reads it.
fn plain(path: &str) -> String {
    std::path::Path::new(path).components().collect::<std::path::PathBuf>().display().to_string()
}
