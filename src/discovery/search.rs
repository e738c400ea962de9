//! A look at the machine: what is new is asked, what did not let us in is asked again.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use super::{Discovered, Found, Locked, names, section};
use crate::collector::{Context, Paths};
use crate::collectors::DISCOVERIES;
use crate::config;
use crate::config::secret::Environment;
use crate::config::types::TargetName;
use crate::machine::{Discovery, Machine, Sighting};
use crate::schedule::Job;

/// The most servers of one topic; more belong into a configuration.
const SERVERS: usize = 32;

/// How often a server that does not let us in is asked at each look, and at which looks from then on: each time is a line
/// in that server's log.
const EAGER_TRIES: u32 = 15;
const PATIENT_LOOKS: u32 = 15;

impl Discovered {
    /// Looks again. What let us in once stays, whatever has become of it: that it is down is for the metrics to say. Only
    /// when what its server says of itself has changed (a log's format), it is asked once whether that leads in, too.
    pub(crate) async fn look(&mut self, context: &Context, environment: &Environment) {
        self.looks = self.looks.wrapping_add(1);
        let sightings = sightings(&context.paths, environment.home()).await;
        self.found.retain(|(topic, place), found| {
            let is_it = |(other, sighting): &(&str, Sighting)| other == topic && sighting.place == *place;
            found.locked.is_none() || sightings.iter().any(is_it)
        });
        let mut asked: Vec<Asked> = Vec::new();
        for (topic, sighting) in sightings {
            let known = self.found.get(&(topic, sighting.place.clone()));
            let (target, before) = match known {
                None => (self.name(topic, &sighting, &asked), None),
                Some(Found { target, locked: Some(locked), .. }) if self.is_due(locked) => {
                    (target.clone(), Some(locked.clone()))
                }
                Some(found) if found.is_outdated(&sighting) => (found.target.clone(), None),
                Some(_) => continue,
            };
            asked.push(Asked { topic, target, sighting, before });
        }
        let answers = asked.into_iter().map(async |asked| {
            let place = (asked.topic, asked.sighting.place.clone());
            Some((place, asked.answer(context, environment).await?))
        });
        for (place, answer) in join_all(answers).await.into_iter().flatten() {
            match self.found.get_mut(&place) {
                Some(open) if open.locked.is_none() && answer.locked.is_some() => open.ways = answer.ways,
                _ => drop(self.found.insert(place, answer)),
            }
        }
    }

    fn is_due(&self, locked: &Locked) -> bool {
        locked.tries < EAGER_TRIES || self.looks.is_multiple_of(PATIENT_LOOKS)
    }

    /// What a server is called that was never seen before.
    fn name(&self, topic: &str, sighting: &Sighting, asked: &[Asked]) -> TargetName {
        let known = self.found.values().map(|found| (found.topic, &found.target));
        let taken: Vec<_> = known.chain(asked.iter().map(|asked| (asked.topic, &asked.target))).collect();
        names::free(&sighting.name, |name| taken.contains(&(topic, name)))
    }
}

impl Found {
    /// Whether it lets us in by a way that is none any more, and there are others since it was asked.
    fn is_outdated(&self, seen: &Sighting) -> bool {
        self.locked.is_none() && self.ways != seen.ways && !seen.ways.contains(&self.table)
    }
}

/// What all topics see.
async fn sightings(paths: &Paths, home: Option<PathBuf>) -> Vec<(&'static str, Sighting)> {
    let paths = paths.clone();
    let look = move || {
        let names: Vec<_> = DISCOVERIES.iter().flat_map(|discovery| discovery.processes).copied().collect();
        let machine = Machine::look(&paths, home, &names);
        let seen = |discovery: &Discovery| -> Vec<_> {
            let sightings = (discovery.look)(&machine).into_iter().take(SERVERS);
            sightings.map(|sighting| (discovery.topic, sighting)).collect()
        };
        DISCOVERIES.iter().flat_map(seen).collect()
    };
    // It ends early only as the program does.
    spawn_blocking(look).await.unwrap_or_default()
}

/// A server that is asked whether it lets us in.
struct Asked {
    topic: &'static str,
    target: TargetName,
    sighting: Sighting,
    /// What came of it before.
    before: Option<Locked>,
}

impl Asked {
    /// Tries the ways to watch it, up to the first that leads in; `None` when none can be written down.
    async fn answer(self, context: &Context, environment: &Environment) -> Option<Found> {
        let mut first = None;
        for table in &self.sighting.ways {
            let Some(job) = self.job(table, context, environment) else { continue };
            let outcome = job.ask().await;
            if outcome.failure.is_none() {
                return Some(self.found(table.clone(), None));
            }
            let locked = Locked {
                why: outcome.complaint(),
                job,
                tries: self.before.as_ref().map_or(1, |before| before.tries + 1),
            };
            first.get_or_insert((table.clone(), locked));
        }
        let (table, locked) = first?;
        Some(self.found(table, Some(locked)))
    }

    /// The job that watches it in this way, the same as before where there was one: it knows the ways out. `None` for a
    /// path that no configuration takes.
    fn job(&self, table: &str, context: &Context, environment: &Environment) -> Option<Arc<Job>> {
        let text = section(self.topic, &self.target, table);
        let before: Vec<_> = self.before.iter().map(|before| before.job.clone()).collect();
        let jobs = config::parse_found(&text, environment).ok()?.collectors.jobs(context, &before);
        jobs.into_iter().find(|job| job.collector() == self.topic)
    }

    fn found(&self, table: String, locked: Option<Locked>) -> Found {
        let Sighting { seen, ways, .. } = self.sighting.clone();
        Found { topic: self.topic, target: self.target.clone(), seen, table, ways, locked }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::path::Path;
    use std::thread::JoinHandle;

    use super::*;

    const PAGE: &str = include_str!("../../tests/fixtures/nginx/nginx-1.22-stub_status.txt");

    /// A machine on which an nginx is configured to have its page at this address.
    fn machine(address: SocketAddr) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let server = format!("server {{ listen {address}; location = /status {{ stub_status; }} }}");
        for (file, text) in [
            ("1/comm", "init\n"),
            ("7/comm", "nginx\n"),
            ("7/status", "Uid:\t0\t0\t0\t0\n"),
            ("7/cmdline", "nginx: master process nginx"),
            ("etc/nginx/nginx.conf", &server),
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// A server that shows the page once.
    fn answering_once(listener: TcpListener) -> JoinHandle<()> {
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len()).unwrap();
        })
    }

    fn context(folder: &Path) -> Context {
        Context::new(Paths { proc: folder.to_owned(), root: folder.to_owned(), ..Paths::default() })
    }

    #[tokio::test]
    async fn what_is_closed_is_asked_again_and_what_was_open_once_stays() {
        let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = reserved.local_addr().unwrap();
        drop(reserved);
        let folder = machine(address);
        let (context, environment) = (context(folder.path()), Environment::default());
        let mut discovered = Discovered::default();
        discovered.look(&context, &environment).await;
        let first = discovered.locked().next().unwrap().1.job.clone();
        discovered.look(&context, &environment).await;
        let (found, locked) = discovered.locked().next().unwrap();
        assert_eq!((found.target.as_str(), locked.tries), ("main", 2));
        assert!(Arc::ptr_eq(&first, &locked.job), "what it knows of ways out is kept");
        assert!(discovered.open(&environment).collectors.nginx.targets.is_empty());

        let server = answering_once(TcpListener::bind(address).unwrap());
        discovered.look(&context, &environment).await;
        server.join().unwrap();
        assert!(discovered.locked().next().is_none());
        assert_eq!(discovered.open(&environment).collectors.nginx.targets.len(), 1);

        fs::remove_dir_all(folder.path().join("7")).unwrap();
        discovered.look(&context, &environment).await;
        assert_eq!(discovered.open(&environment).collectors.nginx.targets.len(), 1);
    }

    #[tokio::test]
    async fn one_that_moves_is_followed_once_it_lets_us_in_there() {
        let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let folder = machine(addresses[0]);
        let configure = |address| {
            let server = format!("server {{ listen {address}; location = /status {{ stub_status; }} }}");
            fs::write(folder.path().join("etc/nginx/nginx.conf"), server).unwrap();
        };
        let table = |address| format!("url = \"http://{address}/status\"\n");
        let (context, environment) = (context(folder.path()), Environment::default());
        let mut discovered = Discovered::default();
        let mut listeners = listeners.into_iter();
        let server = answering_once(listeners.next().unwrap());
        discovered.look(&context, &environment).await;
        server.join().unwrap();

        // Nobody answers there: what let us in stays.
        drop(listeners.next());
        configure(addresses[1]);
        for _ in 0..2 {
            discovered.look(&context, &environment).await;
            let found = discovered.found().next().unwrap();
            assert_eq!((&found.table, found.locked.is_none()), (&table(addresses[0]), true));
        }
        configure(addresses[2]);
        let server = answering_once(listeners.next().unwrap());
        discovered.look(&context, &environment).await;
        server.join().unwrap();
        assert_eq!(discovered.found().next().unwrap().table, table(addresses[2]));
    }

    #[tokio::test]
    async fn one_that_stays_closed_is_asked_ever_less_and_forgotten_when_it_goes() {
        let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = machine(reserved.local_addr().unwrap());
        drop(reserved);
        let (context, environment) = (context(folder.path()), Environment::default());
        let mut discovered = Discovered::default();
        for _ in 0..60 {
            discovered.look(&context, &environment).await;
        }
        assert_eq!(discovered.locked().next().unwrap().1.tries, EAGER_TRIES + 3);
        fs::remove_dir_all(folder.path().join("7")).unwrap();
        discovered.look(&context, &environment).await;
        assert!(discovered.found().next().is_none());
    }
}
