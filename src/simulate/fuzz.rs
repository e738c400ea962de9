//! What must hold for any scenario, and for any request.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};

use super::ask::Ask;
use super::delivery::Delivery;
use super::lines::Lines;
use super::manners::ALL;
use super::reply::OBJECTION;
use super::scenario::{Scenario, parse};
use super::script::Script;
use super::world::World;
use crate::fuzz::{has_place_and_hint, message};

/// The longest that anything may be made to take: ten minutes and as much again by chance, and what a brown-out takes.
const LONGEST: Duration = Duration::from_secs(2 * 600 + 2);

/// Who asks.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A scenario of any text: refused with a place, or played at some moments to whoever asks.
pub(crate) fn scenario(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let scenario = match parse(Path::new("any.toml"), text) {
        Ok(scenario) => scenario,
        Err(problem) => return has_place_and_hint("any.toml", &problem.to_string(), text),
    };
    let mut script = Script::new(&scenario);
    for seconds in [0, 1, 90, 3_600, 31_536_000] {
        let now = Duration::from_secs(seconds);
        for manners in ALL {
            let greeting = script.greeting(manners, now);
            assert!(greeting.delay.0 * 2 <= LONGEST && (0.0..=1.0).contains(&greeting.delay.1), "{greeting:?}");
            let plot = script.plot(manners, "/", now);
            assert!(plot.latency.processing * 2 <= LONGEST && plot.latency.body * 2 <= LONGEST, "{plot:?}");
        }
    }
    let world = World::new(scenario, Lines::unheard());
    for manners in ALL {
        let ask =
            Ask { method: "GET".to_owned(), host: manners.hosts[0].to_owned(), path: "/".to_owned(), ..Ask::default() };
        can_be_sent(&world.take(&ask, 1, CLIENT).1);
    }
    assert_eq!(told(&world), ALL.len());
}

/// A request of any bytes: method, target and, after a blank, the server in the first line, headers in the next ones,
/// and after an empty line its body.
pub(crate) fn request(bytes: &[u8]) {
    let Some(ask) = ask(bytes) else { return };
    let world = World::new(Scenario::default(), Lines::unheard());
    for number in 1..=2 {
        let (same, delivery) = world.take(&ask, 1, CLIENT);
        assert_eq!(same, number);
        let reply = delivery.reply.as_ref().expect("nothing goes wrong here");
        assert_eq!(reply.objection.is_some(), reply.status == OBJECTION, "{reply:?}");
        can_be_sent(&delivery);
    }
    assert_eq!(told(&world), 2);
}

fn ask(bytes: &[u8]) -> Option<Ask> {
    let (first, headers, body) = message::read(bytes)?;
    let mut words = str::from_utf8(first).ok()?.split(' ');
    let request = Request::builder().method(words.next()?).uri(words.next()?).body(()).ok()?;
    let (mut parts, ()) = request.into_parts();
    parts.headers = headers;
    Some(Ask::new(parts, words.next(), body.to_vec().into()))
}

fn can_be_sent(delivery: &Delivery) {
    assert!(delivery.processing <= LONGEST && delivery.transfer <= LONGEST);
    for (name, value) in delivery.reply.iter().flat_map(|reply| &reply.headers) {
        assert!(HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok(), "{name}: {value}");
    }
}

/// How many requests are told of.
fn told(world: &World) -> usize {
    let told = world.requests(0, None).expect("it can be written");
    let told: Vec<serde_json::Value> = serde_json::from_str(&told).expect("it can be read");
    told.len()
}
