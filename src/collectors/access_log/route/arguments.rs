//! The query: its arguments as PHP reads them, and OpenCart's `route` as OpenCart reads it.

use std::sync::LazyLock;

use memchr::memmem;

use super::Route;
use super::decode;
use super::glob::Glob;

/// How much of a query is looked at: what nginx and Apache take of a request's first line unless told otherwise. Who pads
/// a query hides nothing behind it.
const QUERY: usize = 8 << 10;

/// The longest value that is compared where it is encoded.
const VALUE: usize = 128;

/// The arguments of a query, as they are written: name and value.
fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = &query[..query.len().min(QUERY)];
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = memchr::memchr(b'&', rest).unwrap_or(rest.len());
            let (pair, behind) = (&rest[..end], &rest[(end + 1).min(rest.len())..]);
            rest = behind;
            if !pair.is_empty() {
                let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
                return Some((&pair[..equals], &pair[(equals + 1).min(pair.len())..]));
            }
        }
        None
    })
}

/// Whether an argument is called this: PHP decodes names too, and leaves spaces before them out.
fn is_called(written: &[u8], name: &[u8]) -> bool {
    written == name
        || (decode::is_encoded(written)
            && decode::of_argument(written).skip_while(|byte| *byte == b' ').eq(name.iter().copied()))
}

/// Runs `judge` over a value decoded; `None` for one that is longer than any that a rule could mean.
fn decoded<T>(value: &[u8], judge: impl FnOnce(&[u8]) -> T) -> Option<T> {
    if !decode::is_encoded(value) {
        return Some(judge(value));
    }
    let mut buffer = [0; VALUE];
    let mut length = 0;
    for byte in decode::of_argument(value) {
        *buffer.get_mut(length)? = byte;
        length += 1;
    }
    Some(judge(&buffer[..length]))
}

/// What `judge` says of an argument as PHP reads it: decoded, and of several of one name the last. `None` when it is not
/// there, or longer than any that is looked for.
pub(in super::super) fn argument<T>(query: &[u8], name: &[u8], judge: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let last = pairs(query).filter(|(written, _)| is_called(written, name)).last();
    last.and_then(|(_, value)| decoded(value, judge))
}

/// What an argument has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) name: Box<[u8]>,
    pub(super) value: Glob,
}

impl Condition {
    /// One that any value meets, or this one.
    pub(super) fn new(name: &str, value: Option<&str>) -> Self {
        Self { name: name.as_bytes().into(), value: Glob::new(value.unwrap_or("*")) }
    }

    /// Whether a query meets it.
    pub(super) fn holds(&self, query: &[u8]) -> bool {
        argument(query, &self.name, |value| self.value.matches(value)).unwrap_or(false)
    }
}

/// Rules about an argument alone, by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Arguments {
    names: Vec<(Box<[u8]>, Values)>,
    /// Which lengths names have, a bit each: most arguments have another.
    lengths: u64,
}

/// What the values of one argument mean.
#[derive(Clone, Debug, Default, PartialEq)]
struct Values {
    /// Sorted.
    literals: Vec<(Box<[u8]>, Route)>,
    /// The first that fits counts.
    globs: Vec<(Glob, Route)>,
}

impl Arguments {
    /// Adds a rule. A value by itself counts before patterns, and those in the order in which they came.
    pub(super) fn push(&mut self, Condition { name, value }: Condition, route: Route) {
        self.lengths |= length(&name);
        let known = self.names.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push((name, Values::default()));
            self.names.len() - 1
        });
        let values = &mut self.names[at].1;
        match value.literal() {
            Some(literal) => {
                values.literals.push((literal.into(), route));
                values.literals.sort();
            }
            None => values.globs.push((value, route)),
        }
    }

    /// What the arguments of a query say, each for itself.
    pub(super) fn find(&self, query: &[u8]) -> impl Iterator<Item = Route> {
        let query = if self.names.is_empty() { b"" } else { query };
        pairs(query).filter_map(|(name, value)| {
            if self.lengths & length(name) == 0 && !decode::is_encoded(name) {
                return None;
            }
            let (_, values) = self.names.iter().find(|(known, _)| is_called(name, known))?;
            decoded(value, |value| values.find(value))?
        })
    }
}

impl Values {
    fn find(&self, value: &[u8]) -> Option<Route> {
        let literal = self.literals.binary_search_by(|(literal, _)| (**literal).cmp(value)).ok();
        let literal = literal.map(|at| self.literals[at].1);
        literal.or_else(|| self.globs.iter().find(|(glob, _)| glob.matches(value)).map(|(_, route)| *route))
    }
}

fn length(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

/// OpenCart's `route` argument, see [`super::Routes::opencart_route`]; `method` is put before the name of a method.
pub(super) fn opencart_route<'b, const N: usize>(
    query: &[u8],
    buffer: &'b mut [u8; N],
    method: u8,
) -> Option<&'b [u8]> {
    let value = if decode::is_encoded(query) { None } else { plain_route(query) };
    let value = value.or_else(|| any_route(query))?;
    let mut length = 0;
    let mut keep = |byte: u8| {
        let byte = if byte == b'|' || byte == b'.' { method } else { byte };
        // For the files of its controllers many slashes are one.
        let is_more = byte == b'/' && length > 0 && buffer[length - 1] == b'/';
        if !is_more && (byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'.')) {
            *buffer.get_mut(length)? = byte;
            length += 1;
        }
        Some(())
    };
    if decode::is_encoded(value) {
        decode::of_argument(value).try_for_each(&mut keep)?;
    } else {
        value.iter().copied().try_for_each(&mut keep)?;
    }
    Some(&buffer[..length])
}

/// The last argument `route` of a query in which nothing is encoded, found without looking at the others.
fn plain_route(query: &[u8]) -> Option<&[u8]> {
    static NAME: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("route="));
    let query = &query[..query.len().min(QUERY)];
    let names = NAME.find_iter(query).filter(|at| *at == 0 || query[at - 1] == b'&');
    let value = names.last().map(|at| &query[at + b"route=".len()..])?;
    Some(memchr::memchr(b'&', value).map_or(value, |end| &value[..end]))
}

/// The last argument `route` of any query, or else the last `_route_`.
fn any_route(query: &[u8]) -> Option<&[u8]> {
    let last = |wanted: &[u8]| pairs(query).filter(|(name, _)| is_called(name, wanted)).last().map(|(_, value)| value);
    last(b"route").or_else(|| last(b"_route_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(query: &str) -> Option<String> {
        let mut buffer = [0; 24];
        opencart_route(query.as_bytes(), &mut buffer, b'.').map(|route| String::from_utf8(route.to_vec()).unwrap())
    }

    #[test]
    fn the_route_is_read_as_opencart_reads_it() {
        for (query, expected) in [
            ("route=checkout/cart", "checkout/cart"),
            ("a=1&route=checkout%2Fcart&b", "checkout/cart"),
            ("route=common/login|login", "common/login.login"),
            ("route=common/login%7Clogin", "common/login.login"),
            ("route=common/login.login", "common/login.login"),
            ("route=common%252Flogin", "common2Flogin"),
            ("route=com-mon/lo gin%00", "common/login"),
            ("r%6fute=a/b", "a/b"),
            ("+%20route=a/b", "a/b"),
            ("route=a/b&route=c/d", "c/d"),
            ("route=a////////////////////////////%2Fb", "a/b"),
            ("route=a/b&x=%20&route=c/d", "c/d"),
            ("route=a/b&my_route=c/d&x=route=e/f", "a/b"),
            ("_route_=desktops/mac", "desktops/mac"),
            ("route=a/b&_route_=desktops", "a/b"),
            ("route", ""),
            ("route=", ""),
        ] {
            assert_eq!(route(query).as_deref(), Some(expected), "{query}");
        }
    }

    #[test]
    fn no_route_is_none_and_so_is_one_that_is_too_long() {
        for query in ["", "&&", "routes=a", "Route=a", "x=route=a", "route=a/very/long/route/that/is/nobody's"] {
            assert_eq!(route(query), None, "{query}");
        }
    }

    #[test]
    fn the_first_rule_of_a_name_that_fits_counts() {
        let mut rules = Arguments::default();
        rules.push(Condition::new("wc-ajax", Some("checkout")), Route::Checkout);
        rules.push(Condition::new("wc-ajax", None), Route::Api);
        rules.push(Condition::new("s", None), Route::Search);
        let found = |query: &str| rules.find(query.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found("wc-ajax=checkout&s"), [Route::Checkout, Route::Search]);
        assert_eq!(found("wc%2Dajax=check%6fut"), [Route::Checkout]);
        assert_eq!(found("wc-ajax=other"), [Route::Api]);
        assert_eq!(found("x=1&S=1&&"), []);
    }

    #[test]
    fn a_condition_is_about_the_last_of_its_name() {
        let condition = Condition::new("controller", Some("Admin*"));
        assert!(condition.holds(b"controller=order&controller=AdminLogin"));
        assert!(!condition.holds(b"controller=AdminLogin&controller=order"));
        assert!(!condition.holds(b"") && !condition.holds(b"xcontroller=AdminLogin"));
    }
}
