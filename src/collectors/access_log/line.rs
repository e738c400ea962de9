//! One request, as a line of a log tells it.

/// One request.
///
/// What is text points into the line and is as the server has written it, escapes (`\x22`, `\"`, `\u0022`) and all; what
/// the line does not say, or says with `-`, is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line<'a> {
    /// When the request ended, in seconds since 1970.
    pub time: Option<i64>,
    /// The client's address; behind a proxy what the server takes for it.
    pub client: &'a [u8],
    /// Who the client says to be by HTTP authentication.
    pub user: &'a [u8],
    /// The method.
    pub method: &'a [u8],
    /// What was asked for: a path with its query, or an absolute URL.
    pub target: &'a [u8],
    /// The query, where the log has it apart from the target (`$uri` and `$args`).
    pub query: &'a [u8],
    /// The protocol: `HTTP/1.1`. Empty for what is not HTTP.
    pub protocol: &'a [u8],
    /// The status; 0 when the line says none.
    pub status: u16,
    /// Bytes sent.
    pub sent: u64,
    /// How long it took, in microseconds.
    pub duration: Option<u64>,
    /// How long the backends took in all, in microseconds; `None` when none was asked.
    pub upstream: Option<u64>,
    /// What the cache did: `HIT`, `MISS` … (`$upstream_cache_status`).
    pub cache: &'a [u8],
    /// What the limit of requests did: `PASSED`, `REJECTED` … (`$limit_req_status`).
    pub limit_req: &'a [u8],
    /// What the limit of connections did (`$limit_conn_status`).
    pub limit_conn: &'a [u8],
    /// The host that was asked for (`$host`, `$http_host`, `$server_name`).
    pub host: &'a [u8],
    /// The client's program.
    pub agent: &'a [u8],
    /// Where the client came from.
    pub referer: &'a [u8],
}

impl<'a> Line<'a> {
    /// The path that was asked for, without scheme and host, and the query behind it, without its `?`.
    #[must_use]
    pub fn path_and_query(&self) -> (&'a [u8], &'a [u8]) {
        let target = match self.target.first() {
            // Nearly all, and searching for a scheme costs more than all the rest.
            Some(b'/') | None => self.target,
            Some(_) => memchr::memmem::find(self.target, b"://").map_or(self.target, |at| {
                let behind = &self.target[at + 3..];
                memchr::memchr2(b'/', b'?', behind).map_or(&b"/"[..], |path| &behind[path..])
            }),
        };
        // A server leaves out what stands behind it, in a path as in a query.
        let target = memchr::memchr(b'#', target).map_or(target, |at| &target[..at]);
        match memchr::memchr(b'?', target) {
            Some(at) => (&target[..at], &target[at + 1..]),
            None => (target, self.query),
        }
    }

    /// Whether a limit of the server's turned the request away.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.status == 429 || self.limit_req == b"REJECTED" || self.limit_conn == b"REJECTED"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_path_and_a_query() {
        for (target, path, query) in [
            ("/index.php?route=a&b=/?c", "/index.php", "route=a&b=/?c"),
            ("/a?u=http://x/y", "/a", "u=http://x/y"),
            ("http://shop.example/a/b?c", "/a/b", "c"),
            ("http://shop.example", "/", ""),
            ("http://shop.example?c", "", "c"),
            ("/a#?b", "/a", ""),
            ("/a?b#c?d", "/a", "b"),
            ("*", "*", ""),
            ("", "", ""),
        ] {
            let line = Line { target: target.as_bytes(), ..Line::default() };
            assert_eq!(line.path_and_query(), (path.as_bytes(), query.as_bytes()), "{target}");
        }
        let line = Line { target: b"/a", query: b"b=c", ..Line::default() };
        assert_eq!(line.path_and_query(), (&b"/a"[..], &b"b=c"[..]));
    }
}
