//! What lets Vitrin count all errors: the right to read the logs, and logs where there are none.

use std::path::Path;

use super::super::config::Config;
use super::super::configuration::{Configuration, Pool};
use super::super::log::Log;
use super::logs::files;
use crate::remedy::{Remedy, Service, reading};

/// Where nginx of packages writes its errors.
const NGINX: &str = "/var/log/nginx/error.log";

/// What is missing of this master's logs.
pub(super) fn remedies(
    configuration: &Configuration,
    main: Option<&Path>,
    config: &Config,
    root: &Path,
    service: &Service,
) -> Vec<Remedy> {
    let mut found: Vec<Remedy> = Vec::new();
    for file in files(root, configuration, config) {
        let remedy = reading(root, &file, service);
        // Logs mostly share a group.
        found
            .extend(remedy.filter(|remedy| remedy.run.is_empty() || found.iter().all(|other| other.run != remedy.run)));
    }
    if let (Some(Log::Elsewhere(place)), Some(main)) = (&configuration.error_log, main) {
        let why = format!(
            "FPM writes its errors to {place}, where Vitrin does not look: with a file, crashes and full pools are \
             counted."
        );
        let line = format!("In [global] of {}:\nerror_log = /var/log/php-fpm.log\n", main.display());
        found.push(Remedy::by_hand(why, line).as_more());
    }
    found.extend(unlogged(configuration, config));
    found
}

/// The pools whose errors go nowhere that is read.
fn unlogged(configuration: &Configuration, config: &Config) -> Option<Remedy> {
    let is_silent = |log: &Option<Log>| !matches!(log, Some(Log::File(_)));
    let caught = !is_silent(&configuration.error_log);
    let silent =
        configuration.pools.iter().filter(|pool| is_silent(&pool.error_log) && !(caught && pool.catches_output));
    let names: Vec<_> = silent.map(Pool::shown).collect();
    if !config.error_logs.is_empty() || names.is_empty() {
        return None;
    }
    let why = format!(
        "PHP's errors in {} go to the web server, unless php.ini says otherwise: with its log, or php.ini's, they are \
         counted.",
        names.join(", ")
    );
    Some(
        Remedy::by_hand(why, format!("In the table of this target in vitrin.toml:\nerror_logs = [\"{NGINX}\"]\n"))
            .as_more(),
    )
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::collector::Paths;
    use crate::collectors::php_fpm::source::{Reading, Source};

    /// The ways out for a master with this configuration, and a `[php_fpm.targets.main]`; all its logs are root's alone.
    fn look(fpm: &str, table: &str, expected: &Expect) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::create_dir_all(root.path().join("var/log/php")).unwrap();
        for log in ["fpm.log", "php/a.log", "php/b.log"] {
            let log = root.path().join("var/log").join(log);
            fs::write(&log, "").unwrap();
            fs::set_permissions(&log, Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(root.path().join("etc/php-fpm.conf"), fpm).unwrap();
        let mut reading = None;
        let source = Source::Configuration(Some("/etc/php-fpm.conf".into()));
        let configuration = source.read(root.path(), &mut reading).unwrap();
        let config: Config = toml::from_str(table).unwrap();
        let (user, program) = ("vitrin".to_owned(), "/usr/bin/vitrin".to_owned());
        let service =
            Service { group: user.clone(), user, account: None, program, paths: Paths::default(), superuser: false };
        let remedies = remedies(&configuration, reading.as_ref().map(Reading::main), &config, root.path(), &service);
        let text = |remedy: &Remedy| format!("{:?} {}\n{}{}", remedy.kind, remedy.why, remedy.run, remedy.by_hand);
        expected.assert_eq(&remedies.iter().map(text).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn logs_of_roots_are_opened_and_pools_without_one_are_told_where_theirs_is() {
        look(
            "[global]\nerror_log = /var/log/fpm.log\n[a]\nlisten = 9000\nphp_admin_value[error_log] = /var/log/php/a.log\n\
             [b]\nlisten = 9001\n[c]\nlisten = 9002\ncatch_workers_output = yes\n",
            "",
            &expect![[r#"
                Mend vitrin may not read the log /var/log/fpm.log.
                chgrp vitrin /var/log/fpm.log
                chmod g+r /var/log/fpm.log

                Mend vitrin may not read the log /var/log/php/a.log.
                chgrp vitrin /var/log/php/a.log
                chmod g+r /var/log/php/a.log

                More PHP's errors in b go to the web server, unless php.ini says otherwise: with its log, or php.ini's, they are counted.
                In the table of this target in vitrin.toml:
                error_logs = ["/var/log/nginx/error.log"]
            "#]],
        );
    }

    #[test]
    fn what_the_configuration_names_is_opened_too_and_nothing_more_is_suggested() {
        look(
            "[global]\nerror_log = /var/log/gone.log\n[a]\nlisten = 9000\n",
            "error_logs = ['/var/log/php/*.log']",
            &expect![[r#"
                Mend vitrin may not read the log /var/log/php/a.log.
                chgrp vitrin /var/log/php/a.log
                chmod g+r /var/log/php/a.log

                Mend vitrin may not read the log /var/log/php/b.log.
                chgrp vitrin /var/log/php/b.log
                chmod g+r /var/log/php/b.log
            "#]],
        );
    }

    #[test]
    fn errors_in_syslog_are_said_to_be_there() {
        look(
            "[global]\nerror_log = syslog\n[a]\nlisten = 9000\ncatch_workers_output = yes\n",
            "",
            &expect![[r#"
            More FPM writes its errors to syslog, where Vitrin does not look: with a file, crashes and full pools are counted.
            In [global] of /etc/php-fpm.conf:
            error_log = /var/log/php-fpm.log

            More PHP's errors in a go to the web server, unless php.ini says otherwise: with its log, or php.ini's, they are counted.
            In the table of this target in vitrin.toml:
            error_logs = ["/var/log/nginx/error.log"]
        "#]],
        );
    }
}
