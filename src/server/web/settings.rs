//! One version of the web configuration, made from the file and all that it names.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::ServerConfig;

use super::file;
use super::rate::Rate;
use super::stamp::Stamps;
use super::tls::{Demands, FILE_BYTES, Reader, Tls, resolved};
use super::users::Users;
use crate::config::Problem;
use crate::config::file::text_of;

/// How often the files are read anew because the configuration names others than a moment ago.
const REREADS: usize = 3;

/// One version of the file.
pub(in crate::server) struct Settings {
    pub(super) tls: Option<Tls>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) users: Arc<Users>,
    pub(super) rate: Option<Rate>,
}

impl Settings {
    /// Plain HTTP for everybody.
    pub(super) fn open() -> Self {
        Self { tls: None, headers: Vec::new(), users: Arc::new(Users::new(<_>::default())), rate: None }
    }

    /// How connections are encrypted; `None` when they are not.
    pub(in crate::server) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.as_ref().map(|tls| tls.config.clone())
    }

    /// What is demanded of a client's certificate: nothing, without TLS.
    fn demands(&self) -> Demands {
        self.tls.as_ref().map_or_else(Demands::default, |tls| tls.demands)
    }

    /// Adds the headers that every answer has.
    pub(in crate::server) fn dress(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers.iter().cloned());
    }

    /// Lets the new settings through unless they take away protection that these have: a file that is read while an
    /// editor is still writing it may be empty.
    pub(super) fn may_become(&self, file: &Path, new: (Self, Vec<String>)) -> Result<(Self, Vec<String>), Problem> {
        let message = if new.0.tls.is_some() != self.tls.is_some() {
            "TLS cannot be switched on or off while serving"
        } else if new.0.demands().are_less_than(self.demands()) {
            "no less can be demanded of a client's certificate while serving"
        } else if new.0.users.is_empty() && !self.users.is_empty() {
            "the last user cannot be removed while serving"
        } else {
            return Ok(new);
        };
        Err(Problem::new(file.display(), message, "restart vitrin if this is meant"))
    }
}

pub(super) type Found = Result<(Settings, Vec<String>), Problem>;

/// Reads the file and all that it names. The stamps are from before the reading, so no change is missed; when it turns
/// out to name others than those, it is read once more.
pub(super) fn look(file: &Path, mut stamps: Stamps) -> (Stamps, Found) {
    let (mut paths, mut found) = settings(file);
    for _ in 0..REREADS {
        if stamps.are_of(&paths) {
            break;
        }
        stamps = Stamps::of(paths);
        (paths, found) = settings(file);
    }
    (stamps, found)
}

/// The settings of a file, what should be mended, and which files have a part in them.
fn settings(file: &Path) -> (Vec<PathBuf>, Found) {
    let mut paths = vec![file.to_owned()];
    let parsed = text_of(file, FILE_BYTES)
        .map_err(|error| {
            let message = format!("the web configuration cannot be read: {error}");
            Problem::new(file.display(), message, "name another with --web.config.file")
        })
        .and_then(|text| file::parse(file, &text));
    let mut parsed = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => return (paths, Err(problem)),
    };
    let mut warnings = Vec::new();
    if let Some(server) = parsed.tls_server_config.as_ref().map(|section| &section.value) {
        let named = [&server.cert_file, &server.key_file, &server.client_ca_file];
        paths.extend(named.into_iter().flatten().map(|path| resolved(file, &path.value)));
        let key = server.key_file.as_ref().map(|path| resolved(file, &path.value));
        let secret = key.or_else(|| server.key.is_some().then(|| file.to_owned()));
        warnings.extend(secret.filter(|path| everybody_reads(path)).map(|path| {
            let path = path.display();
            format!("every user can read the private key in {path}; close it with: chmod o-rwx {path}")
        }));
    }
    let settings = build(file, &mut parsed, &mut warnings);
    (paths, settings.map(|settings| (settings, warnings)))
}

fn build(file: &Path, parsed: &mut file::File, warnings: &mut Vec<String>) -> Result<Settings, Problem> {
    let mut reader = Reader { file, warnings };
    let tls = match &parsed.tls_server_config {
        Some(section) => reader.tls(section)?,
        None => None,
    };
    if tls.is_none() && parsed.basic_auth_users.as_ref().is_some_and(|users| !users.is_empty()) {
        let place = file.display();
        reader.warnings.push(format!("{place}: passwords are asked for without TLS: who is on the way can read them"));
    }
    let rate = match &parsed.rate_limit {
        Some(limit) if limit.value.interval.0.is_zero() => None,
        Some(limit) if limit.value.burst == 0 => {
            let message = "rate_limit.burst: with a burst of 0 nobody could ever ask";
            return Err(Problem::new(file::place(file, Some(limit.referenced)), message, "write burst: 20"));
        }
        Some(limit) => Some(Rate::new(limit.value.interval.0, limit.value.burst)),
        None => None,
    };
    let headers = parsed.http_server_config.take().and_then(|server| server.headers).unwrap_or_default();
    let headers = [
        ("content-security-policy", headers.content_security_policy),
        ("x-frame-options", headers.frame_options),
        ("x-content-type-options", headers.content_type_options),
        ("x-xss-protection", headers.xss_protection),
        ("strict-transport-security", headers.strict_transport_security),
    ];
    let headers = headers.into_iter().filter_map(|(name, text)| Some((HeaderName::from_static(name), text.0?)));
    let users = Users::new(parsed.basic_auth_users.take().unwrap_or_default());
    Ok(Settings { tls, headers: headers.collect(), users: Arc::new(users), rate })
}

fn everybody_reads(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}
