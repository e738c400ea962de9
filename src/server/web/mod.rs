//! `--web.config.file`: who may ask, over what, and how often; read anew whenever its files change.
//!
//! Every connection and every request first looks whether the file, or one that it names, is another than before: a
//! `stat` for each. A change is taken over as a whole or not at all: what was in use stays when the new file is wrong.

mod choices;
mod clients;
mod credentials;
mod file;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod rate;
mod settings;
mod stamp;
mod tls;
mod users;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use rustls::pki_types::CertificateDer;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{info, warn};

use super::peer::Peer;
use super::plain;
use crate::config::Problem;
use crate::snapshot::Snapshot;
use settings::{Settings, look};
use stamp::Stamps;
use users::{Doorman, Login};

crate::metrics! {
    Own as METRICS;

    /// 1 when the web configuration in the file is the one in use, 0 when the last attempt to load it failed; absent without such a file.
    RELOADED = Gauge("vitrin_web_config_last_reload_successful", None, []);
    /// When the certificate that Vitrin shows its own clients ends, in seconds since 1970; absent without TLS.
    NOT_AFTER = Gauge("vitrin_web_certificate_not_after_timestamp_seconds", Seconds, []);
    /// Passwords that were held against a bcrypt hash; one that was right is remembered and not counted again.
    VERIFICATIONS = Counter("vitrin_web_password_verifications_total", None, []);
    /// Clients turned away: `busy` (too many passwords to verify), `crowd` (a connection closed to make room), `login` (no or a wrong password), `rate` (asked too often), `tls` (no handshake).
    REFUSED = Counter("vitrin_web_refused_total", None, ["reason"]);
}

/// How long a look at the files may take; a file system that hangs must not keep scrapes waiting.
const LOOK: Duration = Duration::from_secs(1);

/// Why a client was turned away: the values of `reason` in `vitrin_web_refused_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Busy,
    Crowd,
    Login,
    Rate,
    Tls,
}

impl Refusal {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Busy, "busy"),
        (Self::Crowd, "crowd"),
        (Self::Login, "login"),
        (Self::Rate, "rate"),
        (Self::Tls, "tls"),
    ];
}

/// The web configuration, for as long as the program runs.
pub struct Web {
    source: Option<Source>,
    current: RwLock<Arc<Settings>>,
    doorman: Arc<Doorman>,
    refused: [AtomicU64; Refusal::ALL.len()],
}

/// Where the configuration comes from.
struct Source {
    file: PathBuf,
    seen: Arc<Mutex<Seen>>,
    good: AtomicBool,
}

/// What the last look at the files saw.
struct Seen {
    stamps: Stamps,
    /// What was said of them, so that it is said once.
    complaint: Option<Problem>,
}

impl Web {
    /// Plain HTTP for everybody.
    #[must_use]
    pub fn open() -> Arc<Self> {
        Arc::new(Self::new(None, Settings::open()))
    }

    /// What this file says.
    ///
    /// # Errors
    /// When it, or a file that it names, cannot be read or is wrong.
    pub fn load(file: &Path) -> Result<Arc<Self>, Problem> {
        let (stamps, settings) = look(file, Stamps::of([file.to_owned()]));
        let (settings, warnings) = settings?;
        tell(&warnings);
        let seen = Arc::new(Mutex::new(Seen { stamps, complaint: None }));
        let source = Source { file: file.to_owned(), seen, good: AtomicBool::new(true) };
        Ok(Arc::new(Self::new(Some(source), settings)))
    }

    fn new(source: Option<Source>, settings: Settings) -> Self {
        let current = RwLock::new(Arc::new(settings));
        Self { source, current, doorman: Doorman::new(), refused: <_>::default() }
    }

    /// The certificate that clients are shown; `None` when there is no TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.current().tls.as_ref().map(|tls| tls.certificate.clone())
    }

    /// The settings as of now, after a look at the files.
    pub(super) async fn settings(self: &Arc<Self>) -> Arc<Settings> {
        if let Some(source) = &self.source {
            let seen = source.seen.clone();
            let web = self.clone();
            let look = async move {
                let mut seen = seen.lock_owned().await;
                // The lock is held until the look has ended, also when nobody waits for it any more.
                spawn_blocking(move || web.refresh(&mut seen)).await
            };
            if let Ok(Err(error)) = timeout(LOOK, look).await {
                warn!("looking at the web configuration: {error}");
            }
        }
        self.current()
    }

    fn current(&self) -> Arc<Settings> {
        self.current.read().expect("no code panics while it holds this lock").clone()
    }

    /// Takes the files over if they are others than before and right.
    fn refresh(&self, seen: &mut Seen) {
        let Some(source) = self.source.as_ref().filter(|_| seen.stamps.are_old()) else { return };
        let (stamps, settings) = look(&source.file, seen.stamps.again());
        seen.stamps = stamps;
        let settings = settings.and_then(|settings| self.current().may_become(&source.file, settings));
        source.good.store(settings.is_ok(), Ordering::Relaxed);
        match settings {
            Ok((settings, warnings)) => {
                settings.users.remember(&self.current().users);
                *self.current.write().expect("no code panics while it holds this lock") = Arc::new(settings);
                seen.complaint = None;
                info!("the web configuration has changed and is in use: {}", source.file.display());
                tell(&warnings);
            }
            Err(problem) => {
                if seen.complaint.as_ref() != Some(&problem) {
                    warn!("the web configuration has changed and is wrong, so the one before stays in use: {problem}");
                }
                seen.complaint = Some(problem);
            }
        }
    }

    /// The answer to a request that may not come in; `None` for one that may.
    pub(super) async fn refusal(
        &self,
        settings: &Settings,
        headers: &HeaderMap,
        peer: Peer,
    ) -> Option<Response<Full<Bytes>>> {
        if settings.rate.as_ref().is_some_and(|rate| !rate.admits(peer)) {
            self.refused(Refusal::Rate);
            return Some(later("Too many requests: see rate_limit in the web configuration.\n"));
        }
        if settings.users.is_empty() {
            return None;
        }
        let login = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        match self.doorman.check(&settings.users, login, peer).await {
            Login::Right => None,
            Login::Wrong => {
                self.refused(Refusal::Login);
                let mut answer = plain(StatusCode::UNAUTHORIZED, "Unauthorized\n");
                answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"vitrin\""));
                Some(answer)
            }
            Login::Busy => {
                self.refused(Refusal::Busy);
                Some(later("Too many passwords to verify at a time.\n"))
            }
        }
    }

    /// Counts a client that was turned away.
    pub(super) fn refused(&self, refusal: Refusal) {
        self.refused[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What the page says of all this.
    pub(super) fn report(&self, out: &mut Snapshot) {
        if let Some(source) = &self.source {
            out.push(&RELOADED, [], source.good.load(Ordering::Relaxed));
            out.push(&VERIFICATIONS, [], self.doorman.verifications());
        }
        if let Some(seconds) = self.current().tls.as_ref().and_then(|tls| tls.not_after) {
            out.push(&NOT_AFTER, [], seconds);
        }
        for (refusal, reason) in Refusal::ALL {
            out.push(&REFUSED, [reason], self.refused[refusal as usize].load(Ordering::Relaxed));
        }
    }
}

fn tell(warnings: &[String]) {
    for warning in warnings {
        warn!("{warning}");
    }
}

fn later(text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = plain(StatusCode::TOO_MANY_REQUESTS, text);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
