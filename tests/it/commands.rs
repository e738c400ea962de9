//! The commands beside serving: what they print, and their exit codes.

use std::fs;
use std::process::{Command, Output};

use crate::support::broken::{Answer, Broken, refusing};
use crate::support::daemon::folder;
use crate::support::exporter::Exporter;
use crate::support::redis::RedisServer;
use crate::support::scrape::Page;

fn vitrin(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vitrin")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn collect_prints_one_target_and_how_it_went() {
    let redis = RedisServer::start(&[]);
    let (folder, nobody) = (folder(), refusing());
    let file = folder.path().join("vitrin.toml");
    let config =
        format!("[redis.targets.main]\nurl = '{}'\n[redis.targets.gone]\nurl = 'redis://{nobody}'\n", redis.url());
    fs::write(&file, config).unwrap();
    let collect = |job| vitrin(&["collect", job, "--config.file", &file.display().to_string()]);

    let up = collect("redis/main");
    assert_eq!(up.status.code(), Some(0), "{up:?}");
    assert_eq!(Page::parse(text(&up.stdout)).unwrap().number("redis_up", &[]), 1.0);
    assert!(text(&up.stderr).starts_with("redis/main: "), "{up:?}");

    let down = collect("redis/gone");
    assert_eq!(down.status.code(), Some(1), "{down:?}");
    assert_eq!(Page::parse(text(&down.stdout)).unwrap().number("redis_up", &[("target", "gone")]), 0.0);
    let why = format!("down (connect): connecting to redis://{nobody}: Connection refused (os error 111)\n");
    assert!(text(&down.stderr).ends_with(&why), "{down:?}");

    let unknown = collect("redis/cache");
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    expect_test::expect![[r#"
        `redis/cache` is not configured
          hint: there are host/main, redis/gone, redis/main
    "#]]
    .assert_eq(text(&unknown.stderr));
}

#[test]
fn security_views_are_printed_for_names_that_sql_cannot_misread() {
    let views = |schema| {
        vitrin(&["security-views", "--server", "mysql", "--schema", schema, "--prefix", "xy_", "--account", "buyer"])
    };
    let printed = views("store");
    let sql = text(&printed.stdout);
    assert_eq!(printed.status.code(), Some(0), "{printed:?}");
    assert!(sql.contains("FROM `store`.`xy_user`") && sql.contains("'buyer' AS account"), "{sql}");
    assert!(sql.ends_with("GRANT SELECT ON vitrin_security.* TO 'vitrin'@'localhost';\n"), "{sql}");

    let refused = views("a`; DROP SCHEMA store; --");
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(2), ""), "{refused:?}");
}

#[test]
fn health_says_whether_a_vitrin_answers() {
    let exporter = Exporter::start("");
    let backend = Broken::tcp(Answer::then_close(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"));
    for (address, code, words) in [
        (exporter.address(), 0, "is alive"),
        (backend.address(), 1, "is no healthy Vitrin"),
        (refusing(), 1, "No answer from"),
    ] {
        let health = vitrin(&["health", "--web.listen-address", &address.to_string()]);
        assert_eq!(health.status.code(), Some(code), "{health:?}");
        assert!(text(&health.stdout).contains(words), "{health:?}");
    }
}

#[test]
fn metrics_prints_the_catalogue() {
    let markdown = vitrin(&["metrics"]);
    assert_eq!(text(&markdown.stdout), vitrin::cli::markdown());
    let json: Vec<serde_json::Value> = serde_json::from_slice(&vitrin(&["metrics", "--format=json"]).stdout).unwrap();
    assert_eq!(json.len(), vitrin::collectors::catalogue().len());
    assert!(json.iter().all(|family| family["name"].is_string() && family["help"].is_string()));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let head = Command::new("bash")
        .args(["-c", "set -o pipefail; \"$1\" metrics | head -n 1", "bash", env!("CARGO_BIN_EXE_vitrin")])
        .output()
        .unwrap();
    assert_eq!((head.status.code(), text(&head.stdout)), (Some(0), "# Metrics\n"), "{head:?}");
}

#[test]
fn init_replaces_no_file_unless_told_to() {
    let folder = folder();
    let (file, procfs) = (folder.path().join("etc/vitrin.toml"), folder.path().join("proc"));
    let init = |more: &[&str]| {
        let (root, file) = (folder.path().display(), file.display());
        let flags = ["config.file", "path.procfs", "path.rootfs"].iter().zip([file, procfs.display(), root]);
        let flags: Vec<_> = flags.map(|(flag, path)| format!("--{flag}={path}")).collect();
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let output = vitrin(&[&["init"], &flags[..], more].concat());
        let words = text(&output.stderr).replace(&folder.path().display().to_string(), "FOLDER");
        (output.status.code(), words, text(&output.stdout).to_owned())
    };
    let (code, words, _) = init(&[]);
    assert_eq!(code, Some(0));
    expect_test::expect![[r#"
        wrote FOLDER/etc/vitrin.toml: host/main
        next: vitrin check --config.file=FOLDER/etc/vitrin.toml
    "#]]
    .assert_eq(&words);
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(init(&["--stdout"]).2, written);

    fs::write(&file, "mine").unwrap();
    let (code, words, _) = init(&[]);
    assert_eq!((code, fs::read_to_string(&file).unwrap().as_str()), (Some(2), "mine"));
    expect_test::expect![[r#"
        FOLDER/etc/vitrin.toml is there already
          hint: see what would be written with --stdout, replace it with --force, or name another file with --config.file
    "#]].assert_eq(&words);
    assert_eq!(init(&["--force"]).0, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn a_manifest_is_what_coreutils_checks() {
    let folder = folder();
    let shop = folder.path().join("shop");
    for name in ["system/startup.php", "catalog/controller/home.php", "image/photo.php", "index.php", "image/logo.svg"]
    {
        let file = shop.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    let manifest = vitrin(&["manifest", &shop.display().to_string()]);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    // An OpenCart writes into its `image`.
    let files = ["catalog/controller/home.php", "index.php", "system/startup.php"];
    let expected = files.map(|file| format!("{empty}  {file}\n")).concat();
    assert_eq!((manifest.status.code(), text(&manifest.stdout)), (Some(0), &*expected), "{manifest:?}");
    fs::write(folder.path().join("shop.sha256"), &manifest.stdout).unwrap();
    let check = Command::new("sha256sum").args(["--check", "--strict", "../shop.sha256"]).current_dir(&shop).output();
    assert!(check.expect("sha256sum is of the package coreutils").status.success());

    let none = vitrin(&["manifest", &folder.path().join("none").display().to_string()]);
    assert_eq!((none.status.code(), text(&none.stdout)), (Some(2), ""), "{none:?}");
}
