//! The administrator of a Redis on this machine: how root is let in, and where the server keeps its users.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::connection::{Connection, Endpoint, Mode};
use super::discover::ACCOUNTS;
use super::info::Info;
use super::refusal::text;
use super::url::PORT;
use crate::account::Account;
use crate::collector::Paths;
use crate::config::types::Address;
use crate::remedy::quoted;

/// Where packages put the configuration of a server that cannot be asked.
const USUAL: [&str; 4] =
    ["/etc/redis/redis.conf", "/etc/valkey/valkey.conf", "/etc/redis.conf", "/etc/redis/valkey.conf"];

/// The largest configuration file we read; users may be in it, too.
const FILE_BYTES: u64 = 4 << 20;

/// What root can do with a server of this machine.
#[derive(Debug)]
pub(super) struct Administrator {
    /// What the server is.
    pub(super) mode: Mode,
    /// Whether it is older than 7.0.
    pub(super) is_old: bool,
    /// The configuration that holds its password; `None` where there is no password.
    password: Option<PathBuf>,
    keeps: Keeps,
}

/// Where a server keeps its users.
#[derive(Debug, PartialEq, Eq)]
enum Keeps {
    /// In the file that its `aclfile` names; it writes that itself.
    Apart,
    /// In its configuration, which lies on this machine.
    In(PathBuf),
    /// In a configuration that only it can reach, in a container for example.
    Itself,
    /// In its memory alone.
    Nowhere,
}

impl Administrator {
    /// Asks the server as root would, or reads its configuration where it lets nobody in without a password; `None`
    /// when neither leads anywhere. Reads only.
    pub(super) async fn of(endpoint: &Endpoint, paths: &Paths) -> Option<Self> {
        let endpoint = Endpoint { user: None, password: None, ..endpoint.clone() };
        match endpoint.connect().await {
            Ok(connection) => Some(Self::asked(connection, paths).await),
            Err(_) => USUAL.iter().find_map(|file| Self::read(Path::new(file), &endpoint.url.address, paths)),
        }
    }

    async fn asked(mut connection: Connection, paths: &Paths) -> Self {
        let replies = connection.ask(&[redis::cmd("INFO").arg("server").take()]).await.unwrap_or_default();
        let info = replies.first().and_then(|reply| text(reply).ok()).unwrap_or_default();
        let info = Info::parse(&info);
        let major = info.get("redis_version").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        let keeps = match info.get("config_file").filter(|file| !file.is_empty()) {
            None => Keeps::Nowhere,
            Some(file) => match read(paths, Path::new(file)) {
                Some(text) if setting(&text, "aclfile").is_some() => Keeps::Apart,
                // What a server says of itself must not lead root's pen to a file of other people's.
                Some(_) if !is_its(paths, Path::new(file)) => Keeps::Nowhere,
                Some(_) => Keeps::In(file.into()),
                None => Keeps::Itself,
            },
        };
        Self { mode: connection.mode(), is_old: major.is_some_and(|major| major < 7), password: None, keeps }
    }

    /// By a configuration, if it is that of the server at this address and has the password.
    fn read(file: &Path, address: &Address, paths: &Paths) -> Option<Self> {
        let text = read(paths, file)?;
        let is_it = match address {
            Address::Tcp { port, .. } => {
                setting(&text, "port").map_or(Some(PORT), |port| port.parse().ok()) == Some(*port)
            }
            Address::Unix(socket) => setting(&text, "unixsocket").is_some_and(|path| Path::new(path) == socket),
        };
        setting(&text, "requirepass").filter(|_| is_it)?;
        let keeps = if setting(&text, "aclfile").is_some() { Keeps::Apart } else { Keeps::In(file.to_owned()) };
        // Who has a password but no way in has no way to tell what it is, either; a cluster is asked what all are asked.
        Some(Self { mode: Mode::Standalone, is_old: false, password: Some(file.to_owned()), keeps })
    }

    /// The lines that make a user, now and for the next start, with the password that `secret` holds.
    pub(super) fn lines(&self, endpoint: &Endpoint, name: &str, secret: &Path, rules: &str) -> String {
        let mut ask = match &endpoint.url.address {
            Address::Unix(socket) => format!("\"$cli\" -s {}", quoted(&socket.to_string_lossy())),
            Address::Tcp { host, port } => format!("\"$cli\" -h {} -p {port}", quoted(host)),
        };
        if endpoint.url.tls {
            ask += " --tls";
        }
        let secret = quoted(&secret.to_string_lossy());
        let mut lines = vec![
            "cli=$(command -v redis-cli || command -v valkey-cli)".to_owned(),
            format!("hash=$(tr -d '\\n' <{secret} | sha256sum | cut -d ' ' -f 1)"),
        ];
        if let Some(config) = &self.password {
            let config = quoted(&config.to_string_lossy());
            lines.push(format!("REDISCLI_AUTH=$(sed -n 's/^requirepass  *//p' {config} | tail -n 1 | tr -d '\"')"));
            lines.push("export REDISCLI_AUTH".to_owned());
        }
        // By its standard input: an argument list is for all to see.
        lines.push(format!("{ask} <<REDIS | grep -x OK\nACL SETUSER {name} reset on #$hash {rules}\nREDIS"));
        match &self.keeps {
            Keeps::Apart => lines.push(format!("echo ACL SAVE | {ask} | grep -x OK")),
            Keeps::Itself => lines.push(format!("echo CONFIG REWRITE | {ask} | grep -x OK")),
            Keeps::In(config) => {
                let config = quoted(&config.to_string_lossy());
                // The second command gives a last line that has none its end.
                lines.push(format!("sed -i -e '/^user {name} /d' -e '$a\\' {config}"));
                lines.push(format!("echo \"user {name} on #$hash {rules}\" >>{config}"));
            }
            Keeps::Nowhere => {}
        }
        if self.password.is_some() {
            lines.push("unset REDISCLI_AUTH".to_owned());
        }
        lines.join("\n") + "\n"
    }

    /// What a person should know of it.
    pub(super) fn note(&self) -> &'static str {
        match self.keeps {
            Keeps::Nowhere => "The server has no configuration file: the user is gone when it starts again.\n",
            _ => "",
        }
    }
}

/// The last value of a setting, without its quotes.
fn setting<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| {
        let (key, value) = line.trim().split_once(char::is_whitespace)?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    };
    text.lines().filter_map(value).next_back().filter(|value| !value.is_empty())
}

/// Whether a file can be a server's configuration: it is called like one, or belongs to the user of such servers.
fn is_its(paths: &Paths, file: &Path) -> bool {
    let text = file.to_str().filter(|text| !text.contains(char::is_control));
    let Some(name) = text.and(file.file_name()).and_then(|name| name.to_str()) else { return false };
    let is_called = ["redis", "valkey", "keydb", "sentinel"].iter().any(|server| name.contains(server));
    let path = paths.root.join(file.strip_prefix("/").unwrap_or(file));
    let owner = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.uid());
    let account = owner.and_then(|owner| Account::numbered(&paths.root, owner).ok().flatten());
    owner.is_some()
        && (is_called && file.extension().is_some_and(|extension| extension == "conf")
            || account.is_some_and(|account| ACCOUNTS.contains(&account.name.as_str())))
}

fn read(paths: &Paths, file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let path = paths.root.join(file.strip_prefix("/").unwrap_or(file));
    // A server may name anything; to open a device or a pipe may do something, or never end.
    let is_plain = file.is_absolute() && !["/proc", "/sys", "/dev"].iter().any(|folder| file.starts_with(folder));
    fs::metadata(&path).ok().filter(|metadata| is_plain && metadata.is_file())?;
    let file = File::open(path).ok()?;
    file.take(FILE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_does_not_say_into_which_file_root_writes() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths { root: root.path().to_owned(), ..Paths::default() };
        fs::create_dir_all(root.path().join("etc/redis")).unwrap();
        fs::write(root.path().join("etc/passwd"), "stranger:x:12345:12345::/:/bin/false\n").unwrap();
        for file in ["etc/sudoers", "etc/redis/redis.conf", "etc/shop-redis-6380.conf"] {
            fs::write(root.path().join(file), "port 6379\n").unwrap();
        }
        std::os::unix::fs::symlink("sudoers", root.path().join("etc/link-redis.conf")).unwrap();
        for (file, expected) in [
            ("/etc/sudoers", false),
            ("/etc/link-redis.conf", false),
            ("/etc/none-redis.conf", false),
            ("/etc/redis/redis.conf", true),
            ("/etc/shop-redis-6380.conf", true),
        ] {
            assert_eq!(is_its(&paths, Path::new(file)), expected, "{file}");
        }
        for file in ["/dev/null", "/proc/version", "/etc", "redis.conf"] {
            assert_eq!(read(&Paths::default(), Path::new(file)), None, "{file}");
        }
    }

    #[test]
    fn only_the_configuration_of_this_very_server_is_believed() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths { root: root.path().to_owned(), ..Paths::default() };
        let file = Path::new("/etc/redis/redis.conf");
        fs::create_dir_all(root.path().join("etc/redis")).unwrap();
        let found = |text: &str, address: &str| {
            fs::write(root.path().join("etc/redis/redis.conf"), text).unwrap();
            Administrator::read(file, &address.parse().unwrap(), &paths)
        };
        let usual = "127.0.0.1:6379";
        assert_eq!(found("requirepass \"x\"\n", usual).unwrap().keeps, Keeps::In(file.into()));
        assert_eq!(found("requirepass x\naclfile /etc/redis/users.acl\n", usual).unwrap().keeps, Keeps::Apart);
        assert!(found("port 6380\nrequirepass x\n", "127.0.0.1:6380").is_some());
        assert!(found("unixsocket /run/redis.sock\nrequirepass x\n", "/run/redis.sock").is_some());
        assert!(found("port 6380\nrequirepass x\n", usual).is_none());
        assert!(found("# requirepass x\nrequirepass \"\"\n", usual).is_none());
    }
}
