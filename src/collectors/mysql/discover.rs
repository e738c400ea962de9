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

/// How packages and operators begin the names of sockets; `mysqlx.sock` speaks another protocol.
const SOCKETS: [&str; 2] = ["mysql", "mariadb"];

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
    let users: Vec<_> = servers.iter().map(|process| process.user).collect();
    let ports = machine.tcp.iter().filter(|socket| {
        let is_theirs = socket.user != 0 && users.contains(&socket.user);
        if is_theirs { is_short && socket.port != X_PORT } else { socket.port == PORT }
    });
    found.extend(
        ports.map(|socket| (if users.contains(&socket.user) { program } else { "a server" }, socket.address())),
    );
    let option_file = option_file(machine);
    let mut sightings: Vec<_> = found.into_iter().map(|(name, address)| sighting(machine, name, &address)).collect();
    sightings.sort_by_key(|sighting| !is_usual(&sighting.place));
    if let Some(file) = option_file {
        add_option_file(&file, machine, &mut sightings);
    }
    sightings
}

/// Where the X protocol is spoken.
const X_PORT: u16 = 33060;

fn is_socket(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".sock") && SOCKETS.iter().any(|start| name.starts_with(start)) && !name.starts_with("mysqlx")
}

/// Packages' own sockets and port; other servers of the same machine follow.
fn is_usual(place: &str) -> bool {
    ["/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "127.0.0.1:3306"]
        .contains(&place)
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
    let password = password_file(machine, "mysql").map(|password| format!("{account}{password}"));
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

/// The option file of our own user, when it is not a superuser's.
fn option_file(machine: &Machine) -> Option<OptionFile> {
    let path = machine.home.as_ref()?.join(".my.cnf");
    let client = Client::parse(beginning(&path, FILE_BYTES).ok()?.as_bytes());
    let user = client.user.clone().filter(|user| !SUPERUSERS.contains(&user.as_str()))?;
    Some(OptionFile { path: path.to_str()?.to_owned(), client, user })
}

/// Adds the way that an option file says: to the server it names, found or not, or to the first.
fn add_option_file(file: &OptionFile, machine: &Machine, sightings: &mut Vec<Sighting>) {
    let named = match (&file.client.socket, &file.client.host) {
        (Some(socket), _) => Some(Address::Unix(machine.inside(Path::new(socket)))),
        (None, Some(host)) if host != "localhost" => {
            Some(Address::Tcp { host: host.clone(), port: file.client.port.unwrap_or(PORT) })
        }
        // `localhost` is the socket, for MySQL's programs.
        _ => None,
    };
    let password = match &file.client.password {
        Some(_) => format!("password = {{ option_file = {} }}\n", quoted(&file.path)),
        None => String::new(),
    };
    let way = |address: &str| format!("address = {}\nuser = {}\n{password}", quoted(address), quoted(&file.user));
    let Some(address) = named else {
        if let Some(first) = sightings.first_mut() {
            let place = machine.inside(Path::new(&first.place)).display().to_string();
            first.ways.insert(0, way(if first.place.starts_with('/') { &place } else { &first.place }));
        }
        return;
    };
    let reached = address.to_string();
    let table = way(&reached);
    let is_it = |sighting: &&mut Sighting| sighting.ways.iter().any(|way| way.contains(&quoted(&reached)));
    if let Some(sighting) = sightings.iter_mut().find(is_it) {
        sighting.ways.insert(0, table);
        return;
    }
    let local = matches!(&address, Address::Tcp { host, port } if host == "127.0.0.1" && *port == PORT);
    if let Some(first) = sightings.first_mut().filter(|_| local) {
        // The port of the server whose socket is known.
        first.ways.insert(0, table);
        return;
    }
    let name = match &address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Unix(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let seen = format!("{} names {reached}", file.path);
    sightings.push(Sighting { place: reached, name, seen, ways: vec![table] });
}

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
        Tcp { port, ip: "127.0.0.1".parse().unwrap(), user }
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
        let mut machine = Machine {
            home: Some(folder.path().to_owned()),
            processes: vec![server(100, "mysqld")],
            unix: vec!["/run/mysqld/mysqld.sock".into()],
            root: "/nowhere".into(),
            ..Machine::default()
        };
        let file = folder.path().join(".my.cnf");
        let password = format!("password = {{ option_file = \"{}\" }}\n", file.display());
        for (text, count, first) in [
            (
                "user=me\npassword=canary",
                1,
                format!("address = \"/nowhere/run/mysqld/mysqld.sock\"\nuser = \"me\"\n{password}"),
            ),
            ("user=me\nhost=127.0.0.1\n", 1, "address = \"127.0.0.1:3306\"\nuser = \"me\"\n".to_owned()),
            (
                "user=root\npassword=canary",
                1,
                "address = \"/nowhere/run/mysqld/mysqld.sock\"\nuser = \"vitrin\"\n".to_owned(),
            ),
        ] {
            fs::write(&file, format!("[client]\n{text}\n")).unwrap();
            let found = look(&machine);
            assert_eq!((found.len(), &found[0].ways[0]), (count, &first), "{text}");
        }
        fs::write(&file, "[client]\nuser=me\nhost=db.example\nport=3307\n").unwrap();
        assert_eq!(places(&machine), ["mysqld /run/mysqld/mysqld.sock", "db.example db.example:3307"]);
        machine.home = None;
        assert_eq!(places(&machine).len(), 1);
    }
}
