//! What lets Vitrin see all of a MySQL or MariaDB: the account, its rights, `performance_schema`.

use std::path::Path;
use std::time::Duration;

use super::account::{Right, account, create, grants, missing};
use super::administrator::{Facts, SOCKETS, administrators};
use super::client::Client;
use super::config::Config;
use super::connection::Connection;
use super::flavour::Server;
use crate::collector::Reason;
use crate::config::types::Address;
use crate::remedy::{Complaints, Remedy, Service, closed_secret, quoted, secret_file};

/// How long the server works on each of our questions.
const LIMIT: Duration = Duration::from_secs(2);

/// What is missing of this server, asked of itself.
pub(super) async fn remedies(config: &Config, run: Complaints<'_>, service: &Service) -> Vec<Remedy> {
    let refused = run.failure.is_some_and(|failure| matches!(failure.reason, Reason::Auth | Reason::Permission));
    if refused {
        return login(config, run, service).await.into_iter().collect();
    }
    // Where the socket tells who we are, root is somebody else, whom the server would have to turn away.
    let is_told_by_socket = config.password.is_none() && config.address.socket().is_some();
    if run.failure.is_some() || service.superuser && is_told_by_socket {
        return Vec::new();
    }
    let Ok(mut connection) = Connection::open(config, LIMIT).await else { return Vec::new() };
    let server = connection.server();
    let mut found = Vec::new();
    if let Ok(rows) = connection.ask("the account's rights", "SHOW GRANTS").await {
        let rights: Vec<_> =
            server.rights().into_iter().filter(|right| config.tables.0 > 0 || right.name != "SHOW VIEW").collect();
        let missing = missing(&rows, &rights);
        if !missing.is_empty() {
            let denied = run.gaps.iter().any(|gap| gap.reason == Reason::Permission);
            let host = host(&mut connection).await;
            let remedy = rights_of(config, service, server, host.as_deref(), &missing);
            found.push(if denied { remedy } else { remedy.as_more() });
        }
    }
    let switch = connection.ask("performance_schema", "SELECT @@performance_schema AS switch").await;
    if let Ok(rows) = switch
        && rows.iter().next().and_then(|row| row.number("switch")) == Some(0.0)
    {
        found.push(performance_schema(config, server));
    }
    found
}

/// Where the server has our account come from.
pub(super) async fn host(connection: &mut Connection) -> Option<String> {
    let rows = connection.ask("the account", "SELECT CURRENT_USER() AS account").await.ok()?;
    rows.iter().next().and_then(|row| Some(row.text("account")?.rsplit_once('@')?.1.to_owned()))
}

/// The account that a server which refused us needs.
async fn login(config: &Config, run: Complaints<'_>, service: &Service) -> Option<Remedy> {
    if let Some(closed) = config.password.as_ref().and_then(|password| closed_secret(password, service)) {
        return Some(closed);
    }
    let mut version = String::new();
    // It refuses us again, or has let us in meanwhile; the greeting comes first.
    if Client::greeted(config, &mut version).await.is_ok() {
        return None;
    }
    // MariaDB greets replicas of old as 5.5.5.
    let server = Server::parse(version.strip_prefix("5.5.5-").unwrap_or(&version), "")?;
    let refusal = run.failure?.to_string();
    let host = if config.address.socket().is_some() {
        "localhost"
    } else {
        seen_as(&refusal).filter(|host| is_one(host)).unwrap_or("localhost")
    };
    let (user, address) = (&config.user, &config.address);
    let name = account(user, host)?;
    let why = format!(
        "{} at {address} does not let {user} in; with this account status, variables, threads, replication, tables \
         and query time show.",
        server.shown()
    );
    let all = grants(&name, &server.rights());
    let place = administrators(config, service);
    let Some(secret) = &config.password else {
        let Some(place) = place.filter(|_| config.address.socket().is_some() && *user == service.user) else {
            let is_socket = config.address.socket().is_some() && *user == service.user;
            let lines = if is_socket { stranger(config, &name, server, &all) } else { without_password(service) };
            return Some(Remedy::by_hand(why, lines));
        };
        let facts = Facts::of(&place, user, host, service).await;
        let statements = facts.account(&name, server.by_socket()) + &all;
        return Some(Remedy::mend(why, plugin(server, &place, &facts) + &sql(server, &place, &statements, true)));
    };
    let Some(file) = secret.file() else {
        return Some(Remedy::by_hand(why, remote(&name, config) + &all));
    };
    let make = secret_file(file, service);
    let Some(place) = place else {
        let by_hand = format!(
            "On {address}, as its administrator; PASSWORD is what {} holds:\n{}{all}",
            file.display(),
            remote(&name, config)
        );
        return Some(Remedy::mend(why, make).and_by_hand(by_hand));
    };
    let facts = Facts::of(&place, user, host, service).await;
    let statements = facts.account(&name, &by_password(file)) + &all;
    Some(Remedy::mend(why, make + &sql(server, &place, &statements, false)))
}

/// An account without a password is told by its socket and its name.
fn without_password(service: &Service) -> String {
    format!(
        "Write address = \"{}\" and user = \"{}\", which need no password,\nor add password = {{ file = \
         \"/etc/vitrin/mysql.password\" }}\n",
        SOCKETS[0], service.user
    )
}

/// What a person does at a socket that root's client is not sent to: it would show root's password to whoever is there,
/// and a server may ask a client for files.
fn stranger(config: &Config, name: &str, server: Server, grants: &str) -> String {
    let account = create(name, server.by_socket());
    format!(
        "{} is in the hands of neither root nor the user mysql. If you know whose it is,\nas its administrator:\n\
         {account}{grants}",
        config.address
    )
}

/// How an account is told by what a file holds, where the shell puts that into the statement.
fn by_password(file: &Path) -> String {
    // A quote or a backslash in the password stays what it is; what comes out is not looked at by the shell again.
    format!(r#"IDENTIFIED BY '$(sed "s/['\\\\]/\\\\&/g" {})'"#, quoted(&file.to_string_lossy()))
}

/// Who the server took us for: `'vitrin'@'10.0.0.7'` in its refusal.
fn seen_as(refusal: &str) -> Option<&str> {
    let (_, rest) = refusal.split_once("'@'").or_else(|| refusal.split_once("Host '"))?;
    Some(rest.split_once('\'')?.0)
}

/// Whether it is one machine: a server in whose refusal there is a wildcard would have us let in many.
fn is_one(host: &str) -> bool {
    !host.contains(['%', '_'])
}

/// How an account that comes over a network is made.
fn remote(name: &str, config: &Config) -> String {
    let tls = if config.address.is_local() { "" } else { " REQUIRE SSL" };
    create(name, &format!("IDENTIFIED BY 'PASSWORD'{tls}"))
}

/// How root asks the server.
fn client(server: Server, address: &Address) -> String {
    let place = match address {
        Address::Unix(socket) => format!("--socket={}", quoted(&socket.to_string_lossy())),
        Address::Tcp { host, port } => format!("--protocol=tcp --host={} --port={port}", quoted(host)),
    };
    format!("{} {place}", server.client())
}

/// MySQL has the plugin, but does not load it; to load it twice is an error there.
fn plugin(server: Server, address: &Address, facts: &Facts) -> String {
    if server.flavour == super::Flavour::MariaDb || facts.has_plugin == Some(true) {
        return String::new();
    }
    let client = client(server, address);
    format!(
        "{client} --skip-column-names --execute=\"SELECT plugin_name FROM information_schema.plugins\" \
         | grep -qx auth_socket || {client} --execute=\"INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'\"\n"
    )
}

/// The lines that run statements as root; `literal` when nothing in them is for the shell.
pub(super) fn sql(server: Server, address: &Address, statements: &str, literal: bool) -> String {
    let word = if literal { "'SQL'" } else { "SQL" };
    format!("{} <<{word}\n{statements}SQL\n", client(server, address))
}

/// The rights that an account lacks.
fn rights_of(config: &Config, service: &Service, server: Server, host: Option<&str>, missing: &[Right]) -> Remedy {
    let names: Vec<_> = missing.iter().map(|right| right.name).collect();
    let shows: Vec<_> = missing.iter().map(|right| right.shows).collect();
    let (user, address) = (&config.user, &config.address);
    let why = format!("{user} lacks {} in {} at {address}: {}.", names.join(", "), server.shown(), shows.join("; "));
    let Some(name) = account(user, host.unwrap_or("localhost")) else {
        return Remedy::by_hand(why, grants("this account", missing));
    };
    let statements = grants(&name, missing);
    match administrators(config, service) {
        Some(place) => Remedy::mend(why, sql(server, &place, &statements, true)),
        None => Remedy::by_hand(why, format!("On {address}, as its administrator:\n{statements}")),
    }
}

/// What a server without `performance_schema` does not show. Never for a script: it costs memory and a restart.
fn performance_schema(config: &Config, server: Server) -> Remedy {
    let why = format!(
        "performance_schema is off in {} at {}: no digests, unused indexes or full scans, and query time as its status \
         has it.",
        server.shown(),
        config.address
    );
    let file = match server.flavour {
        super::Flavour::MariaDb => "/etc/mysql/mariadb.conf.d/vitrin.cnf:\n[mariadb]",
        super::Flavour::MySql => "/etc/mysql/conf.d/vitrin.cnf:\n[mysqld]",
    };
    let by_hand = format!(
        "It costs about 100 MB of memory, a little CPU, and a restart of the server. In {file}\nperformance_schema = ON\n"
    );
    Remedy::by_hand(why, by_hand).as_more()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_who_the_server_took_us_for() {
        for (refusal, host) in [
            ("Access denied for user 'vitrin'@'10.0.0.7' (using password: YES) (1045)", Some("10.0.0.7")),
            ("Host '10.0.0.7' is not allowed to connect to this MariaDB server (1130)", Some("10.0.0.7")),
            ("Connection refused", None),
        ] {
            assert_eq!(seen_as(refusal), host);
        }
        let hostile = "Access denied for user 'vitrin'@'%' (1045)";
        assert!(!seen_as(hostile).is_some_and(is_one));
    }

    #[test]
    fn a_password_reaches_the_server_as_the_file_has_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a'b\\c$(id)`\"d\n").unwrap();
        let path = file.path().to_string_lossy();
        let line = format!(
            r#"cat <<SQL
IDENTIFIED BY '$(sed "s/['\\\\]/\\\\&/g" {path})'
SQL"#
        );
        let output = std::process::Command::new("sh").args(["-euc", &line]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "IDENTIFIED BY 'a\\'b\\\\c$(id)`\"d'\n");
    }
}
