//! What of a preset contradicts itself, or names what there is not.

use std::collections::BTreeSet;

use super::hole::{Content, Escape, is_name};
use super::schema::{About, Auth, Grant, Method, OAuth2, Probe, SCHEMA, Used, Written};
use super::template::{Piece, Template};
use crate::collectors::marketplace::judge::rules::Condition;
use crate::config::meant;

/// The most probes of a preset or an account.
pub(super) const PROBES: usize = 50;

/// The name of `[auth]`, and what a probe says that wants none.
const DEFAULT: &str = "default";
const NONE: &str = "none";

/// That a preset is right in itself.
///
/// # Errors
/// What is wrong, and the way out.
pub(super) fn preset(written: &Written) -> Result<(), String> {
    if written.schema != SCHEMA {
        return Err(format!("schema {} is not known\nthis Vitrin reads schema = {SCHEMA}", written.schema));
    }
    label(&written.preset.name)?;
    about(&written.preset)?;
    environments(written)?;
    for (name, auth) in auths(written) {
        self::auth(written, auth).map_err(|problem| format!("the auth `{name}`: {problem}"))?;
    }
    for name in written.auth_named.keys() {
        label(name)?;
        if name == NONE || name == DEFAULT {
            return Err(format!("an auth cannot be called `{name}`\ncall it after what it is for"));
        }
    }
    written.texts().into_iter().try_for_each(|(text, place, has_token)| text.check(place, has_token))?;
    probes(written)?;
    names(written)
}

/// The auth that a probe is made with, and its name; `None` without any.
///
/// # Errors
/// When there is none of that name.
pub(super) fn auth_of<'a>(written: &'a Written, probe: &Probe) -> Result<Option<(&'a str, &'a Auth)>, String> {
    let name = probe.auth.as_deref().unwrap_or(DEFAULT);
    if name == NONE {
        return Ok(None);
    }
    let Some(found) = auths(written).find(|(known, _)| *known == name) else {
        let known: Vec<_> = [NONE].into_iter().chain(auths(written).map(|(name, _)| name)).collect();
        return Err(format!("there is no auth `{name}`\n{}", meant(name, &known)));
    };
    Ok(Some(found).filter(|(_, auth)| !matches!(auth, Auth::None {})))
}

/// The auths by name.
pub(super) fn auths(written: &Written) -> impl Iterator<Item = (&str, &Auth)> {
    let named = written.auth_named.iter().map(|(name, auth)| (name.as_str(), auth));
    [(DEFAULT, &written.auth)].into_iter().chain(named)
}

/// That a name can be a label's value that people write.
fn label(name: &str) -> Result<(), String> {
    let good = (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    if good {
        return Ok(());
    }
    Err(format!(
        "`{name}` is not a name\n1 to 63 lower-case letters, digits, `-` and `_`, for example `my-marketplace`"
    ))
}

fn about(about: &About) -> Result<(), String> {
    for (kind, names) in [("variable", about.vars()), ("secret", about.secrets())] {
        let mut seen = BTreeSet::new();
        for name in names {
            if !is_name(name) {
                return Err(format!(
                    "`{name}` is not the name of a {kind}\nlower-case letters, digits and `_`: `seller_id`"
                ));
            }
            if !seen.insert(name) {
                return Err(format!("the {kind} `{name}` is there twice\nit is required or optional"));
            }
        }
    }
    for (name, allowed) in &about.allowed {
        if !about.vars().contains(&name.as_str()) {
            let hint = meant(name, &about.vars());
            return Err(format!("`allowed` names the variable `{name}`, which there is not\n{hint}"));
        }
        if about.optional_vars.get(name).is_some_and(|default| !allowed.contains(default)) {
            return Err(format!("the default of the variable `{name}` is not allowed\nadd it to `allowed`"));
        }
    }
    Ok(())
}

fn environments(written: &Written) -> Result<(), String> {
    if written.environments.is_empty() {
        return Err("it has no environments\nadd [environments.production] with its base_url".to_owned());
    }
    let hosts: Vec<BTreeSet<_>> = written.environments.values().map(|there| there.hosts.keys().collect()).collect();
    if hosts.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("its environments have different hosts\nname the same ones in each".to_owned());
    }
    Ok(())
}

fn auth(written: &Written, auth: &Auth) -> Result<(), String> {
    if let Auth::OAuth2(oauth2) = auth {
        self::oauth2(oauth2)?;
    }
    let optional = &written.preset.optional_vars;
    match auth.expiries().iter().find(|expiry| !optional.contains_key(&expiry.from_var)) {
        Some(expiry) => Err(format!(
            "a static_expiry is from the variable `{}`, which is no optional one\nadd it to optional_vars, empty",
            expiry.from_var
        )),
        None => Ok(()),
    }
}

fn oauth2(oauth2: &OAuth2) -> Result<(), String> {
    if oauth2.rotates_refresh_token {
        return Err("rotates_refresh_token = true: each refresh makes the last refresh token worthless, and Vitrin's \
                    would log the shop's own integration out\n\
                    use type = \"bearer_file\", with the access token that the integration writes into a file"
            .to_owned());
    }
    if oauth2.grant == Grant::RefreshToken && !oauth2.form.contains_key("refresh_token") {
        return Err("there is no refresh token\n\
                    add form.refresh_token = \"{{secret.refresh_token}}\", or write grant = \"client_credentials\""
            .to_owned());
    }
    let made = ["grant_type", "client_id", "client_secret"];
    if let Some(made) = made.iter().find(|name| oauth2.form.contains_key(**name)) {
        return Err(format!(
            "the field `{made}` of the form is made by Vitrin\nwrite the keys grant, client_id and client_secret"
        ));
    }
    let fail = &oauth2.fail;
    fail.auth_error.iter().chain(&fail.rate_limited).try_for_each(Condition::check)?;
    for (key, pointers, example) in [
        ("token", &oauth2.token, "[\"/access_token\", \"/data/accessToken\"]"),
        ("expires_in", &oauth2.expires_in, "[\"/expires_in\", \"/data/expiresIn\"]"),
    ] {
        if pointers.0.is_empty() || pointers.0.iter().any(|pointer| !pointer.starts_with('/')) {
            return Err(format!("`{key}` does not say where in the answer it is\nwrite {key} = {example}"));
        }
    }
    Ok(())
}

fn probes(written: &Written) -> Result<(), String> {
    match written.probe.len() {
        0 => return Err("it has no probes\nadd [[probe]]".to_owned()),
        1..=PROBES => {}
        _ => return Err(format!("it has more than {PROBES} probes\nleave some of them out")),
    }
    let mut seen = BTreeSet::new();
    for probe in &written.probe {
        let of = |problem: String| format!("the probe `{}`: {problem}", probe.name);
        if !seen.insert(&probe.name) {
            return Err(of("it is there twice\ngive it another name".to_owned()));
        }
        self::probe(written, probe).map_err(of)?;
    }
    Ok(())
}

/// That a probe of this preset is right in itself.
///
/// # Errors
/// What is wrong, and the way out.
pub(super) fn probe(written: &Written, probe: &Probe) -> Result<(), String> {
    label(&probe.name)?;
    if probe.method == Method::Post && !probe.read_only {
        return Err("it is a POST\nadd read_only = true when it changes nothing there, and only then".to_owned());
    }
    if probe.body.is_some() && probe.method == Method::Get {
        return Err("a GET has no body\nleave it out, or write method = \"POST\"".to_owned());
    }
    let there = written.environments.values();
    let hosts: BTreeSet<_> = there.flat_map(|there| there.hosts.keys()).map(String::as_str).collect();
    if let Some(host) = probe.host.as_deref().filter(|host| !hosts.contains(host)) {
        let hosts: Vec<_> = hosts.into_iter().collect();
        return Err(format!("there is no host `{host}`\n{}", known(host, &hosts)));
    }
    let auth = auth_of(written, probe)?;
    // An open preset's account has probes of its own, and no auths.
    if auth.is_none() && !written.preset.open {
        let headers = written.headers.0.values();
        let texts = headers.chain(probe.texts(true).into_iter().map(|(text, ..)| text));
        let secret = texts.flat_map(Template::holes).find_map(|hole| match &hole.content {
            Content::Secret(name) => Some(name),
            _ => None,
        });
        if let Some(name) = secret {
            return Err(format!(
                "it shows the secret `{name}` without an auth, which could be spared when it is refused\n\
                 put it into [auth], or into an [auth_named.key] with type = \"headers\", and name that"
            ));
        }
    }
    if probe.auth_inject.is_some() && auth.is_none() {
        return Err("auth_inject is for a probe with an auth\nname an auth, or write headers".to_owned());
    }
    if !is_path(&probe.path) {
        return Err(
            "its path is none\nwrite path = \"/v1/orders\", and parameters as query = { size = \"1\" }".to_owned()
        );
    }
    let has_token = auth.is_some_and(|(_, auth)| auth.has_token());
    probe.texts(has_token).into_iter().try_for_each(|(text, place, has_token)| text.check(place, has_token))?;
    let rules = probe.rules();
    let conditions = rules.classify.iter().map(|rule| &rule.when).chain(&rules.success.require);
    for name in conditions.filter_map(|condition| condition.environment.as_deref()) {
        if !written.environments.contains_key(name) {
            let names: Vec<_> = written.environments.keys().map(String::as_str).collect();
            return Err(format!("there is no environment `{name}`\n{}", known(name, &names)));
        }
    }
    rules.check()
}

/// Whether it begins with a slash, or with a variable that has one, and has no query.
fn is_path(path: &Template) -> bool {
    let has_query = path.0.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(['?', '#', ' '])));
    let begins = match path.0.first() {
        Some(Piece::Text(text)) => text.starts_with('/'),
        Some(Piece::Hole(hole)) => hole.escape == Escape::Raw,
        None => false,
    };
    begins && !has_query
}

/// That all names that are used are declared, and all that are declared used.
fn names(written: &Written) -> Result<(), String> {
    let about = &written.preset;
    let used = Used::of(written, &written.probe);
    for (kind, declared, used) in [("variable", about.vars(), &used.vars), ("secret", about.secrets(), &used.secrets)] {
        if let Some(name) = used.iter().find(|name| !declared.contains(&name.as_str())) {
            return Err(format!("there is no {kind} `{name}`\n{}", known(name, &declared)));
        }
        if let Some(name) = declared.iter().find(|name| !used.contains(**name)) {
            return Err(format!("the {kind} `{name}` is used nowhere\nleave it out"));
        }
    }
    Ok(())
}

/// What there is instead.
pub(super) fn known(name: &str, known: &[&str]) -> String {
    if known.is_empty() { "there is none at all".to_owned() } else { meant(name, known) }
}
