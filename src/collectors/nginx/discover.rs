//! The nginx that runs here, and the `stub_status` page in its configuration.

use std::path::{Path, PathBuf};

use super::configuration::{self, Server};
use super::url::StatusUrl;
use crate::machine::{Discovery, Machine, Process, Sighting, quoted};

/// How nginx is found.
pub const DISCOVERY: Discovery = Discovery {
    topic: "nginx",
    title: "nginx",
    processes: PROCESSES,
    example: "url = \"http://127.0.0.1:8080/stub_status\"",
    look,
};

/// What a master and its workers are called.
pub(in crate::collectors) const PROCESSES: &[&str] = &["nginx", "openresty", "angie"];

/// What a master calls itself, before its command line.
const MASTER: &str = "nginx: master process ";

/// Where configurations are, by how common that is.
pub(in crate::collectors) const USUAL: [&str; 4] = [
    "/etc/nginx/nginx.conf",
    "/usr/local/nginx/conf/nginx.conf",
    "/usr/local/openresty/nginx/conf/nginx.conf",
    "/usr/local/etc/nginx/nginx.conf",
];

/// The port of a page that is yet to be made: the first of these on which nobody listens.
const PORTS: std::ops::RangeInclusive<u16> = 8080..=8099;

/// The most ways to a page that are tried.
const WAYS: usize = 4;

fn look(machine: &Machine) -> Vec<Sighting> {
    configurations(machine).iter().map(|master| sighting(machine, &master.file)).collect()
}

/// A master's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors) struct Master {
    /// Its main file.
    pub(in crate::collectors) file: PathBuf,
    /// What `-p` says.
    pub(in crate::collectors) prefix: Option<PathBuf>,
}

/// The configurations of all masters that run here, the most usual first; only such as are root's or ours.
pub(in crate::collectors) fn configurations(machine: &Machine) -> Vec<Master> {
    let titles = machine.processes(DISCOVERY.processes).map(Process::title);
    let mut found: Vec<_> = titles.filter_map(|title| master(machine, &title)).collect();
    if machine.hides_processes {
        found.extend(usual(machine).map(|file| Master { file, prefix: None }));
    }
    // A master that is being replaced by a new one runs beside it for a while.
    found.sort_by_key(|Master { file, .. }| (!USUAL.iter().any(|usual| Path::new(usual) == file), file.clone()));
    found.dedup_by(|other, kept| other.file == kept.file);
    found.retain(|master| machine.is_roots(&master.file));
    found
}

/// The configuration of a master: what its command line says, else the usual one.
fn master(machine: &Machine, title: &str) -> Option<Master> {
    // One that has just started still has its command line for a title; workers never do.
    let line = title.strip_prefix(MASTER).or(Some(title).filter(|title| !title.starts_with("nginx: ")))?;
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let value = |option| words.iter().position(|word| *word == option).and_then(|at| words.get(at + 1));
    let prefix = value("-p").map(PathBuf::from);
    let file = match (value("-c"), &prefix) {
        (Some(file), _) if file.starts_with('/') => Some(file.into()),
        (Some(file), Some(prefix)) => Some(prefix.join(file)),
        (None, Some(prefix)) => Some(prefix.join("conf/nginx.conf")),
        _ => usual(machine),
    };
    Some(Master { file: file?, prefix })
}

fn usual(machine: &Machine) -> Option<PathBuf> {
    USUAL.iter().map(PathBuf::from).find(|path| machine.inside(path).exists())
}

fn sighting(machine: &Machine, file: &Path) -> Sighting {
    let read = configuration::read(&machine.root, file);
    let place = file.display().to_string();
    let servers = read.as_ref().map(|read| &read.servers[..]).unwrap_or_default();
    let urls: Vec<_> = servers.iter().flat_map(urls).take(WAYS).collect();
    let runs = if machine.hides_processes { "nginx may run, as processes are hidden" } else { "nginx runs" };
    let what = match (&read, urls.first()) {
        (None, _) => "cannot be read",
        (_, None) => "has no page with `stub_status`",
        (_, Some(_)) => "has a page with `stub_status`",
    };
    let seen = format!("{runs}; its configuration {place} {what}");
    // The page that a remedy would make.
    let port = PORTS.into_iter().find(|port| machine.tcp.iter().all(|socket| socket.port != *port)).unwrap_or(8080);
    let wanted = format!("http://127.0.0.1:{port}/stub_status");
    let urls = if urls.is_empty() { vec![wanted] } else { urls };
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    Sighting { place, name: folder, seen, ways: urls.iter().map(|url| format!("url = {}\n", quoted(url))).collect() }
}

/// Where a server's pages may be asked for: the loopback first, and its own name where a listener has several servers.
fn urls(server: &Server) -> Vec<String> {
    let anywhere = vec![vec!["80".to_owned()]];
    let listens = if server.listens.is_empty() { &anywhere } else { &server.listens };
    let mut hosts: Vec<_> = listens.iter().filter_map(|listen| reached(listen)).collect();
    hosts.sort_by_key(|host| !(host.starts_with("127.") || host.starts_with("unix:")));
    let mut urls = Vec::new();
    for page in &server.pages {
        for host in &hosts {
            urls.push(if host.starts_with("unix:") {
                format!("{host}:{page}")
            } else {
                format!("http://{host}{page}")
            });
        }
        let is_plain =
            |name: &&String| !name.contains(['*', '~', '$', '_']) && name.contains(|c: char| c.is_alphabetic());
        let port = hosts.iter().find_map(|host| Some(host.rsplit_once(':')?.1.parse::<u16>().ok()?.to_string()));
        if let (Some(name), Some(port)) = (server.names.iter().find(is_plain), port) {
            urls.push(format!("http://{name}:{port}{page}"));
        }
    }
    urls.retain(|url| url.parse::<StatusUrl>().is_ok());
    urls
}

/// Where this machine reaches a listener; `None` for one that speaks something else than plain HTTP.
fn reached(listen: &[String]) -> Option<String> {
    let (address, options) = listen.split_first()?;
    if options.iter().any(|option| ["ssl", "quic", "proxy_protocol"].contains(&option.as_str())) {
        return None;
    }
    if address.starts_with("unix:") {
        return Some(address.clone());
    }
    if address.parse::<u16>().is_ok() {
        return Some(format!("127.0.0.1:{address}"));
    }
    let has_port = address.rsplit(']').next().is_some_and(|end| end.contains(':'));
    let address = if has_port { address.clone() } else { format!("{address}:80") };
    let (host, port) = address.rsplit_once(':')?;
    let host = if ["*", "0.0.0.0", "[::]"].contains(&host) { "127.0.0.1" } else { host };
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::machine::Tcp;

    fn machine(configuration: &str) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/nginx")).unwrap();
        fs::write(folder.path().join("etc/nginx/nginx.conf"), configuration).unwrap();
        let title = |title: &str| Process { name: "nginx".to_owned(), user: 0, arguments: vec![title.to_owned()] };
        let machine = Machine {
            root: folder.path().to_owned(),
            processes: vec![
                title("nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"),
                title("nginx: worker process"),
            ],
            tcp: vec![Tcp { port: 8080, ip: "127.0.0.1".parse().unwrap(), user: Some(0) }],
            ..Machine::default()
        };
        (folder, machine)
    }

    #[test]
    fn an_nginx_without_a_page_gets_a_port_that_is_free() {
        let (_folder, machine) = machine("http { server { listen 80; } }");
        let found = look(&machine);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].seen, "nginx runs; its configuration /etc/nginx/nginx.conf has no page with `stub_status`");
        assert_eq!(found[0].ways, ["url = \"http://127.0.0.1:8081/stub_status\"\n"]);
    }

    #[test]
    fn a_page_is_asked_for_where_its_server_listens() {
        for (server, expected) in [
            (
                "listen 443 ssl; listen [::]:8088; listen 127.0.0.1:81;",
                &["http://127.0.0.1:8088/s", "http://127.0.0.1:81/s"][..],
            ),
            ("server_name _;", &["http://127.0.0.1:80/s"]),
            ("listen 10.0.0.7; server_name *.a shop.a;", &["http://10.0.0.7:80/s", "http://shop.a:80/s"]),
            ("listen unix:/run/n.sock;", &["unix:/run/n.sock:/s"]),
        ] {
            let (_folder, machine) =
                machine(&format!("http {{ server {{ {server} location = /s {{ stub_status; }} }} }}"));
            let ways: Vec<_> = expected.iter().map(|url| format!("url = \"{url}\"\n")).collect();
            assert_eq!(look(&machine)[0].ways, ways, "{server}");
        }
    }

    #[test]
    fn the_command_line_says_which_configuration_it_is() {
        let (_folder, machine) = machine("");
        for (title, expected) in [
            ("nginx: master process /usr/sbin/nginx -c /srv/n.conf", Some("/srv/n.conf")),
            ("nginx: master process nginx -p /opt/n -c n.conf", Some("/opt/n/n.conf")),
            ("nginx: master process nginx -p /opt/n/", Some("/opt/n/conf/nginx.conf")),
            ("nginx: master process nginx", Some("/etc/nginx/nginx.conf")),
            ("/usr/sbin/nginx -g daemon on;", Some("/etc/nginx/nginx.conf")),
            ("nginx: worker process", None),
            ("nginx: cache manager process", None),
        ] {
            let file = master(&machine, title).map(|master| master.file);
            assert_eq!(file, expected.map(PathBuf::from), "{title}");
        }
    }
}
