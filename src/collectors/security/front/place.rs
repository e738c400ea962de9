//! Servers and locations, as nginx sorts its configuration.

use super::tree::{Directive, Place};

/// A `server` of `http`.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    /// What it says itself, without its locations.
    pub(super) directives: Vec<Directive>,
    pub(super) locations: Vec<Location>,
    pub(super) place: Place,
}

/// A `location`.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) kind: Kind,
    /// The path, the pattern, or the name with its `@`.
    pub(super) name: String,
    /// What it says itself, without those within.
    pub(super) directives: Vec<Directive>,
    /// Those within.
    pub(super) locations: Vec<Self>,
    pub(super) place: Place,
}

/// How a location is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `=`
    Exact,
    /// The longest counts; with `^~` no pattern is looked at any more.
    Prefix { stops: bool },
    /// `~`, or `~*`
    Pattern { ignores_case: bool },
    /// `@name`
    Named,
}

impl Server {
    /// The server of a `server` block.
    pub(super) fn new(block: &Directive) -> Self {
        let (directives, locations) = sorted(block.inner());
        Self { directives, locations, place: block.place.clone() }
    }

    /// All that it says under a name, wherever in it.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> Vec<&'a Directive> {
        let mut found = Vec::new();
        collect(&self.directives, name, &mut found);
        let mut ahead: Vec<&Location> = self.locations.iter().collect();
        while let Some(location) = ahead.pop() {
            collect(&location.directives, name, &mut found);
            ahead.extend(&location.locations);
        }
        found
    }
}

impl Server {
    /// What its locations have in place of their names (`alias`).
    pub(super) fn aliases(&self) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        let mut ahead: Vec<&Location> = self.locations.iter().collect();
        while let Some(location) = ahead.pop() {
            let said = location.directives.iter().filter(|said| said.name == "alias");
            found.extend(said.map(|said| (location.name.as_str(), said.value())));
            ahead.extend(&location.locations);
        }
        found
    }
}

/// All that is said under a name here, or in a block of these.
fn collect<'a>(directives: &'a [Directive], name: &str, found: &mut Vec<&'a Directive>) {
    for directive in directives {
        if directive.name == name {
            found.push(directive);
        }
        collect(directive.inner(), name, found);
    }
}

impl Location {
    fn new(block: &Directive) -> Self {
        let (kind, name) = kind(&block.values);
        let (directives, locations) = sorted(block.inner());
        Self { kind, name, directives, locations, place: block.place.clone() }
    }

    /// What hands requests to another server.
    pub(super) fn passes(&self) -> bool {
        self.directives.iter().any(|directive| PASSES.contains(&directive.name.as_str()))
    }

    /// As it is written: `location ~ \.php$`.
    pub(super) fn title(&self) -> String {
        let sign = match self.kind {
            Kind::Exact => "= ",
            Kind::Prefix { stops: true } => "^~ ",
            Kind::Pattern { ignores_case: false } => "~ ",
            Kind::Pattern { ignores_case: true } => "~* ",
            Kind::Prefix { stops: false } | Kind::Named => "",
        };
        format!("location {sign}{}", self.name)
    }
}

/// What hands requests to another server, and so answers for the folder of a name that ends in a slash (`auto_redirect`).
pub(super) const PASSES: [&str; 6] =
    ["fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"];

/// What a block says itself, and its locations.
fn sorted(block: &[Directive]) -> (Vec<Directive>, Vec<Location>) {
    let (locations, directives): (Vec<_>, Vec<_>) =
        block.iter().partition(|directive| directive.name == "location" && directive.block.is_some());
    (directives.into_iter().cloned().collect(), locations.into_iter().map(Location::new).collect())
}

/// How a location is found by what follows its name (`ngx_http_core_location`); the sign may stand right at the name.
fn kind(values: &[String]) -> (Kind, String) {
    let plain = Kind::Prefix { stops: false };
    let joined = match values {
        [one] => one.clone(),
        [sign, name] => {
            let kind = match sign.as_str() {
                "=" => Kind::Exact,
                "^~" => Kind::Prefix { stops: true },
                "~" => Kind::Pattern { ignores_case: false },
                "~*" => Kind::Pattern { ignores_case: true },
                _ => plain,
            };
            return (kind, name.clone());
        }
        _ => return (plain, values.concat()),
    };
    for (sign, kind) in [
        ("=", Kind::Exact),
        ("^~", Kind::Prefix { stops: true }),
        ("~*", Kind::Pattern { ignores_case: true }),
        ("~", Kind::Pattern { ignores_case: false }),
    ] {
        if let Some(name) = joined.strip_prefix(sign) {
            return (kind, name.to_owned());
        }
    }
    (if joined.starts_with('@') { Kind::Named } else { plain }, joined)
}

#[cfg(test)]
mod tests {
    use super::super::tree::parse;
    use super::*;

    #[test]
    fn a_sign_may_stand_right_at_the_name() {
        let text = "server { location =/a {} location ~* \\.x$ {} location ^~/b { location ~\\.y$ {} } location @c {} location /d {} }";
        let server = Server::new(&parse(text)[0]);
        let titles: Vec<_> = server.locations.iter().map(Location::title).collect();
        assert_eq!(titles, ["location = /a", r"location ~* \.x$", "location ^~ /b", "location @c", "location /d"]);
        assert_eq!(server.locations[2].locations[0].title(), r"location ~ \.y$");
        assert_eq!(server.locations[3].kind, Kind::Named);
    }
}
