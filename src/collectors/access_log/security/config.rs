//! `[access_log.targets.<name>.security]`: what the signals must be told.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::labels::{Realm, Violation};
use crate::config::meant;
use crate::config::types::Period;
use crate::networks::{NetworkFiles, Networks};

/// What the signals must be told; nothing is needed to begin with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Networks whose requests are nobody's attack: the office, monitors, what calls back after a payment. Nothing here
    /// counts them.
    pub ignore: Networks,
    /// Files with such networks, as search engines publish them for their crawlers; read when the configuration is.
    pub ignore_files: NetworkFiles,
    /// Proxies that stand before the server: their addresses are no client's.
    pub proxies: Networks,
    /// Who may call the API; calls from elsewhere are `unknown_caller`. Nobody is unknown when it is empty.
    pub api_callers: Networks,
    /// How long after a login that is answered alike for good and bad the client may take to show that it is in.
    pub resolve_within: Option<Period>,
    /// Logins that no table knows: themes, modules, addresses that were renamed.
    pub logins: Vec<Login>,
    /// Kinds of violations that are not looked for: the shop answers such requests as a matter of course.
    #[serde(deserialize_with = "violations")]
    pub disable: Vec<Violation>,
}

impl Config {
    /// [`resolve_within`](Self::resolve_within) in seconds, 15 when it is not said.
    pub(super) fn seconds_to_resolve(&self) -> i64 {
        let period = self.resolve_within.map_or(Duration::from_secs(15), |period| period.0);
        i64::try_from(period.as_secs().max(1)).unwrap_or(i64::MAX)
    }
}

/// A login: POST to a path, and what the answers to it mean.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Who logs in there.
    #[serde(deserialize_with = "realm")]
    pub realm: Realm,
    /// The whole path: `/giris`. Upper and lower case are the same.
    #[serde(deserialize_with = "path")]
    pub path: String,
    /// Status codes that mean that somebody was let in.
    #[serde(default)]
    pub success: Vec<u16>,
    /// Status codes that mean that somebody was turned away. 401, 403 and 422 do when `success` does not name them.
    #[serde(default)]
    pub failure: Vec<u16>,
}

fn violations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Violation>, D::Error> {
    let known = || Violation::ALL.iter().map(|violation| violation.as_str()).collect::<Vec<_>>();
    let named = |word: String| {
        Violation::of_label(&word)
            .ok_or_else(|| D::Error::custom(format!("`{word}` is no kind of violation\n{}", meant(&word, &known()))))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(named).collect()
}

fn realm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Realm, D::Error> {
    let word = String::deserialize(deserializer)?;
    let known = [Realm::Admin, Realm::Customer, Realm::Api];
    known.into_iter().find(|realm| realm.as_str() == word).ok_or_else(|| {
        let hint = meant(&word, &known.map(Realm::as_str));
        D::Error::custom(format!("`{word}` is no realm that somebody logs in to\n{hint}"))
    })
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    if path.starts_with('/') && !path.contains(['?', '%']) {
        return Ok(path.to_lowercase());
    }
    Err(D::Error::custom(format!(
        "`{path}` is not a path\nwrite it as browsers show it, without arguments: \"/giris\""
    )))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn parsed(text: &str) -> Result<Config, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn nothing_needs_to_be_said() {
        let config = parsed("").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.seconds_to_resolve(), 15);
    }

    #[test]
    fn everything_can_be_said() {
        let config = parsed(
            "ignore = ['10.0.0.0/8']\nproxies = ['192.0.2.1']\napi_callers = ['2001:db8::/32']\n\
             resolve_within = '30s'\ndisable = ['xss']\n\
             [[logins]]\nrealm = 'customer'\npath = '/Giris'\nsuccess = [302]\nfailure = [200]\n",
        )
        .unwrap();
        assert!(config.ignore.contains("10.1.2.3".parse().unwrap()));
        assert_eq!((config.seconds_to_resolve(), config.disable.as_slice()), (30, &[Violation::Xss][..]));
        assert_eq!(config.logins[0].path, "/giris");
    }

    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&parsed(text).unwrap_err());
    }

    #[test]
    fn what_cannot_be_meant_is_said_with_a_way_out() {
        check(
            "disable = ['xxs']",
            &expect![[r#"
            `xxs` is no kind of violation
            did you mean `xss`?"#]],
        );
        check(
            "ignore = ['10.0.0.0/33']",
            &expect![[r#"
            `10.0.0.0/33` is not a network
            write "10.0.0.0/8", "2001:db8::/32" or a single address"#]],
        );
        check(
            "[[logins]]\nrealm = 'http_basic'\npath = '/x'",
            &expect![[r#"
            `http_basic` is no realm that somebody logs in to
            known here: admin, customer, api"#]],
        );
        check(
            "[[logins]]\nrealm = 'admin'\npath = 'https://x/'",
            &expect![[r#"
            `https://x/` is not a path
            write it as browsers show it, without arguments: "/giris""#]],
        );
    }
}
