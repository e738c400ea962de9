//! `docker-compose.yml` and `Dockerfile`, as far as a machine without an engine can try them: by Docker Compose itself, by
//! the real programs with the arguments that their services have, and in containers that are made by hand.

mod checks;
mod container;
mod image;
mod model;
mod running;
mod spoiled;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use model::Model;

use crate::support::daemon::{copy, folder};
use crate::support::document::Document;

/// The repository.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn without_a_profile_the_shop_of_this_machine_is_watched() {
    let shop = Model::shop(here()).unwrap();
    assert_eq!(shop.names(), ["alertmanager", "grafana", "prometheus", "vitrin"]);
}

#[test]
fn the_demo_is_the_same_four_and_a_shop_with_shoppers() {
    let demo = Model::demo(here()).unwrap();
    let names: BTreeSet<_> = demo.names().into_iter().map(|name| name.strip_prefix("demo-").unwrap_or(name)).collect();
    let four = ["alertmanager", "grafana", "prometheus", "vitrin"];
    let shop = ["load", "mail", "mariadb", "php", "redis", "shop"];
    assert_eq!(names, four.into_iter().chain(shop).collect());
    let shop = Model::shop(here()).unwrap();
    for name in four {
        let (ours, theirs) = (shop.service(name), demo.service(&format!("demo-{name}")));
        assert_eq!(ours.text("image"), theirs.text("image"), "{name}");
    }
}

#[test]
fn every_service_is_of_one_version_confined_and_asked_how_it_is() {
    for model in [Model::shop(here()), Model::demo(here())].map(Result::unwrap) {
        let complaints: Vec<_> = checks::ALL.iter().flat_map(|check| check(&model)).collect();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

#[test]
fn the_shipped_prometheus_scrapes_what_listens() {
    let shop = Model::shop(here()).unwrap();
    let text = fs::read_to_string(here().join("prometheus/prometheus.yml")).unwrap();
    for (service, port) in [("vitrin", 22100), ("prometheus", 9090), ("alertmanager", 9093)] {
        let address = format!("127.0.0.1:{port}");
        assert!(text.contains(&format!("- targets: [{address}]")), "{address} is not scraped");
        let flag = format!("--web.listen-address={address}");
        assert!(
            shop.service(service).texts("command").contains(&flag.as_str()),
            "{service} does not listen on {address}"
        );
    }
}

/// A variable of whoever starts it: where the shop's own configuration lies, for example.
#[test]
fn what_an_operator_may_set_is_put_in_its_place() {
    let folder = folder();
    let shop = folder.path().join("shop");
    fs::create_dir(&shop).unwrap();
    for file in ["docker-compose.yml", ".env"] {
        copy(&here().join(file), &shop.join(file));
    }
    let mut set = fs::read_to_string(here().join(".env")).unwrap();
    set.push_str(Document::read("docs/docker.md").block("env"));
    fs::write(shop.join(".env"), &set).unwrap();
    let model = Model::shop(&shop).unwrap();
    let text = model.services.iter().map(|service| service.value.to_string()).collect::<String>();
    for (name, value) in
        set.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| *name != "COMPOSE_PROFILES")
    {
        let shipped = fs::read_to_string(here().join("docker-compose.yml")).unwrap();
        assert!(shipped.contains(&format!("${{{name}:-")), "{name} is asked for nowhere");
        assert!(text.contains(value), "{name}={value} came nowhere");
    }
}

/// Each example of an override file is one that Docker Compose takes, and costs nothing of what is promised.
#[test]
fn the_document_s_overrides_fit() {
    let document = Document::read("docs/docker.md");
    let overrides: Vec<_> = document.names().into_iter().filter(|name| name.starts_with("override-")).collect();
    assert!(overrides.len() >= 2, "{overrides:?}");
    for name in overrides {
        let folder = folder();
        let file = folder.path().join("override.yml");
        fs::write(&file, document.block(name)).unwrap();
        let files = ["--file=docker-compose.yml", &format!("--file={}", file.display())];
        let model = Model::read(here(), &files).unwrap_or_else(|words| panic!("{name}: {words}"));
        // What an operator mounts is the operator's.
        let checks = checks::ALL.iter().flat_map(|check| check(&model));
        let complaints: Vec<_> = checks.filter(|complaint| !complaint.contains("is neither ours nor")).collect();
        assert!(complaints.is_empty(), "{name}: {}", complaints.join("\n"));
    }
}
