//! PHP, as FPM runs it: what it says of itself through its own socket. php.ini is never read: the command line has another
//! one, and a pool has settings of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::package::Package;
use super::{blocking, folder, unknown};
use crate::collector::{Context, Failure, Reason};
use crate::collectors::php_fpm;
use crate::collectors::php_fpm::inquiry::Configured;
use crate::collectors::security::verdict::{Cause, Known, Unknown};
use crate::config::types::Address;
use crate::net::threads::Threads;

/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(5);

/// The functions that start programs.
pub(super) const PROGRAMS: [&str; 6] = ["exec", "passthru", "shell_exec", "system", "proc_open", "popen"];

/// PHP, as FPM runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Php {
    /// `PHP_VERSION`.
    pub(crate) version: String,
    /// Settings, by name, as `ini_get()` has them; of `open_basedir` only `""`, `"/"` or `"set"`.
    pub(crate) settings: BTreeMap<String, String>,
    /// The pool that was asked: its name, or, without FPM's configuration, its address.
    pub(crate) pool: String,
    /// Which of [`PROGRAMS`] can be called there.
    pub(crate) functions: BTreeSet<String>,
    /// Whom its workers run as.
    pub(crate) user: Option<u32>,
    /// Whether Snuffleupagus is loaded, and then whether its rules are valid.
    pub(crate) snuffleupagus: Option<bool>,
    /// The package that it comes from.
    pub(crate) package: Known<Package>,
    /// What `.user.ini` in the shop's folder makes of settings.
    pub(crate) folder: Known<BTreeMap<String, String>>,
}

impl Default for Php {
    fn default() -> Self {
        Self {
            version: String::new(),
            settings: BTreeMap::new(),
            pool: String::new(),
            functions: BTreeSet::new(),
            user: None,
            snuffleupagus: None,
            package: Err(Unknown::new(Cause::Unsupported, "nobody has looked")),
            folder: Ok(BTreeMap::new()),
        }
    }
}

/// Asks the pool that serves the shop. Which that is says `serves`, the address that the web server passes its PHP to;
/// without it, the only pool there is. `shop` is the shop's folder on the host, which may have settings of its own.
pub(crate) async fn ask_php(
    masters: &[&php_fpm::Config],
    context: &Context,
    serves: Option<&Address>,
    shop: Option<&Path>,
    threads: &Threads,
) -> Known<Php> {
    if masters.is_empty() {
        return Err(Unknown::new(Cause::NotConfigured, "no PHP-FPM is configured ([php_fpm.targets.<name>])"));
    }
    let mut pools = Vec::new();
    for master in masters {
        let (config, root) = ((*master).clone(), context.paths.root.clone());
        let found =
            blocking(threads, move || candidates(&config, &root)).await?.map_err(|failure| unknown(&failure))?;
        pools.extend(found.into_iter().map(|pool| (*master, pool)));
    }
    let of_shop = |pool: &Candidate| serves.is_some_and(|serves| is_same(serves, &pool.address));
    let (master, pool) = match pools.iter().position(|(_, pool)| of_shop(pool)) {
        Some(index) => pools.swap_remove(index),
        None if pools.len() == 1 => pools.swap_remove(0),
        None if pools.is_empty() => return Err(Unknown::new(Cause::Unreachable, "PHP-FPM has no pool to ask")),
        None => {
            let names: Vec<_> = pools.iter().map(|(_, pool)| pool.name.as_str()).collect();
            let why = format!("nothing says which pool serves the shop: {}", names.join(", "));
            return Err(Unknown::new(Cause::NotConfigured, why));
        }
    };
    let asked = tokio::time::timeout(WHOLE, master.containment(context, &pool.address)).await;
    let silence = || Failure::message(Reason::Timeout, format!("no answer in {WHOLE:?}"));
    let doing = |failure: Failure| unknown(&failure.context(format!("asking the pool {} for its settings", pool.name)));
    let body = asked.unwrap_or_else(|_| Err(silence())).map_err(doing)?;
    let (mut php, locked) = parse(&body, &master.script().display().to_string())?;
    let (root, version, shop) = (context.paths.root.clone(), php.version.clone(), shop.map(Path::to_owned));
    let look = move || {
        let folder = shop.map_or_else(|| Ok(BTreeMap::new()), |shop| folder::settings(&root, &shop, &locked));
        (Package::of(&root, &version), folder)
    };
    (php.package, php.folder) = blocking(threads, look).await?;
    php.pool = pool.name;
    Ok(php)
}

/// A pool that may be asked.
struct Candidate {
    name: String,
    address: Address,
}

fn candidates(config: &php_fpm::Config, root: &Path) -> Result<Vec<Candidate>, Failure> {
    let Some(pools) = config.pools(root)? else {
        let named = |address: Address| Candidate { name: address.to_string(), address };
        return Ok(config.addresses(root)?.into_iter().map(named).collect());
    };
    let asked = |Configured { name, listen, .. }| Some(Candidate { name, address: listen.ok()? });
    Ok(pools.into_iter().filter_map(asked).collect())
}

/// Whether a web server that passes requests to `serves` reaches what listens at `address`.
fn is_same(serves: &Address, address: &Address) -> bool {
    let local = |host: &str| ["localhost", "127.0.0.1", "::1"].contains(&host);
    match (serves, address) {
        (Address::Tcp { host, port }, Address::Tcp { host: there, port: its }) => {
            port == its && (host == there || local(host) && local(there))
        }
        _ => serves == address,
    }
}

/// What the script prints.
#[derive(Deserialize)]
struct Told {
    php: String,
    settings: Option<BTreeMap<String, String>>,
    #[serde(default)]
    locked: Vec<String>,
    functions: Option<BTreeSet<String>>,
    user: Option<u32>,
    snuffleupagus: Option<bool>,
}

/// The most of a text of the answer that is kept.
const TEXT_BYTES: usize = 64;

/// What the script says, and the settings that no folder can change.
pub(super) fn parse(body: &[u8], script: &str) -> Known<(Php, Vec<String>)> {
    let told: Told = serde_json::from_slice(body)
        .map_err(|_| Unknown::new(Cause::Unparsable, "the answer is not what the script prints"))?;
    let mut told_settings = told.settings.unwrap_or_default();
    // The OPcache part alone has settings, too, and no functions.
    let Some(functions) = told.functions else {
        let why = format!("{script} is of an older version and says nothing of security; install this version's");
        return Err(Unknown::new(Cause::Unsupported, why));
    };
    let legal =
        |text: &str| text.len() <= TEXT_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    told_settings.retain(|name, value| legal(name) && legal(value));
    if !legal(&told.php) {
        return Err(Unknown::new(Cause::Unparsable, "PHP's version is no version"));
    }
    let php = Php {
        version: told.php,
        settings: told_settings,
        functions: functions.into_iter().filter(|name| PROGRAMS.contains(&name.as_str())).collect(),
        user: told.user,
        snuffleupagus: told.snuffleupagus,
        ..Php::default()
    };
    Ok((php, told.locked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_script_prints_is_read() {
        let body = include_bytes!("../../../../tests/fixtures/security/backends/php-8.2-security.json");
        let (php, locked) = parse(body, "/x.php").unwrap();
        assert_eq!(locked, ["allow_url_include"]);
        assert_eq!(php.version, "8.2.36");
        assert_eq!(php.settings["post_max_size"], "8M");
        assert_eq!(php.functions.len(), 6);
        assert_eq!((php.user, php.snuffleupagus), (Some(33), None));
    }

    #[test]
    fn an_older_script_is_to_be_replaced() {
        let old = include_bytes!("../../../../tests/fixtures/php_fpm/php-8.2-opcache.json");
        let unknown = parse(old, "/usr/share/vitrin/opcache.php").unwrap_err();
        assert_eq!(unknown.cause, Cause::Unsupported);
        assert!(unknown.why.contains("/usr/share/vitrin/opcache.php is of an older version"), "{}", unknown.why);
        assert_eq!(parse(b"<b>Warning</b> canary", "").unwrap_err().cause, Cause::Unparsable);
    }

    #[test]
    fn the_shops_pool_is_known_by_where_nginx_sends_its_php() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        assert!(is_same(&address("localhost:9000"), &address("127.0.0.1:9000")));
        assert!(is_same(&address("/run/a.sock"), &address("unix:/run/a.sock")));
        for (serves, there) in [("10.0.0.1:9000", "127.0.0.1:9000"), ("127.0.0.1:9001", "127.0.0.1:9000"), ("/a", "/b")]
        {
            assert!(!is_same(&address(serves), &address(there)));
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(body: Vec<u8>) {
            parse(&body, "x").ok();
        }
    }
}
