//! All texts with holes of a preset, and where they stand: to be checked, and to know what names are used.

use std::collections::BTreeSet;

use super::{Auth, Headers, Probe, StaticExpiry, Written};
use crate::collectors::marketplace::preset::hole::Content;
use crate::collectors::marketplace::preset::template::{Place, Template};

/// A text, where it stands, and whether there is an access token.
type Standing<'a> = (&'a Template, Place, bool);

fn standing(headers: &Headers, has_token: bool) -> impl Iterator<Item = Standing<'_>> {
    headers.0.values().map(move |value| (value, Place::Header, has_token))
}

impl Written {
    /// Those of the preset, its probes aside.
    pub(crate) fn texts(&self) -> Vec<Standing<'_>> {
        let there = self.environments.values();
        let addresses = there.flat_map(|there| [&there.base_url].into_iter().chain(there.hosts.values()));
        let auths = [&self.auth].into_iter().chain(self.auth_named.values()).flat_map(Auth::texts);
        let addresses = addresses.map(|address| (address, Place::Base, false));
        addresses.chain(standing(&self.headers, false)).chain(auths).collect()
    }
}

impl Auth {
    /// Whether requests are made with an access token.
    pub(crate) fn has_token(&self) -> bool {
        matches!(self, Self::BearerFile { .. } | Self::OAuth2(_))
    }

    /// What it knows of when credentials expire.
    pub(crate) fn expiries(&self) -> &[StaticExpiry] {
        match self {
            Self::None {} => &[],
            Self::Headers { static_expiry, .. }
            | Self::Basic { static_expiry, .. }
            | Self::BearerFile { static_expiry, .. } => static_expiry,
            Self::OAuth2(oauth2) => &oauth2.static_expiry,
        }
    }

    /// Its texts.
    pub(crate) fn texts(&self) -> Vec<Standing<'_>> {
        let login = |text| (text, Place::Login, false);
        match self {
            Self::None {} => Vec::new(),
            Self::Headers { inject, .. } => standing(inject, false).collect(),
            Self::Basic { username, password, .. } => vec![login(username), login(password)],
            Self::BearerFile { token, inject, .. } => {
                let inject = inject.iter().flat_map(|inject| standing(inject, true));
                [login(token)].into_iter().chain(inject).collect()
            }
            Self::OAuth2(oauth2) => {
                let asked = [
                    (&oauth2.token_url, Place::TokenUrl, false),
                    login(&oauth2.client_id),
                    login(&oauth2.client_secret),
                ];
                let form = oauth2.form.values().map(|value| (value, Place::Form, false));
                let inject = oauth2.inject.iter().flat_map(|inject| standing(inject, true));
                asked.into_iter().chain(form).chain(standing(&oauth2.headers, false)).chain(inject).collect()
            }
        }
    }
}

impl Probe {
    /// Its texts, when it is made with an access token or not.
    pub(crate) fn texts(&self, has_token: bool) -> Vec<Standing<'_>> {
        let query = self.query.values().map(|value| (value, Place::Query, has_token));
        let inject = self.auth_inject.iter().flat_map(|inject| standing(inject, has_token));
        let body = self.body.iter().map(|body| (&body.text, Place::Body, has_token));
        let path = [(&self.path, Place::Path, has_token)];
        path.into_iter().chain(query).chain(standing(&self.headers, has_token)).chain(inject).chain(body).collect()
    }
}

/// The names that are used.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) vars: BTreeSet<String>,
    pub(crate) secrets: BTreeSet<String>,
}

impl Used {
    /// Those of a preset and these probes.
    pub(crate) fn of(written: &Written, probes: &[Probe]) -> Self {
        let mut used = Self::default();
        for auth in [&written.auth].into_iter().chain(written.auth_named.values()) {
            used.vars.extend(auth.expiries().iter().map(|expiry| expiry.from_var.clone()));
        }
        let texts = written.texts().into_iter().chain(probes.iter().flat_map(|probe| probe.texts(true)));
        for hole in texts.flat_map(|(text, ..)| text.holes()) {
            match &hole.content {
                Content::Var(name) => used.vars.insert(name.clone()),
                Content::Secret(name) => used.secrets.insert(name.clone()),
                _ => false,
            };
        }
        used
    }
}
