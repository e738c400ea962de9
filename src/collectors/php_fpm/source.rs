//! Where a target's pools come from: FPM's configuration files, or a list of addresses; both looked at again at each
//! scrape, so that a pool added or removed is seen at the next.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::configuration::{Configuration, Pool, Sections};
use super::line::{Line, line};
use crate::collector::{Failure, Paths, Reason};
use crate::config::types::Address;
use crate::glob;

/// Where distributions, Docker's images and PHP itself put FPM's configuration, by how common they are.
const USUAL: [&str; 7] = [
    "/etc/php/*/fpm/php-fpm.conf",
    "/etc/php-fpm.conf",
    "/usr/local/etc/php-fpm.conf",
    "/etc/php*/php-fpm.conf",
    "/etc/opt/remi/php*/php-fpm.conf",
    "/opt/plesk/php/*/etc/php-fpm.conf",
    "/opt/cpanel/ea-php*/root/etc/php-fpm.conf",
];

/// The largest configuration file we read.
const FILE_BYTES: u64 = 1 << 20;

/// The most files one configuration may consist of.
const FILES: usize = 2_000;

/// How deep FPM lets files include one another (`fpm_conf_load_ini_file`).
const DEPTH: usize = 5;

/// The configurations of the FPM masters of this host, in usual places.
pub(super) fn discover(paths: &Paths) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in USUAL.iter().flat_map(|pattern| glob::expand(&paths.root, pattern)) {
        if let Ok(inside) = path.strip_prefix(&paths.root) {
            found.push(Path::new("/").join(inside));
        }
    }
    found
}

/// Where the pools come from. All paths are the host's, without `--path.rootfs`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// FPM's configuration; `None` finds it in the usual places.
    Configuration(Option<PathBuf>),
    /// Addresses, and sockets by pattern, all with one status path.
    Addresses { addresses: Vec<String>, status_path: String },
}

/// What was read last time, and how to see that it is still so.
#[derive(Debug)]
pub(super) struct Reading {
    configuration: Arc<Configuration>,
    main: PathBuf,
    files: Vec<Stamp>,
    patterns: Vec<(String, Vec<PathBuf>)>,
    /// The last file that says something of each pool.
    places: BTreeMap<String, PathBuf>,
}

/// A file as it was when we read it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Source {
    /// The pools as they are configured now. `last` is what the last call left there; nothing is read again while no
    /// file has changed.
    pub(super) fn read(&self, root: &Path, last: &mut Option<Reading>) -> Result<Arc<Configuration>, Failure> {
        let file = match self {
            Self::Addresses { addresses, status_path } => return Ok(Arc::new(listed(root, addresses, status_path))),
            Self::Configuration(Some(file)) => file.clone(),
            Self::Configuration(None) => usual(root)?,
        };
        if let Some(last) = last.as_ref().filter(|last| last.main == file && last.is_current(root)) {
            return Ok(last.configuration.clone());
        }
        let reading = Reading::new(root, &file)
            .map_err(|failure| failure.context(format!("reading FPM's configuration {}", file.display())))?;
        Ok(last.insert(reading).configuration.clone())
    }
}

/// The one configuration in a usual place.
fn usual(root: &Path) -> Result<PathBuf, Failure> {
    let mut found = discover(&Paths { root: root.to_owned(), ..Paths::default() });
    match found.len() {
        0 => {
            let message = "no FPM configuration in a usual place; write `configuration = \"/path/to/php-fpm.conf\"`";
            Err(Failure::message(Reason::Connect, message))
        }
        1 => Ok(found.remove(0)),
        _ => {
            let names: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
            let message = format!("several FPM configurations: {}; name one as `configuration`", names.join(", "));
            Err(Failure::message(Reason::Connect, message))
        }
    }
}

/// Whether an address stands for all sockets of a pattern.
pub(super) fn is_socket_pattern(address: &str) -> bool {
    let path = address.strip_prefix("unix:").unwrap_or(address);
    path.starts_with('/') && glob::is_pattern(path)
}

/// Pools known by their addresses alone.
fn listed(root: &Path, addresses: &[String], status_path: &str) -> Configuration {
    let mut pools = Vec::new();
    for text in addresses {
        let path = text.strip_prefix("unix:").unwrap_or(text);
        let listens = if is_socket_pattern(text) {
            let sockets = glob::expand(root, path).into_iter();
            sockets
                .filter_map(|path| Some(Ok(Address::Unix(Path::new("/").join(path.strip_prefix(root).ok()?)))))
                .collect()
        } else if path.starts_with('/') {
            vec![Ok(Address::Unix(path.into()))]
        } else {
            vec![text.parse()]
        };
        pools.extend(listens.into_iter().map(|listen| Pool {
            name: None,
            listen,
            status_listen: None,
            status_path: Some(status_path.to_owned()),
            chroot: false,
            error_log: None,
            catches_output: false,
            manager: None,
            access: None,
        }));
    }
    pools.sort_by(|a, b| a.listen.cmp(&b.listen));
    pools.dedup_by(|a, b| a.listen == b.listen);
    Configuration { pools, process_max: None, error_log: None }
}

impl Reading {
    fn new(root: &Path, file: &Path) -> Result<Self, Failure> {
        let prefix = prefix(file);
        let mut reading = Self {
            configuration: Arc::default(),
            main: file.to_owned(),
            files: Vec::new(),
            patterns: Vec::new(),
            places: BTreeMap::new(),
        };
        let mut sections = Sections::default();
        reading.load(root, &inside(root, file), &prefix, DEPTH, &mut sections)?;
        reading.configuration = Arc::new(sections.finish(&prefix));
        Ok(reading)
    }

    fn load(
        &mut self,
        root: &Path,
        file: &Path,
        prefix: &str,
        depth: usize,
        sections: &mut Sections,
    ) -> Result<(), Failure> {
        if depth == 0 || self.files.len() >= FILES {
            let message = format!("more than {FILES} files, or files that include one another more than {DEPTH} deep");
            return Err(Failure::message(Reason::Limit, message));
        }
        let (text, stamp) = read(file).map_err(|failure| failure.context(format!("reading {}", file.display())))?;
        self.files.push(stamp);
        for found in text.lines().filter_map(line) {
            match found {
                Line::Section(name) => {
                    self.places.insert(name.clone(), host(root, file));
                    sections.begin(name);
                }
                Line::Set(key, value) => sections.set(key, &value),
                Line::Include(pattern) => {
                    let pattern = if pattern.starts_with('/') { pattern } else { format!("{prefix}/{pattern}") };
                    let files = glob::expand(root, &pattern);
                    self.patterns.push((pattern, files.clone()));
                    for file in files {
                        self.load(root, &file, prefix, depth - 1, sections)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The main file.
    pub(super) fn main(&self) -> &Path {
        &self.main
    }

    /// The file that a pool is in, as the host names it.
    pub(super) fn place(&self, pool: &str) -> Option<&Path> {
        self.places.get(pool).map(PathBuf::as_path)
    }

    fn is_current(&self, root: &Path) -> bool {
        self.files.iter().all(|stamp| Stamp::of(&stamp.path).is_ok_and(|now| now == *stamp))
            && self.patterns.iter().all(|(pattern, files)| glob::expand(root, pattern) == *files)
    }
}

impl Stamp {
    fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Ok(Self { path: path.to_owned(), inode: metadata.ino(), size: metadata.size(), changed })
    }
}

fn read(path: &Path) -> Result<(String, Stamp), Failure> {
    // The stamp first: of a file that changes while we read it, the next scrape sees that it has.
    let stamp = Stamp::of(path).map_err(Failure::io)?;
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes)).map_err(Failure::io)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(Failure::message(Reason::Limit, "larger than 1 MiB"));
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), stamp))
}

/// Where relative paths of a configuration begin: FPM's `--prefix`, which is what the folder `etc` of its
/// configuration lies in, except that nobody installs to `/` itself.
fn prefix(file: &Path) -> String {
    let etc = file.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "etc"));
    match etc.and_then(Path::parent).and_then(Path::to_str) {
        None | Some("/") => "/usr".to_owned(),
        Some(prefix) => prefix.to_owned(),
    }
}

/// A path that we reach as the host names it.
fn host(root: &Path, path: &Path) -> PathBuf {
    Path::new("/").join(path.strip_prefix(root).unwrap_or(path))
}

/// A path of the host as we reach it.
pub(super) fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(configuration: &Configuration) -> Vec<&str> {
        configuration.pools.iter().filter_map(|pool| pool.name.as_deref()).collect()
    }

    #[test]
    fn includes_are_followed_and_changes_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("usr/local/etc/php-fpm.d")).unwrap();
        fs::write(root.join("usr/local/etc/php-fpm.conf"), "[global]\ninclude=etc/php-fpm.d/*.conf\n").unwrap();
        fs::write(root.join("usr/local/etc/php-fpm.d/www.conf"), "[www]\nlisten = 9000\n").unwrap();
        let source = Source::Configuration(None);
        let mut last = None;

        let first = source.read(root, &mut last).unwrap();
        assert_eq!(names(&first), ["www"]);
        assert!(Arc::ptr_eq(&first, &source.read(root, &mut last).unwrap()), "nothing is read twice");

        fs::write(root.join("usr/local/etc/php-fpm.d/shop.conf"), "[shop]\nlisten = 9001\n").unwrap();
        assert_eq!(names(&source.read(root, &mut last).unwrap()), ["shop", "www"]);
        fs::remove_file(root.join("usr/local/etc/php-fpm.d/www.conf")).unwrap();
        assert_eq!(names(&source.read(root, &mut last).unwrap()), ["shop"]);
    }

    #[test]
    fn a_missing_or_an_ambiguous_configuration_says_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let failure = Source::Configuration(None).read(root, &mut None).unwrap_err();
        assert!(failure.to_string().contains("configuration ="), "{failure}");
        for version in ["8.2", "8.4"] {
            let fpm = root.join(format!("etc/php/{version}/fpm"));
            fs::create_dir_all(&fpm).unwrap();
            fs::write(fpm.join("php-fpm.conf"), "").unwrap();
        }
        let failure = Source::Configuration(None).read(root, &mut None).unwrap_err();
        assert!(failure.to_string().contains("/etc/php/8.2/fpm/php-fpm.conf, /etc/php/8.4"), "{failure}");
        let failure = Source::Configuration(Some("/etc/nothing".into())).read(root, &mut None).unwrap_err();
        assert!(failure.to_string().starts_with("reading FPM's configuration /etc/nothing: reading"), "{failure}");
    }

    #[test]
    fn files_that_include_one_another_end() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/php-fpm.conf"), "include=/etc/*.conf\n").unwrap();
        let failure = Source::Configuration(None).read(root, &mut None).unwrap_err();
        assert_eq!(failure.reason, Reason::Limit);
    }

    #[test]
    fn addresses_and_socket_patterns_are_pools() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("run/php")).unwrap();
        for socket in ["b.sock", "a.sock", "a.pid"] {
            fs::write(root.join("run/php").join(socket), "").unwrap();
        }
        let addresses =
            ["unix:/run/php/*.sock", "/run/php/a.sock", "127.0.0.1:9000", "[::1]:9000"].map(str::to_owned).to_vec();
        let source = Source::Addresses { addresses, status_path: "/status".to_owned() };
        let configuration = source.read(root, &mut None).unwrap();
        let listens: Vec<_> = configuration.pools.iter().map(|pool| pool.listen.clone().unwrap().to_string()).collect();
        assert_eq!(listens, ["127.0.0.1:9000", "[::1]:9000", "/run/php/a.sock", "/run/php/b.sock"]);
    }
}
