//! A-2: which ports are open, as somebody elsewhere has seen it, and a Prometheus tells. From the machine itself this
//! cannot be asked: a connection to its own address never meets its firewall.

use bytes::Bytes;
use http_body_util::Full;
use serde::{Deserialize, Serialize};

use crate::collectors::security::config::OutsideView;
use crate::collectors::security::outside::visitor::{Missed, Visitor};
use crate::collectors::security::verdict::{Cause, Known, Unknown};

/// The most of an answer that is read.
const BYTES: usize = 1 << 20;

/// A port that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct OpenPort {
    /// Its number.
    pub(crate) port: u16,
    /// Whether the address was probed, and not a name.
    pub(crate) is_address: bool,
}

/// What was reached from elsewhere, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    /// Those that are open.
    pub(crate) open: Vec<OpenPort>,
    /// Those of which no probe says so.
    pub(crate) closed: Vec<u16>,
}

impl Ports {
    /// The same, with those that were open before and were not probed now.
    pub(super) fn held(mut self, before: &Self) -> Self {
        let is_probed = |port: u16| self.closed.contains(&port) || self.open.iter().any(|open| open.port == port);
        let unprobed: Vec<_> = before.open.iter().filter(|open| !is_probed(open.port)).copied().collect();
        self.open.extend(unprobed);
        self
    }
}

/// Asks a Prometheus for the ports that its prober found open. Whoever stands in its place can make the score lower, and
/// nothing else: its certificate is not looked at.
///
/// # Errors
/// When it does not answer, or knows nothing of such a prober.
pub(crate) async fn ask_vantage(view: &OutsideView) -> Known<Ports> {
    let visitor = Visitor::to(&view.prometheus_url.0);
    let mut url = visitor.home.clone();
    url.path_segments_mut()
        .map_err(|()| no_answer("the address has no path"))?
        .pop_if_empty()
        .extend(["api", "v1", "query"]);
    let job = view.job.replace('\\', "\\\\").replace('"', "\\\"");
    url.query_pairs_mut().append_pair("query", &format!("probe_success{{job=\"{job}\"}}"));
    let asked = visitor.ask(&url, |request| request.body(Full::<Bytes>::default()), BYTES).await;
    let (head, body) = asked.map_err(Missed::unknown)?;
    if head.status != 200 {
        return Err(no_answer(&format!("Prometheus answers {}", head.status.as_u16())));
    }
    read(&body)
}

#[derive(Deserialize)]
struct Reply {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    value: (f64, String),
}

#[derive(Deserialize)]
struct Labels {
    #[serde(default)]
    instance: String,
}

/// The ports that are open by Prometheus' answer, and those that are not.
pub(super) fn read(body: &[u8]) -> Known<Ports> {
    let reply: Reply =
        serde_json::from_slice(body).map_err(|error| no_answer(&format!("its answer makes no sense: {error}")))?;
    if reply.data.result.is_empty() {
        return Err(Unknown::new(Cause::Stale, "Prometheus has no probe_success of this job"));
    }
    let (open, other): (Vec<_>, Vec<_>) = reply.data.result.iter().partition(|series| series.value.1 == "1");
    let mut open: Vec<_> = open.into_iter().filter_map(|series| port(&series.metric.instance)).collect();
    open.sort_unstable();
    open.dedup();
    let mut closed: Vec<_> = other.into_iter().filter_map(|series| Some(port(&series.metric.instance)?.port)).collect();
    closed.retain(|port| open.iter().all(|open| open.port != *port));
    closed.sort_unstable();
    closed.dedup();
    Ok(Ports { open, closed })
}

/// The port of what was probed: `192.0.2.7:3306`, `tcp://shop.example:22`.
fn port(instance: &str) -> Option<OpenPort> {
    let place = instance.split_once("://").map_or(instance, |(_, place)| place).split('/').next()?;
    let (host, port) = place.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some(OpenPort { port: port.parse().ok()?, is_address: host.parse::<std::net::IpAddr>().is_ok() })
}

fn no_answer(why: &str) -> Unknown {
    Unknown::new(Cause::Unparsable, format!("asking who looks from outside: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn open_is_what_was_reached() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"probe_success","instance":"192.0.2.7:3306","job":"shop_ports"},"value":[1795392000.1,"1"]},
            {"metric":{"instance":"192.0.2.7:6379"},"value":[1795392000.1,"0"]},
            {"metric":{"instance":"tcp://shop.example:22"},"value":[1795392000.1,"1"]},
            {"metric":{"instance":"[2001:db8::7]:443"},"value":[1795392000.1,"1"]},
            {"metric":{},"value":[1795392000.1,"1"]}]}}"#;
        let open = [(22, false), (443, true), (3306, true)].map(|(port, is_address)| OpenPort { port, is_address });
        assert_eq!(read(body), Ok(Ports { open: open.to_vec(), closed: vec![6379] }));
    }

    fn answer(instance: &str, is_open: bool) -> String {
        let series =
            serde_json::json!({"metric": {"instance": instance}, "value": [1.5, u8::from(is_open).to_string()]});
        serde_json::json!({"data": {"result": [series]}}).to_string()
    }

    #[test]
    fn nothing_seen_is_not_nothing_open() {
        let none = br#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert_eq!(read(none).unwrap_err().cause, Cause::Stale);
        assert_eq!(read(b"<html>").unwrap_err().cause, Cause::Unparsable);
        assert_eq!(read(br#"{"status":"error","error":"x"}"#).unwrap_err().cause, Cause::Unparsable);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_much(body in "(?s).{0,200}") {
            read(body.as_bytes()).ok();
        }

        #[test]
        fn a_probe_says_no_more_than_its_own_port(instance in "(?s).{0,40}", is_open: bool) {
            let body = answer(&instance, is_open);
            let Ports { open, closed } = read(body.as_bytes()).unwrap();
            let is_other_empty = if is_open { closed.is_empty() } else { open.is_empty() };
            prop_assert!(is_other_empty);
            let told: Vec<_> = open.iter().map(|open| open.port).chain(closed).collect();
            prop_assert!(told.iter().all(|port| instance.contains(&port.to_string())));
        }

        #[test]
        fn every_address_with_a_port_is_read(ip: std::net::IpAddr, port: u16, is_open: bool) {
            let ports = read(answer(&std::net::SocketAddr::new(ip, port).to_string(), is_open).as_bytes()).unwrap();
            let expected = if is_open {
                Ports { open: vec![OpenPort { port, is_address: true }], closed: Vec::new() }
            } else {
                Ports { open: Vec::new(), closed: vec![port] }
            };
            prop_assert_eq!(ports, expected);
        }
    }
}
