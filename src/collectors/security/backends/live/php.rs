//! PHP-FPM, with a pool for each weakness.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::{Daemon, PATIENCE, differs, folder, pause, program, told};
use crate::collector::{Context, Paths};
use crate::collectors::php_fpm;
use crate::collectors::security::backends::php::ask_php;
use crate::collectors::security::backends::pool::pools;
use crate::collectors::security::verdict::{Cause, State};
use crate::config::types::Address;
use crate::net::threads::Threads;

/// The binaries, newest first.
const PROGRAMS: [&str; 7] =
    ["php-fpm8.6", "php-fpm8.5", "php-fpm8.4", "php-fpm8.3", "php-fpm8.2", "php-fpm8.1", "php-fpm"];

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vitrin-opcache.php");

/// What each pool has, but for the lines of what is weak about it.
const HARDENED: &str = "pm = static
pm.max_children = 1
request_terminate_timeout = 60s
php_admin_flag[display_errors] = off
php_admin_flag[display_startup_errors] = off
php_admin_flag[allow_url_include] = off
php_admin_value[open_basedir] = /tmp
php_admin_value[auto_prepend_file] = none
";

const NO_PROGRAMS: &str = "php_admin_value[disable_functions] = exec,passthru,shell_exec,system,proc_open,popen";

/// The checks that do not pass.
type Flipped = &'static [(&'static str, State)];

/// A pool, what is weak about it, and what that flips.
const POOLS: [(&str, &str, Flipped); 10] = [
    ("hardened", NO_PROGRAMS, &[]),
    ("errors", "php_flag[display_errors] = on", &[("API-08", State::Partial)]),
    ("stderr", "php_admin_value[display_errors] = stderr", &[("API-08", State::Partial)]),
    ("startup", "php_admin_flag[display_startup_errors] = on", &[("API-08", State::Partial)]),
    ("include", "php_admin_flag[allow_url_include] = on", &[("API-19", State::Fail)]),
    ("programs", "php_admin_value[disable_functions] = exec,passthru", &[("API-19", State::Partial)]),
    ("folders", "php_admin_value[open_basedir] =", &[("API-19", State::Partial)]),
    ("patient", "request_terminate_timeout = 0", &[("DD-08", State::Partial)]),
    ("endless", "request_terminate_timeout = 1h", &[("DD-08", State::Partial)]),
    ("many", "pm = ondemand\npm.max_children = 100000", &[("DD-08", State::Partial)]),
];

struct Fpm {
    daemon: Daemon,
}

impl Fpm {
    fn start(pools: &[(&str, &str)]) -> Self {
        let folder = folder();
        let home = folder.path();
        let mut text = format!("[global]\nerror_log = {}\n", home.join("fpm.log").display());
        for (name, weakness) in pools {
            writeln!(text, "[{name}]\nlisten = {}\nlisten.mode = 0666", home.join(name).display()).unwrap();
            if rustix::process::geteuid().is_root() {
                text.push_str("user = www-data\ngroup = www-data\n");
            }
            // FPM appends to the functions that are disabled already.
            let functions = if weakness.contains("disable_functions") { "" } else { NO_PROGRAMS };
            // Of two lines for a setting the first may win: the hardened one goes.
            let key = |line: &str| {
                let name = line.split(" =").next().unwrap_or_default();
                name.split_once('[').map_or(name, |(_, name)| name).to_owned()
            };
            let hardened: Vec<_> =
                HARDENED.lines().filter(|line| weakness.lines().all(|weak| key(weak) != key(line))).collect();
            writeln!(text, "{}\n{functions}\n{weakness}", hardened.join("\n")).unwrap();
        }
        fs::write(home.join("php-fpm.conf"), text.replace("php_admin_value[open_basedir] =\n", "")).unwrap();
        fs::copy(SCRIPT, home.join("vitrin.php")).unwrap();
        fs::set_permissions(home.join("vitrin.php"), fs::Permissions::from_mode(0o644)).unwrap();
        let mut command = program(&PROGRAMS, "php-fpm");
        command.arg("--nodaemonize").arg("--fpm-config").arg(home.join("php-fpm.conf"));
        let sockets: Vec<_> = pools.iter().map(|(name, _)| home.join(name)).collect();
        let ready = move || sockets.iter().all(|socket| UnixStream::connect(socket).is_ok());
        Self { daemon: Daemon::start(command, folder, ready) }
    }

    fn config(&self) -> php_fpm::Config {
        let (configuration, script) = (self.daemon.file("php-fpm.conf"), self.daemon.file("vitrin.php"));
        let text = format!("configuration = '{}'\nopcache_script = '{}'", configuration.display(), script.display());
        toml::from_str(&text).unwrap()
    }
}

fn context() -> Context {
    Context::new(Paths::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_setting_of_a_real_pool_flips_its_own_check() {
    let fpm = Fpm::start(&POOLS.map(|(name, weakness, _)| (name, weakness)));
    let (config, context) = (fpm.config(), context());
    // FPM listens before it has workers.
    let begun = Instant::now();
    let all = loop {
        let all = pools(&context.paths, &[&config]).unwrap();
        if all.iter().all(|pool| pool.name == "many" || !pool.workers.sizes.is_empty()) {
            break all;
        }
        assert!(begun.elapsed() < PATIENCE, "{all:?}");
        pause();
    };
    assert_eq!(all.len(), POOLS.len());
    for (name, weakness, expected) in POOLS {
        let socket = Address::Unix(fpm.daemon.file(name));
        let php = ask_php(&[&config], &context, Some(&socket), None, &Threads::default())
            .await
            .unwrap_or_else(|unknown| panic!("{name}: {unknown:?}"));
        let pool = all.iter().find(|pool| pool.name == name).unwrap();
        assert_eq!((php.pool.as_str(), &pool.listen), (name, &socket));
        if rustix::process::geteuid().is_root() {
            assert_eq!((php.user, pool.uid, &pool.gids[..]), (Some(33), Some(33), &[33][..]));
        }
        // A pool in which nothing runs yet is measured by the others.
        let mut mine = vec![pool.clone()];
        if pool.workers.sizes.is_empty() {
            mine[0].workers.sizes = all[0].workers.sizes.clone();
        }
        assert!(mine[0].workers.sizes.iter().all(|size| (1 << 20..1 << 30).contains(size)), "{mine:?}");
        assert!(mine[0].workers.machine.is_some());
        let told = differs(|seen| (seen.php, seen.pools) = (Ok(php), Ok(mine)));
        assert_eq!(told, expected, "{name}: {weakness}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_turns_errors_on_unless_the_pool_has_locked_them() {
    let fpm = Fpm::start(&[("locked", ""), ("loose", "php_flag[display_errors] = off")]);
    let shop = folder();
    fs::write(shop.path().join(".user.ini"), "display_errors = On\n").unwrap();
    for (pool, expected) in [("locked", &[][..]), ("loose", &[("API-08", State::Partial)])] {
        let socket = Address::Unix(fpm.daemon.file(pool));
        let php = ask_php(&[&fpm.config()], &context(), Some(&socket), Some(shop.path()), &Threads::default()).await;
        assert_eq!(differs(|seen| seen.php = php), expected, "{pool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_that_is_asked_is_the_shops_or_the_only_one() {
    let fpm = Fpm::start(&[("a", ""), ("b", "")]);
    let (config, context) = (fpm.config(), context());
    let unknown = ask_php(&[&config], &context, None, None, &Threads::default()).await.unwrap_err();
    assert_eq!(
        (unknown.cause, unknown.why.as_str()),
        (Cause::NotConfigured, "nothing says which pool serves the shop: a, b")
    );
    let listed: php_fpm::Config = toml::from_str(&format!(
        "pools = ['{}']\nopcache_script = '{}'",
        fpm.daemon.file("a").display(),
        fpm.daemon.file("vitrin.php").display()
    ))
    .unwrap();
    assert_eq!(
        ask_php(&[&listed], &context, None, None, &Threads::default()).await.unwrap().pool,
        fpm.daemon.file("a").display().to_string()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_others_may_replace_or_that_is_missing_is_not_run() {
    let fpm = Fpm::start(&[("a", "env[DB_PASSWORD] = canary-pool\nphp_admin_value[mysqli.default_pw] = canary-php")]);
    let (config, context) = (fpm.config(), context());
    let php = ask_php(&[&config], &context, None, None, &Threads::default()).await;
    let pools = pools(&context.paths, &[&config]);
    assert!(php.is_ok() && pools.is_ok());
    assert!(!told(|seen| (seen.php, seen.pools) = (php, pools)).contains("canary"));

    let script = fpm.daemon.file("vitrin.php");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(
        ask_php(&[&config], &context, None, None, &Threads::default()).await.unwrap_err().cause,
        Cause::Permission
    );
    fs::remove_file(&script).unwrap();
    let unknown = ask_php(&[&config], &context, None, None, &Threads::default()).await.unwrap_err();
    assert!(unknown.cause == Cause::Permission && unknown.why.contains("install it"), "{}", unknown.why);
}

/// Through a web server the script says nothing: it always names the client, and browsers' headers begin with `HTTP_`.
#[test]
fn the_script_says_nothing_unless_it_is_asked_so() {
    let php = |environment: &[(&str, &str)]| {
        let mut command = program(&["php8.6", "php8.5", "php8.4", "php8.3", "php8.2", "php8.1", "php"], "php-cli");
        let output = command.args(["-d", "variables_order=EGPCS"]).arg("/dev/stdin").envs(environment.iter().copied());
        output.stdin(fs::File::open(SCRIPT).unwrap()).output().unwrap().stdout
    };
    let ask = ("VITRIN_SECURITY", "1");
    assert_eq!(php(&[ask]), b"");
    assert_eq!(php(&[ask, ("HTTP_VITRIN_OPCACHE", "1")]), b"");
    assert_eq!(php(&[ask, ("VITRIN_OPCACHE", "1"), ("REMOTE_ADDR", "192.0.2.1")]), b"");
    assert_eq!(php(&[ask, ("VITRIN_OPCACHE", "1"), ("HTTP_HOST", "shop.example")]), b"");
    let told = String::from_utf8(php(&[ask, ("VITRIN_OPCACHE", "1")])).unwrap();
    assert!(told.starts_with("{\"vitrin\":1") && told.contains("\"functions\""), "{told}");
    let told = String::from_utf8(php(&[("VITRIN_OPCACHE", "1")])).unwrap();
    assert!(told.contains("\"callable\"") && !told.contains("\"functions\""), "{told}");
}
