//! The requests of an account, put together from the texts of its preset.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use url::Url;

use super::account::Auth;
use super::check;
use super::filled::{Filled, TokenSource};
use super::hole::Content;
use super::message::{Message, Value};
use super::pace::{self, Allowance, Pace};
use super::probe::{Documented, Probe};
use super::resolve::Wishes;
use super::schema::{self, Environment, Headers, Written};
use super::template::{Place, Template};
use super::values::Values;

/// How Vitrin calls itself where no preset says otherwise.
const USER_AGENT: &str = concat!("vitrin/", env!("CARGO_PKG_VERSION"));

/// The longest that a request may take.
const LONGEST: Duration = Duration::from_mins(1);

/// An account that is being put together.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) written: &'a Written,
    pub(super) values: Values<'a>,
    hosts: BTreeMap<&'a str, String>,
    pub(super) wishes: &'a Wishes,
    /// What the documented limits are called, once for each probe that uses one.
    buckets: Vec<String>,
    /// Those that a probe has needed.
    auths: BTreeMap<&'a str, Known>,
}

/// An auth that is put together, and how requests show it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) auth: Auth,
    /// The token, when it is kept in a file.
    pub(super) kept: Option<Filled>,
    /// The header `Authorization`, when it is a login.
    pub(super) login: Option<Value>,
}

impl<'a> Assembly<'a> {
    /// An account in this environment, of which these probes are made.
    ///
    /// # Errors
    /// When one of its addresses is none.
    pub(super) fn new(
        written: &'a Written,
        environment: &'a Environment,
        values: Values<'a>,
        wishes: &'a Wishes,
        probes: &[&schema::Probe],
    ) -> Result<Self, String> {
        let base_url = address(&environment.base_url, Place::Base, &values)?;
        let mut hosts = BTreeMap::new();
        for (name, host) in &environment.hosts {
            hosts.insert(name.as_str(), address(host, Place::Base, &values)?);
        }
        let buckets = probes.iter().filter_map(|probe| Some(documented(probe)?.bucket)).collect();
        Ok(Self { written, values: values.at(base_url), hosts, wishes, buckets, auths: BTreeMap::new() })
    }

    /// The auths that the probes so far are made with.
    pub(super) fn auths(self) -> Vec<Auth> {
        self.auths.into_values().map(|known| known.auth).collect()
    }

    /// A probe of it.
    ///
    /// # Errors
    /// When something in it is not there, or its times do not fit.
    pub(super) fn probe(&mut self, probe: &'a schema::Probe) -> Result<Probe, String> {
        let auth = check::auth_of(self.written, probe)?;
        if let Some((name, auth)) = auth.filter(|(name, _)| !self.auths.contains_key(name)) {
            let known = self.auth(name, auth).map_err(|problem| format!("its auth `{name}`: {problem}"))?;
            self.auths.insert(name, known);
        }
        let message = self.message(probe, auth)?;
        let wanted = probe.interval.map_or(self.wishes.interval, |period| period.0);
        let min_interval = probe.min_interval.map(|period| period.0);
        let documented = documented(probe);
        let allowance = documented.as_ref().map(|Documented { bucket, limit }| {
            let probes = self.buckets.iter().filter(|known| *known == bucket).count();
            let probes = u32::try_from(probes).unwrap_or(u32::MAX);
            Allowance { limit, share: self.wishes.budget_share, probes }
        });
        let pace = Pace::new(wanted, min_interval, allowance);
        let timeout = probe.timeout.map_or(self.wishes.timeout.min(pace.every), |period| period.0);
        if timeout > LONGEST {
            let shown = pace::shown(timeout);
            return Err(format!("it may take {shown}\na minute is the most that `timeout` can be"));
        }
        if timeout > pace.every {
            let (timeout, every) = (pace::shown(timeout), pace::shown(pace.every));
            return Err(format!(
                "it may take {timeout}, and the next begins after {every}\n\
                 make its `timeout` shorter, or its `interval` longer"
            ));
        }
        Ok(Probe {
            name: probe.name.clone(),
            role: probe.role,
            auth: auth.map(|(name, _)| name.to_owned()),
            pace,
            has_interval: probe.interval.is_some(),
            timeout,
            documented,
            rules: probe.rules().into(),
            message: message.into(),
        })
    }

    fn message(&self, probe: &schema::Probe, auth: Option<(&str, &schema::Auth)>) -> Result<Message, String> {
        let known = auth.and_then(|(name, _)| self.auths.get(name));
        let token = auth.filter(|(_, auth)| auth.has_token());
        let kept = known.and_then(|known| known.kept.as_ref());
        let token = token.map(|_| kept.map_or(TokenSource::Asked, TokenSource::Kept));
        let base = match &probe.host {
            Some(host) => self.hosts.get(host.as_str()).map_or("", String::as_str),
            None => self.values.base_url(),
        };
        let mut url = Filled::literal(base);
        let path = self.filled(&probe.path, Place::Path, token)?;
        if !path.beginning().starts_with('/') {
            return Err("its path does not begin with `/`\nwrite it as \"/v1/orders\"".to_owned());
        }
        let mut mark = if path.beginning().contains('?') { "&" } else { "?" };
        url.append(path);
        for (name, value) in &probe.query {
            let value = Filled::of(value, Place::Query, &self.values, token)?;
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                url.push(mark);
                url.push(&Filled::in_query(name));
                url.push("=");
                url.append(value);
                mark = "&";
            }
        }
        let mut headers = self.headers([&self.written.headers, &probe.headers], token)?;
        if let Some(auth) = auth {
            headers.extend(self.shown_by(probe, auth.1, known, token)?);
        }
        let body = probe.body.as_ref().map(|body| self.filled(&body.text, Place::Body, token)).transpose()?;
        let method = match probe.method {
            schema::Method::Get => Method::GET,
            schema::Method::Post => Method::POST,
        };
        Ok(Message { method, url, headers, body })
    }

    /// The headers that show who we are.
    fn shown_by(
        &self,
        probe: &schema::Probe,
        auth: &schema::Auth,
        known: Option<&Known>,
        token: Option<TokenSource<'_>>,
    ) -> Result<BTreeMap<String, Value>, String> {
        let bearer = Headers::bearer();
        let usual = match auth {
            schema::Auth::Headers { inject, .. } => inject,
            schema::Auth::BearerFile { inject, .. } => inject.as_ref().unwrap_or(&bearer),
            schema::Auth::OAuth2(oauth2) => oauth2.inject.as_ref().unwrap_or(&bearer),
            schema::Auth::None {} | schema::Auth::Basic { .. } => &Headers::default(),
        };
        let login = known.and_then(|known| known.login.clone()).filter(|_| probe.auth_inject.is_none());
        let mut headers: BTreeMap<_, _> = login.map(|login| ("authorization".to_owned(), login)).into_iter().collect();
        for (name, value) in &probe.auth_inject.as_ref().unwrap_or(usual).0 {
            headers.insert(name.clone(), Value::Text(self.filled(value, Place::Header, token)?));
        }
        Ok(headers)
    }

    /// What is on every request, of which nothing is left that is empty.
    pub(super) fn headers(
        &self,
        tables: [&Headers; 2],
        token: Option<TokenSource<'_>>,
    ) -> Result<BTreeMap<String, Value>, String> {
        let mut headers = BTreeMap::new();
        for (name, value) in tables.into_iter().flat_map(|table| &table.0) {
            match Filled::of(value, Place::Header, &self.values, token)?.filter(|value| !value.is_empty()) {
                Some(value) => headers.insert(name.clone(), Value::Text(value)),
                None => headers.remove(name),
            };
        }
        let text = |text| Value::Text(Filled::literal(text));
        headers.entry("user-agent".to_owned()).or_insert_with(|| text(USER_AGENT));
        // What comes compressed would have to be unpacked to be judged.
        headers.insert("accept-encoding".to_owned(), text("identity"));
        Ok(headers)
    }

    /// A text that must be there.
    pub(super) fn filled(
        &self,
        template: &Template,
        place: Place,
        token: Option<TokenSource<'_>>,
    ) -> Result<Filled, String> {
        let filled = Filled::of(template, place, &self.values, token)?;
        if place == Place::Login && filled.as_ref().is_some_and(Filled::is_empty) {
            return Err(empty(template));
        }
        filled.ok_or_else(|| {
            let missing = template.holes().find_map(|hole| match &hole.content {
                Content::Secret(name) if !matches!(self.values.secret(name), Ok(Some(_))) => Some(name.as_str()),
                _ => None,
            });
            let name = missing.unwrap_or_default();
            format!(
                "it needs the secret `{name}`\nadd secrets.{name} = {{ file = \"/etc/vitrin/{name}\" }} to the target"
            )
        })
    }
}

/// The limit that is documented for a probe, and what it is called on the page.
fn documented(probe: &schema::Probe) -> Option<Documented> {
    let limit = probe.documented_limit.clone()?;
    let said = match &probe.rate_limit[..] {
        [said] if said.bucket.is_plain() => Some(said.bucket.to_string()),
        _ => None,
    };
    Some(Documented { bucket: limit.bucket.clone().or(said).unwrap_or_else(|| probe.name.clone()), limit })
}

/// What is to be said of a template that comes to nothing.
fn empty(template: &Template) -> String {
    let name = template.holes().find_map(|hole| match &hole.content {
        Content::Var(name) => Some(name.as_str()),
        _ => None,
    });
    match name {
        Some(name) => format!("it needs the variable `{name}`\nadd vars.{name} = \"…\" to the target"),
        None => "a text in it is empty\nwrite what the marketplace calls it".to_owned(),
    }
}

/// An address that is all known from the start: without a slash at its end, or whole for one of tokens.
pub(super) fn address(template: &Template, place: Place, values: &Values<'_>) -> Result<String, String> {
    let filled = Filled::of(template, place, values, None)?;
    let text = filled.as_ref().and_then(Filled::known).unwrap_or_default();
    if text.is_empty() {
        return Err(empty(template));
    }
    // Not repeated: what stands before an `@` may be a password.
    if text.contains('@') {
        return Err("a user or password does not belong in the address\nwrite it among the secrets".to_owned());
    }
    match Url::parse(text) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.port() != Some(0)
                && url.query().is_none()
                && url.fragment().is_none() =>
        {
            Ok(if place == Place::Base { url.as_str().trim_end_matches('/').to_owned() } else { url.into() })
        }
        _ => {
            // Nor what stands behind a question mark: it may be a key.
            let shown = text.split(['?', '#']).next().unwrap_or_default();
            Err(format!(
                "`{shown}` is not the address of a marketplace\nwrite \"https://api.example.com\", without a query"
            ))
        }
    }
}
