//! What lets Vitrin see all of a Redis or Valkey: the ACL user, where that server keeps it, and the way to its socket.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::connection::{Endpoint, Mode};
use super::info::Info;
use super::refusal::text;
use super::tls::Tls;
use super::{CLUSTER_INFO, Config, questions};
use crate::collector::{Paths, Reason};
use crate::config::types::Address;
use crate::remedy::{Complaints, Remedy, Service, closed_secret, membership, quoted, secret_file};

/// Where packages put the configuration, when the server cannot be asked.
const USUAL: [&str; 4] =
    ["/etc/redis/redis.conf", "/etc/valkey/valkey.conf", "/etc/redis.conf", "/etc/redis/valkey.conf"];

/// The largest configuration file we read; users are in it, too.
const FILE_BYTES: u64 = 4 << 20;

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
    let facts = Facts::of(endpoint, service, paths).await;
    let down = run.failure.is_some();
    let name = endpoint.user.as_deref().unwrap_or(&service.user);
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return None;
    }
    let why = if down {
        format!("Redis at {endpoint} does not let Vitrin in; with this user all of its metrics show.")
    } else {
        format!("{name} lacks rights in Redis at {endpoint}: its limits, slow log, latencies or keys do not show.")
    };
    let rules = rules(config, facts.mode, facts.is_old).join(" ");
    let missing_keys = endpoint.user.is_none() || endpoint.password.is_none();
    let file = match &endpoint.password {
        None => Path::new("/etc/vitrin/redis.password"),
        Some(secret) => match secret.file() {
            Some(file) => file,
            None => {
                let line =
                    format!("With PASSWORD as the environment has it:\nACL SETUSER {name} on >PASSWORD {rules}\n");
                return Some(Remedy::by_hand(why, line));
            }
        },
    };
    let keys = if missing_keys {
        let password = format!("password = {{ file = \"{}\" }}", file.display());
        format!("Where Vitrin has a configuration file, below the url of this target:\nuser = \"{name}\"\n{password}\n")
    } else {
        String::new()
    };
    let make = secret_file(file, service);
    if !is_local(&endpoint.url.address) || facts.mode == Mode::Sentinel {
        let place =
            if facts.mode == Mode::Sentinel { "In sentinel.conf" } else { "In redis.conf, or the file of aclfile" };
        let by_hand =
            format!("{place}, with PASSWORD as {} holds it:\nuser {name} on >PASSWORD {rules}\n{keys}", file.display());
        return Some(Remedy::mend(why, make).and_by_hand(by_hand));
    }
    Some(Remedy::mend(why, make + &facts.lines(endpoint, name, file, &rules)).and_by_hand(keys))
}

fn is_local(address: &Address) -> bool {
    match address {
        Address::Unix(_) => true,
        Address::Tcp { host, .. } => {
            host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
    }
}

/// What the server, asked as its administrator, and its configuration file tell.
struct Facts {
    mode: Mode,
    /// Whether it is older than 7.0.
    is_old: bool,
    /// Its configuration file.
    file: Option<PathBuf>,
    /// Whether users are in a file of their own.
    aclfile: bool,
    /// Whether its administrator has a password, which is in that file.
    requirepass: bool,
}

impl Facts {
    async fn of(endpoint: &Endpoint, service: &Service, paths: &Paths) -> Self {
        let mut facts = Self { mode: Mode::Standalone, is_old: false, file: None, aclfile: false, requirepass: false };
        if !is_local(&endpoint.url.address) || !service.superuser {
            if let Ok(connection) = endpoint.connect().await {
                facts.mode = connection.mode();
            }
            return facts;
        }
        // Debian's `default` user needs no password on this machine, and root has one where the file says it.
        let administrator =
            Endpoint { url: endpoint.url.clone(), user: None, password: None, tls: Tls::clone(&endpoint.tls) };
        let file = match administrator.connect().await {
            Ok(mut connection) => {
                facts.mode = connection.mode();
                let info = redis::cmd("INFO").arg("server").take();
                let replies = connection.ask(&[info]).await.unwrap_or_default();
                let info = replies.first().and_then(|reply| text(reply).ok()).unwrap_or_default();
                let info = Info::parse(&info);
                let major =
                    info.get("redis_version").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
                facts.is_old = major.is_some_and(|major| major < 7);
                info.get("config_file").map(PathBuf::from)
            }
            Err(_) => USUAL.into_iter().map(PathBuf::from).find(|file| paths.root.join(below(file)).exists()),
        };
        facts.file = file.filter(|file| !file.as_os_str().is_empty());
        let text = facts.file.as_deref().and_then(|file| read(&paths.root.join(below(file)))).unwrap_or_default();
        for line in text.lines() {
            match line.split_whitespace().next().map(str::to_ascii_lowercase).as_deref() {
                Some("aclfile") => facts.aclfile = true,
                Some("requirepass") => facts.requirepass = true,
                _ => {}
            }
        }
        facts
    }

    /// The lines that make the user, now and for the next start.
    fn lines(&self, endpoint: &Endpoint, name: &str, file: &Path, rules: &str) -> String {
        let mut ask = match &endpoint.url.address {
            Address::Unix(socket) => format!("\"$cli\" -s {}", quoted(&socket.to_string_lossy())),
            Address::Tcp { host, port } => format!("\"$cli\" -h {} -p {port}", quoted(host)),
        };
        if endpoint.url.tls {
            ask += " --tls";
        }
        let secret = quoted(&file.to_string_lossy());
        let mut lines = "cli=$(command -v redis-cli || command -v valkey-cli)\n".to_owned();
        lines += &format!("hash=$(tr -d '\\n' <{secret} | sha256sum | cut -d ' ' -f 1)\n");
        let config = self.file.as_ref().map(|file| quoted(&file.to_string_lossy()));
        if self.requirepass
            && let Some(config) = &config
        {
            lines += &format!("REDISCLI_AUTH=$(sed -n 's/^requirepass  *//p' {config} | tail -n 1 | tr -d '\"')\n");
            lines += "export REDISCLI_AUTH\n";
        }
        // A user without a password of its own in the lines: the hash lets nobody in.
        lines += &format!("{ask} <<REDIS | grep -x OK\nACL SETUSER {name} reset on #$hash {rules}\nREDIS\n");
        match &config {
            _ if self.aclfile => lines += &format!("echo ACL SAVE | {ask} | grep -x OK\n"),
            Some(config) => {
                // The second command gives a last line that has none its end.
                lines += &format!("sed -i -e '/^user {name} /d' -e '$a\\' {config}\n");
                lines += &format!("echo \"user {name} on #$hash {rules}\" >>{config}\n");
            }
            None => lines += &format!("echo CONFIG REWRITE | {ask} | grep -x OK\n"),
        }
        lines
    }
}

fn below(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn read(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(FILE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
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
