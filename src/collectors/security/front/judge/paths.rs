//! API-01, API-02, API-03, API-05, API-06: what strangers get of what is none of their business.

use std::path::{Path, PathBuf};

use super::Sight;
use crate::collectors::security::front::uri::decoded;
use crate::collectors::security::front::{Answer, Outcome, Request};
use crate::collectors::security::shop::{Engine, Shop, request};
use crate::collectors::security::verdict::{Cap, Cause, Known, Unknown, Verdict};
use crate::remedy::quoted;

/// The most findings that are named.
const NAMED: usize = 3;

/// Whether PHP takes the longest part of a path that is a file for the script (`cgi.fix_pathinfo`).
fn fixes_pathinfo(sight: &Sight<'_>) -> Known<bool> {
    let php = sight.seen.php.as_ref().map_err(Clone::clone)?;
    let setting = php.settings.get("cgi.fix_pathinfo");
    let setting =
        setting.ok_or_else(|| Unknown::new(Cause::Unsupported, "what `cgi.fix_pathinfo` of PHP is was not seen"))?;
    Ok(!["0", "", "off", "no", "false"].contains(&setting.trim().to_lowercase().as_str()))
}

/// What a stranger gets of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Got {
    Nothing,
    /// PHP is handed a path that the file is only the beginning of.
    ByPathInfo,
    /// PHP runs it.
    Run,
    /// It is sent.
    Sent,
}

/// What a stranger gets of a file that may lie in any of these places.
fn got(answer: &Answer, places: &[PathBuf]) -> Known<Got> {
    let is_own = |path: &String| places.iter().any(|own| own == Path::new(path));
    Ok(match &answer.outcome {
        Outcome::Php { script, .. } if is_own(script) => Got::Run,
        Outcome::Php { script, .. } if places.iter().any(|own| Path::new(script).starts_with(own)) => Got::ByPathInfo,
        Outcome::File(sent) if is_own(sent) => Got::Sent,
        Outcome::Proxied => {
            let why = format!("{}: what the other server answers with is not known", answer.place);
            return Err(Unknown::new(Cause::Unsupported, why));
        }
        _ => Got::Nothing,
    })
}

/// Judges API-01.
pub(super) fn installer(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let Some(uri) = &shop.installer else { return Ok(no_installer(shop)) };
    let answer = sight.settle(uri, "", "GET")?;
    let folder = uri.rsplit_once('/').map_or("", |(folder, _)| folder);
    let fix = format!("rm -r {}{folder}/", shop.root.display());
    let place = format!("{} (`{}`)", answer.place, answer.location);
    if got(&answer, &sight.front.places(uri))? == Got::Nothing {
        let seen = "the installer is there; strangers do not reach it by nginx";
        return Ok(Verdict::partial(format!("{seen}: {uri} ends in {place}, where {}", answer.outcome), fix));
    }
    let seen = "the installer is there, and strangers reach it";
    let seen = format!("{seen}: {uri} ends in {place}, where {}", answer.outcome);
    Ok(Verdict::fail(seen, fix).with_cap(Cap::InstallerServable))
}

pub(super) fn no_installer(shop: &Shop) -> Verdict {
    Verdict::pass(format!("there is no installer in {}", shop.root.display()))
}

fn proxied(answer: &Answer) -> Unknown {
    Unknown::new(
        Cause::Unsupported,
        format!("{}: another server answers, and whom it lets in is not known", answer.place),
    )
}

/// Judges API-02: all ways to the administration's script, one with a path behind its name among them.
pub(super) fn administration(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let admin = shop.admin.clone().ok_or_else(|| {
        let why = "where the administration is was not found: write `admin_path = \"/…/\"` into `[security]`";
        Unknown::new(Cause::NotConfigured, why)
    })?;
    let mut ways = match shop.engine {
        Engine::WordPress => vec!["/wp-login.php".to_owned(), format!("{admin}index.php")],
        Engine::Magento => vec![admin.clone()],
        _ => vec![format!("{admin}index.php"), admin.clone()],
    };
    if shop.engine != Engine::Magento {
        ways.push(format!("{}/x", ways[0]));
    }
    let mut refusals = Vec::new();
    let mut unknown = None;
    for way in &ways {
        let answer = match sight.settle(way, "", "GET") {
            Ok(answer) => answer,
            Err(why) => {
                unknown = unknown.or(Some(why));
                continue;
            }
        };
        let is_open = match &answer.outcome {
            Outcome::Php { script, .. } => is_admin(sight, shop, script, &ways)?,
            Outcome::Proxied => {
                unknown = unknown.or(Some(proxied(&answer)));
                continue;
            }
            Outcome::File(_) => {
                let seen = format!("{}: nginx sends the source of {way} instead of running it", answer.place);
                return Ok(Verdict::fail(seen, format!("location ^~ {admin} {{ deny all; }}")));
            }
            Outcome::Other(_) | Outcome::Redirect { .. } | Outcome::Missing => false,
            Outcome::Denied(status) => {
                let asked =
                    answer.controls.first().map_or_else(|| format!("{status}"), |control| control.as_str().to_owned());
                refusals.push(format!("{}: strangers lack {asked}", answer.place));
                false
            }
        };
        if is_open {
            return Ok(open_administration(shop, &admin, way, &answer));
        }
    }
    if let Some(unknown) = unknown {
        return Err(unknown);
    }
    if let Some(refusal) = refusals.first() {
        return Ok(Verdict::pass(format!("strangers do not reach {admin}: {refusal}")));
    }
    let why =
        format!("nginx finds nothing at {admin}, where the shop has its administration: is `[security] root` right?");
    Err(Unknown::new(Cause::Unsupported, why))
}

/// Whether a script that PHP is handed is the administration's, whatever stands behind its name.
fn is_admin(sight: &Sight<'_>, shop: &Shop, script: &str, ways: &[String]) -> Known<bool> {
    let script = Path::new(script);
    // Magento has one script for all.
    if shop.engine == Engine::Magento {
        return Ok(true);
    }
    for way in ways.iter().filter(|way| !way.ends_with('/')) {
        let places = sight.front.places(way);
        if places.iter().any(|own| own == script) {
            return Ok(true);
        }
        if places.iter().any(|own| script.starts_with(own)) {
            return fixes_pathinfo(sight);
        }
    }
    Ok(false)
}

fn open_administration(shop: &Shop, admin: &str, way: &str, answer: &Answer) -> Verdict {
    let place = format!("{way} ends in {} (`{}`)", answer.place, answer.location);
    let fix = format!(
        "location ^~ {admin} {{ allow 203.0.113.7; deny all;  # your own address\n  location ~ \\.php$ {{ … }} }}  # the same as in {} (`{}`)",
        answer.place, answer.location
    );
    let usual = match shop.engine {
        Engine::WordPress => "/wp-admin/",
        _ => "/admin/",
    };
    // WordPress' login stays where it is, whatever is renamed.
    if admin == usual || shop.engine == Engine::WordPress {
        return Verdict::fail(format!("the administration is where everybody looks for it, and open: {place}"), fix);
    }
    Verdict::partial(format!("the administration has another name, and is open to all who know it: {place}"), fix)
}

/// Judges API-03.
pub(super) fn storage(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let storage = shop
        .storage
        .clone()?
        .ok_or_else(|| Unknown::new(Cause::Unsupported, "where this shop keeps what it writes is not known"))?;
    let root = sight.front.shop_root().unwrap_or_else(|| shop.root.clone());
    let real = sight.front.resolved(&root);
    let Some(folder) = request(&real, &sight.front.resolved(&storage)) else {
        return Ok(Verdict::pass(format!(
            "the storage ({}) is not in the web root ({})",
            storage.display(),
            root.display()
        )));
    };
    let fix = format!(
        "move it in the administration (Dashboard, \"Security Notification\"), or: location ^~ {} {{ deny all; }}",
        compared(&format!("{folder}/"))
    );
    let mut open = Vec::new();
    for name in ["logs/error.log", "session/sess_x", "cache/x", "upload/x.txt", "download/x.zip", "logs/x.php"] {
        let uri = format!("{folder}/{name}");
        let planted = sight.front.places(&plain(&uri));
        let answer = sight.front.answer_to(&Request { uri: &uri, args: "", method: "GET", planted: &planted })?;
        if got(&answer, &planted)? > Got::ByPathInfo {
            open.push((uri, answer));
        }
    }
    Ok(match open.first() {
        None => Verdict::partial(
            format!("the storage ({}) is in the web root; nginx serves nothing of it", storage.display()),
            fix,
        ),
        Some((uri, answer)) => {
            let seen = format!(
                "the storage is in the web root, and nginx would serve {uri}: {} (`{}`)",
                answer.place, answer.location
            );
            Verdict::fail(seen, fix)
        }
    })
}

/// Judges API-05. That nothing is served is only said where all was looked at.
pub(super) fn exposed(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    let found = shop.exposed.clone()?;
    if found.is_empty() {
        return Ok(nothing_exposed(shop));
    }
    let (mut served, mut unknown) = (Vec::new(), None);
    for uri in &found {
        match sight.settle(uri, "", "GET").and_then(|answer| is_served(&answer).map(|is_served| (is_served, answer))) {
            Ok((true, answer)) => served.push((uri, answer)),
            Ok((false, _)) => {}
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    let fix = |uris: &[&String]| {
        let names: Vec<_> = uris.iter().take(NAMED).map(|uri| quoted(&on_host(shop, uri))).collect();
        format!("rm -r {}", names.join(" "))
    };
    if !served.is_empty() {
        let named: Vec<_> = served
            .iter()
            .take(NAMED)
            .map(|(uri, answer)| format!("{uri} ({} `{}`)", answer.place, answer.location))
            .collect();
        let seen =
            format!("{} of {} such files are served to strangers: {}", served.len(), found.len(), named.join(", "));
        return Ok(Verdict::fail(seen, fix(&served.iter().map(|(uri, _)| *uri).collect::<Vec<_>>())));
    }
    if let Some(unknown) = unknown.or_else(|| shop.exposed_missed.clone()) {
        return Err(unknown);
    }
    if shop.more_exposed > 0 {
        let why = format!(
            "there are {} such files, and what nginx does with more than {} of them was not looked at",
            found.len() + shop.more_exposed,
            found.len()
        );
        return Err(Unknown::new(Cause::Unsupported, why));
    }
    let all: Vec<_> = found.iter().collect();
    let named: Vec<_> = found.iter().take(NAMED).map(String::as_str).collect();
    Ok(Verdict::partial(
        format!("{} such files are in the web root ({}); nginx serves none of them", found.len(), named.join(", ")),
        fix(&all),
    ))
}

pub(super) fn nothing_exposed(shop: &Shop) -> Verdict {
    Verdict::pass(format!("there are no secrets, repositories or backups in {}", shop.root.display()))
}

/// Whether an answer to a request for a file has it, or what it does: a front controller's has neither.
fn is_served(answer: &Answer) -> Known<bool> {
    Ok(match &answer.outcome {
        Outcome::File(_) => true,
        Outcome::Other(what) => what.starts_with("a list"),
        // The shop's own script answers for all that is not there.
        Outcome::Php { script, .. } => !script.ends_with("/index.php"),
        Outcome::Proxied => return Err(proxied(answer)),
        Outcome::Missing | Outcome::Denied(_) | Outcome::Redirect { .. } => false,
    })
}

/// The path of the file that a request is for.
fn on_host(shop: &Shop, uri: &str) -> String {
    format!("{}{}", shop.root.display(), plain(uri))
}

/// A path of a request as nginx and the file system have it.
fn plain(uri: &str) -> String {
    decoded(uri).unwrap_or_else(|| uri.to_owned())
}

/// Judges API-06: whatever name somebody gives to a script in a folder that the shop writes to.
pub(super) fn written(sight: &Sight<'_>) -> Known<Verdict> {
    let shop = sight.shop.clone()?;
    if shop.written.is_empty() {
        return Err(Unknown::new(Cause::Unsupported, "which folders this shop writes to is not known"));
    }
    let mut by_path_info = None;
    for folder in &shop.written {
        // The file, and what is asked for behind it. `.phar` runs, too (`security.limit_extensions`).
        for (name, behind, is_script) in [
            ("x.php", "", true),
            ("x.php", "/y", true),
            ("x.phar", "", true),
            ("x.jpg", "", false),
            ("x.jpg", "/y.php", false),
        ] {
            let uri = format!("{folder}{name}{behind}");
            let planted = sight.front.places(&format!("{}{name}", plain(folder)));
            let answer = sight.front.answer_to(&Request { uri: &uri, args: "", method: "GET", planted: &planted })?;
            match got(&answer, &planted)? {
                Got::Run if is_script => return Ok(runs(&uri, folder, &answer)),
                Got::ByPathInfo if is_script && fixes_pathinfo(sight)? => return Ok(runs(&uri, folder, &answer)),
                Got::Run | Got::ByPathInfo => by_path_info = by_path_info.or(Some((uri, answer))),
                Got::Nothing | Got::Sent => {}
            }
        }
    }
    let Some((uri, answer)) = by_path_info else {
        return Ok(Verdict::pass(format!("PHP runs nothing in {}", shop.written.join(", "))));
    };
    if !fixes_pathinfo(sight)? {
        return Ok(Verdict::pass(format!(
            "PHP runs nothing in {}: `cgi.fix_pathinfo` is off",
            shop.written.join(", ")
        )));
    }
    let seen = format!(
        "{}: `{}` hands {uri} to PHP, which looks for a script in the path (`cgi.fix_pathinfo`)",
        answer.place, answer.location
    );
    Ok(Verdict::partial(seen, format!("try_files $uri =404;  # in {} (`{}`)", answer.place, answer.location)))
}

fn runs(uri: &str, folder: &str, answer: &Answer) -> Verdict {
    let seen = format!("PHP would run {uri}: {} (`{}`)", answer.place, answer.location);
    let folder = compared(folder);
    Verdict::fail(
        seen,
        format!("location ^~ {folder} {{ try_files $uri =404; }}  # in the server, without any PHP in it"),
    )
}

/// A path of a request as a location has to have it: those are compared with what was decoded.
fn compared(uri: &str) -> String {
    let path = plain(uri);
    if path.contains(|c: char| c.is_whitespace() || "\"'{};\\".contains(c)) {
        return format!("\"{}\"", path.replace('\\', r"\\").replace('"', "\\\""));
    }
    path
}
