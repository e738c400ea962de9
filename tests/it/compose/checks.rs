//! What must hold for every service, as functions from what Docker Compose has understood to complaints.

use std::path::Path;

use super::model::{Model, Mount, Service};

pub(super) type Check = fn(&Model) -> Vec<String>;

/// All of them.
pub(super) const ALL: [Check; 7] = [images, confinement, health, mounts, addresses, secrets, storage];

/// Folders of the machine itself that may be mounted, only to be read.
const OF_THE_MACHINE: [&str; 4] = ["/", "/proc", "/sys", "/etc/vitrin"];

/// Those whose mounts change while a container runs.
const CHANGING: [&str; 3] = ["/", "/proc", "/sys"];

/// What a variable is called that holds a secret.
const SECRETS: [&str; 5] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL"];

/// Flags that say where a program writes.
const STORAGE: [&str; 3] = ["--storage.tsdb.path=", "--storage.path=", "--datadir="];

fn of_each(model: &Model, check: impl Fn(&Service) -> Vec<String>) -> Vec<String> {
    let complaints = |service| check(service).into_iter().map(|words| format!("{}: {words}", service.name));
    model.services.iter().flat_map(complaints).collect()
}

/// An image of one version, and ours of the program's own.
fn images(model: &Model) -> Vec<String> {
    of_each(model, |service| {
        let image = service.text("image");
        let Some((name, tag)) = image.rsplit_once(':') else { return vec![format!("`{image}` has no tag")] };
        let parts: Vec<_> = tag.trim_start_matches('v').split('.').collect();
        let is_version = parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok());
        let is_ours = name == "vitrin" || name == "vitrin-demo";
        if !is_version {
            vec![format!("`{image}` is no one version")]
        } else if is_ours && tag != env!("CARGO_PKG_VERSION") {
            vec![format!("`{image}` is not of version {}", env!("CARGO_PKG_VERSION"))]
        } else if is_ours != service.value["build"].is_object() {
            vec![format!("`{image}` is {}", if is_ours { "not built" } else { "built, and not ours" })]
        } else {
            Vec::new()
        }
    })
}

/// No right that it does not need.
fn confinement(model: &Model) -> Vec<String> {
    of_each(model, |service| {
        let mut complaints = Vec::new();
        let mut must = |holds: bool, words: &str| {
            if !holds {
                complaints.push(words.to_owned());
            }
        };
        must(service.value["read_only"] == true, "its root may be written to");
        must(service.texts("cap_drop") == ["ALL"], "it keeps capabilities");
        must(service.texts("security_opt") == ["no-new-privileges:true"], "it may get new privileges");
        let ids: Vec<_> = service.text("user").split(':').map(str::parse::<u32>).collect();
        let is_nobody = matches!(ids[..], [Ok(user), Ok(_)] if user != 0);
        must(is_nobody, "its user is not two numbers, or root");
        for key in ["privileged", "cap_add", "devices", "pid", "ipc", "uts", "userns_mode", "group_add"] {
            let is_given = service.value.get(key).is_some_and(|value| *value != false && !value.is_null());
            // The groups of a machine's logs and sockets.
            must(!is_given || key == "group_add" && service.name == "vitrin", &format!("it has `{key}`"));
        }
        must(service.value["logging"]["driver"] == "local", "what it prints is kept without end");
        must(service.text("restart") == "unless-stopped", "it stays down when the machine is started again");
        complaints
    })
}

/// A program of its own tells whether it is well.
fn health(model: &Model) -> Vec<String> {
    of_each(model, |service| {
        let check = &service.value["healthcheck"];
        let is_whole = ["interval", "timeout", "start_period"].iter().all(|key| check[*key].is_string());
        match service.health() {
            None => vec!["nothing asks for its health".to_owned()],
            Some(_) if !is_whole || check["disable"] == true => vec!["its health is not asked for in time".to_owned()],
            Some(_) => Vec::new(),
        }
    })
}

/// What is mounted is there, and is not written to.
fn mounts(model: &Model) -> Vec<String> {
    let complaint = |mount: &Mount<'_>| {
        let source = Path::new(mount.source);
        if mount.kind != "bind" {
            return None;
        }
        if !mount.read_only {
            return Some(format!("{} may be written to", mount.source));
        }
        if OF_THE_MACHINE.contains(&mount.source) {
            let is_followed = mount.propagation == Some("rslave");
            return (CHANGING.contains(&mount.source) != is_followed)
                .then(|| format!("{}: what is mounted there later is not seen, or need not be", mount.source));
        }
        if !source.starts_with(&model.root) {
            return Some(format!("{} is neither ours nor one of {OF_THE_MACHINE:?}", mount.source));
        }
        (!source.exists()).then(|| format!("{} is not there", mount.source))
    };
    of_each(model, |service| service.mounts().iter().filter_map(complaint).collect())
}

/// Nothing is reached from elsewhere, and nobody is called by a name that is no service's.
fn addresses(model: &Model) -> Vec<String> {
    of_each(model, |service| {
        let mut complaints = Vec::new();
        for port in service.value["ports"].as_array().into_iter().flatten() {
            if port["host_ip"] != "127.0.0.1" {
                complaints.push(format!("its port {} is open to others", port["published"]));
            }
        }
        if service.is_on_the_machine_s_network() {
            let flags = service.texts("command");
            let listen: Vec<_> = flags.iter().filter_map(|flag| flag.strip_prefix("--web.listen-address=")).collect();
            let grafana = service.environment().into_iter().find(|(name, _)| *name == "GF_SERVER_HTTP_ADDR");
            let listen: Vec<_> = listen.into_iter().chain(grafana.map(|(_, address)| address)).collect();
            if listen.is_empty() || listen.iter().any(|address| address.split(':').next() != Some("127.0.0.1")) {
                complaints.push(format!("it listens on {listen:?} of the machine"));
            }
        }
        complaints
    })
}

/// A variable is seen by whoever may ask the engine: secrets are files.
fn secrets(model: &Model) -> Vec<String> {
    of_each(model, |service| {
        let is_secret = |name: &str| {
            let is_about = SECRETS.iter().any(|word| name.to_uppercase().contains(word));
            is_about && !name.ends_with("_FILE") && !name.contains("_RANDOM_")
        };
        let variables = service.environment().into_iter().filter(|(name, value)| {
            // A password in an address.
            is_secret(name) || value.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
        });
        let flags = service.texts("command").into_iter().filter(|word| is_secret(word.split('=').next().unwrap_or("")));
        let named = variables.map(|(name, _)| name).chain(flags);
        named.map(|name| format!("a secret stands in {name}")).collect()
    })
}

/// Where a program keeps what it has, it may write, and in the shop's profile what it keeps outlives the container.
fn storage(model: &Model) -> Vec<String> {
    of_each(model, |service| {
        let command = service.texts("command").join(" ");
        let paths =
            command.split_whitespace().filter_map(|word| STORAGE.iter().find_map(|flag| word.strip_prefix(flag)));
        let known = ["/var/lib/vitrin", "/var/lib/grafana"].into_iter().filter(|path| {
            let image = service.text("image");
            image.split([':', '/']).any(|part| path.ends_with(part))
        });
        let is_kept = |path: &&str| {
            let is_writable = service.writable().contains(path);
            let is_volume = service
                .mounts()
                .iter()
                .any(|mount| mount.target == *path && mount.kind == "volume" && !model.is_in_memory(mount.source));
            is_writable && (is_volume || service.name.starts_with("demo-"))
        };
        paths.chain(known).filter(|path| !is_kept(path)).map(|path| format!("{path} is not kept")).collect()
    })
}
