//! Redis, and servers on other machines.

use super::*;

/// The verdict of API-23 for one server.
fn redis(server: Server, listeners: Vec<Listener>, firewall: State) -> State {
    let mut seen = hardened();
    seen.listeners = Ok(listeners);
    seen.cache = Ok(Cache { servers: vec![server], runs: Some(true) });
    judged(&seen, &[(Check::Fw04, firewall)])[&Check::Api23].state
}

#[test]
fn redis_asks_strangers_for_a_password_or_is_reached_by_few() {
    use State::{Fail, Partial, Pass};
    let loopback = || vec![listener("127.0.0.1", 6379), listener("::1", 6379)];
    let open = || vec![listener("127.0.0.1", 6379), listener("0.0.0.0", 6379)];
    let tcp = |stranger| server("127.0.0.1:6379", stranger);
    let unknown = State::Unknown(Cause::Permission);
    assert_eq!(redis(tcp(Stranger::Refused), open(), Fail), Pass);
    assert_eq!(redis(tcp(Stranger::Certificate), open(), Fail), Pass);
    assert_eq!(redis(tcp(Stranger::Served), loopback(), unknown), Partial);
    assert_eq!(redis(tcp(Stranger::Served), open(), Fail), Fail);
    assert_eq!(redis(tcp(Stranger::Served), open(), unknown), Fail, "not known to be closed");
    assert_eq!(redis(tcp(Stranger::Served), open(), Pass), Partial, "for some alone");
    assert_eq!(redis(tcp(Stranger::Served), vec![], Fail), Fail, "nobody saw that it is on loopback");
    assert_eq!(redis(tcp(Stranger::Protected), open(), Fail), Partial);
    assert_eq!(redis(tcp(Stranger::Restricted), open(), Fail), State::Unknown(Cause::Unsupported));
    assert_eq!(redis(server("10.0.0.9:6379", Stranger::Served), loopback(), Pass), Fail, "it came by the network");
    let socket = |mode, port, at_port| Server {
        socket: Some(mode),
        port,
        stranger_at_port: at_port,
        ..server("/run/redis/redis.sock", Stranger::Served)
    };
    assert_eq!(redis(socket(0o770, Some(0), None), vec![], Fail), Pass);
    assert_eq!(redis(socket(0o700, Some(0), None), vec![], Fail), Pass);
    assert_eq!(redis(socket(0o777, Some(0), None), vec![], Fail), Partial);
    assert_eq!(redis(socket(0o770, None, None), vec![], Fail), unknown, "it may have a port");
    assert_eq!(redis(socket(0o770, Some(6379), Some(Ok(Stranger::Served))), open(), Fail), Fail);
    assert_eq!(redis(socket(0o770, Some(6379), Some(Ok(Stranger::Served))), loopback(), Fail), Partial);
    assert_eq!(redis(socket(0o770, Some(6379), Some(Ok(Stranger::Certificate))), open(), Fail), Pass);
    assert_eq!(
        redis(socket(0o770, Some(6379), Some(unseen(Cause::Timeout))), open(), Fail),
        State::Unknown(Cause::Timeout)
    );
}

#[test]
fn the_worst_of_several_servers_decides() {
    let mut seen = hardened();
    let refused = || server("127.0.0.1:6379", Stranger::Refused);
    let both = |other| Ok(Cache { servers: vec![refused(), other, refused()], runs: Some(true) });
    seen.cache = both(server("127.0.0.1:6379", Stranger::Served));
    assert_eq!(judged(&seen, &[])[&Check::Api23].state, State::Partial);
    seen.cache = both(server("127.0.0.1:6379", Stranger::Restricted));
    assert_eq!(judged(&seen, &[])[&Check::Api23].state, State::Unknown(Cause::Unsupported));
}

#[test]
fn no_redis_is_seen_and_not_said() {
    let without = |change: fn(&mut Seen)| {
        differs(|seen| {
            seen.listeners = Ok(vec![listener("0.0.0.0", 443)]);
            seen.cache = Ok(Cache { servers: vec![], runs: Some(false) });
            change(seen);
        })
    };
    assert_eq!(without(|_| {}), [("API-23", State::NotApplicable)]);
    let unknown = |cause| [("API-23", State::Unknown(cause)), ("TLS-09", State::Unknown(cause))];
    let named = unknown(Cause::NotConfigured);
    assert_eq!(without(|seen| seen.cache.as_mut().unwrap().runs = Some(true)), named);
    assert_eq!(without(|seen| seen.cache.as_mut().unwrap().runs = None), named);
    assert_eq!(without(|seen| seen.listeners = Ok(vec![listener("127.0.0.1", 6379)])), named);
    let owned = |seen: &mut Seen| {
        let account = Some("redis".to_owned());
        seen.listeners = Ok(vec![Listener { account, ..listener("127.0.0.1", 7000) }]);
    };
    assert_eq!(without(owned), named);
    assert_eq!(without(|seen| seen.shop.as_mut().unwrap().uses_redis = true), named);
    assert_eq!(without(|seen| seen.listeners = unseen(Cause::Permission)), unknown(Cause::Permission));
}

#[test]
fn servers_elsewhere_are_spoken_to_by_tls() {
    use State::{Fail, Partial};
    let database = |requires_tls, offers_tls| {
        move |seen: &mut Seen| {
            seen.database.as_mut().unwrap().address = "10.0.0.5:3306".parse().unwrap();
            let settings = part!(seen.database.settings);
            (settings.requires_tls, settings.offers_tls) = (requires_tls, offers_tls);
        }
    };
    assert_eq!(differs(database(true, true)), []);
    assert_eq!(differs(database(false, true)), [("TLS-09", Partial)]);
    assert_eq!(differs(database(false, false)), [("TLS-09", Fail)]);
    let redis = |tls, port| {
        move |seen: &mut Seen| {
            let server = Server { tls, port, ..server("10.0.0.9:6380", Stranger::Refused) };
            seen.cache = Ok(Cache { servers: vec![server], runs: Some(false) });
        }
    };
    assert_eq!(differs(redis(true, Some(6380))), []);
    assert_eq!(differs(redis(true, Some(6379))), [("TLS-09", Partial)]);
    assert_eq!(differs(redis(true, None)), [("TLS-09", Partial)]);
    assert_eq!(differs(redis(false, Some(6380))), [("TLS-09", Fail)]);
}
