//! What lets Vitrin see all of a PHP-FPM: the way to its sockets, each pool's status page, and the script for OPcache.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::config::Config;
use super::configuration::{Configuration, Pool};
use super::source::{Reading, inside};
use crate::config::types::Address;
use crate::machine::is_roots;
use crate::remedy::{Remedy, Service, membership, quoted};

/// The page that pools are told to have.
const STATUS_PATH: &str = "/status";

/// What is missing of this master, by its own files.
pub(super) fn remedies(
    configuration: &Configuration,
    reading: Option<&Reading>,
    config: &Config,
    root: &Path,
    service: &Service,
) -> Vec<Remedy> {
    let mut found: Vec<Remedy> = Vec::new();
    for pool in &configuration.pools {
        let socket = pool.status_address().as_ref().ok().and_then(Address::socket);
        let setting =
            format!("In the file of the pool {}:\nlisten.group = {}\nlisten.mode = 0660\n", pool.shown(), service.user);
        let remedy = socket.and_then(|socket| membership(root, socket, service, &setting));
        // Pools mostly share a group.
        found
            .extend(remedy.filter(|remedy| remedy.run.is_empty() || found.iter().all(|other| other.run != remedy.run)));
    }
    if let Some(reading) = reading {
        found.extend(status_pages(configuration, reading, root));
    }
    if config.opcache && !fs::exists(inside(root, &config.opcache_script)).unwrap_or(true) {
        found.push(opcache(&config.opcache_script, service));
    }
    found
}

/// The pools that have no status page, or none that answers while all their workers are busy.
fn status_pages(configuration: &Configuration, reading: &Reading, root: &Path) -> Vec<Remedy> {
    let master = Master::of(reading.main());
    let (mut without, mut shared) = (BTreeMap::new(), BTreeMap::new());
    for pool in &configuration.pools {
        let place =
            pool.name.as_deref().filter(|name| is_plain(name)).and_then(|name| Some((name, reading.place(name)?)));
        let Some((name, file)) = place else { continue };
        // Where somebody else may put a link at any time, root writes nothing.
        if !is_roots(root, file) {
            continue;
        }
        let directives = directives(pool, &master);
        if directives.is_empty() {
            continue;
        }
        let group = if pool.status_path.is_none() { &mut without } else { &mut shared };
        group.insert(name, (file, directives));
    }
    let mut found = Vec::new();
    if !without.is_empty() {
        let why = format!(
            "No status page in {}: with one, processes, requests and slow requests show.",
            pools(&without.keys().copied().collect::<Vec<_>>())
        );
        found.push(master.change(why, &without));
    }
    if !shared.is_empty() {
        let why = format!(
            "The status of {} is answered by the workers of the shop: with `pm.status_listen` it is seen while all of \
             them are busy, too.",
            pools(&shared.keys().copied().collect::<Vec<_>>())
        );
        found.push(master.change(why, &shared).as_more());
    }
    found
}

/// What a pool's file lacks.
fn directives(pool: &Pool, master: &Master) -> Vec<String> {
    let mut lacking = Vec::new();
    if pool.status_path.is_none() {
        lacking.push(format!("pm.status_path = {STATUS_PATH}"));
    }
    let folder = pool.listen.as_ref().ok().and_then(Address::socket).and_then(Path::parent);
    if let (None, true, Some(folder), Some(name)) = (&pool.status_listen, master.has_listeners, folder, &pool.name) {
        let socket = folder.join(format!("{name}-status.sock"));
        // In other places the shell, sed or FPM might read something else.
        if let Some(socket) = socket.to_str().filter(|socket| quoted(socket) == *socket) {
            lacking.push(format!("pm.status_listen = {socket}"));
        }
    }
    lacking
}

/// `the pool www`, `the pools a and b`.
fn pools(names: &[&str]) -> String {
    match names {
        [name] => format!("the pool {name}"),
        [names @ .., last] => format!("the pools {} and {last}", names.join(", ")),
        [] => String::new(),
    }
}

/// Names that need no quotes anywhere.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// How a master is checked and told to read its files again.
struct Master {
    /// Whether it knows `pm.status_listen`: PHP 8.0 and later.
    has_listeners: bool,
    reload: String,
}

impl Master {
    /// By where its configuration is: Debian has one service for each version of PHP.
    fn of(main: &Path) -> Self {
        let main = main.to_string_lossy();
        if let Some(version) = main.strip_prefix("/etc/php/").and_then(|rest| rest.strip_suffix("/fpm/php-fpm.conf")) {
            let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
            return Self {
                has_listeners: major.is_some_and(|major| major >= 8),
                reload: format!("php-fpm{version} --test\nservice php{version}-fpm reload\n"),
            };
        }
        // What a master calls itself is the same everywhere; which PHP it is cannot be told from here.
        let title = format!("^php-fpm: master process ({main})");
        Self { has_listeners: false, reload: format!("pkill -USR2 -f {}\n", quoted(&pattern(&title))) }
    }

    /// The lines that add directives to pools, below their sections' names, and let FPM read them.
    fn change(&self, why: String, pools: &BTreeMap<&str, (&Path, Vec<String>)>) -> Remedy {
        let mut lines = Vec::new();
        for (name, (file, directives)) in pools {
            let file = quoted(&file.to_string_lossy());
            let section = pattern(&format!("[{name}]"));
            // Twice would do no harm, but is not tidy.
            let last = quoted(&directives[directives.len() - 1]);
            let directives = directives.join("\\n");
            lines.push(format!("grep -qxF {last} {file} || sed -i '/^{section}/a {directives}' {file}\n"));
        }
        lines.push(self.reload.clone());
        Remedy::mend(why, lines.concat())
    }
}

/// The text as a regular expression that means just it.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        match c {
            '^' if pattern.is_empty() => pattern.push('^'),
            // In brackets: what a backslash before a round one means depends on who reads it.
            '(' | ')' => pattern.extend(['[', c, ']']),
            '.' | '[' | ']' | '*' | '$' | '\\' => pattern.extend(['\\', c]),
            _ => pattern.push(c),
        }
    }
    pattern
}

/// The script that tells of OPcache, from the program itself.
fn opcache(script: &Path, service: &Service) -> Remedy {
    let run = format!(
        "{} opcache-script | install -D -o root -g root -m 0644 /dev/stdin {}\n",
        quoted(&service.program),
        quoted(&script.to_string_lossy())
    );
    Remedy::mend(
        "The script that tells of OPcache is not installed: with it phpfpm_opcache_* and PHP's settings show.",
        run,
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::collector::Paths;
    use crate::collectors::php_fpm::source::Source;

    fn look(pools: &[(&str, &str)], main: &str) -> String {
        let root = tempfile::tempdir().unwrap();
        let folder = inside(root.path(), Path::new(main));
        fs::create_dir_all(folder.parent().unwrap().join("pool.d")).unwrap();
        let include = Path::new(main).parent().unwrap().join("pool.d/*.conf");
        fs::write(&folder, format!("[global]\ninclude = {}\n", include.display())).unwrap();
        for (name, lines) in pools {
            fs::write(folder.parent().unwrap().join(format!("pool.d/{name}.conf")), format!("[{name}]\n{lines}"))
                .unwrap();
        }
        let mut reading = None;
        let configuration = Source::Configuration(Some(main.into())).read(root.path(), &mut reading).unwrap();
        let config: Config = toml::from_str("").unwrap();
        let (user, program) = ("vitrin".to_owned(), "/usr/bin/vitrin".to_owned());
        let service =
            Service { group: user.clone(), user, account: None, program, paths: Paths::default(), superuser: false };
        let remedies = remedies(&configuration, reading.as_ref(), &config, root.path(), &service);
        let text = |remedy: &Remedy| format!("{:?} {}\n{}\n", remedy.kind, remedy.why, remedy.run);
        remedies.iter().map(text).collect::<Vec<_>>().concat()
    }

    #[test]
    fn each_pool_gets_what_it_lacks_in_its_own_file() {
        let text = look(
            &[
                ("shop", "listen = /run/php/shop.sock\n"),
                ("admin", "listen = /run/php/admin.sock\npm.status_path = /fpm\n"),
                ("full", "listen = 9000\npm.status_path = /status\npm.status_listen = 9001\n"),
            ],
            "/etc/php/8.2/fpm/php-fpm.conf",
        );
        expect![[r#"
            Mend No status page in the pool shop: with one, processes, requests and slow requests show.
            grep -qxF 'pm.status_listen = /run/php/shop-status.sock' /etc/php/8.2/fpm/pool.d/shop.conf || sed -i '/^\[shop\]/a pm.status_path = /status\npm.status_listen = /run/php/shop-status.sock' /etc/php/8.2/fpm/pool.d/shop.conf
            php-fpm8.2 --test
            service php8.2-fpm reload

            More The status of the pool admin is answered by the workers of the shop: with `pm.status_listen` it is seen while all of them are busy, too.
            grep -qxF 'pm.status_listen = /run/php/admin-status.sock' /etc/php/8.2/fpm/pool.d/admin.conf || sed -i '/^\[admin\]/a pm.status_listen = /run/php/admin-status.sock' /etc/php/8.2/fpm/pool.d/admin.conf
            php-fpm8.2 --test
            service php8.2-fpm reload

            Mend The script that tells of OPcache is not installed: with it phpfpm_opcache_* and PHP's settings show.
            /usr/bin/vitrin opcache-script | install -D -o root -g root -m 0644 /dev/stdin /usr/share/vitrin/opcache.php

        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn nothing_that_stands_in_a_pool_file_becomes_a_line_of_root_s() {
        for name in ["a\n    id", "$(id)", "a'b", "a/e id", "    x"] {
            let text = look(
                &[("www", &format!("listen = /run/$(id)/a.sock\n[{name}]\nlisten = /run/a.sock\n"))],
                "/etc/php/8.2/fpm/php-fpm.conf",
            );
            assert!(!text.contains("id") && !text.contains("a'b"), "{name:?}: {text}");
        }
    }

    #[test]
    fn a_pool_file_that_others_can_move_is_not_written_to() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("www.conf");
        fs::write(&file, "[www]\n").unwrap();
        assert!(is_roots(root.path(), Path::new("/www.conf")));
        std::os::unix::fs::chown(&file, Some(12_345), None)
            .expect("only root can give a file away: run the tests as root");
        assert!(!is_roots(root.path(), Path::new("/www.conf")));
    }

    #[test]
    fn an_old_or_unknown_php_is_not_told_what_it_may_not_know() {
        for (main, reload) in [
            ("/etc/php/7.4/fpm/php-fpm.conf", "service php7.4-fpm reload"),
            (
                "/usr/local/etc/php-fpm.conf",
                r"pkill -USR2 -f '^php-fpm: master process [(]/usr/local/etc/php-fpm\.conf[)]'",
            ),
        ] {
            let text = look(&[("www", "listen = /run/www.sock\n")], main);
            assert!(text.contains("pm.status_path") && !text.contains("status_listen"), "{text}");
            assert!(text.contains(reload), "{text}");
        }
    }
}
