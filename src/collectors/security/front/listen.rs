//! Which server answers for a host: by `listen` and `server_name`, as nginx chooses.

use super::pattern::Patterns;
use super::place::Server;
use crate::collectors::security::verdict::Known;

/// A `listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    /// The address as it is written, in lower case; `*` for all of IPv4.
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
    pub(super) is_default: bool,
}

impl Listen {
    /// Whether it takes IPv6.
    pub(super) fn is_v6(&self) -> bool {
        self.address.starts_with('[')
    }

    /// Whether only this machine reaches it.
    pub(super) fn is_local(&self) -> bool {
        self.address.starts_with("127.") || self.address == "[::1]" || self.address == "localhost"
    }
}

/// The listeners of a server; without any it is port 80.
pub(super) fn listens(server: &Server) -> Vec<Listen> {
    let tls_all = server.directives.iter().any(|said| said.name == "ssl" && said.value() == "on");
    let said = server.directives.iter().filter(|said| said.name == "listen");
    let mut found: Vec<_> = said.filter_map(|said| listen(&said.values, tls_all)).collect();
    if !server.directives.iter().any(|said| said.name == "listen") {
        found.push(Listen { address: "*".to_owned(), port: 80, is_tls: tls_all, is_default: false });
    }
    found
}

fn listen(values: &[String], tls_all: bool) -> Option<Listen> {
    let (to, options) = values.split_first()?;
    if to.starts_with("unix:") {
        return None;
    }
    let has = |name: &str| options.iter().any(|option| option == name);
    if has("quic") {
        return None;
    }
    let (address, port) = match to.parse::<u16>() {
        Ok(port) => ("*", port),
        Err(_) => match to.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((address, port)) => (address, port.parse().ok()?),
            None => (to.as_str(), 80),
        },
    };
    let address = if address == "0.0.0.0" { "*".to_owned() } else { address.to_lowercase() };
    Some(Listen { address, port, is_tls: has("ssl") || tls_all, is_default: has("default_server") || has("default") })
}

/// What `server_name` says, in lower case; without any it is the empty name.
pub(super) fn names(server: &Server) -> Vec<String> {
    let said = server.directives.iter().filter(|said| said.name == "server_name");
    let found: Vec<String> = said.flat_map(|said| &said.values).map(|name| lower(name)).collect();
    if found.is_empty() { vec![String::new()] } else { found }
}

/// A name in lower case; a pattern as it is.
fn lower(name: &str) -> String {
    if name.starts_with('~') { name.to_owned() } else { name.to_lowercase() }
}

/// The servers that may answer for this host on this port: one for each address that is listened on; whether each was
/// chosen by its name.
pub(super) fn chosen(servers: &[Server], host: &str, port: u16, patterns: &Patterns) -> Known<Vec<(usize, bool)>> {
    let mut groups: Vec<(String, Vec<(usize, bool)>)> = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        for listen in listens(server).into_iter().filter(|listen| listen.port == port) {
            let member = (at, listen.is_default);
            match groups.iter_mut().find(|(address, _)| *address == listen.address) {
                Some((_, members)) => members.push(member),
                None => groups.push((listen.address, vec![member])),
            }
        }
    }
    let is_local =
        |address: &String| Listen { address: address.clone(), port, is_tls: false, is_default: false }.is_local();
    // What only this machine reaches is nobody's shop, unless there is nothing else.
    if !groups.iter().all(|(address, _)| is_local(address)) {
        groups.retain(|(address, _)| !is_local(address));
    }
    let mut found = Vec::new();
    for (_, members) in groups {
        let of: Vec<_> = members.iter().map(|(at, _)| (*at, names(&servers[*at]))).collect();
        let named = by_name(&of, host, patterns)?;
        let default = || members.iter().find(|(_, is_default)| *is_default).or(members.first()).map(|(at, _)| *at);
        if let Some(choice) = named.map(|at| (at, true)).or_else(|| default().map(|at| (at, false)))
            && !found.contains(&choice)
        {
            found.push(choice);
        }
    }
    Ok(found)
}

/// The server with the name: exactly, else by the longest `*.name`, else by the longest `name.*`, else by the first pattern.
fn by_name(servers: &[(usize, Vec<String>)], host: &str, patterns: &Patterns) -> Known<Option<usize>> {
    let all = || servers.iter().flat_map(|(at, names)| names.iter().map(move |name| (*at, name.as_str())));
    if let Some((at, _)) = all().find(|(_, name)| name.strip_prefix('.').unwrap_or(name) == host) {
        return Ok(Some(at));
    }
    for is_front in [true, false] {
        let of_kind = all().filter(|(_, name)| is_front != name.ends_with(".*"));
        let longest = of_kind.filter_map(|(at, name)| Some((wildcard(name, host)?, at)));
        // Of equals the first counts.
        if let Some((_, at)) = longest.reduce(|best, next| if next.0 > best.0 { next } else { best }) {
            return Ok(Some(at));
        }
    }
    for (at, name) in all() {
        if let Some(pattern) = name.strip_prefix('~')
            && patterns.find(pattern, true, host)?.is_some()
        {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// How long a name with a star is, if it stands for the host.
pub(super) fn wildcard(name: &str, host: &str) -> Option<usize> {
    if let Some(end) = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
        return host.strip_suffix(end)?.ends_with('.').then_some(end.len());
    }
    let start = name.strip_suffix(".*")?;
    host.strip_prefix(start)?.starts_with('.').then_some(start.len())
}

#[cfg(test)]
mod tests {
    use super::super::tree::parse;
    use super::*;

    fn servers(text: &str) -> Vec<Server> {
        parse(text).iter().map(Server::new).collect()
    }

    #[test]
    fn names_are_chosen_in_nginxs_order() {
        let servers = servers(
            "server { listen 80; server_name ~^w; } server { listen 80; server_name *.shop.example .wide.example; }
             server { listen 80; server_name shop.example www.shop.*; } server { listen 80 default_server; server_name _; }
             server { listen 80; server_name *.a.shop.example; } server { listen 127.0.0.1:80; server_name shop.example; }",
        );
        for (host, expected) in [
            ("shop.example", (2, true)),
            ("x.shop.example", (1, true)),
            ("b.a.shop.example", (4, true)),
            ("wide.example", (1, true)),
            ("deep.wide.example", (1, true)),
            ("www.shop.test", (2, true)),
            ("www.shop.example", (1, true)),
            ("web", (0, true)),
            ("other", (3, false)),
        ] {
            assert_eq!(chosen(&servers, host, 80, &Patterns::default()), Ok(vec![expected]), "{host}");
        }
        assert_eq!(chosen(&servers, "shop.example", 443, &Patterns::default()), Ok(vec![]));
    }

    #[test]
    fn a_listen_is_read_in_all_its_forms() {
        for (said, expected) in [
            ("80", Some(("*", 80, false))),
            ("0.0.0.0:443 ssl", Some(("*", 443, true))),
            ("[::]:443 ssl http2", Some(("[::]", 443, true))),
            ("[::1]", Some(("[::1]", 80, false))),
            ("10.0.0.7", Some(("10.0.0.7", 80, false))),
            ("unix:/run/n.sock", None),
            ("443 quic", None),
        ] {
            let values: Vec<String> = said.split(' ').map(str::to_owned).collect();
            let found = listen(&values, false);
            let found = found.as_ref().map(|listen| (listen.address.as_str(), listen.port, listen.is_tls));
            assert_eq!(found, expected, "{said}");
        }
    }
}
