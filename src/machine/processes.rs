//! Processes by their names, from `/proc/<pid>`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::beginning;

/// The most processes that are looked at, and that are returned.
const LOOKED_AT: usize = 100_000;
const RETURNED: usize = 16_384;

/// How long looking may take: a machine with more to see than that has its servers in a configuration.
const TIME: Duration = Duration::from_secs(2);

/// The most of a command line that is read.
const ARGUMENT_BYTES: u64 = 16 << 10;

/// A running program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its name, as `/proc/<pid>/comm` has it: the program's, its first 15 bytes.
    pub name: String,
    /// Whom it runs as (its effective user).
    pub user: u32,
    /// Its command line. A program that shows its state there (Redis, PHP-FPM, nginx) leaves one argument, with spaces.
    pub arguments: Vec<String>,
}

impl Process {
    /// Whether it is one of these programs; `*` at the end of a name stands for any end.
    #[must_use]
    pub fn is(&self, names: &[&str]) -> bool {
        matches(&self.name, names)
    }

    /// Its command line as one text.
    #[must_use]
    pub fn title(&self) -> String {
        self.arguments.join(" ")
    }

    /// The value of an option, written `--name=value` or `--name value`.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let mut arguments = self.arguments.iter().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix(name) {
                Some("") => return arguments.next().map(String::as_str),
                Some(rest) if rest.starts_with('=') => return Some(&rest[1..]),
                _ => {}
            }
        }
        None
    }
}

fn matches(name: &str, names: &[&str]) -> bool {
    names.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *wanted,
    })
}

/// The processes with these names, by their ids. Where others' processes are hidden (`hidepid`), there are none.
pub(super) fn named(proc: &Path, names: &[&str]) -> Vec<Process> {
    let begun = Instant::now();
    let Ok(entries) = fs::read_dir(proc) else { return Vec::new() };
    let ids = entries.take(LOOKED_AT).filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut found = Vec::new();
    for id in ids.take_while(|_| begun.elapsed() < TIME) {
        found.extend(process(&proc.join(id.to_string()), names).map(|process| (id, process)));
        if found.len() == RETURNED {
            break;
        }
    }
    found.sort_by_key(|(id, _)| *id);
    found.into_iter().map(|(_, process)| process).collect()
}

/// The process of this folder, when it has one of the names and is no container's; it may end while we look.
fn process(folder: &Path, names: &[&str]) -> Option<Process> {
    let name = beginning(&folder.join("comm"), 64).ok()?.trim_end().to_owned();
    if !matches(&name, names) {
        return None;
    }
    let status = beginning(&folder.join("status"), 16 << 10).ok()?;
    let user = own_user(&status)?;
    let line = beginning(&folder.join("cmdline"), ARGUMENT_BYTES).ok()?;
    // Titles are padded with NULs to the length of what they replace.
    let arguments: Vec<_> = line.trim_end_matches('\0').split('\0').map(|text| text.trim_end().to_owned()).collect();
    Some(Process { name, user, arguments })
}

/// The effective user of a process that is not in a container on this machine: it has one id only in a namespace of ids
/// that is procfs' own.
fn own_user(status: &str) -> Option<u32> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    if field("NSpid:").is_some_and(|ids| ids.split_ascii_whitespace().count() > 1) {
        return None;
    }
    field("Uid:")?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(processes: &[(u32, &str, &str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (id, name, status, line) in processes {
            let process = folder.path().join(id.to_string());
            fs::create_dir(&process).unwrap();
            fs::write(process.join("comm"), format!("{name}\n")).unwrap();
            fs::write(process.join("status"), status).unwrap();
            fs::write(process.join("cmdline"), line).unwrap();
        }
        folder
    }

    #[test]
    fn processes_are_found_by_name_and_those_of_containers_are_not() {
        let ours = "Name:\tx\nUid:\t0\t33\t33\t33\nNSpid:\t7\n";
        let folder = machine(&[
            (20, "php-fpm8.2", ours, b"php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)       \0\0\0"),
            (7, "mysqld", ours, b"/usr/sbin/mysqld\0--port=3307\0--socket\0/run/b.sock\0"),
            (8, "mysqld", "Uid:\t999\t999\t999\t999\nNSpid:\t8\t1\n", b"mysqld\0"),
            (9, "bash", ours, b"bash\0"),
        ]);
        let found = named(folder.path(), &["mysqld", "php-fpm*"]);
        let [mysqld, fpm] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (mysqld.user, mysqld.option("--port"), mysqld.option("--socket")),
            (33, Some("3307"), Some("/run/b.sock"))
        );
        assert_eq!(mysqld.option("--datadir"), None);
        assert_eq!(fpm.title(), "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)");
    }

    #[test]
    fn a_proc_that_is_not_there_has_no_processes() {
        assert!(named(Path::new("/nowhere"), &["mysqld"]).is_empty());
    }
}
