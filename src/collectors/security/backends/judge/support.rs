//! API-18: PHP gets security updates.

use super::php;
use crate::collectors::security::backends::{eol, package::Package};
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cap, Cause, Known, Unknown, Verdict};

/// How long before the end it is half of the way: 90 days.
const SOON: i64 = 90 * 24 * 60 * 60;

/// API-18: by what FPM itself says it is, php.net mends its branch, or the distribution does whose own build it is.
///
/// A branch that php.net has given up is unsupported only when it is seen that nobody else's build runs: where packages
/// cannot be read, or the package is another than what runs, it is unknown.
pub(super) fn supported(seen: &Seen) -> Known<Verdict> {
    let php = php(seen)?;
    if eol::is_stale(seen.now) {
        let why = format!("what is known of PHP's branches is of {}; update vitrin", eol::dated());
        return Err(Unknown::new(Cause::Stale, why));
    }
    let version = &php.version;
    let no_version = || Unknown::new(Cause::Unparsable, "PHP's version is no version");
    let branch = eol::branch(version).ok_or_else(no_version)?;
    if branch > eol::newest() {
        let why = format!("PHP {version} is newer than what is known of PHP's branches; update vitrin");
        return Err(Unknown::new(Cause::Stale, why));
    }
    let upstream = eol::upstream(branch).map(|end| (end, "php.net".to_owned()));
    let own = php.package.as_ref().ok().filter(|package| package.is_distributions(version));
    let distribution =
        own.and_then(|package| Some((eol::distribution(&package.system, branch)?, package.system.clone())));
    let best = upstream.into_iter().chain(distribution).max_by_key(|(end, _)| end.second);
    let newest = || {
        let (major, minor) = eol::newest();
        format!("move to PHP {major}.{minor}, or to the PHP of a distribution that is supported")
    };
    Ok(match best {
        Some((end, who)) if end.second - seen.now >= SOON => {
            Verdict::pass(format!("FPM runs PHP {version}, whose security holes {who} mends until {}", end.day))
        }
        Some((end, who)) if end.second >= seen.now => Verdict::partial(
            format!("FPM runs PHP {version}, whose security holes {who} mends until {} alone", end.day),
            newest(),
        ),
        ended => {
            if let Some(unknown) = doubt(php.package.as_ref(), version) {
                return Err(unknown);
            }
            let when = ended.map(|(end, _)| format!(" since {}", end.day)).unwrap_or_default();
            Verdict::fail(format!("FPM runs PHP {version}, whose security holes nobody mends{when}"), newest())
                .with_cap(Cap::PhpUnsupported)
        }
    })
}

/// Why a PHP that php.net has given up may be mended by somebody all the same.
fn doubt(package: Result<&Package, &Unknown>, version: &str) -> Option<Unknown> {
    let package = match package {
        Ok(package) => package,
        Err(unknown) => return Some(unknown.clone()),
    };
    let (name, installed) = package.installed.as_ref()?;
    // Extended support, which is paid for.
    if installed.contains("esm") {
        let why = format!("{name} {installed} is of Ubuntu's extended maintenance, whose end is not known");
        return Some(Unknown::new(Cause::Unsupported, why));
    }
    let running = installed.split_once(':').map_or(installed.as_str(), |(_, rest)| rest);
    (!running.starts_with(&format!("{version}-"))).then(|| {
        let why = format!(
            "FPM runs PHP {version}, and {name} {installed} is installed: it has not been restarted, or is another"
        );
        Unknown::new(Cause::Unsupported, why)
    })
}
