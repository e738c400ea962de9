//! Who an account is at its marketplace, put together from the texts of its preset.

use hyper::Method;

use super::account::{Auth, AuthKind};
use super::assemble::{Assembly, Known, address};
use super::filled::Filled;
use super::message::{Message, Value};
use super::oauth2::OAuth2;
use super::schema::{self, ClientAuth, Grant};
use super::template::Place;
use crate::collectors::marketplace::judge::rules::{Classify, Condition, Expect, Rules, Success};
use crate::collectors::marketplace::result::Outcome;

impl Assembly<'_> {
    /// An auth of it.
    ///
    /// # Errors
    /// When something in it is not there.
    pub(super) fn auth(&self, name: &str, auth: &schema::Auth) -> Result<Known, String> {
        let login = |template| self.filled(template, Place::Login, None);
        let secrets = |texts: &[&Filled]| texts.iter().flat_map(|text| text.secrets()).cloned().collect::<Vec<_>>();
        let known =
            |kind, secrets| Known { auth: Auth { name: name.to_owned(), kind, secrets }, kept: None, login: None };
        Ok(match auth {
            schema::Auth::None {} => known(AuthKind::Headers, Vec::new()),
            schema::Auth::Headers { inject, .. } => {
                let texts = inject.0.values().map(|value| self.filled(value, Place::Header, None));
                let texts = texts.collect::<Result<Vec<_>, _>>()?;
                known(AuthKind::Headers, secrets(&texts.iter().collect::<Vec<_>>()))
            }
            schema::Auth::Basic { username, password, .. } => {
                let (username, password) = (login(username)?, login(password)?);
                let known = known(AuthKind::Basic, secrets(&[&username, &password]));
                Known { login: Some(Value::Basic { username, password }), ..known }
            }
            schema::Auth::BearerFile { token, .. } => {
                let token = login(token)?;
                let secrets = secrets(&[&token]);
                if !secrets.iter().any(|secret| secret.file().is_some()) {
                    return Err("the access token is not in a file, where it could be renewed\n\
                                write it as { file = \"/var/lib/shop/access_token\" }"
                        .to_owned());
                }
                Known { kept: Some(token), ..known(AuthKind::BearerFile, secrets) }
            }
            schema::Auth::OAuth2(oauth2) => {
                let oauth2 = self.oauth2(oauth2)?;
                let secrets = oauth2.message.secrets().cloned().collect();
                known(AuthKind::OAuth2(Box::new(oauth2)), secrets)
            }
        })
    }

    fn oauth2(&self, oauth2: &schema::OAuth2) -> Result<OAuth2, String> {
        let url = Filled::literal(&address(&oauth2.token_url, Place::TokenUrl, &self.values)?);
        let mut headers = self.headers([&self.written.headers, &oauth2.headers], None)?;
        let form_type = "application/x-www-form-urlencoded";
        headers.insert("content-type".to_owned(), Value::Text(Filled::literal(form_type)));
        let grant = match oauth2.grant {
            Grant::ClientCredentials => "client_credentials",
            Grant::RefreshToken => "refresh_token",
        };
        let mut body = Filled::literal(&format!("grant_type={grant}"));
        let mut field = |name: &str, value: Filled| {
            body.push("&");
            body.push(&form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>());
            body.push("=");
            body.append(value);
        };
        for (name, value) in &oauth2.form {
            let value = Filled::of(value, Place::Form, &self.values, None)?;
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                field(name, value);
            }
        }
        let (id, secret) = (&oauth2.client_id, &oauth2.client_secret);
        match oauth2.client_auth {
            ClientAuth::Basic => {
                // As it is: RFC 6749 (2.3.1) wants both encoded as in a form, which marketplaces do not decode.
                let username = self.filled(id, Place::Login, None)?;
                let password = self.filled(secret, Place::Login, None)?;
                headers.insert("authorization".to_owned(), Value::Basic { username, password });
            }
            ClientAuth::Body => {
                field("client_id", self.filled(id, Place::Form, None)?);
                field("client_secret", self.filled(secret, Place::Form, None)?);
            }
        }
        let rule = |outcome| {
            move |when: &Condition| Classify { when: when.clone(), result: outcome, code_from: None, codes: Vec::new() }
        };
        // Neither too many requests nor a wall says anything of the credentials, whatever else is in the answer.
        let throttled = Condition { status: Some(vec![429]), ..Condition::default() };
        let html = Some("text/html".to_owned());
        let wall = Condition { status: Some(vec![403]), content_type: html, ..Condition::default() };
        let always = [rule(Outcome::RateLimited)(&throttled), rule(Outcome::Blocked)(&wall)];
        let limited = oauth2.fail.rate_limited.iter().map(rule(Outcome::RateLimited));
        let refused = oauth2.fail.auth_error.iter().map(rule(Outcome::AuthError));
        let rules = Rules {
            expect: Expect::Json,
            classify: always.into_iter().chain(limited).chain(refused).collect(),
            success: Success::default(),
            extract: Vec::new(),
            rate_limit: Vec::new(),
        };
        rules.check()?;
        Ok(OAuth2 {
            timeout: self.wishes.timeout,
            min_interval: oauth2.min_interval.0,
            rules,
            message: Message { method: Method::POST, url, headers, body: Some(body) },
            token: oauth2.token.0.clone(),
            expires_in: oauth2.expires_in.0.clone(),
            default_expires_in: oauth2.default_expires_in.0,
            refresh_early: oauth2.refresh_early.0,
        })
    }
}
