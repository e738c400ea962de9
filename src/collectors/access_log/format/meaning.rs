//! What a variable of a format means for a line, and which bytes its values are made of.

use super::time::Clock;
use crate::collectors::access_log::classes::class;

class! {
    /// What a line of a log may say. The name is that of nginx' variable for it.
    Field {
        /// When the request ended.
        Time = "$time_local",
        /// The client's address.
        Client = "$remote_addr",
        /// The name of HTTP authentication.
        User = "$remote_user",
        /// The method.
        Method = "$request_method",
        /// What was asked for.
        Target = "$request_uri",
        /// The protocol.
        Protocol = "$server_protocol",
        /// The status.
        Status = "$status",
        /// Bytes sent.
        Sent = "$body_bytes_sent",
        /// How long it took.
        Duration = "$request_time",
        /// How long the backends took.
        Upstream = "$upstream_response_time",
        /// What the cache did.
        Cache = "$upstream_cache_status",
        /// What the limit of requests did.
        LimitReq = "$limit_req_status",
        /// What the limit of connections did.
        LimitConn = "$limit_conn_status",
        /// The host that was asked for.
        Host = "$host",
        /// The client's program.
        Agent = "$http_user_agent",
        /// Where the client came from.
        Referer = "$http_referer",
    }
}

/// How many meanings there are but nothing.
pub(super) const MEANINGS: usize = 18;

/// What a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing that is asked for.
    Nothing,
    Time(Clock),
    Client,
    User,
    /// Method, target and protocol in one.
    Request,
    Method,
    Target,
    /// What is behind the `?` of a target that is written without it.
    Query,
    Protocol,
    Status,
    Sent,
    /// In units of 10 to the minus `6 - n` seconds: 6 for seconds, 0 for microseconds.
    Duration(u32),
    Upstream,
    Cache,
    LimitReq,
    LimitConn,
    Host,
    Agent,
    Referer,
}

impl Meaning {
    /// What of a line it fills.
    pub(super) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Nothing | Self::Query => &[],
            Self::Time(_) => &[Field::Time],
            Self::Client => &[Field::Client],
            Self::User => &[Field::User],
            Self::Request => &[Field::Method, Field::Target, Field::Protocol],
            Self::Method => &[Field::Method],
            Self::Target => &[Field::Target],
            Self::Protocol => &[Field::Protocol],
            Self::Status => &[Field::Status],
            Self::Sent => &[Field::Sent],
            Self::Duration(_) => &[Field::Duration],
            Self::Upstream => &[Field::Upstream],
            Self::Cache => &[Field::Cache],
            Self::LimitReq => &[Field::LimitReq],
            Self::LimitConn => &[Field::LimitConn],
            Self::Host => &[Field::Host],
            Self::Agent => &[Field::Agent],
            Self::Referer => &[Field::Referer],
        }
    }
}

/// Which bytes a value may have. What is said too narrowly here would break lines off at the wrong place, so it is
/// narrow only where the server makes the value itself, or has checked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// All; in quotation marks they have an end nevertheless, where the server escapes those inside.
    Any,
    /// Neither spaces nor control characters.
    NoSpace,
    /// Letters, digits and `. : _ - / % +`: addresses, protocols, times.
    Word,
    /// Letters, digits and `. _ -`: names of hosts, and words.
    Name,
    /// Digits, `.` and `-`.
    Number,
    /// As `$time_local`.
    Date,
    /// Numbers, of which `, ` and ` : ` part several: what nginx knows of each backend.
    Numbers,
    /// An address, of IPv6 in brackets, or the path of a socket.
    Address,
    /// The same of addresses: `$upstream_addr`.
    Addresses,
}

impl Bytes {
    /// Whether a value may have this byte.
    pub(super) const fn may_have(self, byte: u8) -> bool {
        match self {
            Self::Any => true,
            Self::NoSpace => byte > b' ',
            Self::Word => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'_' | b'-' | b'/' | b'%' | b'+')
            }
            Self::Name => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'),
            Self::Number => byte.is_ascii_digit() || matches!(byte, b'.' | b'-'),
            Self::Date => byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b':' | b' ' | b'+' | b'-'),
            Self::Numbers => Self::Number.may_have(byte) || matches!(byte, b',' | b' ' | b':'),
            Self::Address => Self::Word.may_have(byte) || matches!(byte, b'[' | b']'),
            Self::Addresses => Self::Address.may_have(byte) || matches!(byte, b',' | b' '),
        }
    }

    /// What each of several consists of, for a list.
    pub(super) const fn item(self) -> Option<Self> {
        match self {
            Self::Numbers => Some(Self::Number),
            Self::Addresses => Some(Self::Address),
            _ => None,
        }
    }

    /// Whether a value may begin with `:`, which after a space would look like the next item of a list. What nginx knows
    /// of a backend does not: it has addresses of IPv6 in brackets.
    pub(super) const fn may_begin_with_colon(self) -> bool {
        matches!(self, Self::Any | Self::NoSpace | Self::Word)
    }
}

/// What is known of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) meaning: Meaning,
    /// Of two with the same meaning in one format the higher is taken.
    pub(super) rank: u8,
    pub(super) bytes: Bytes,
}

impl Known {
    pub(super) const fn new(meaning: Meaning, rank: u8, bytes: Bytes) -> Self {
        Self { meaning, rank, bytes }
    }

    /// Nothing that is asked for.
    pub(super) const fn nothing(bytes: Bytes) -> Self {
        Self::new(Meaning::Nothing, 0, bytes)
    }

    /// Any bytes, of which nothing is asked for.
    pub(super) const UNKNOWN: Self = Self::nothing(Bytes::Any);
}

/// A variable of nginx, by its name without `$` (<https://nginx.org/en/docs/varindex.html>).
///
/// `$http_x_forwarded_for` is not the client: it is what the client likes to write. Behind a proxy nginx' realip module
/// puts the right one into `$remote_addr`.
pub(super) fn of_nginx(name: &str) -> Known {
    use Meaning as M;
    match name {
        "remote_addr" => Known::new(M::Client, 2, Bytes::Word),
        "proxy_protocol_addr" => Known::new(M::Client, 1, Bytes::Word),
        "remote_user" => Known::new(M::User, 1, Bytes::Any),
        "time_local" => Known::new(M::Time(Clock::Local), 1, Bytes::Date),
        "time_iso8601" => Known::new(M::Time(Clock::Iso), 1, Bytes::Word),
        "msec" => Known::new(M::Time(Clock::Count(0)), 1, Bytes::Number),
        "request" => Known::new(M::Request, 1, Bytes::Any),
        "request_method" => Known::new(M::Method, 1, Bytes::Name),
        "request_uri" => Known::new(M::Target, WITH_QUERY + 1, Bytes::Any),
        "uri" | "document_uri" => Known::new(M::Target, 1, Bytes::Any),
        "args" | "query_string" => Known::new(M::Query, 1, Bytes::Any),
        "server_protocol" => Known::new(M::Protocol, 1, Bytes::Word),
        "status" => Known::new(M::Status, 1, Bytes::Number),
        "body_bytes_sent" => Known::new(M::Sent, 2, Bytes::Number),
        "bytes_sent" => Known::new(M::Sent, 1, Bytes::Number),
        "request_time" => Known::new(M::Duration(6), 1, Bytes::Number),
        "upstream_response_time" => Known::new(M::Upstream, 1, Bytes::Numbers),
        "upstream_cache_status" => Known::new(M::Cache, 1, Bytes::Name),
        "limit_req_status" => Known::new(M::LimitReq, 1, Bytes::Name),
        "limit_conn_status" => Known::new(M::LimitConn, 1, Bytes::Name),
        "host" => Known::new(M::Host, 3, Bytes::NoSpace),
        "http_host" => Known::new(M::Host, 2, Bytes::Any),
        "server_name" => Known::new(M::Host, 1, Bytes::NoSpace),
        "http_user_agent" => Known::new(M::Agent, 1, Bytes::Any),
        "http_referer" => Known::new(M::Referer, 1, Bytes::Any),
        "upstream_connect_time"
        | "upstream_header_time"
        | "upstream_first_byte_time"
        | "upstream_queue_time"
        | "upstream_status"
        | "upstream_response_length"
        | "upstream_bytes_received"
        | "upstream_bytes_sent" => Known::nothing(Bytes::Numbers),
        "upstream_addr" => Known::nothing(Bytes::Addresses),
        "pid"
        | "connection"
        | "connection_requests"
        | "connection_time"
        | "request_length"
        | "gzip_ratio"
        | "remote_port"
        | "server_port"
        | "proxy_protocol_port"
        | "realip_remote_port"
        | "connections_active" => Known::nothing(Bytes::Number),
        "scheme" | "pipe" | "hostname" | "nginx_version" | "request_id" | "request_completion" | "ssl_protocol"
        | "ssl_cipher" | "ssl_session_id" | "ssl_session_reused" | "http2" | "http3" | "https" => {
            Known::nothing(Bytes::Name)
        }
        "realip_remote_addr" | "server_addr" => Known::nothing(Bytes::Word),
        "is_args" | "ssl_server_name" => Known::nothing(Bytes::NoSpace),
        _ => Known::UNKNOWN,
    }
}

/// The rank from which a target has its query with it.
pub(super) const WITH_QUERY: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_variable_of_nginx() {
        for field in Field::ALL {
            let known = of_nginx(field.as_str().trim_start_matches('$'));
            assert_eq!(known.meaning.fields(), [*field], "{field:?}");
        }
    }
}
