//! Shops on disk, from their files to what is known of them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;

use expect_test::{Expect, expect};

use super::*;

/// A recorded machine, whose shop is in `/srv/shop`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/security/shop").join(name)
}

/// A copy of it that may be changed.
fn copied(name: &str) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(name), folder.path());
    folder
}

fn look(machine: &Path) -> Shop {
    Shop::look(machine, Path::new("/srv/shop"), None).unwrap()
}

/// What is known of a shop, in the parts that do not depend on who has checked the repository out.
fn shown(shop: &Shop) -> String {
    let mut text = String::new();
    let files: Vec<_> = shop.configurations.iter().map(|mode| &mode.path).collect();
    for (name, value) in [
        ("engine", format!("{:?}", shop.engine)),
        ("base", format!("{:?}", shop.base)),
        ("admin", format!("{:?}", shop.admin)),
        ("storage", known(&shop.storage)),
        ("installer", format!("{:?}", shop.installer)),
        ("exposed", known(&shop.exposed)),
        ("written", format!("{:?}", shop.written)),
        ("configurations", format!("{files:?}")),
        ("redis", known(&shop.redis)),
        ("database", known(&shop.database)),
    ] {
        writeln!(text, "{name}: {value}").unwrap();
    }
    text
}

fn known<T: std::fmt::Debug>(known: &Known<T>) -> String {
    match known {
        Ok(value) => format!("{value:?}"),
        Err(unknown) => format!("{}: {}", unknown.cause.as_str(), unknown.why),
    }
}

fn expect_shop(name: &str, expected: &Expect) {
    let shop = look(&fixture(name));
    expected.assert_eq(&shown(&shop));
    assert_eq!(shop.uses_redis, shop.redis != Ok(None));
    // Not a password anywhere, whatever a later field shows.
    assert!(!format!("{shop:?}").contains("canary") && !serde_json::to_string(&shop).unwrap().contains("canary"));
}

#[test]
fn an_opencart_3_is_known() {
    expect_shop(
        "opencart-3.0.3",
        &expect![[r#"
            engine: OpenCart(Some((3, 0, 3)))
            base: "/srv/shop"
            admin: Some("/admin/")
            storage: Some("/srv/shop/system/storage")
            installer: Some("/install/index.php")
            exposed: []
            written: ["/image/", "/image/cache/", "/system/storage/", "/system/storage/upload/", "/system/storage/download/", "/system/storage/logs/"]
            configurations: ["/srv/shop/config.php", "/srv/shop/admin/config.php"]
            redis: None
            database: Some(DatabaseUse { user: Some("shop"), host: Some("localhost"), name: Some("opencart"), port: Some(3306), prefix: Some("oc_") })
        "#]],
    );
}

#[test]
fn an_opencart_4_0_is_known() {
    expect_shop(
        "opencart-4.0.2",
        &expect![[r#"
            engine: OpenCart(Some((4, 0, 2)))
            base: "/srv/shop"
            admin: Some("/admin/")
            storage: Some("/srv/shop/system/storage")
            installer: None
            exposed: []
            written: ["/image/", "/image/cache/", "/system/storage/", "/system/storage/upload/", "/system/storage/download/", "/system/storage/logs/"]
            configurations: ["/srv/shop/config.php", "/srv/shop/admin/config.php"]
            redis: None
            database: Some(DatabaseUse { user: Some("shop"), host: Some("localhost"), name: Some("opencart"), port: Some(3306), prefix: Some("oc_") })
        "#]],
    );
}

#[test]
fn an_opencart_4_1_with_everything_moved_is_known() {
    expect_shop(
        "opencart-4.1.0",
        &expect![[r#"
            engine: OpenCart(Some((4, 1, 0)))
            base: "/srv/shop"
            admin: Some("/backoffice/")
            storage: Some("/srv/storage")
            installer: None
            exposed: []
            written: ["/image/", "/image/cache/"]
            configurations: ["/srv/shop/config.php", "/srv/shop/backoffice/config.php"]
            redis: Some(RedisUse { host: Some("cache.internal"), port: Some(6379) })
            database: Some(DatabaseUse { user: Some("shop"), host: Some("localhost"), name: Some("opencart"), port: Some(3306), prefix: Some("oc_") })
        "#]],
    );
}

#[test]
fn a_wordpress_is_known() {
    expect_shop(
        "wordpress",
        &expect![[r#"
            engine: WordPress
            base: "/srv/shop"
            admin: Some("/wp-admin/")
            storage: None
            installer: None
            exposed: []
            written: ["/wp-content/uploads/"]
            configurations: ["/srv/shop/wp-config.php"]
            redis: Some(RedisUse { host: Some("/run/redis/redis.sock"), port: None })
            database: Some(DatabaseUse { user: Some("blog"), host: Some("db.internal"), name: Some("blog"), port: Some(3307), prefix: Some("wp_") })
        "#]],
    );
}

#[test]
fn a_magento_is_known() {
    expect_shop(
        "magento-2.4",
        &expect![[r#"
            engine: Magento
            base: "/srv/shop"
            admin: Some("/admin_k3v9/")
            storage: Some("/srv/shop/var")
            installer: None
            exposed: []
            written: ["/pub/media/", "/pub/static/", "/var/"]
            configurations: ["/srv/shop/app/etc/env.php"]
            redis: Some(RedisUse { host: Some("tls://sessions.internal"), port: Some(6380) })
            database: Some(DatabaseUse { user: Some("magento"), host: Some("127.0.0.1"), name: Some("magento"), port: Some(3307), prefix: Some("m2_") })
        "#]],
    );
    let shop = Shop::look(&fixture("magento-2.4"), Path::new("/srv/shop/pub"), Some("office")).unwrap();
    assert_eq!((shop.base, shop.admin), ("/srv/shop".into(), Some("/office/".to_owned())));
    assert_eq!(shop.written, ["/media/", "/static/"]);
    assert_eq!(shop.written_folders.len(), 3);
}

#[test]
fn of_an_unknown_shop_only_what_lies_about_is_known() {
    expect_shop(
        "unknown",
        &expect![[r#"
            engine: Other
            base: "/srv/shop"
            admin: None
            storage: unsupported: the shop is none of OpenCart, WordPress and Magento, whose files are known
            installer: None
            exposed: []
            written: []
            configurations: []
            redis: unsupported: the shop is none of OpenCart, WordPress and Magento, whose files are known
            database: unsupported: the shop is none of OpenCart, WordPress and Magento, whose files are known
        "#]],
    );
    assert!(look(&fixture("unknown")).code.is_err());
}

#[test]
fn an_administration_is_found_by_its_configuration_and_not_by_its_name() {
    let machine = copied("opencart-4.1.0");
    let shop = machine.path().join("srv/shop");
    fs::create_dir(shop.join("admin")).unwrap();
    assert_eq!(look(machine.path()).admin.as_deref(), Some("/backoffice/"));
    // What says that it is somewhere else is no administration.
    fs::write(shop.join("admin/config.php"), "<?php define('DIR_APPLICATION', '/srv/shop/other/');").unwrap();
    assert_eq!(look(machine.path()).admin.as_deref(), Some("/backoffice/"));
    fs::write(shop.join("backoffice/config.php"), "<?php // define('DIR_APPLICATION', '/srv/shop/backoffice/');")
        .unwrap();
    assert_eq!(look(machine.path()).admin, None);
    assert_eq!(Shop::look(machine.path(), Path::new("/srv/shop"), Some("/x")).unwrap().admin.as_deref(), Some("/x/"));
}

#[test]
fn a_storage_is_where_its_links_lead() {
    let machine = copied("opencart-4.0.2");
    let root = machine.path();
    fs::rename(root.join("srv/shop/system/storage"), root.join("srv/storage")).unwrap();
    symlink("/srv/storage", root.join("srv/shop/system/storage")).unwrap();
    assert_eq!(look(root).storage, Ok(Some("/srv/storage".into())));
    fs::rename(root.join("srv/shop"), root.join("srv/release-7")).unwrap();
    symlink("release-7", root.join("srv/shop")).unwrap();
    assert_eq!(look(root).root, Path::new("/srv/release-7"));
}

#[test]
fn what_only_running_the_configuration_tells_is_unknown() {
    let machine = copied("opencart-3.0.3");
    let file = machine.path().join("srv/shop/config.php");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("DIR_SYSTEM . 'storage/'", "getenv('STORAGE') . '/'")).unwrap();
    // That of the administration says the same, and is plain.
    assert_eq!(look(machine.path()).storage, Ok(Some("/srv/shop/system/storage".into())));
    fs::remove_file(machine.path().join("srv/shop/admin/config.php")).unwrap();
    assert_eq!(look(machine.path()).storage.unwrap_err().cause, Cause::Unparsable);
    fs::write(&file, "").unwrap();
    let shop = look(machine.path());
    assert_eq!((shop.storage.unwrap_err().cause, shop.database), (Cause::Unparsable, Ok(None)));
    assert!(shop.written.contains(&"/system/storage/upload/".to_owned()), "{:?}", shop.written);
}

#[test]
fn a_wordpress_without_a_configuration_is_anybodys_to_set_up() {
    let machine = copied("wordpress");
    fs::remove_file(machine.path().join("srv/shop/wp-config.php")).unwrap();
    let shop = look(machine.path());
    assert_eq!(shop.installer.as_deref(), Some("/wp-admin/setup-config.php"));
    assert_eq!(shop.database, Ok(None));
    fs::write(machine.path().join("srv/wp-config.php"), "<?php define('DB_NAME', 'x');").unwrap();
    assert_eq!(look(machine.path()).installer, None, "it may be a folder above");
}

#[test]
fn a_folder_that_is_not_there_is_no_shop() {
    let unknown = Shop::look(&fixture("unknown"), Path::new("/srv/none"), None).unwrap_err();
    assert!(unknown.why.contains("/srv/none"), "{unknown:?}");
}
