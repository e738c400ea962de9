//! Who renews certificates on this machine by itself: timers of systemd, servers that do so, and lines of cron.
//!
//! What is there is not what runs. A timer counts when it is enabled, there, and not masked; a file of cron when cron
//! reads it; a line of it when it would renew something. Debian's own line for certbot does nothing where systemd runs.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::machine::beginning;

/// The most of a file that is read, and of a folder that is looked at.
const FILE_BYTES: u64 = 64 << 10;
const ENTRIES: usize = 500;

/// How many links are followed from one to the next.
const LINKS: usize = 8;

/// Where systemd has its units, the more special places first.
const UNITS: [&str; 7] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/var/lib/snapd/desktop/systemd",
];

/// Where cron has files with a column of users, and where those of users.
const SYSTEM_TABLES: &str = "/etc/cron.d";
const USER_TABLES: [&str; 2] = ["/var/spool/cron/crontabs", "/var/spool/cron"];

/// Where programs are that cron starts now and then.
const PROGRAMS: [&str; 4] = ["/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly"];

/// What renews certificates, as far as this machine shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Renewal {
    /// What was found: `certbot.timer`, `/etc/cron.d/acme`.
    pub(crate) found: Vec<String>,
    /// What may not be read: `/var/spool/cron/crontabs`.
    pub(crate) closed: Vec<String>,
}

impl Renewal {
    /// Looks below the host's root file system. Blocks; once an hour is enough.
    pub(crate) fn look(root: &Path) -> Self {
        let mut look = Look { root, renewal: Self::default() };
        look.units();
        look.table(Path::new("/etc/crontab"), true);
        for file in look.entries(Path::new(SYSTEM_TABLES)) {
            if is_taken_by_cron(&file) {
                look.table(&file, true);
            }
        }
        for folder in USER_TABLES {
            for file in look.entries(Path::new(folder)) {
                look.table(&file, false);
            }
        }
        for folder in PROGRAMS {
            for file in look.entries(Path::new(folder)) {
                if is_taken_by_cron(&file) {
                    look.program(&file);
                }
            }
        }
        look.renewal
    }
}

/// A look at a machine.
struct Look<'a> {
    root: &'a Path,
    renewal: Renewal,
}

impl Look<'_> {
    /// Units that are wanted by others, and so started.
    fn units(&mut self) {
        let mut wanted = Vec::new();
        for place in UNITS {
            for folder in self.entries(Path::new(place)) {
                if folder.extension().is_some_and(|extension| extension == "wants") {
                    let units = self.entries(&folder);
                    wanted.extend(units.iter().filter_map(|unit| Some(unit.file_name()?.to_str()?.to_owned())));
                }
            }
        }
        wanted.sort();
        wanted.dedup();
        for unit in wanted {
            if unit_renews(&unit) && self.is_there(&unit) {
                self.renewal.found.push(unit);
            }
        }
    }

    /// Whether a unit is there and not masked. An instance is made of its template.
    fn is_there(&self, unit: &str) -> bool {
        let template =
            unit.split_once('@').and_then(|(name, rest)| Some(format!("{name}@.{}", rest.rsplit_once('.')?.1)));
        let names = [Some(unit.to_owned()), template];
        // The first place that has it decides; an empty one, or none at all, is how a unit is masked.
        let file = names.iter().flatten().find_map(|name| {
            UNITS
                .iter()
                .map(|place| Path::new(place).join(name))
                .find(|file| fs::symlink_metadata(self.inside(file)).is_ok())
        });
        file.is_some_and(|file| fs::metadata(self.followed(&file)).is_ok_and(|file| file.is_file() && file.len() > 0))
    }

    /// A table of cron.
    fn table(&mut self, file: &Path, has_users: bool) {
        if let Some(text) = self.read(file) {
            let has_systemd = fs::metadata(self.inside(Path::new("/run/systemd/system"))).is_ok();
            if text.lines().filter_map(|line| command(line, has_users)).any(|line| renews(line, has_systemd)) {
                self.note(file);
            }
        }
    }

    /// A program that cron starts: a script, by all that is known of it.
    fn program(&mut self, file: &Path) {
        let is_program = fs::metadata(self.followed(file)).is_ok_and(|file| file.permissions().mode() & 0o111 != 0);
        if is_program && let Some(text) = self.read(file) {
            let has_systemd = fs::metadata(self.inside(Path::new("/run/systemd/system"))).is_ok();
            let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
            if lines.any(|line| renews(line, has_systemd)) {
                self.note(file);
            }
        }
    }

    fn note(&mut self, file: &Path) {
        self.renewal.found.push(file.display().to_string());
    }

    fn read(&mut self, file: &Path) -> Option<String> {
        self.tried(file, beginning(&self.followed(file), FILE_BYTES))
    }

    /// The files of a folder, as paths of the host.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let found = fs::read_dir(self.inside(folder));
        let entries = self.tried(folder, found);
        let names = entries.into_iter().flatten().take(ENTRIES).filter_map(Result::ok);
        let mut files: Vec<_> = names.map(|entry: DirEntry| folder.join(entry.file_name())).collect();
        files.sort();
        files
    }

    fn tried<T>(&mut self, path: &Path, result: io::Result<T>) -> Option<T> {
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::PermissionDenied) {
            self.renewal.closed.push(path.display().to_string());
        }
        result.ok()
    }

    fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Where a path of the host leads, its last part's links followed within the host.
    fn followed(&self, path: &Path) -> PathBuf {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            let Ok(next) = fs::read_link(self.inside(&path)) else { break };
            path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
        }
        self.inside(&path)
    }
}

/// Whether cron takes a file of this name: Debian's leaves out what has a dot in it, as what dpkg leaves behind.
fn is_taken_by_cron(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
}

/// Whether a unit renews certificates, by its name: the timers of their packages, and those that people make. Caddy
/// renews what it shows by itself.
fn unit_renews(unit: &str) -> bool {
    if unit == "caddy.service" {
        return true;
    }
    let Some(name) = unit.strip_suffix(".timer") else { return false };
    let words: Vec<_> = name.split(['-', '.', '_', '@']).collect();
    ["acme", "acmetool", "certbot", "dehydrated", "getssl", "lego", "letsencrypt", "uacme"]
        .iter()
        .any(|word| words.contains(word))
}

/// The command of a line of cron that is run again and again.
pub(super) fn command(line: &str, has_user: bool) -> Option<&str> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let columns = if line.starts_with('@') { 1 } else { 5 } + usize::from(has_user);
    let is_time = |word: &str| match word.strip_prefix('@') {
        Some(name) => ["hourly", "daily", "midnight", "weekly", "monthly"].contains(&name),
        None => word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*/,-~".contains(&byte)),
    };
    let mut rest = line;
    for column in 0..columns {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        if column < columns - usize::from(has_user) && !is_time(word) {
            return None;
        }
        rest = after.trim_start();
    }
    Some(rest)
}

/// Whether a line of a shell renews certificates.
pub(super) fn renews(line: &str, has_systemd: bool) -> bool {
    // Which Debian's line for certbot begins with: `-a \! -d /run/systemd/system`.
    if has_systemd && (line.contains("! -d /run/systemd/system") || line.contains("! -e /run/systemd/system")) {
        return false;
    }
    let plain = |word: &'_ str| word.trim_matches(['"', '\'', '`', '(', ')', '{', '}']).to_owned();
    line.split([';', '|', '&', '\n']).any(|part| {
        let words: Vec<_> = part.split_whitespace().map(plain).collect();
        // Who merely mentions it does not do it.
        if words.first().is_some_and(|word| ["echo", "grep", "logger", "printf", "test", "["].contains(&word.as_str()))
        {
            return false;
        }
        words.iter().enumerate().any(|(at, word)| {
            let after = &words[at + 1..];
            let has = |options: &[&str]| after.iter().any(|word| options.contains(&word.as_str()));
            match word.rsplit('/').next().unwrap_or_default() {
                "certbot" | "certbot-auto" | "letsencrypt" => has(&["renew"]) && !has(&["--dry-run"]),
                "acme.sh" => has(&["--cron", "--renew-all", "--renewAll", "--renew"]),
                "dehydrated" | "dehydrated.sh" => has(&["-c", "--cron"]),
                "lego" => has(&["renew"]),
                "getssl" => has(&["-a", "--all"]),
                "acmetool" => has(&["reconcile"]) || after.iter().any(|word| word.starts_with("--batch")),
                "uacme" => has(&["issue"]),
                "acme-client" => !after.is_empty(),
                _ => false,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// A machine with these files; those that lie in `cron.daily` and the like are programs, `a -> b` are links.
    fn machine(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let file = root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            if let Some(target) = content.strip_prefix("-> ") {
                symlink(target, &file).unwrap();
                continue;
            }
            fs::write(&file, content).unwrap();
            if PROGRAMS.iter().any(|folder| path.starts_with(folder)) {
                fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        root
    }

    fn found(files: &[(&str, &str)]) -> String {
        Renewal::look(machine(files).path()).found.join(" ")
    }

    const TIMER: (&str, &str) = ("/lib/systemd/system/certbot.timer", "[Timer]\nOnCalendar=*-*-* 00,12:00:00\n");
    const WANTED: (&str, &str) =
        ("/etc/systemd/system/timers.target.wants/certbot.timer", "-> /lib/systemd/system/certbot.timer");

    /// As Debian's package has it.
    const CRON: (&str, &str) = (
        "/etc/cron.d/certbot",
        "# /etc/cron.d/certbot: crontab entries for the certbot package\nSHELL=/bin/sh\n\
         PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin\n\n\
         0 */12 * * * root test -x /usr/bin/certbot -a \\! -d /run/systemd/system && perl -e 'sleep int(rand(43200))' \
         && certbot -q renew --no-random-sleep-on-renew\n",
    );

    #[test]
    fn a_timer_counts_when_it_is_enabled_there_and_not_masked() {
        assert_eq!(found(&[TIMER, WANTED]), "certbot.timer");
        assert_eq!(found(&[TIMER]), "");
        // The package is gone, its link is not.
        assert_eq!(found(&[WANTED]), "");
        assert_eq!(found(&[TIMER, WANTED, ("/etc/systemd/system/certbot.timer", "-> /dev/null")]), "");
        assert_eq!(found(&[TIMER, WANTED, ("/etc/systemd/system/certbot.timer", "")]), "");
        let own = [
            ("/etc/systemd/system/timers.target.wants/acme_letsencrypt.timer", "-> ../acme_letsencrypt.timer"),
            ("/etc/systemd/system/acme_letsencrypt.timer", "[Timer]\nOnCalendar=daily\n"),
            ("/etc/systemd/system/timers.target.wants/cert-renewer@shop.timer", "-> ../cert-renewer@.timer"),
        ];
        assert_eq!(found(&own), "acme_letsencrypt.timer");
        let instance = [
            ("/etc/systemd/system/timers.target.wants/lego@shop.example.timer", "-> ../lego@.timer"),
            ("/etc/systemd/system/lego@.timer", "[Timer]\nOnCalendar=daily\n"),
        ];
        assert_eq!(found(&instance), "lego@shop.example.timer");
        let caddy = [
            ("/etc/systemd/system/multi-user.target.wants/caddy.service", "-> /lib/systemd/system/caddy.service"),
            ("/lib/systemd/system/caddy.service", "[Service]\n"),
        ];
        assert_eq!(found(&caddy), "caddy.service");
    }

    #[test]
    fn debians_line_for_certbot_does_nothing_where_systemd_runs() {
        assert_eq!(found(&[CRON]), "/etc/cron.d/certbot");
        assert_eq!(found(&[CRON, ("/run/systemd/system/keep", "")]), "");
        assert_eq!(found(&[CRON, ("/run/systemd/system/keep", ""), TIMER, WANTED]), "certbot.timer");
    }

    #[test]
    fn a_line_counts_when_cron_runs_it_and_it_renews() {
        for (line, counts) in [
            ("17 3 * * * root /root/.acme.sh/acme.sh --cron --home /root/.acme.sh > /dev/null", true),
            ("@daily root certbot renew --quiet", true),
            ("0 3 * * 0 root cd /opt && /usr/local/bin/lego --domains shop.example run && lego renew --days 30", true),
            ("0 3 * * * root dehydrated -c", true),
            ("#17 3 * * * root certbot renew", false),
            ("@reboot root certbot renew", false),
            ("17 3 * * * root certbot certificates", false),
            ("17 3 * * * root certbot renew --dry-run", false),
            ("17 3 * * * root echo no certbot here to renew", false),
            ("17 3 * * * root tar czf /backup/letsencrypt.tgz /etc/letsencrypt/renewal", false),
            ("MAILTO=certbot renew", false),
            ("certbot renew", false),
            ("17 3 * * *", false),
        ] {
            assert_eq!(!found(&[("/etc/crontab", line)]).is_empty(), counts, "{line}");
        }
        let own = "5 4 * * * \"/root/.acme.sh\"/acme.sh --cron --home \"/root/.acme.sh\" > /dev/null\n";
        assert_eq!(found(&[("/var/spool/cron/crontabs/root", own)]), "/var/spool/cron/crontabs/root");
        assert_eq!(found(&[("/etc/cron.d/acme.dpkg-old", "@daily root certbot renew\n")]), "");
    }

    #[test]
    fn a_program_of_cron_is_one_that_may_be_run() {
        let script = "#!/bin/sh\n# certbot renew is what this does\ncertbot renew -q\n";
        assert_eq!(found(&[("/etc/cron.daily/renew", script)]), "/etc/cron.daily/renew");
        assert_eq!(found(&[("/etc/cron.daily/renew.sh", script)]), "");
        assert_eq!(found(&[("/etc/cron.daily/renew", "#!/bin/sh\n# certbot renew\n")]), "");
        let root = machine(&[("/etc/cron.daily/renew", script)]);
        fs::set_permissions(root.path().join("etc/cron.daily/renew"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Renewal::look(root.path()).found, Vec::<String>::new());
    }

    #[test]
    fn links_are_those_of_the_host_and_do_not_go_round() {
        let away = [("/opt/renew", "@daily root certbot renew\n"), ("/etc/cron.d/renew", "-> /opt/renew")];
        assert_eq!(found(&away), "/etc/cron.d/renew");
        assert_eq!(
            found(&[("/etc/cron.d/a", "-> b"), ("/etc/cron.d/b", "-> a"), ("/etc/crontab", "-> /dev/zero")]),
            ""
        );
    }

    proptest! {
        #[test]
        fn no_line_is_too_much(line in "(?s).{0,200}", has_user: bool) {
            if let Some(command) = command(&line, has_user) {
                renews(command, has_user);
            }
        }
    }
}
