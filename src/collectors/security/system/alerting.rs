//! Whether silence of the alerting would be noticed (MON-08): an alert that always fires, and somebody who gets it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::super::config::Config;
use super::super::seen::Seen;
use super::super::verdict::{Cause, Known, Unknown, Verdict};
use super::http::get;
use crate::config::types::WebUrl;
use crate::net::threads::Threads;

/// What the alert is called, here as in most rules.
const ALERT: &str = "Watchdog";

/// The most Alertmanagers that are asked.
const ALERTMANAGERS: usize = 4;

/// What Prometheus and Alertmanager say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alerting {
    /// Whether the alert fires.
    pub(crate) is_firing: bool,
    /// Who gets it: the receivers that Alertmanager has for it and that lead somewhere.
    pub(crate) receivers: Known<Vec<String>>,
}

/// An answer of Prometheus'.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    labels: Labels,
    state: String,
}

#[derive(Deserialize)]
struct Labels {
    alertname: Option<String>,
}

#[derive(Deserialize)]
struct Alertmanagers {
    #[serde(rename = "activeAlertmanagers")]
    active: Vec<Alertmanager>,
}

#[derive(Deserialize)]
struct Alertmanager {
    url: WebUrl,
}

/// An alert as Alertmanager has it.
#[derive(Deserialize)]
struct Routed {
    receivers: Vec<Name>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Status {
    config: Original,
}

#[derive(Deserialize)]
struct Original {
    original: String,
}

/// Asks both, where the configuration says where Prometheus is.
pub(super) async fn ask(config: &Config, threads: &Threads) -> Known<Alerting> {
    let Some(alerting) = &config.alerting else {
        let why = "where Prometheus is has not been said: [security] alerting.prometheus_url";
        return Err(Unknown::new(Cause::NotConfigured, why));
    };
    let base = folder(alerting.prometheus_url.0.clone());
    let Alerts { alerts } = fetched::<Answer<_>>(&below(&base, "api/v1/alerts")?, threads).await?.data;
    let fires = |alert: &Alert| alert.labels.alertname.as_deref() == Some(ALERT) && alert.state == "firing";
    let is_firing = alerts.iter().any(fires);
    let receivers = if is_firing { receivers(&base, threads).await } else { Ok(Vec::new()) };
    Ok(Alerting { is_firing, receivers })
}

async fn receivers(prometheus: &Url, threads: &Threads) -> Known<Vec<String>> {
    let Alertmanagers { active } =
        fetched::<Answer<_>>(&below(prometheus, "api/v1/alertmanagers")?, threads).await?.data;
    let mut found = BTreeSet::new();
    let mut silent = None;
    for Alertmanager { url } in active.into_iter().take(ALERTMANAGERS) {
        // Where alerts are sent; the rest of its API is beside that.
        match of_one(&url.0, threads).await {
            Ok(names) => found.extend(names),
            Err(unknown) => silent = Some(unknown),
        }
    }
    // One of several that nobody can ask may have the receiver that the others lack.
    match silent {
        Some(unknown) if found.is_empty() => Err(unknown),
        _ => Ok(found.into_iter().collect()),
    }
}

/// The receivers that one Alertmanager sends the alert to, and that lead somewhere.
async fn of_one(alerts: &Url, threads: &Threads) -> Known<Vec<String>> {
    let mut filtered = alerts.clone();
    filtered.query_pairs_mut().append_pair("filter", &format!("alertname=\"{ALERT}\""));
    let routed: Vec<Routed> = fetched(&filtered, threads).await?;
    let Status { config } = fetched(&below(alerts, "status")?, threads).await?;
    let Some(leading) = leading(&config.original) else {
        return Err(Unknown::new(Cause::Unparsable, "Alertmanager's configuration is not understood"));
    };
    let names = routed.into_iter().flat_map(|alert| alert.receivers).map(|receiver| receiver.name);
    Ok(names.filter(|name| leading.contains(name)).collect())
}

/// The receivers of a configuration that have a way to send what they get.
pub(super) fn leading(configuration: &str) -> Option<BTreeSet<String>> {
    let configuration: Value = serde_saphyr::from_str(configuration).ok()?;
    let receivers = configuration.get("receivers")?.as_array()?;
    let is_way = |(name, ways): (&String, &Value)| {
        name.ends_with("_configs") && ways.as_array().is_some_and(|ways| !ways.is_empty())
    };
    let leads = |receiver: &&Value| receiver.as_object().is_some_and(|receiver| receiver.iter().any(is_way));
    let name = |receiver: &Value| receiver.get("name")?.as_str().map(str::to_owned);
    Some(receivers.iter().filter(leads).filter_map(name).collect())
}

async fn fetched<T: DeserializeOwned>(url: &Url, threads: &Threads) -> Known<T> {
    let bytes = get(url, threads).await?;
    // serde_json's message may quote what is in the answer.
    serde_json::from_slice(&bytes)
        .map_err(|_| Unknown::new(Cause::Unparsable, format!("what {} answers is not understood", url.path())))
}

/// An address that names lead below from.
fn folder(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

fn below(base: &Url, path: &str) -> Known<Url> {
    let mut url = base.join(path).map_err(|_| Unknown::new(Cause::Unparsable, "no such address"))?;
    url.set_query(None);
    Ok(url)
}

/// Judges MON-08. Half of it is an alert that always fires and that nobody gets.
pub(super) fn judge(seen: &Seen) -> Verdict {
    let alerting = match &seen.system.alerting {
        Ok(alerting) => alerting,
        Err(unknown) => return unknown.into(),
    };
    if !alerting.is_firing {
        let fix = "# among the rules of Prometheus\n- alert: Watchdog\n  expr: vector(1)\n  labels: { severity: none }";
        return Verdict::fail(format!("no alert {ALERT} fires in Prometheus"), fix);
    }
    match &alerting.receivers {
        Err(unknown) => unknown.into(),
        Ok(receivers) if receivers.is_empty() => {
            let fix = "# in Alertmanager's route: a service that calls when it is not called any more\n\
                       - matchers: [alertname = \"Watchdog\"]\n  receiver: heartbeat\n  repeat_interval: 1m";
            Verdict::partial(
                format!("{ALERT} fires, and no receiver of Alertmanager's gets it that leads anywhere"),
                fix,
            )
        }
        Ok(receivers) => Verdict::pass(format!("{ALERT} fires, and goes to {}", receivers.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::verdict::State;
    use super::super::tests::seen;
    use super::*;

    #[test]
    fn a_receiver_leads_somewhere_when_it_has_a_way() {
        let text = "route: { receiver: nobody }\nreceivers:\n- name: nobody\n- name: heartbeat\n  webhook_configs:\n  \
                    - url: <secret>\n- name: empty\n  email_configs: []\n";
        assert_eq!(leading(text), Some(BTreeSet::from(["heartbeat".to_owned()])));
        assert_eq!((leading("receivers: 7"), leading(": [")), (None, None));
    }

    #[test]
    fn it_takes_an_alert_and_somebody_who_gets_it() {
        let state = |is_firing, receivers: Known<Vec<String>>| {
            let mut seen = seen();
            seen.system.alerting = Ok(Alerting { is_firing, receivers });
            judge(&seen).state
        };
        assert_eq!(state(true, Ok(vec!["heartbeat".into()])), State::Pass);
        assert_eq!(state(true, Ok(vec![])), State::Partial);
        assert_eq!(state(false, Ok(vec![])), State::Fail);
        let unreachable = Err(Unknown::new(Cause::Unreachable, "x"));
        assert_eq!(state(true, unreachable), State::Unknown(Cause::Unreachable));
    }

    #[tokio::test]
    async fn where_nothing_is_said_nothing_is_asked() {
        let unknown = ask(&Config::default(), &Threads::default()).await.unwrap_err();
        assert_eq!(unknown.cause, Cause::NotConfigured);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([a-z:\\-{}\\[\\] &*]|\n|receivers:\n- ){0,60}") {
            leading(&text);
        }
    }
}
