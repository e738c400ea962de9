//! What lets Vitrin see all of a Redis or Valkey: the ACL user, where that server keeps it, and the way to its socket.

use std::path::Path;

use super::administrator::Administrator;
use super::connection::Mode;
use super::discover::ACCOUNTS;
use super::{CLUSTER_INFO, Config, questions};
use crate::collector::{Paths, Reason};
use crate::remedy::{Complaints, Remedy, Service, closed_secret, membership, secret_file};

/// Where the password is kept when the configuration does not say.
const PASSWORD: &str = "/etc/vitrin/redis.password";

/// What an account needs before it can be asked anything.
const FIRST: [&str; 2] = ["-@all", "+client|setname"];

/// What counting key groups needs, and weighing the keys found.
const SCAN: [&str; 2] = ["+scan", "+select"];
const WEIGH: &str = "+memory|usage";
/// The keys that may be weighed: all; before Redis 7.0, which does not tell reading from writing, in another word.
const KEYS: &str = "%R~*";
const KEYS_OF_OLD: &str = "~*";

/// What is missing of this server.
pub(super) async fn remedies(config: &Config, run: Complaints<'_>, service: &Service, paths: &Paths) -> Vec<Remedy> {
    let endpoint = &config.endpoint;
    let mut found = Vec::new();
    if let Some(socket) = endpoint.url.address.socket() {
        let setting = "In the server's configuration:\nunixsocketperm 770\n";
        found.extend(membership(&paths.root, socket, service, setting));
    }
    let refused = run.iter().any(|failure| matches!(failure.reason, Reason::Auth | Reason::Permission));
    if refused && found.is_empty() {
        found.extend(user(config, run, service, paths).await);
    }
    found
}

/// The rules of the user, in the order in which docs/backends.md has them.
fn rules(config: &Config, mode: Mode, is_old: bool) -> Vec<String> {
    let mut rules: Vec<String> = FIRST.map(str::to_owned).to_vec();
    // INFO is asked last, and is what everything else builds on.
    rules.push("+info".to_owned());
    let mut asked = questions(mode);
    if mode != Mode::Sentinel && mode != Mode::Cluster {
        asked.push(CLUSTER_INFO);
    }
    for question in asked {
        let rule = format!("+{}", question.command.to_lowercase().replace(' ', "|"));
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if mode == Mode::Sentinel {
        rules.extend(super::sentinel::COMMANDS.map(|command| format!("+sentinel|{command}")));
    }
    if !config.key_groups.is_empty() {
        let weigh = [WEIGH, if is_old { KEYS_OF_OLD } else { KEYS }];
        let weigh = if config.scan.memory { &weigh[..] } else { &[] };
        rules.extend(SCAN.iter().chain(weigh).map(|rule| (*rule).to_owned()));
    }
    rules
}

/// The ACL user that a server which refused us needs.
async fn user(config: &Config, run: Complaints<'_>, service: &Service, paths: &Paths) -> Option<Remedy> {
    let endpoint = &config.endpoint;
    if let Some(closed) = endpoint.password.as_ref().and_then(|password| closed_secret(password, service)) {
        return Some(closed);
    }
    let name = endpoint.user.as_deref().unwrap_or(&service.user);
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return None;
    }
    let why = if run.failure.is_some() {
        format!("Redis at {endpoint} does not let Vitrin in; with this user all of its metrics show.")
    } else {
        format!("{name} lacks rights in Redis at {endpoint}: its limits, slow log, latencies or keys do not show.")
    };
    let address = &endpoint.url.address;
    let near = service.superuser && address.is_local() && service.trusts(address, &ACCOUNTS);
    let administrator = if near { Administrator::of(endpoint, paths).await } else { None };
    let (mode, is_old) = match &administrator {
        Some(administrator) => (administrator.mode, administrator.is_old),
        None => (endpoint.connect().await.map_or(Mode::Standalone, |connection| connection.mode()), false),
    };
    let rules = rules(config, mode, is_old).join(" ");
    let line = format!("user {name} on >PASSWORD {rules}\n");
    let place = match mode {
        Mode::Sentinel => "In sentinel.conf",
        _ => "In redis.conf, or in the file that its aclfile names",
    };
    let file = match &endpoint.password {
        None => Path::new(PASSWORD),
        Some(secret) => match secret.file() {
            Some(file) => file,
            None => return Some(Remedy::by_hand(why, format!("{place}, with the PASSWORD of Vitrin's:\n{line}"))),
        },
    };
    let make = secret_file(file, service);
    let keys = keys(config, name, file);
    if let Some(administrator) = administrator.filter(|_| mode != Mode::Sentinel) {
        let run = make + &administrator.lines(endpoint, name, file, &rules);
        return Some(Remedy::mend(why, run).and_by_hand(keys + administrator.note()));
    }
    let by_hand = format!("{place}, with PASSWORD as {} holds it:\n{line}{keys}", file.display());
    Some(Remedy::mend(why, make).and_by_hand(by_hand))
}

/// What a target's table lacks of the user.
fn keys(config: &Config, name: &str, file: &Path) -> String {
    let user = config.endpoint.user.is_none().then(|| format!("user = \"{name}\"\n"));
    let password = format!("password = {{ file = \"{}\" }}\n", file.display());
    let keys: String = user.into_iter().chain(config.endpoint.password.is_none().then_some(password)).collect();
    let head = "Where Vitrin has a configuration file, below this target's url:\n";
    if keys.is_empty() { keys } else { format!("{head}{keys}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> Config {
        toml::from_str(&format!("url = 'redis://127.0.0.1'\n{more}")).unwrap()
    }

    #[test]
    fn the_user_may_ask_what_is_asked_and_no_more() {
        let few = rules(&config(""), Mode::Standalone, false).join(" ");
        assert_eq!(
            few,
            "-@all +client|setname +info +config|get +slowlog|len +slowlog|get +latency|latest +latency|histogram \
             +cluster|info"
        );
        let groups = "key_groups.a.pattern = 'a:*'\n";
        assert_eq!(
            rules(&config(groups), Mode::Standalone, false).join(" "),
            format!("{few} +scan +select +memory|usage %R~*")
        );
        let unweighed = format!("{groups}key_group_scan.memory = false");
        assert_eq!(rules(&config(&unweighed), Mode::Standalone, false).join(" "), format!("{few} +scan +select"));
    }
}
