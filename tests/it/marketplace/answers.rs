//! Answers that are errors in a marketplace's own way.

use expect_test::expect;

use super::outcomes::PATIENCE;
use super::watched::Watched;
use super::{PRESETS, accounts, configuration, with_one};
use crate::support::simulator::Simulator;

#[test]
fn an_error_that_comes_as_200_is_told_by_its_words() {
    let simulator = Simulator::start("");
    let mut table = String::new();
    for (preset, probe, step) in [
        ("ebay", "trading", "scenario = 'ok'"),
        ("ebay", "trading", "scenario = 'app_error'\nvariant = 'failure'"),
        ("ebay", "trading", "scenario = 'app_error'\nvariant = 'partial_failure'"),
        ("ebay", "trading", "scenario = 'app_error'\nvariant = 'warning'"),
        ("ebay", "trading", "scenario = 'rate_limited'\npath = '/ws/*'"),
        ("ebay", "trading", "scenario = 'wrong_key'\npath = '/ws/*'"),
        ("ebay", "trading", "token_ttl = '1ms'"),
        ("n11", "soap", "scenario = 'ok'"),
        ("n11", "soap", "scenario = 'app_error'\nvariant = 'failure'"),
        ("n11", "soap", "scenario = 'app_error'\nvariant = 'fault'"),
        ("n11", "soap", "scenario = 'app_error'\nvariant = 'fault_500'"),
        ("n11", "soap", "scenario = 'wrong_key'"),
        ("pazarama", "products", "scenario = 'app_error'\nvariant = 'unsuccessful'"),
        ("pazarama", "products", "scenario = 'app_error'\nvariant = 'maintenance'"),
        ("generic", "http", "scenario = 'app_error'"),
    ] {
        simulator.reset();
        let added = simulator.script(&format!("[[step]]\nmarketplace = '{preset}'\n{step}\n"));
        assert_eq!(added.status, 200, "{}", added.text());
        // What an API of one's own says, one's own target knows.
        let rule = "classify = [{ when = { json = '/errors' }, result = 'app_error', code_from = '/errors/0/code', \
                    codes = ['simulated'] }]";
        let rule = if preset == "generic" { rule } else { "" };
        let text = format!(
            "{}\n[marketplace.targets.{preset}.probes.{probe}]\nenabled = true\n{rule}\n",
            configuration(&simulator, PATIENCE)
        );
        let mut one = Watched::new(with_one(accounts(&text).remove(preset).unwrap(), probe));
        let (ended, _) = one.ask();
        let status = if one.responses("200") == 1.0 { "as 200" } else { "with its status" };
        let codes = ["518", "21916984", "21917053", "SELLER_API.authenticationFailed", "validation", "simulated"];
        let name = "marketplace_probe_app_errors_total";
        let told: Vec<_> = codes
            .into_iter()
            .chain(["other"])
            .filter(|code| {
                let labels = one.labels(&[("error_code", *code)]);
                one.last().get(name, &labels).is_some() && one.last().number(name, &labels) == 1.0
            })
            .collect();
        table += &format!("{preset}, {}: {ended} {status} {}\n", step.replace('\n', ", "), told.join(" "))
            .replace(" \n", "\n");
    }
    expect![[r#"
        ebay, scenario = 'ok': ok as 200
        ebay, scenario = 'app_error', variant = 'failure': app_error as 200 other
        ebay, scenario = 'app_error', variant = 'partial_failure': app_error as 200 other
        ebay, scenario = 'app_error', variant = 'warning': ok as 200
        ebay, scenario = 'rate_limited', path = '/ws/*': rate_limited as 200 518
        ebay, scenario = 'wrong_key', path = '/ws/*': auth_error as 200 21916984
        ebay, token_ttl = '1ms': auth_error as 200 21917053
        n11, scenario = 'ok': ok as 200
        n11, scenario = 'app_error', variant = 'failure': app_error as 200 other
        n11, scenario = 'app_error', variant = 'fault': app_error as 200
        n11, scenario = 'app_error', variant = 'fault_500': app_error with its status
        n11, scenario = 'wrong_key': auth_error as 200 SELLER_API.authenticationFailed
        pazarama, scenario = 'app_error', variant = 'unsuccessful': app_error as 200 validation
        pazarama, scenario = 'app_error', variant = 'maintenance': invalid_response as 200
        generic, scenario = 'app_error': app_error as 200 simulated
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_user_agent_that_is_not_the_one_that_is_wanted_is_told_from_a_wrong_key_where_the_marketplace_does() {
    let simulator = Simulator::start("");
    let ended = PRESETS.map(|(preset, probe)| {
        let text = format!(
            "{}\n[marketplace.targets.{preset}.probes.{probe}.headers]\nUser-Agent = 'somebody'\n",
            configuration(&simulator, PATIENCE)
        );
        let mut one = Watched::new(with_one(accounts(&text).remove(preset).unwrap(), probe));
        let (ended, _) = one.ask();
        // What nobody knows, the simulator does not do either.
        format!("{preset}: {}", if one.responses("418") > 0.0 { "unknown" } else { &ended })
    });
    for (preset, _) in PRESETS {
        let all = simulator.requests(preset);
        assert!(all.iter().all(|one| one["headers"].as_object().unwrap().contains_key("user-agent")), "{all:?}");
    }
    expect![[r#"
        amazon-sp-api: ok
        ciceksepeti: unknown
        ebay: ok
        generic: ok
        hepsiburada: auth_error
        n11: ok
        ozon: ok
        pazarama: ok
        trendyol: forbidden
    "#]]
    .assert_eq(&(ended.join("\n") + "\n"));
}
