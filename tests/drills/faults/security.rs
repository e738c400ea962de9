//! Attacks: one that is answered, passwords that are guessed; and what is known of the shop's security: a hole, and root's
//! facts that are not written any more.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use super::busy;
use crate::drill::{Drill, critical, warning};
use crate::load;
use crate::security;
use crate::world::World;

/// How often root writes down what it sees here. Vitrin looks at it once a minute, which is an hour of a drill.
const PAUSE: Duration = Duration::from_secs(1);

/// Who guesses alone, and how often: more than may fail in a quarter of an hour.
const GUESSER: &str = "203.0.113.66";
const GUESSES: usize = 80;

/// Who guess together, and how often each: fewer than that, and more than a person does.
const GUESSERS: [&str; 5] = ["203.0.113.11", "203.0.113.12", "203.0.113.13", "203.0.113.14", "203.0.113.15"];
const GUESSES_EACH: usize = 8;

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "an attacker asks for a backup, and gets an answer",
        pages: &[critical("SecurityAttackServed", 3)],
        after: 1.0,
        // Five minutes of the window, and fifteen for which it is kept.
        over: 20.0,
        // The page that the shop shows for every address: in the log it looks like the file.
        inject: |world| drop(load::get(world.shop.nginx.port, "/backup.sql").unwrap()),
        ..Drill::NONE
    },
    Drill {
        fault: "somebody guesses the administrator's password",
        pages: &[critical("SecurityBruteForce", 1)],
        after: 2.0,
        over: 16.0,
        inject: |world| guess(world, GUESSER, GUESSES),
        ..Drill::NONE
    },
    Drill {
        fault: "five addresses guess passwords, a few each",
        pages: &[warning("SecurityIncidents", 1)],
        after: 2.0,
        over: 16.0,
        inject: |world| GUESSERS.iter().for_each(|guesser| guess(world, guesser, GUESSES_EACH)),
        ..Drill::NONE
    },
    Drill {
        fault: "a hole outweighs all the rest (by a limit of 101)",
        pages: &[critical("SecurityScoreCapped", 3)],
        after: 16.0,
        beside: look,
        inject: |world| world.promise(&[("SecurityScoreCapped", "101")]),
        repair: |world| {
            world.promise(&[]);
            world.let_go();
        },
        ..Drill::NONE
    },
    Drill {
        fault: "root does not write down any more what it sees",
        // In seconds of the real clock, by which facts age: more than the minute from one look of Vitrin's to the next.
        thresholds: &[("SecurityFactsStale", "80")],
        pages: &[warning("SecurityFactsStale", 1)],
        after: 90.0,
        over: 65.0,
        beside: look,
        inject: World::let_go,
        repair: go_on,
        ..Drill::NONE
    },
];

fn facts(world: &World) -> PathBuf {
    world.shop.file("facts.json")
}

/// Vitrin is to look at the shop's security, and root writes what it sees.
fn look(world: &mut World) -> String {
    go_on(world);
    security::table(&facts(world))
}

fn go_on(world: &mut World) {
    let facts = facts(world);
    security::write(&facts);
    world.hold(busy(PAUSE, move || security::write(&facts)));
}

/// This client tries so many passwords of the administration: the form is shown again each time.
fn guess(world: &World, client: &str, times: usize) {
    for _ in 0..times {
        let answer = post(world.shop.nginx.port, client, "/index.php?route=common/login").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

/// Sends an empty form as this client.
fn post(port: u16, client: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let head = format!("POST {path} HTTP/1.1\r\nHost: shop\r\nX-Real-IP: {client}\r\nContent-Length: 0\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
