//! What Docker Compose makes of `docker-compose.yml`: anchors merged, variables replaced, paths whole.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The services of one profile.
pub(super) struct Model {
    /// The folder that `docker-compose.yml` is in.
    pub(super) root: PathBuf,
    pub(super) services: Vec<Service>,
    volumes: Value,
}

/// A service: what is not written is `null`.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) value: Value,
}

/// Something that is mounted.
pub(super) struct Mount<'a> {
    pub(super) kind: &'a str,
    pub(super) source: &'a str,
    pub(super) target: &'a str,
    pub(super) read_only: bool,
    pub(super) propagation: Option<&'a str>,
}

impl Model {
    /// Asks Docker Compose; `arguments` come before its `config`. Says what Docker Compose has against it.
    pub(super) fn read(root: &Path, arguments: &[&str]) -> Result<Self, String> {
        let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker-compose"))
            .args(arguments)
            .args(["config", "--format=json"])
            .current_dir(root)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        // It warns of what it takes for a mistake: a variable that is not set.
        if !output.status.success() || words.contains("level=") {
            return Err(words);
        }
        let mut config: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {words}"))?;
        let services = config["services"].as_object_mut().ok_or("there is no service")?;
        let services = std::mem::take(services).into_iter().map(|(name, value)| Service { name, value }).collect();
        Ok(Self { root: root.to_owned(), services, volumes: config["volumes"].take() })
    }

    /// What `docker compose up` starts.
    pub(super) fn shop(root: &Path) -> Result<Self, String> {
        Self::read(root, &[])
    }

    /// What `docker compose --profile demo up` starts.
    pub(super) fn demo(root: &Path) -> Result<Self, String> {
        Self::read(root, &["--profile=demo"])
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.services.iter().map(|service| service.name.as_str()).collect()
    }

    #[track_caller]
    pub(super) fn service(&self, name: &str) -> &Service {
        let found = self.services.iter().find(|service| service.name == name);
        found.unwrap_or_else(|| panic!("no service is called {name}; there are {:?}", self.names()))
    }

    /// Whether a named volume lies in memory.
    pub(super) fn is_in_memory(&self, volume: &str) -> bool {
        self.volumes[volume]["driver_opts"]["type"] == "tmpfs"
    }
}

impl Service {
    pub(super) fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_default()
    }

    pub(super) fn texts(&self, key: &str) -> Vec<&str> {
        texts(&self.value[key])
    }

    /// Its variables.
    pub(super) fn environment(&self) -> Vec<(&str, &str)> {
        let variables = self.value["environment"].as_object();
        variables
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
            .collect()
    }

    pub(super) fn mounts(&self) -> Vec<Mount<'_>> {
        let volumes = self.value["volumes"].as_array();
        volumes.into_iter().flatten().map(Mount::of).collect()
    }

    /// Where it has memory to write to.
    pub(super) fn memory(&self) -> Vec<&str> {
        self.texts("tmpfs").into_iter().map(|line| line.split(':').next().expect("a text has a first part")).collect()
    }

    /// Where it may write.
    pub(super) fn writable(&self) -> Vec<&str> {
        let mounts = self.mounts().into_iter().filter(|mount| !mount.read_only).map(|mount| mount.target);
        mounts.chain(self.memory()).collect()
    }

    /// The program that tells its health, with its arguments.
    pub(super) fn health(&self) -> Option<Vec<&str>> {
        let mut words = texts(&self.value["healthcheck"]["test"]);
        (!words.is_empty() && words.remove(0) == "CMD" && !words.is_empty()).then_some(words)
    }

    pub(super) fn is_on_the_machine_s_network(&self) -> bool {
        self.text("network_mode") == "host"
    }
}

impl<'a> Mount<'a> {
    fn of(value: &'a Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        Self {
            kind: text("type"),
            source: text("source"),
            target: text("target"),
            read_only: value["read_only"] == true,
            propagation: value["bind"]["propagation"].as_str(),
        }
    }
}

/// The texts of a list; of one text, that.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
