//! The Redis and Valkey servers that run here: their titles say where they listen (`redis-server 127.0.0.1:6379`).

use std::path::Path;

use crate::collectors::password_file;
use crate::config::types::Address;
use crate::machine::{Discovery, Machine, Sighting, Tcp, beginning, quoted};

/// How Redis and Valkey are found.
pub const DISCOVERY: Discovery = Discovery {
    topic: "redis",
    title: "Redis or Valkey",
    processes: &["redis-server", "redis-sentinel", "valkey-server", "valkey-sentinel", "keydb-server"],
    example: "url = \"redis://127.0.0.1:6379\"",
    look,
};

/// Where every Redis listens that nobody told otherwise.
const PORT: u16 = 6379;

/// Whom packages let it run as.
pub(super) const ACCOUNTS: [&str; 3] = ["redis", "valkey", "keydb"];

/// Configurations in usual places, for what no title says: which port speaks TLS. Packages close them to others.
const CONFIGURATIONS: [&str; 4] =
    ["/etc/redis/redis.conf", "/etc/redis.conf", "/etc/valkey/valkey.conf", "/etc/redis/sentinel.conf"];

/// The most of a configuration that is read; Debian's has 107 KB.
const FILE_BYTES: u64 = 1 << 20;

fn look(machine: &Machine) -> Vec<Sighting> {
    let mut found: Vec<(String, Address)> = Vec::new();
    let mut untold = Vec::new();
    for process in machine.processes(DISCOVERY.processes) {
        match title(&process.title(), &machine.tcp) {
            // What a process says of itself is believed where the kernel bears it out: with a socket that is not its own
            // it would let us ask for the key to somebody else's door.
            Some(Address::Unix(socket)) if !machine.is_socket_of(&socket, process.user) => {}
            Some(address) => found.push((process.name.clone(), address)),
            None => untold.push(process),
        }
    }
    // A title of the operator's own (`proc-title-template`): what the server's user listens on. And a container's
    // server, whose port the machine lends it.
    let users: Vec<_> = untold.iter().map(|process| process.user).collect();
    let name = untold.first().map_or("a server", |process| &process.name);
    found.extend(machine.tcp_of(&users).map(|socket| (name.to_owned(), socket.address())));
    let is_known = |found: &[(String, Address)], port| {
        found.iter().any(|(_, address)| matches!(address, Address::Tcp { port: known, .. } if *known == port))
    };
    if let Some(socket) = machine.tcp.iter().find(|socket| socket.port == PORT)
        && !is_known(&found, PORT)
    {
        found.push(("a server".to_owned(), socket.address()));
    }
    found.sort_by_key(|(_, address)| (!is_usual(address), address.clone()));
    found.dedup_by(|a, b| a.1 == b.1);
    let encrypted = encrypted_ports(machine);
    found.into_iter().map(|(name, address)| sighting(machine, &name, &address, &encrypted)).collect()
}

fn is_usual(address: &Address) -> bool {
    matches!(address, Address::Tcp { port: PORT, .. })
}

/// Where a server listens, by its title: `…-server 127.0.0.1:6379 [cluster]`, `… *:6379`, `… unixsocket:/run/r.sock`.
fn title(title: &str, tcp: &[Tcp]) -> Option<Address> {
    let listens = title.split_ascii_whitespace().nth(1)?;
    if let Some(path) = listens.strip_prefix("unixsocket:") {
        return Some(Address::Unix(path.into()));
    }
    let port: u16 = listens.rsplit_once(':')?.1.parse().ok()?;
    // Which of its addresses is ours to use, the kernel knows.
    tcp.iter().find(|socket| socket.port == port).map(Tcp::address)
}

fn sighting(machine: &Machine, program: &str, address: &Address, encrypted: &[u16]) -> Sighting {
    let (url, name, place) = match address {
        Address::Tcp { port, .. } => {
            let scheme = if encrypted.contains(port) { "rediss" } else { "redis" };
            (format!("{scheme}://{address}"), port.to_string(), address.to_string())
        }
        Address::Unix(path) => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (format!("unix://{}", machine.inside(path).display()), name, path.display().to_string())
        }
    };
    let url = format!("url = {}\n", quoted(&url));
    let account = password_file(machine, "redis", address, &ACCOUNTS)
        .map(|password| format!("{url}user = \"vitrin\"\n{password}"));
    Sighting {
        name,
        seen: format!("{program} listens at {place}"),
        ways: account.into_iter().chain([url]).collect(),
        place,
    }
}

/// The ports that speak TLS (`tls-port`), as far as configurations may be read.
fn encrypted_ports(machine: &Machine) -> Vec<u16> {
    let ports = |path: &&str| {
        let text = beginning(&machine.inside(Path::new(path)), FILE_BYTES).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("tls-port"));
        lines.filter_map(|port| port.trim().parse().ok()).collect::<Vec<_>>()
    };
    CONFIGURATIONS.iter().flat_map(ports).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::machine::Process;

    fn process(title: &str, user: u32) -> Process {
        let name = title.split(' ').next().unwrap().rsplit('/').next().unwrap();
        Process { name: name.to_owned(), user, arguments: vec![title.to_owned()] }
    }

    fn listens(ip: &str, port: u16, user: u32) -> Tcp {
        Tcp { port, ip: ip.parse().unwrap(), user: Some(user) }
    }

    #[test]
    fn titles_lead_to_addresses_and_the_usual_port_comes_first() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("run/valkey")).unwrap();
        let _listener = UnixListener::bind(root.path().join("run/valkey/shop.sock")).unwrap();
        let ours = fs::metadata(root.path()).unwrap().uid();
        let machine = Machine {
            processes: vec![
                process("/usr/bin/redis-server 127.0.0.1:6380", 101),
                process("/usr/bin/redis-server *:6379 [cluster]", 101),
                process("redis-sentinel *:26379 [sentinel]", 101),
                process("valkey-server unixsocket:/run/valkey/shop.sock", ours),
                // Says that another user's socket is its own, so that we ask for the key to it.
                process("redis-server unixsocket:/run/valkey/shop.sock", ours + 1),
                process("redis-server unixsocket:/run/docker.sock", ours + 1),
                process("redis-server 10.9.9.9:7000", 101),
            ],
            tcp: vec![listens("::", 6379, 101), listens("127.0.0.1", 6380, 101), listens("0.0.0.0", 26379, 101)],
            root: root.path().to_owned(),
            ..Machine::default()
        };
        let here = root.path().display().to_string();
        let ways = |ways: Vec<String>| ways.iter().map(|way| way.replace(&here, "/nowhere")).collect::<Vec<_>>();
        let found: Vec<_> = look(&machine).into_iter().map(|s| (s.name, s.seen, ways(s.ways))).collect();
        expect_test::expect![[r#"
            [
                (
                    "6379",
                    "redis-server listens at 127.0.0.1:6379",
                    [
                        "url = \"redis://127.0.0.1:6379\"\n",
                    ],
                ),
                (
                    "6380",
                    "redis-server listens at 127.0.0.1:6380",
                    [
                        "url = \"redis://127.0.0.1:6380\"\n",
                    ],
                ),
                (
                    "26379",
                    "redis-sentinel listens at 127.0.0.1:26379",
                    [
                        "url = \"redis://127.0.0.1:26379\"\n",
                    ],
                ),
                (
                    "shop",
                    "valkey-server listens at /run/valkey/shop.sock",
                    [
                        "url = \"unix:///nowhere/run/valkey/shop.sock\"\n",
                    ],
                ),
            ]
        "#]]
        .assert_debug_eq(&found);
    }

    #[test]
    fn a_title_that_says_nothing_and_a_lent_port_are_found_by_their_sockets() {
        let machine = Machine {
            processes: vec![process("keydb-server", 105)],
            tcp: vec![listens("127.0.0.1", 6379, 0), listens("127.0.0.1", 7001, 105), listens("0.0.0.0", 80, 0)],
            ..Machine::default()
        };
        let places: Vec<_> = look(&machine).into_iter().map(|sighting| sighting.place).collect();
        assert_eq!(places, ["127.0.0.1:6379", "127.0.0.1:7001"]);
    }

    #[test]
    fn a_password_that_is_there_for_us_and_a_port_that_speaks_tls_are_used() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [("etc/redis/redis.conf", "port 0\ntls-port 6379\n"), ("etc/vitrin/redis.password", "x")] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let machine = Machine {
            root: folder.path().to_owned(),
            processes: vec![process("redis-server 127.0.0.1:6379", 101)],
            tcp: vec![listens("127.0.0.1", 6379, 101)],
            ..Machine::default()
        };
        assert_eq!(look(&machine)[0].ways.len(), 1, "whoever has the number 101 here is not shown the password");
        fs::write(folder.path().join("etc/group"), "").unwrap();
        fs::write(folder.path().join("etc/passwd"), "redis:x:101:101::/:/bin/false\n").unwrap();
        let ways = look(&machine).remove(0).ways;
        assert_eq!(ways.len(), 2);
        assert!(ways[0].starts_with("url = \"rediss://127.0.0.1:6379\"\nuser = \"vitrin\"\npassword = { file = \""));
        assert_eq!(ways[1], "url = \"rediss://127.0.0.1:6379\"\n");
    }
}
