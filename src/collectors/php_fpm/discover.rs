//! The FPM masters that run here, by their titles: `php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)`.

use std::path::{Path, PathBuf};

use super::source;
use crate::collector::Paths;
use crate::machine::{Discovery, Machine, Process, Sighting, quoted};

/// How PHP-FPM is found.
pub const DISCOVERY: Discovery = Discovery {
    topic: "php_fpm",
    title: "PHP-FPM",
    processes: &["php-fpm*"],
    example: "configuration = \"/etc/php/8.2/fpm/php-fpm.conf\"",
    look,
};

/// What a master calls itself, before its configuration.
const MASTER: &str = "php-fpm: master process (";

fn look(machine: &Machine) -> Vec<Sighting> {
    let mut found: Vec<_> = machine.processes(DISCOVERY.processes).filter_map(master).collect();
    if machine.hides_processes {
        // A configuration in a usual place is the next best sign of one.
        found.extend(source::discover(&Paths { root: machine.root.clone(), ..Paths::default() }));
    }
    // The newest PHP is the shop's, more often than not; 8.10 is newer than 8.9.
    found.sort_by_key(|path| (std::cmp::Reverse(version(path)), path.clone()));
    found.dedup();
    found.retain(|file| machine.is_roots(file));
    found.iter().map(|path| sighting(path)).collect()
}

/// The configuration in a master's title, or in the command line of one that has just started and has no title yet.
fn master(process: &Process) -> Option<PathBuf> {
    let title = process.title();
    let titled = title.strip_prefix(MASTER).and_then(|rest| rest.trim_end().strip_suffix(')'));
    let path = titled.or_else(|| process.option("--fpm-config")).or_else(|| process.option("-y"))?;
    path.starts_with('/').then(|| path.into())
}

fn sighting(configuration: &Path) -> Sighting {
    let place = configuration.display().to_string();
    let version = version(configuration).map(|(major, minor)| format!("php{major}.{minor}"));
    let folder = || configuration.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    Sighting {
        name: version.unwrap_or_else(folder),
        seen: format!("PHP-FPM is configured by {place}"),
        ways: vec![format!("configuration = {}\n", quoted(&place))],
        place,
    }
}

/// The version that is part of the path: `/etc/php/8.2/…`, `/etc/opt/remi/php82/…`, `/opt/cpanel/ea-php82/…`.
fn version(configuration: &Path) -> Option<(u32, u32)> {
    configuration.iter().filter_map(|part| part.to_str()).find_map(|part| {
        let digits = part.trim_start_matches("ea-").trim_start_matches("php");
        let (major, minor) = match digits.split_once('.') {
            Some(parts) => parts,
            None if (2..=3).contains(&digits.len()) => digits.split_at_checked(1)?,
            None => return None,
        };
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_are_told_from_workers_and_the_newest_comes_first() {
        let process =
            |title: &str| Process { name: "php-fpm8.2".to_owned(), user: 0, arguments: vec![title.to_owned()] };
        let root = tempfile::tempdir().unwrap();
        for file in ["etc/php/8.2/fpm/php-fpm.conf", "etc/php/8.10/fpm/php-fpm.conf", "srv/shop/fpm.conf"] {
            std::fs::create_dir_all(root.path().join(file).parent().unwrap()).unwrap();
            std::fs::write(root.path().join(file), "").unwrap();
        }
        let machine = Machine {
            root: root.path().to_owned(),
            processes: vec![
                process("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"),
                process("php-fpm: pool www"),
                process("php-fpm: master process (/etc/php/8.10/fpm/php-fpm.conf)"),
                process("php-fpm: master process (/srv/shop/fpm.conf)"),
                process("php-fpm: master process (/srv/gone.conf)"),
                Process {
                    arguments: ["/usr/sbin/php-fpm8.2", "--fpm-config", "/etc/php/8.2/fpm/php-fpm.conf"]
                        .map(Into::into)
                        .into(),
                    ..process("")
                },
            ],
            ..Machine::default()
        };
        let found: Vec<_> = look(&machine).into_iter().map(|sighting| (sighting.name, sighting.ways)).collect();
        expect_test::expect![[r#"
            [
                (
                    "php8.10",
                    [
                        "configuration = \"/etc/php/8.10/fpm/php-fpm.conf\"\n",
                    ],
                ),
                (
                    "php8.2",
                    [
                        "configuration = \"/etc/php/8.2/fpm/php-fpm.conf\"\n",
                    ],
                ),
                (
                    "shop",
                    [
                        "configuration = \"/srv/shop/fpm.conf\"\n",
                    ],
                ),
            ]
        "#]]
        .assert_debug_eq(&found);
    }

    #[test]
    fn versions_are_read_from_paths() {
        for (path, expected) in [
            ("/etc/php/8.2/fpm/php-fpm.conf", Some((8, 2))),
            ("/etc/opt/remi/php84/php-fpm.conf", Some((8, 4))),
            ("/opt/cpanel/ea-php81/root/etc/php-fpm.conf", Some((8, 1))),
            ("/etc/php-fpm.conf", None),
        ] {
            assert_eq!(version(Path::new(path)), expected, "{path}");
        }
    }
}
