//! From page to page: where a redirect leads, what may be sent there, and what may not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use url::Url;

use super::cookies::Cookies;
use super::settings::{Login, Method, Page, Request, Text};
use crate::collector::{Failure, Reason};
use crate::collectors::probe::ending::{Ending, Trouble};
use crate::tls::Settings;
use crate::tls::certificate::excerpt;

/// Who asks, so that a log can tell us from shoppers.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("vitrin-probe/", env!("CARGO_PKG_VERSION")));

/// The next request, and what is known from the ones before it.
#[derive(Debug)]
pub(super) struct Journey<'a> {
    page: &'a Page,
    pub(super) url: Url,
    method: Method,
    /// The body goes with the first request, and where a redirect wants it again.
    with_body: bool,
    cookies: Cookies,
}

impl<'a> Journey<'a> {
    pub(super) fn begin(page: &'a Page) -> Self {
        let (url, method) = (page.url.0.clone(), page.request.method);
        let with_body = page.request.body.is_some();
        Self { page, url, method, with_body, cookies: Cookies::default() }
    }

    /// The host, without brackets.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Where this answer leads; `None` when it is no redirect, or none that is to be followed.
    pub(super) fn redirect(&self, status: StatusCode, headers: &HeaderMap) -> Option<Result<Url, Trouble>> {
        if self.page.redirects.0 == 0 || !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = headers.get(header::LOCATION)?;
        let trouble = |what: String| Trouble::new(Ending::Redirect, format!("{} {what}", status.as_u16()));
        let text = String::from_utf8_lossy(location.as_bytes());
        Some(match self.url.join(text.trim()) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                Err(trouble(format!("leads to `{}`, which is no page", shown(&text))))
            }
            // A host may have signs in it, such as `"`, that no request may name.
            Ok(url) if url.as_str().parse::<Uri>().is_err() => {
                Err(trouble(format!("leads to `{}`, which nobody can ask for", shown(&text))))
            }
            Ok(mut url) => {
                // A login in a redirect is a stranger's.
                let stripped = url.set_username("").and_then(|()| url.set_password(None));
                stripped.map(|()| url).map_err(|()| trouble(format!("leads to `{}`", shown(&text))))
            }
            Err(error) => Err(trouble(format!("leads to `{}`: {error}", shown(&text)))),
        })
    }

    /// Takes the redirect.
    pub(super) fn go(&mut self, status: StatusCode, headers: &HeaderMap, to: Url) -> Result<(), Trouble> {
        self.cookies.take(&self.url, headers);
        // As browsers do: all but 307 and 308 ask for the next page with GET.
        if !matches!(status.as_u16(), 307 | 308) {
            self.with_body = false;
            if self.method != Method::Head {
                self.method = Method::Get;
            }
        }
        self.url = to;
        if self.with_body && !self.is_at_home() {
            let message = format!("{} leads our request's body to `{}`", status.as_u16(), origin(&self.url));
            return Err(Trouble::because(Ending::Redirect, Reason::Permission, message));
        }
        Ok(())
    }

    /// Whether this is the server that was configured, which alone is told what was configured: the same host and port,
    /// or the same host by TLS instead of plain.
    pub(super) fn is_at_home(&self) -> bool {
        let home = &self.page.url.0;
        let [there, here] = [home, &self.url].map(|url| (url.scheme(), url.port_or_known_default()));
        home.host() == self.url.host() && (there == here || (there, here) == (("http", Some(80)), ("https", Some(443))))
    }

    /// How the server is trusted, and how we show who we are: to a stranger, not at all.
    pub(super) fn tls(&self) -> Settings {
        let settings = &self.page.encryption.settings;
        if self.is_at_home() {
            return settings.clone();
        }
        Settings { ca_file: settings.ca_file.clone(), ..Settings::default() }
    }

    /// The request, for HTTP/2 or HTTP/1.1.
    pub(super) fn request(&self, http2: bool) -> Result<hyper::Request<http_body_util::Full<Bytes>>, Trouble> {
        let Request { headers, body, login, .. } = &self.page.request;
        let bug = |error: &dyn std::error::Error| Trouble::local(Failure::message(Reason::Bug, error.to_string()));
        let mut sent = HeaderMap::new();
        sent.insert(header::USER_AGENT, USER_AGENT);
        sent.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(cookies) = self.cookies.header(&self.url) {
            sent.insert(header::COOKIE, cookies);
        }
        let mut authority = authority(&self.url);
        if self.is_at_home() {
            for (name, value) in headers {
                let value = reveal(value)?;
                if name.0 == header::HOST {
                    authority = String::from_utf8_lossy(&value).into_owned();
                } else {
                    sent.insert(&name.0, secret(&name.0, &value)?);
                }
            }
            if let Some(login) = login {
                sent.insert(header::AUTHORIZATION, authorization(login)?);
            }
        }
        let uri = if http2 {
            format!("{}://{authority}{}", self.url.scheme(), path(&self.url))
        } else {
            sent.insert(header::HOST, HeaderValue::from_str(&authority).map_err(|error| bug(&error))?);
            sent.insert(header::CONNECTION, HeaderValue::from_static("close"));
            path(&self.url)
        };
        let body = match body {
            Some(body) if self.with_body => reveal(body)?,
            _ => Vec::new(),
        };
        let uri: Uri = uri.parse().map_err(|error| bug(&error))?;
        let mut request = hyper::Request::new(http_body_util::Full::new(Bytes::from(body)));
        *request.method_mut() = match self.method {
            Method::Get => hyper::Method::GET,
            Method::Head => hyper::Method::HEAD,
            Method::Options => hyper::Method::OPTIONS,
            Method::Post => hyper::Method::POST,
            Method::Put => hyper::Method::PUT,
        };
        *request.uri_mut() = uri;
        *request.headers_mut() = sent;
        Ok(request)
    }
}

fn path(url: &Url) -> String {
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{}{query}", url.path())
}

/// Host and port as a request names them.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A page's server, for people: nothing of the path, which may be long or private.
pub(super) fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), authority(url))
}

/// What a server has said, not too much of it.
fn shown(text: &str) -> String {
    excerpt(text, 200)
}

fn reveal(text: &Text) -> Result<Vec<u8>, Trouble> {
    match text {
        Text::Plain(text) => Ok(text.clone().into_bytes()),
        Text::Kept(secret) => secret.reveal().map_err(Trouble::local),
    }
}

fn secret(name: &HeaderName, value: &[u8]) -> Result<HeaderValue, Trouble> {
    // The error does not repeat the value, and neither does a value that is marked.
    let mut value = HeaderValue::from_bytes(value).map_err(|_| {
        let message =
            format!("the value of the header `{name}` has a line end or another byte that no header may have");
        Trouble::local(Failure::message(Reason::Auth, message))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn authorization(login: &Login) -> Result<HeaderValue, Trouble> {
    let value = match login {
        Login::Basic { user, password } => {
            let password = password.reveal().map_err(Trouble::local)?;
            let pair = [user.as_bytes(), b":", &password].concat();
            format!("Basic {}", STANDARD.encode(pair)).into_bytes()
        }
        Login::Bearer(token) => [b"Bearer ", &token.reveal().map_err(Trouble::local)?[..]].concat(),
    };
    secret(&header::AUTHORIZATION, &value)
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::collectors::probe::config::Subject;

    pub(in super::super) fn page(keys: &str) -> Page {
        let text = format!("[probe.targets.main]\n{keys}\n");
        let config = crate::config::parse(Path::new("test"), &text).unwrap();
        match &config.collectors.probe.targets.values().next().unwrap().subject {
            Subject::Http(page) => *page.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn location(value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_bytes(value).unwrap());
        headers
    }

    #[test]
    fn home_is_one_server_and_its_encrypted_self() {
        for (home, there, is_home) in [
            ("http://shop.example/a", "http://shop.example/b", true),
            ("http://shop.example/", "https://shop.example/", true),
            ("http://shop.example/", "https://shop.example:8443/", false),
            ("http://shop.example:8080/", "https://shop.example/", false),
            ("https://shop.example/", "http://shop.example/", false),
            ("https://shop.example/", "https://shop.example:443/", true),
            ("https://shop.example/", "https://www.shop.example/", false),
            ("http://[::1]/", "http://[::1]/x", true),
        ] {
            let page = page(&format!("http = '{home}'"));
            let mut journey = Journey::begin(&page);
            journey.go(StatusCode::FOUND, &HeaderMap::new(), there.parse().unwrap()).unwrap();
            assert_eq!(journey.is_at_home(), is_home, "{home} {there}");
        }
    }

    #[test]
    fn a_form_becomes_a_page_unless_it_is_to_be_sent_again() {
        let page = page("http = 'http://shop.example/'\nmethod = 'POST'\nbody = 'a=1'");
        for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
            let mut journey = Journey::begin(&page);
            let status = StatusCode::from_u16(status).unwrap();
            let to = journey.redirect(status, &location(b"/next")).unwrap().unwrap();
            journey.go(status, &HeaderMap::new(), to).unwrap();
            let request = journey.request(false).unwrap();
            assert_eq!((request.method().as_str(), request.uri().path()), (method, "/next"));
        }
    }

    #[test]
    fn a_request_is_written_as_each_version_wants_it() {
        let page = page("http = 'https://shop.example:8443/a b?q=ş#top'");
        let journey = Journey::begin(&page);
        let request = journey.request(true).unwrap();
        assert_eq!(request.uri(), "https://shop.example:8443/a%20b?q=%C5%9F");
        let request = journey.request(false).unwrap();
        assert_eq!(request.uri(), "/a%20b?q=%C5%9F");
        assert_eq!(request.headers()[header::HOST], "shop.example:8443");
    }

    #[test]
    fn where_a_redirect_leads_is_told_without_what_a_terminal_obeys() {
        let page = page("http = 'http://shop.example/'");
        let there = location(b"mailto:\xc2\x9b31m\xe2\x80\xae");
        let trouble = Journey::begin(&page).redirect(StatusCode::FOUND, &there).unwrap().unwrap_err();
        let says = "302 leads to `mailto:\\u{9b}31m\\u{202e}`, which is no page";
        assert_eq!(trouble.failure.to_string(), says);
        let trouble = Journey::begin(&page).redirect(StatusCode::FOUND, &location(b"//a\"/")).unwrap().unwrap_err();
        assert_eq!(trouble.failure.to_string(), "302 leads to `//a\"/`, which nobody can ask for");
    }

    proptest! {
        #[test]
        fn no_redirect_panics_or_leads_out_of_the_web(value in "[ -~\u{80}-\u{ff}]{0,60}|(https?|file|//)[:/@a-z0-9?#\\[\\]. ]{0,40}") {
            let page = page("http = 'https://shop.example/shop/'");
            let mut journey = Journey::begin(&page);
            let bytes: Vec<u8> = value.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
            if let Some(Ok(to)) = journey.redirect(StatusCode::FOUND, &location(&bytes)) {
                prop_assert!(matches!(to.scheme(), "http" | "https") && to.has_host());
                prop_assert!(to.username().is_empty() && to.password().is_none());
                journey.go(StatusCode::FOUND, &HeaderMap::new(), to).unwrap();
                prop_assert!(journey.request(true).is_ok() && journey.request(false).is_ok(), "{}", journey.url);
            }
        }
    }
}
