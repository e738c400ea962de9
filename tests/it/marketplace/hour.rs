//! An hour at the marketplaces: how often each is asked, whether by two at once, and not at all when it says so.
//!
//! The simulator and the accounts are in this program, and time passes only when all of them have done what they had to
//! do: an hour takes some seconds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;
use vitrin::collector::{Collector as _, Context, Paths};
use vitrin::collectors::marketplace::preset::Moment;
use vitrin::collectors::marketplace::{Account, Marketplace};
use vitrin::simulate::{Settings, simulate};

use super::accounts;
use crate::support::daemon::{folder, free_port};
use crate::support::found::Found;

/// By how much time passes at once.
const STEP: Duration = Duration::from_millis(250);

/// How often everybody has a turn before it goes on: more often than there are words in a conversation.
const TURNS: usize = 32;

/// How much a step may make of a gap.
const SLACK: f64 = 0.5;

/// How far from its interval a probe may be made, as a part of it.
const JITTER: f64 = 0.1;

/// The simulator, and all who ask there.
struct Town {
    control: SocketAddr,
    stop: CancellationToken,
    _folder: TempDir,
    accounts: BTreeMap<String, Account>,
    collectors: BTreeMap<String, Marketplace>,
}

impl Town {
    /// Starts the simulator with this scenario, and accounts by its configuration as this changes it.
    async fn open(scenario: &str, change: impl Fn(&str) -> String) -> Self {
        let folder = folder();
        let file = folder.path().join("scenario.toml");
        fs::write(&file, scenario).unwrap();
        let [listen, control] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let simulated = Some(folder.path().join("simulated"));
        let settings = Settings { listen, control, scenario: Some(file), folder: simulated };
        let stop = CancellationToken::new();
        let mut context = Context::new(Paths::default());
        (context.serving, context.stop) = (true, stop.clone());
        let stopped = stop.clone();
        context.tasks.spawn(async move { simulate(&settings, io::sink(), stopped).await.unwrap() });
        let mut town = Self { control, stop, _folder: folder, accounts: BTreeMap::new(), collectors: BTreeMap::new() };
        town.accounts = accounts(&change(&town.asked("/vitrin.toml").await));
        let new = |account: &Account| Marketplace::new(account, &context);
        town.collectors = town.accounts.iter().map(|(name, account)| (name.clone(), new(account))).collect();
        town
    }

    /// What is at this path of the other port, once it listens.
    async fn asked(&self, path: &str) -> String {
        let answer = async {
            let mut stream = loop {
                match TcpStream::connect(self.control).await {
                    Ok(stream) => break stream,
                    Err(_) => yield_now().await,
                }
            };
            let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.control);
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let answer = at_once(answer).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The requests that came but for those for access tokens.
    async fn requests(&self) -> Vec<Request> {
        let all: Vec<Value> = serde_json::from_str(&self.asked("/requests").await).unwrap();
        let requests: Vec<_> = all.iter().map(Request::of).collect();
        requests.into_iter().filter(|request| !request.is_for_a_token).collect()
    }

    /// What is said of an account now.
    async fn found(&self, account: &str) -> Found {
        Found::whether_up(&self.collectors[account]).await.0
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A request as the simulator saw it.
#[derive(Clone, Debug)]
struct Request {
    marketplace: String,
    host: String,
    path: String,
    /// When it came and when it was answered, in seconds since the start.
    at: f64,
    answered: f64,
    status: u64,
    is_for_a_token: bool,
}

impl Request {
    fn of(seen: &Value) -> Self {
        let text = |key: &str| seen[key].as_str().unwrap().to_owned();
        let path = text("path");
        let is_for_a_token = path.ends_with("/token");
        Self {
            marketplace: text("marketplace"),
            host: text("host"),
            path,
            at: seen["at"].as_f64().unwrap(),
            answered: seen["answered"].as_f64().unwrap_or(f64::INFINITY),
            status: seen["status"].as_u64().unwrap(),
            is_for_a_token,
        }
    }
}

/// Waits for it while no time passes.
async fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        tokio::select! {
            biased;
            done = &mut future => return done,
            () = yield_now() => {}
        }
    }
}

/// Lets this much time pass, with all that happens in it.
async fn pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        advance(STEP).await;
        for _ in 0..TURNS {
            yield_now().await;
        }
    }
}

/// The host and the path of each probe of an account.
fn places(account: &Account) -> Vec<(String, String)> {
    let moment = Moment { now: SystemTime::now(), turn: 0 };
    let place = |shown: String| {
        let url: url::Url = shown.lines().next().unwrap().split_once(' ').unwrap().1.parse().unwrap();
        (url.host_str().unwrap().to_owned(), url.path().to_owned())
    };
    account.probes.iter().map(|probe| place(probe.shown(&moment))).collect()
}

/// The configuration with a wish for every probe to be made each second; and with two accounts at one host, of which
/// nobody says how often they may be asked.
fn greedy(configuration: &str) -> String {
    let all = accounts(configuration);
    let (before, generic) = configuration.split_once("[marketplace.targets.generic]").unwrap();
    let other = generic.replace("/api/health", "/api/orders");
    let mut text = format!("{before}[marketplace.targets.generic]{generic}\n[marketplace.targets.other]{other}");
    for (name, account) in &all {
        let wish = if name == "generic" { "15s" } else { "1s" };
        for probe in &account.probes {
            writeln!(text, "\n[marketplace.targets.{name}.probes.{}]\ninterval = '{wish}'", probe.name).unwrap();
        }
    }
    text + "\n[marketplace.targets.other.probes.http]\ninterval = '15s'\n"
}

#[tokio::test(start_paused = true)]
async fn an_hour_is_within_every_limit_however_much_is_wished_and_no_host_is_asked_by_two_at_once() {
    const HOUR: f64 = 3_600.0;
    // At the end everybody is slow, so that one probe is due while another waits for its answer.
    const SLOW: f64 = 3_000.0;
    let scenario = format!("[[step]]\nat = '{SLOW}s'\nlatency = {{ processing = '2s' }}\n");
    let town = Town::open(&scenario, greedy).await;
    pass(Duration::from_secs_f64(HOUR)).await;
    let requests = town.requests().await;
    assert_eq!(town.accounts.len(), 10);
    for (name, account) in &town.accounts {
        let found = at_once(town.found(name)).await;
        for (probe, place) in account.probes.iter().zip(places(account)) {
            let came: Vec<_> = requests.iter().filter(|one| (&one.host, &one.path) == (&place.0, &place.1)).collect();
            let (every, count) = (probe.pace.every.as_secs_f64(), f64::from(u32::try_from(came.len()).unwrap()));
            let shown = format!("{name}, {}: {count} requests, one each {every} s", probe.name);
            assert!(count >= 3.0, "{shown}");
            // No probe of the others may be made each second.
            let labels = [("marketplace", account.marketplace.as_str()), ("probe", &probe.name)];
            let is_clamped = f64::from(u8::from(account.marketplace != "generic"));
            assert!(
                every > 1.0 && found.number("marketplace_probe_interval_clamped", &labels) == is_clamped,
                "{shown}"
            );
            if let Some(documented) = &probe.documented {
                let share = documented.limit.budget_share.map_or(0.01, |share| share.0);
                let most = documented.limit.requests.0 * share * HOUR / documented.limit.per.0.as_secs_f64();
                // The first is at the start of the hour.
                assert!(count <= most + 1.0, "{shown}; {most} allowed");
            }
            let gaps: Vec<_> =
                came.windows(2).filter(|two| two[1].at < SLOW).map(|two| two[1].at - two[0].at).collect();
            let [least, longest] =
                [gaps.iter().copied().fold(f64::INFINITY, f64::min), gaps.iter().copied().fold(0.0, f64::max)];
            let limits = [every * (1.0 - JITTER) - SLACK, every * (1.0 + JITTER) + SLACK];
            assert!(least >= limits[0] && longest <= limits[1], "{shown}; gaps from {least} to {longest} s");
            assert!(gaps.len() < 30 || longest - least >= JITTER * every / 2.0 - SLACK, "{shown} in step");
            // All of it was answered as it should be, and counted.
            let labels = [labels[0], labels[1], ("result", "ok")];
            let under_way = count - found.number("marketplace_probe_results_total", &labels);
            assert!((0.0..=1.0).contains(&under_way), "{shown}; {under_way} of them not ok");
        }
    }
    let mut hosts = BTreeMap::<_, Vec<_>>::new();
    for one in &requests {
        hosts.entry(&one.host).or_default().push(one);
    }
    let mut waited = 0;
    for (host, came) in hosts {
        for two in came.windows(2) {
            assert!(two[0].answered <= two[1].at, "two at once at {host}: {two:?}");
            waited += usize::from(two[1].at - two[0].answered < SLACK);
        }
    }
    assert!(waited > 10, "only {waited} had to wait for another, which proves nothing");
}

#[tokio::test(start_paused = true)]
async fn whoever_says_for_how_long_is_left_alone_so_long_and_then_asked_again() {
    let wishes = [("n11", "seconds", "10m"), ("generic", "decimal", "600500ms"), ("ozon", "date", "10m")];
    let scenario: String = wishes
        .map(|(marketplace, form, wish)| {
            format!(
                "[[step]]\nmarketplace = '{marketplace}'\ntimes = 1\nscenario = 'rate_limited'\n\
                 retry_after = '{wish}'\nretry_after_as = '{form}'\n"
            )
        })
        .concat()
        + "[[step]]\nmarketplace = 'ciceksepeti'\ntimes = 1\nscenario = 'html_403'\n";
    let town = Town::open(&scenario, str::to_owned).await;
    pass(Duration::from_mins(20)).await;
    let requests = town.requests().await;
    let of = |marketplace: &str| -> Vec<_> {
        requests.iter().filter(|one| one.marketplace == marketplace).cloned().collect()
    };
    for (marketplace, status, reason, pause) in [
        ("n11", 429, "retry_after", 600.0),
        ("generic", 429, "retry_after", 600.5),
        ("ozon", 429, "retry_after", 600.0),
        // It says nothing; a quarter of an hour is what a wall is left alone for.
        ("ciceksepeti", 403, "blocked", 900.0),
    ] {
        let came = of(marketplace);
        assert_eq!(came[0].status, status, "{came:?}");
        // A date has whole seconds.
        let gap = came[1].at - came[0].at;
        let longest = town.accounts[marketplace].probes.iter().map(|probe| probe.pace.every).max().unwrap();
        let latest = pause + longest.as_secs_f64() * (1.0 + JITTER) + SLACK;
        assert!((pause - 1.0..latest).contains(&gap), "{marketplace} after {gap} s");
        assert!(came[1..].iter().all(|one| one.status == 200), "{came:?}");
        let found = at_once(town.found(marketplace)).await;
        let skipped: f64 = town.accounts[marketplace]
            .probes
            .iter()
            .map(|probe| {
                let labels = [("marketplace", marketplace), ("probe", probe.name.as_str()), ("reason", reason)];
                found.number("marketplace_probe_skipped_total", &labels)
            })
            .sum();
        assert!(skipped >= 5.0, "{marketplace}: {skipped} left out");
    }
    // Nobody else waits.
    let others = of("trendyol");
    assert!(others.windows(2).all(|two| two[1].at - two[0].at < 70.0), "{others:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_spared_until_their_file_changes() {
    let folder = folder();
    let secret = folder.path().join("secret");
    fs::write(&secret, "an old one").unwrap();
    let wrong = |configuration: &str| {
        let (before, rest) = configuration.split_once("app_secret = { file = \"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        // By headers, and in a body.
        let soap = "\n[marketplace.targets.n11.probes.soap]\nenabled = true\ninterval = '1m'\n";
        format!("{before}app_secret = {{ file = \"{}\"{after}{soap}", secret.display())
    };
    let town = Town::open("", wrong).await;
    pass(Duration::from_mins(4)).await;
    let asked = |requests: &[Request]| -> Vec<u64> {
        requests.iter().filter(|one| one.marketplace == "n11").map(|one| one.status).collect()
    };
    let statuses = asked(&town.requests().await);
    assert_eq!(statuses.len(), 2, "{statuses:?}");
    let found = at_once(town.found("n11")).await;
    let state = |found: &Found, state: &str| {
        found.number("marketplace_auth_state", &[("marketplace", "n11"), ("state", state)])
    };
    assert_eq!((state(&found, "rejected"), state(&found, "ok")), (1.0, 0.0));
    let labels = [("marketplace", "n11"), ("probe", "products"), ("reason", "auth_paused")];
    assert!(found.number("marketplace_probe_skipped_total", &labels) >= 1.0);

    fs::write(&secret, "simulated-n11-app-secret").unwrap();
    pass(Duration::from_secs(70)).await;
    let statuses = asked(&town.requests().await);
    assert!(statuses.len() > 2 && statuses[2..].iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(state(&at_once(town.found("n11")).await, "ok"), 1.0);
}
