//! The MySQL and MariaDB servers that run here, by their sockets, and how `~/.my.cnf` says to log in.

use std::path::Path;

use crate::collectors::password_file;
use crate::config::option_file::Client;
use crate::config::types::Address;
use crate::machine::{Discovery, Machine, Sighting, beginning, quoted};

/// How MySQL and MariaDB are found.
pub const DISCOVERY: Discovery = Discovery {
    topic: "mysql",
    title: "MySQL or MariaDB",
    processes: &["mysqld", "mariadbd"],
    example: "address = \"/run/mysqld/mysqld.sock\"\nuser = \"vitrin\"",
    look,
};

/// Where every server listens that nobody told otherwise.
const PORT: u16 = 3306;

/// Makes systemd hold that port, and the socket, for Debian's MariaDB from the first reboot on.
const HELD: &str = "etc/systemd/system/sockets.target.wants/mariadb.socket";

/// How packages and operators begin the names of sockets; `mysqlx.sock` speaks another protocol.
const SOCKETS: [&str; 2] = ["mysql", "mariadb"];

/// Whom packages let it run as.
pub(super) const ACCOUNTS: [&str; 1] = ["mysql"];

/// The most of an option file that is read.
const FILE_BYTES: u64 = 64 << 10;

/// Accounts that may do anything. What logs in as one is not meant for us.
const SUPERUSERS: [&str; 4] = ["root", "mysql", "mariadb.sys", "debian-sys-maint"];

fn look(machine: &Machine) -> Vec<Sighting> {
    let servers: Vec<_> = machine.processes(DISCOVERY.processes).collect();
    let program = servers.first().map_or("a server", |process| &process.name);
    let sockets = machine.unix.iter().filter(|path| {
        is_socket(path)
            || servers.iter().any(|process| process.option("--socket").is_some_and(|socket| Path::new(socket) == *path))
    });
    let mut found: Vec<_> = sockets.map(|path| (program, Address::Unix(path.clone()))).collect();
    // A server has one socket, and at most one port that it is better not asked at: who it is at the other end shows
    // on the socket only. Ports count for servers whose socket is not here, and for those in containers.
    let is_short = found.len() < servers.len();
    // What systemd listens on for a server, its socket among it, is root's as well.
    let is_held = !found.is_empty() && machine.root.join(HELD).is_symlink();
    let is_user = |user: Option<u32>| servers.iter().any(|process| Some(process.user) == user);
    let ports = machine.tcp.iter().filter(|socket| {
        // Root listens for others, too.
        let is_theirs = is_user(socket.user) && (socket.user != Some(0) || socket.port == PORT);
        if is_theirs {
            is_short && socket.port != X_PORT
        } else {
            socket.port == PORT && !(is_held && socket.user == Some(0))
        }
    });
    found.extend(ports.map(|socket| (if is_user(socket.user) { program } else { "a server" }, socket.address())));
    found.sort_by_key(|(_, address)| !is_usual(address));
    let see = |(program, address): (&str, Address)| (sighting(machine, program, &address), address);
    let mut sightings: Vec<_> = found.into_iter().map(see).collect();
    if let Some(file) = OptionFile::of(machine) {
        file.add_to(&mut sightings, machine);
    }
    sightings.into_iter().map(|(sighting, _)| sighting).collect()
}

/// Where the X protocol is spoken.
const X_PORT: u16 = 33060;

fn is_socket(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".sock") && SOCKETS.iter().any(|start| name.starts_with(start)) && !name.starts_with("mysqlx")
}

/// Packages' own sockets and port; other servers of the same machine follow.
fn is_usual(address: &Address) -> bool {
    let usual =
        ["/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "127.0.0.1:3306"];
    usual.contains(&address.to_string().as_str())
}

fn sighting(machine: &Machine, program: &str, address: &Address) -> Sighting {
    let place = address.to_string();
    let (reached, name) = match address {
        Address::Tcp { port, .. } => (place.clone(), port.to_string()),
        Address::Unix(path) => {
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            // Of several servers either the folders differ or the names do.
            let name = if ["mysqld", "mysql", "mariadb"].contains(&stem.as_str()) { folder } else { stem };
            (machine.inside(path).display().to_string(), name)
        }
    };
    let account = format!("address = {}\nuser = \"vitrin\"\n", quoted(&reached));
    let password = password_file(machine, "mysql", address, &ACCOUNTS).map(|password| format!("{account}{password}"));
    Sighting {
        name,
        seen: format!("{program} listens at {place}"),
        ways: password.into_iter().chain([account]).collect(),
        place,
    }
}

/// What `~/.my.cnf` says, and where it is.
struct OptionFile {
    path: String,
    client: Client,
    user: String,
}

impl OptionFile {
    /// The option file of our own user, when it is not a superuser's.
    fn of(machine: &Machine) -> Option<Self> {
        let path = machine.home.as_ref()?.join(".my.cnf");
        let client = Client::parse(beginning(&path, FILE_BYTES).ok()?.as_bytes());
        let user = client.user.clone().filter(|user| !SUPERUSERS.contains(&user.as_str()))?;
        Some(Self { path: path.to_str()?.to_owned(), client, user })
    }

    /// The server that it names, as MySQL's programs take it: `localhost` is the socket.
    fn address(&self) -> Option<Address> {
        match (&self.client.socket, self.client.host.as_deref()) {
            (Some(socket), _) => Some(Address::Unix(socket.into())),
            (None, None | Some("localhost")) => None,
            (None, Some(host)) => Some(Address::Tcp { host: host.to_owned(), port: self.client.port.unwrap_or(PORT) }),
        }
    }

    /// What it says, as a target's table. Over a network the password is shown to who proves to be the server.
    fn table(&self, address: &Address, machine: &Machine) -> String {
        let (reached, is_near) = match address {
            Address::Unix(path) => (machine.inside(path).display().to_string(), true),
            Address::Tcp { host, .. } => (address.to_string(), LOOPBACK.contains(&host.as_str())),
        };
        let mut table = format!("address = {}\nuser = {}\n", quoted(&reached), quoted(&self.user));
        if self.client.password.is_some() {
            table += "password = { option_file = ";
            table += &quoted(&self.path);
            table += " }\n";
        }
        table + if is_near { "" } else { "tls = { mode = \"verify-full\" }\n" }
    }

    /// Adds the way that it says: to the server it names, found or not; to the first that may see a password when it
    /// names none.
    fn add_to(&self, sightings: &mut Vec<(Sighting, Address)>, machine: &Machine) {
        let named = self.address();
        let is_it = |address: &Address| match &named {
            // The port of a server whose socket is known.
            Some(Address::Tcp { host, port: PORT }) if LOOPBACK.contains(&host.as_str()) => is_usual(address),
            Some(named) => named == address,
            None => machine.trusts(address, &ACCOUNTS),
        };
        if let Some((sighting, address)) = sightings.iter_mut().find(|(_, address)| is_it(address)) {
            sighting.ways.insert(0, self.table(named.as_ref().unwrap_or(address), machine));
        } else if let Some(address) = named {
            let name = match &address {
                Address::Tcp { host, .. } => host.clone(),
                Address::Unix(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            };
            let (place, seen) = (address.to_string(), format!("{} names {address}", self.path));
            sightings.push((Sighting { place, name, seen, ways: vec![self.table(&address, machine)] }, address));
        }
    }
}

/// This machine, by the names that it has everywhere.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::machine::{Process, Tcp};

    fn server(user: u32, line: &str) -> Process {
        let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
        Process { name: arguments[0].clone(), user, arguments }
    }

    fn listens(port: u16, user: u32) -> Tcp {
        Tcp { port, ip: "127.0.0.1".parse().unwrap(), user: Some(user) }
    }

    fn places(machine: &Machine) -> Vec<String> {
        look(machine).into_iter().map(|sighting| format!("{} {}", sighting.name, sighting.place)).collect()
    }

    #[test]
    fn a_server_is_its_socket_and_not_its_port_too() {
        let machine = Machine {
            processes: vec![server(100, "mariadbd --socket=/run/mysqld/mysqld.sock")],
            tcp: vec![listens(3306, 100), listens(6379, 101)],
            unix: ["/run/mysqld/mysqld.sock", "/run/mysqld/mysqlx.sock", "/run/php/php.sock"].map(Into::into).into(),
            root: "/nowhere".into(),
            ..Machine::default()
        };
        let found = look(&machine);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].seen, "mariadbd listens at /run/mysqld/mysqld.sock");
        assert_eq!(found[0].ways, ["address = \"/nowhere/run/mysqld/mysqld.sock\"\nuser = \"vitrin\"\n"]);
    }

    #[test]
    fn a_port_that_systemd_holds_for_a_server_is_no_other_server() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine {
            processes: vec![server(100, "mariadbd")],
            tcp: vec![listens(3306, 0)],
            unix: vec!["/run/mysqld/mysqld.sock".into()],
            root: root.path().into(),
            ..Machine::default()
        };
        assert_eq!(places(&machine), ["mysqld /run/mysqld/mysqld.sock", "3306 127.0.0.1:3306"]);
        let unit = root.path().join(HELD);
        fs::create_dir_all(unit.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/lib/systemd/system/mariadb.socket", unit).unwrap();
        assert_eq!(places(&machine), ["mysqld /run/mysqld/mysqld.sock"]);
    }

    #[test]
    fn several_servers_and_one_in_a_container_are_all_found() {
        let machine = Machine {
            processes: vec![
                server(100, "mysqld --socket=/run/mysqld/mysqld.sock"),
                server(100, "mysqld --socket /srv/b/db"),
            ],
            tcp: vec![listens(3306, 0), listens(3307, 100), listens(3308, 100)],
            unix: ["/run/mysqld/mysqld.sock", "/srv/b/db"].map(Into::into).into(),
            root: "/nowhere".into(),
            ..Machine::default()
        };
        assert_eq!(places(&machine), ["mysqld /run/mysqld/mysqld.sock", "3306 127.0.0.1:3306", "db /srv/b/db"]);
    }

    #[test]
    fn a_server_whose_socket_is_not_here_is_its_port() {
        let machine = Machine {
            processes: vec![server(100, "mysqld")],
            tcp: vec![listens(3306, 100), listens(33060, 100)],
            root: "/nowhere".into(),
            ..Machine::default()
        };
        assert_eq!(places(&machine), ["3306 127.0.0.1:3306"]);
    }

    #[test]
    fn an_option_file_leads_to_the_server_that_it_names_unless_it_is_a_superuser_s() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("run/mysqld")).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(root.join("run/mysqld/mysqld.sock")).unwrap();
        let mut machine = Machine {
            root: root.to_owned(),
            home: Some(root.to_owned()),
            processes: vec![server(100, "mysqld")],
            unix: vec!["/run/mysqld/mysqld.sock".into()],
            ..Machine::default()
        };
        let file = root.join(".my.cnf");
        let password = format!("password = {{ option_file = \"{}\" }}\n", file.display());
        let near = format!("address = \"{}/run/mysqld/mysqld.sock\"\n", root.display());
        for (text, first) in [
            ("user=me\npassword=canary", format!("{near}user = \"me\"\n{password}")),
            ("user=me\nsocket=/run/mysqld/mysqld.sock", format!("{near}user = \"me\"\n")),
            ("user=me\nhost=127.0.0.1\n", "address = \"127.0.0.1:3306\"\nuser = \"me\"\n".to_owned()),
            ("user=root\npassword=canary", format!("{near}user = \"vitrin\"\n")),
        ] {
            fs::write(&file, format!("[client]\n{text}\n")).unwrap();
            let found = look(&machine);
            assert_eq!((found.len(), &found[0].ways[0]), (1, &first), "{text}");
        }
        fs::write(&file, "[client]\nuser=me\npassword=x\nhost=db.example\nport=3307\n").unwrap();
        assert_eq!(places(&machine), ["mysqld /run/mysqld/mysqld.sock", "db.example db.example:3307"]);
        assert!(look(&machine)[1].ways[0].ends_with("tls = { mode = \"verify-full\" }\n"));
        machine.home = None;
        assert_eq!(places(&machine).len(), 1);
        drop(socket);
    }

    #[test]
    fn a_password_is_offered_to_no_stranger_in_the_server_s_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join(".my.cnf"), "[client]\nuser=me\npassword=canary\n").unwrap();
        fs::create_dir_all(root.join("etc/vitrin")).unwrap();
        fs::write(root.join("etc/vitrin/mysql.password"), "canary").unwrap();
        fs::write(root.join("etc/group"), "").unwrap();
        fs::write(root.join("etc/passwd"), "www-data:x:33:33::/:/bin/false\nmysql:x:100:100::/:/bin/false\n").unwrap();
        let ways = |user| {
            let machine = Machine {
                root: root.to_owned(),
                home: Some(root.to_owned()),
                tcp: vec![listens(3306, user)],
                ..Machine::default()
            };
            look(&machine).remove(0).ways
        };
        assert_eq!(ways(33), ["address = \"127.0.0.1:3306\"\nuser = \"vitrin\"\n"]);
        assert_eq!(ways(100).len(), 3);
    }
}
