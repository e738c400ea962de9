//! An example host, seen as the program would see it there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{Gid, Uid};
use rustix::process::geteuid;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NOW, machine};
use crate::collector::Paths;
use crate::collectors::php_fpm;
use crate::collectors::security::Config;
use crate::collectors::security::backends::{Cache, Database};
use crate::collectors::security::facts;
use crate::collectors::security::facts::program::Answer;
use crate::collectors::security::front::Front;
use crate::collectors::security::on_disk::{self, Configured, Near};
use crate::collectors::security::outside::Active;
use crate::collectors::security::seen::{Seen, Servers};
use crate::collectors::security::shop::Manifest;
use crate::collectors::security::shop::drift::Watch;
use crate::collectors::security::subject::Subject;
use crate::collectors::security::system::{Alerting, Clock, Memory, System, Updates};
use crate::collectors::security::verdict::Known;

/// Whom the program runs as there: the account `vitrin`.
const ACCOUNT: u32 = 995;

/// What `host.toml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    layers: Vec<String>,
    groups: Vec<u32>,
    facts: bool,
    security: Config,
}

/// An example host.
pub(super) struct Host {
    said: Said,
    layers: Vec<PathBuf>,
    folder: TempDir,
}

impl Host {
    /// Makes it below a folder of its own.
    pub(super) fn new(hosts: &Path, name: &str) -> Self {
        assert!(geteuid().is_root(), "these tests give files away, as root alone may");
        let said: Said = toml::from_str(&fs::read_to_string(hosts.join(name).join("host.toml")).unwrap()).unwrap();
        let layers: Vec<_> = said.layers.iter().map(|layer| hosts.join(layer)).collect();
        let folder = tempfile::tempdir().unwrap();
        machine::make(&layers, folder.path());
        let host = Self { said, layers, folder };
        host.deploy();
        host
    }

    /// What its deployment does last.
    fn deploy(&self) {
        if let Some(manifest) = &self.said.security.manifest {
            let file = self.root().join(manifest.strip_prefix("/").unwrap());
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, Manifest::make(&self.root(), Path::new("/var/www/shop")).unwrap().text()).unwrap();
        }
    }

    /// All that is seen of it.
    pub(super) fn seen(&self) -> Seen {
        if self.said.facts {
            self.write_facts();
        }
        self.as_the_program(|| self.look())
    }

    fn look(&self) -> Seen {
        let (paths, config) = (self.paths(), &self.said.security);
        let masters = ["8.1", "8.2"].map(|version| format!("/etc/php/{version}/fpm/php-fpm.conf"));
        let masters = masters.iter().map(Path::new).filter(|file| self.inside(file).exists());
        let subject = Subject {
            config: config.clone(),
            php_fpm: masters.map(php_fpm::Config::of).collect(),
            ..Subject::default()
        };
        let near = Near::look(&paths);
        let disk = Configured::look(&subject, &paths);
        let logs = disk.front.as_ref().map(Front::logs).map_err(Clone::clone);
        let database: Known<Database> = self.answer("database");
        let cache: Known<Cache> = self.answer("cache");
        let mut encryption: Value = self.answer("encryption");
        encryption["renewal"] = json!({ "Ok": disk.renewal });
        Seen {
            config: config.clone(),
            now: NOW,
            listeners: near.listeners,
            has_public_ipv6: near.has_public_ipv6,
            routing: near.routing,
            cache_in_sight: near.cache_in_sight,
            facts: on_disk::facts(&config.facts, &paths, NOW),
            at_boot: disk.at_boot,
            servers: Servers {
                databases: database.iter().map(|database| database.address.clone()).collect(),
                caches: cache.iter().flat_map(|cache| &cache.servers).map(|server| server.address.clone()).collect(),
            },
            shop: on_disk::shop(&subject, &disk.front, &paths.root, NOW, &mut Watch::default()),
            front: disk.front,
            pools: disk.pools,
            php: self.answer("php"),
            database,
            cache,
            pages: self.answer("pages"),
            encryption: Ok(serde_json::from_value(encryption).unwrap()),
            system: self.system(System::look(&paths, &logs, NOW, &mut Memory::default())),
            active: Active::default(),
        }
    }

    /// The operating system, with what apt, the kernel's clock and Prometheus say there.
    fn system(&self, files: System) -> System {
        let (is_kept, offset) = self.answer("clock");
        let waiting: Known<BTreeMap<String, i64>> = self.answer("updates");
        let alerting: Known<(bool, Known<Vec<String>>)> = self.answer("alerting");
        System {
            clock: Ok(Clock { is_kept, offset }),
            updates: waiting.map(|waiting| Updates { waiting, listed: NOW }),
            alerting: alerting.map(|(is_firing, receivers)| Alerting { is_firing, receivers }),
            crowdsec: Ok(None),
            ..files
        }
    }

    /// `vitrin facts`, as root; what programs print there was recorded.
    fn write_facts(&self) {
        let facts = facts::look_by(&self.paths(), NOW, &|program, arguments| {
            let words: Vec<_> = [program].iter().chain(arguments).copied().collect();
            let recorded = self.file(&format!("facts/{}", words.join("_")));
            let answer =
                |file| Answer { is_success: true, text: fs::read_to_string(file).unwrap(), words: String::new() };
            Ok(recorded.map(answer))
        });
        let file = self.inside(&self.said.security.facts);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        facts::write(&file, &facts, ACCOUNT).unwrap();
    }

    /// What a server answers there.
    fn answer<T: DeserializeOwned>(&self, name: &str) -> T {
        let file = self.file(&format!("answers/{name}.json")).unwrap_or_else(|| panic!("nobody answers for {name}"));
        let text = fs::read_to_string(&file).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The file of this name of the uppermost layer that has it.
    fn file(&self, name: &str) -> Option<PathBuf> {
        self.layers.iter().rev().map(|layer| layer.join(name)).find(|file| file.exists())
    }

    /// Does something with the rights that the program has there.
    fn as_the_program<T: Send>(&self, look: impl FnOnce() -> T + Send) -> T {
        let groups: Vec<_> = self.said.groups.iter().copied().map(Gid::from_raw).collect();
        let program = || {
            let (uid, gid) = (Uid::from_raw(ACCOUNT), Gid::from_raw(ACCOUNT));
            set_thread_groups(&groups).unwrap();
            set_thread_res_gid(gid, gid, gid).unwrap();
            set_thread_res_uid(uid, uid, uid).unwrap();
            look()
        };
        thread::scope(|scope| scope.spawn(program).join().unwrap())
    }

    fn paths(&self) -> Paths {
        Paths { root: self.root(), proc: self.folder.path().join("proc"), ..Paths::default() }
    }

    /// Where its root file system is.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn inside(&self, path: &Path) -> PathBuf {
        self.root().join(path.strip_prefix("/").unwrap())
    }

    /// What the operator says.
    pub(super) fn config(&self) -> &Config {
        &self.said.security
    }
}
