//! API-19: PHP is contained. And what a setting of PHP means.

use super::{php, pool_file};
use crate::collectors::security::backends::Php;
use crate::collectors::security::seen::Seen;
use crate::collectors::security::verdict::{Cause, Known, Unknown, Verdict};

impl Php {
    /// A switch, as `zend_ini_parse_bool` reads it.
    pub(super) fn is_on(&self, name: &str) -> Known<bool> {
        self.setting(name).map(is_on)
    }

    /// The same as the shop's scripts have it, in whose folder `.user.ini` may say something else.
    fn is_on_there(&self, name: &str) -> Known<bool> {
        let folder = self.folder.as_ref().map_err(Clone::clone)?;
        folder.get(name).map_or_else(|| self.is_on(name), |value| Ok(is_on(value)))
    }

    /// Whether errors go to the visitor: `stderr` is one of the ways that only the command line has, and FPM prints
    /// (`php_error_cb`).
    pub(super) fn shows_errors(&self) -> Known<bool> {
        let own = self.folder.as_ref().ok().and_then(|folder| folder.get("display_errors"));
        let mode = own.map_or_else(|| self.setting("display_errors"), |value| Ok(value))?;
        let is_word = ["stderr", "stdout"].iter().any(|word| word.eq_ignore_ascii_case(mode));
        Ok(is_word || self.is_on_there("display_errors")? || self.is_on_there("display_startup_errors")?)
    }

    fn setting(&self, name: &str) -> Known<&str> {
        let unknown = || Unknown::new(Cause::Unsupported, format!("PHP does not tell its `{name}`"));
        self.settings.get(name).map(String::as_str).ok_or_else(unknown)
    }
}

/// A switch's value that is on.
fn is_on(value: &str) -> bool {
    let words = ["on", "yes", "true"];
    words.iter().any(|word| word.eq_ignore_ascii_case(value)) || number(value) != 0
}

/// What `atoi` makes of a text.
fn number(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(0)
}

/// API-19: `disable_functions` takes all that starts programs (what can be called decides, whoever took it away),
/// `allow_url_include` is off, `open_basedir` is narrower than `/`, and the workers are not root's; or Snuffleupagus is
/// loaded with valid rules.
pub(super) fn contained(seen: &Seen) -> Known<Verdict> {
    let php = php(seen)?;
    let pool = seen.pools.iter().flatten().find(|pool| pool.name == php.pool);
    let includes = php.is_on("allow_url_include")?;
    let (file, name) = (pool_file(seen, &php.pool), &php.pool);
    if includes {
        let seen = format!("allow_url_include is on in the pool {name}: a script may be run from any address");
        return Ok(Verdict::fail(seen, format!("{file}: php_admin_flag[allow_url_include] = off")));
    }
    if php.snuffleupagus == Some(true) {
        return Ok(Verdict::pass(format!(
            "Snuffleupagus has valid rules in the pool {name}; allow_url_include is off"
        )));
    }
    let user = php.user.or(pool.and_then(|pool| pool.uid));
    let user =
        user.ok_or_else(|| Unknown::new(Cause::Unsupported, format!("nothing says whom the pool {name} runs as")))?;
    let folders = php.setting("open_basedir")?;
    let (mut lacks, mut fixes) = (Vec::new(), Vec::new());
    if !php.functions.is_empty() {
        let functions: Vec<_> = php.functions.iter().map(String::as_str).collect();
        lacks.push(format!("{} can be called", functions.join(", ")));
        fixes.push(format!(
            "{file}: php_admin_value[disable_functions] = exec,passthru,shell_exec,system,proc_open,popen"
        ));
    }
    if folders.is_empty() || folders == "/" {
        lacks.push("open_basedir does not limit which files it opens".to_owned());
        fixes.push(format!("{file}: php_admin_value[open_basedir] = {}", folders_of_shop(seen)));
    }
    if user == 0 {
        lacks.push("its workers are root's".to_owned());
        fixes.push(format!("{file}: user = www-data"));
    }
    let (held, told) = (4 - lacks.len(), format!("in the pool {name} {}", lacks.join("; ")));
    Ok(match held {
        4 => Verdict::pass(format!(
            "the pool {name} starts no programs, includes no addresses and opens its folders alone"
        )),
        2 | 3 => Verdict::partial(told, fixes.join("\n")),
        _ => Verdict::fail(told, fixes.join("\n")),
    })
}

/// What PHP has to open: the shop, its storage, Vitrin's script, and where uploads go.
fn folders_of_shop(seen: &Seen) -> String {
    let Ok(shop) = &seen.shop else {
        return "the shop's root, its storage, /usr/share/vitrin and /tmp, with `:` between".to_owned();
    };
    let storage = shop.storage.iter().flatten().filter(|storage| !storage.starts_with(&shop.root));
    let folders = [&shop.root].into_iter().chain(storage).map(|folder| folder.display().to_string());
    let folders: Vec<_> = folders.chain(["/usr/share/vitrin".to_owned(), "/tmp".to_owned()]).collect();
    folders.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_read_as_php_reads_it() {
        let php = |value: &str| Php {
            settings: [
                ("display_errors".to_owned(), value.to_owned()),
                ("display_startup_errors".to_owned(), "0".to_owned()),
            ]
            .into(),
            ..Php::default()
        };
        for (value, shows) in [
            ("", false),
            ("0", false),
            ("Off", false),
            ("no", false),
            ("none", false),
            ("1", true),
            ("On", true),
            ("yes", true),
            ("stderr", true),
            ("stdout", true),
            ("2", true),
            ("-1", true),
            ("é1", false),
        ] {
            assert_eq!(php(value).shows_errors().unwrap(), shows, "`{value}`");
        }
        assert!(Php::default().shows_errors().is_err());
    }
}
