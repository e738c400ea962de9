//! A shop with its shoppers, vitrin, what watches and calls, and those who are called: everything that a drill needs.
//!
//! What watches has the shipped files, in which a minute is a second ([`compress`]).

pub(crate) mod compress;
pub(crate) mod files;
pub(crate) mod heartbeat;
pub(crate) mod load;
pub(crate) mod marketplaces;
pub(crate) mod monitoring;
pub(crate) mod relay;
pub(crate) mod security;
pub(crate) mod shop;
pub(crate) mod sinks;
pub(crate) mod timeline;
pub(crate) mod vitrin;

use std::any::Any;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use self::compress::minutes;
use self::files::{ALERTMANAGER, PROMETHEUS, Substitution};
use self::load::Load;
use self::marketplaces::Marketplaces;
use self::monitoring::{Monitoring, Ports};
use self::shop::Shop;
use self::sinks::{Smtp, Web};
use self::timeline::{Labels, Timeline};
use self::vitrin::Vitrin;
use crate::support::daemon::eventually;

/// Numbers that are the machine's own affair while it drills: how busy, full and slow it is for other reasons. A drill
/// that is about one of them says its own.
const QUIET: &[(&str, &str)] =
    &[("HostCpuSaturated", "0.9999"), ("HostMemoryLow", "0.9999"), ("HostDiskFull", "0.9999")];

/// The alerts about the machine that are drilled. All others (its clock, its swap, its other owners) are silenced, as
/// during maintenance: what is wrong with the machine that drills is not the drill's affair.
const DRILLED: &str = "HostCpuSaturated|HostDiskFull|HostMemoryLow";

/// The running world.
pub(crate) struct World {
    pub(crate) timeline: Timeline,
    pub(crate) smtp: Smtp,
    pub(crate) web: Web,
    pub(crate) shop: Shop,
    pub(crate) load: Load,
    pub(crate) vitrin: Vitrin,
    /// Started for the first that asks.
    marketplaces: Option<Marketplaces>,
    /// Where Prometheus scrapes.
    pub(crate) page: u16,
    /// What Prometheus has beside the shipped rules the next time that it starts.
    pub(crate) rules: Option<&'static str>,
    /// Fresh for each drill: error budgets and silences of one are nothing to the next.
    pub(crate) monitoring: Option<Monitoring>,
    /// What a fault consists of, for as long as it lasts.
    held: Vec<Box<dyn Any>>,
}

impl World {
    pub(crate) fn start() -> Self {
        Self::start_with(|targets| targets)
    }

    /// The same, with more or other targets than drills have.
    pub(crate) fn start_with(targets: impl FnOnce(String) -> String) -> Self {
        let timeline = Timeline::new();
        let (smtp, web) = (Smtp::start(&timeline), Web::start(&timeline));
        let shop = Shop::start();
        let load = Load::on(shop.nginx.port);
        let vitrin = Vitrin::start(targets(shop.targets()), &objectives(&[]));
        let page = relay::start(vitrin.port);
        Self {
            timeline,
            smtp,
            web,
            shop,
            load,
            vitrin,
            marketplaces: None,
            page,
            rules: None,
            monitoring: None,
            held: Vec::new(),
        }
    }

    /// A fresh Prometheus and Alertmanager, once they have seen the shop well.
    pub(crate) fn watch(&mut self, thresholds: &[(&str, &str)]) {
        self.look(thresholds);
        let matcher = |name, value, equal| json!({"name": name, "value": value, "isRegex": true, "isEqual": equal});
        let machine = [matcher("component", "host", true), matcher("alertname", DRILLED, false)];
        self.monitoring().silence_all(&machine, minutes(24.0 * 60.0), 0);
        // The longest window of an alert's rate, so that nothing is judged by half of it.
        self.timeline.pass(minutes(5.0));
        self.expect_calm();
    }

    /// A fresh Prometheus and Alertmanager, once they know the shop.
    pub(crate) fn look(&mut self, thresholds: &[(&str, &str)]) {
        self.monitoring = None;
        self.promise(thresholds);
        let ports = Ports::of(1);
        self.monitoring = Some(Monitoring::start(
            &ports,
            |which| substitutions(&ports, which, self.page, self.smtp.port, self.web.port, &self.shop.password()),
            self.rules,
        ));
        eventually("Prometheus to know the shop", || !self.monitoring().query("up{job=\"vitrin\"} == 1").is_empty());
    }

    /// Waits until no alert is pending or firing, and fails with what does not go away.
    #[track_caller]
    pub(crate) fn expect_calm(&self) {
        self.until_none(|_| true);
    }

    /// The same of these alerts alone, and their copies.
    #[track_caller]
    pub(crate) fn expect_calm_of(&self, alerts: &[&str]) {
        self.until_none(|labels| {
            let name = labels.get("origin").unwrap_or(&labels["alertname"]);
            alerts.contains(&name.as_str())
        });
    }

    #[track_caller]
    fn until_none(&self, counts: impl Fn(&Labels) -> bool) {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let open: Vec<_> = self.firing().into_iter().filter(&counts).collect();
            if open.is_empty() {
                return;
            }
            assert!(
                Instant::now() < end,
                "the shop is not well: {open:#?}\nvitrin says:\n{}",
                self.vitrin.daemon.log()
            );
            self.timeline.pass(minutes(0.25));
        }
    }

    /// What fires now, or soon will.
    pub(crate) fn firing(&self) -> Vec<Labels> {
        let alerts = self.monitoring().query("ALERTS{alertname!=\"Watchdog\", severity!=\"info\"}");
        alerts.into_iter().map(|(labels, _)| labels).filter(is_of_the_shop).collect()
    }

    /// Keeps this until [`World::let_go`].
    pub(crate) fn hold(&mut self, what: impl Any) {
        self.held.push(Box::new(what));
    }

    pub(crate) fn let_go(&mut self) {
        self.held.clear();
    }

    /// Gives the shop these thresholds over the quiet ones, by a reload.
    pub(crate) fn promise(&self, thresholds: &[(&str, &str)]) {
        self.vitrin.promise(&objectives(thresholds));
    }

    /// Has vitrin watch these targets, too, in place of those that it was told so of before; by the quiet thresholds.
    pub(crate) fn also(&mut self, targets: String) {
        if self.vitrin.also(targets) {
            self.promise(&[]);
        }
    }

    /// The simulated marketplaces.
    pub(crate) fn marketplaces(&mut self) -> &Marketplaces {
        self.marketplaces.get_or_insert_with(Marketplaces::start)
    }

    #[track_caller]
    pub(crate) fn monitoring(&self) -> &Monitoring {
        self.monitoring.as_ref().expect("a drill watches before it breaks anything")
    }

    #[track_caller]
    pub(crate) fn monitoring_mut(&mut self) -> &mut Monitoring {
        self.monitoring.as_mut().expect("a drill watches before it breaks anything")
    }

    /// Which alerts fired since then, by name and level: also those that called nobody.
    pub(crate) fn fired(&self, begin: Instant) -> Vec<Labels> {
        let range = format!("{}ms", begin.elapsed().as_millis());
        let alerts = format!("ALERTS{{alertstate=\"firing\", esc2=\"\", alertname!=\"Watchdog\"}}[{range}]");
        let fired = self.monitoring().query(&format!("max_over_time({alerts})"));
        fired.into_iter().map(|(labels, _)| labels).filter(is_of_the_shop).collect()
    }
}

/// Whether an alert is not one of those about the machine that are silenced.
fn is_of_the_shop(labels: &Labels) -> bool {
    let name = labels.get("origin").unwrap_or(&labels["alertname"]);
    labels.get("component").is_none_or(|component| component != "host")
        || DRILLED.split('|').any(|drilled| drilled == name)
}

/// `[objectives]` with these thresholds over the quiet ones.
fn objectives(thresholds: &[(&str, &str)]) -> String {
    let quiet = QUIET.iter().filter(|(alert, _)| thresholds.iter().all(|(other, _)| alert != other));
    let lines = quiet.chain(thresholds).map(|(alert, value)| format!("{alert} = {value}\n"));
    // How secure the machine that drills is, is not the drill's affair either.
    format!(
        "[objectives]\nhttp_latency = '2s'\nsecurity_score = 1\n[objectives.thresholds]\n{}",
        lines.collect::<String>()
    )
}

/// All that differs between the shipped files and a drill's beside the time, for one of a pair: addresses, and how mail is
/// sent.
pub(crate) fn substitutions(
    ports: &Ports,
    which: usize,
    page: u16,
    smtp: u16,
    web: u16,
    secret: &Path,
) -> Vec<Substitution> {
    let at = |port: u16| format!("127.0.0.1:{port}");
    let list = |ports: &[u16]| format!("[{}]", ports.iter().map(|port| at(*port)).collect::<Vec<_>>().join(", "));
    let prometheus = |shipped: &str, drill: String| Substitution::new(PROMETHEUS, shipped, drill);
    let alertmanager = |shipped: &str, drill: String| Substitution::new(ALERTMANAGER, shipped, drill);
    let mut all = vec![
        prometheus("[127.0.0.1:22100]", list(&[page])),
        prometheus("[127.0.0.1:9090]", list(&ports.prometheus)),
        prometheus("[127.0.0.1:9093]", list(&ports.alertmanagers)),
        prometheus("- 127.0.0.1:9093\n", format!("- {}\n", at(ports.alertmanagers[0]))),
        alertmanager(
            "smtp_smarthost: mail.example.com:587",
            format!("smtp_smarthost: {}\n  smtp_require_tls: false", at(smtp)),
        ),
        alertmanager("/etc/alertmanager/secrets/smtp", secret.display().to_string()),
        alertmanager("http://127.0.0.1:9467", format!("http://{}", at(web))),
        alertmanager("https://deadman.example.com/vitrin", format!("http://{}/ping", at(web))),
    ];
    if let [_, second] = ports.alertmanagers[..] {
        all.push(prometheus("#- 10.0.0.2:9093", format!("- {}", at(second))));
    }
    if which > 0 {
        all.push(prometheus("replica: a", "replica: b".to_owned()));
    }
    all
}

/// Lets what runs from here on, servers included, go before what else is busy on this machine: a minute is a second, and
/// a build that takes both cores for half of one would be an outage. Only root can, and only where the kernel lets it.
pub(crate) fn go_first() {
    rustix::process::setpriority_process(None, -10).ok();
    // The scheduler shares the processor between sessions first, where it groups by them.
    std::fs::write("/proc/self/autogroup", "-10").ok();
}

/// What must hold of the files, alone and as a pair: nothing that a drill changes in them cannot be changed back.
pub(crate) fn claims() {
    for (count, which) in [(1, 0), (2, 0), (2, 1)] {
        files::claims(&substitutions(&Ports::of(count), which, 1, 2, 3, Path::new("/drill/secret")));
    }
}
