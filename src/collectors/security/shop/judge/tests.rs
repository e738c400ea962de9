//! Real files with real modes, judged for pools with real numbers.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use rustix::fs::{Gid, Uid};
use rustix::process::geteuid;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::super::drift::Watch;
use super::*;
use crate::collectors::security::verdict::State;

/// Whom PHP runs as in these tests, and somebody else.
const PHP: u32 = 4_033;
const NOBODY: u32 = 4_999;

/// An OpenCart in `/srv/shop` of a machine, all of it root's and closed to PHP but what it writes to.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        assert!(geteuid().is_root(), "these tests give files away, as root alone may");
        let machine = Self { folder };
        let php = |name: &str| {
            let path = machine.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "<?php\n").unwrap();
        };
        for name in ["system/startup.php", "catalog/controller/home.php", "admin/controller/common/login.php"] {
            php(name);
        }
        for name in ["extension/a/a.php", "image/cache/x.html", "system/storage/logs/error.log"] {
            php(name);
        }
        fs::write(machine.at("index.php"), "<?php define('VERSION', '4.1.0.3');").unwrap();
        for (name, part) in [("config.php", "catalog"), ("admin/config.php", "admin")] {
            let text = format!(
                "<?php define('DIR_APPLICATION', '/srv/shop/{part}/'); define('DIR_STORAGE', '/srv/shop/system/storage/');"
            );
            fs::write(machine.at(name), text).unwrap();
        }
        machine.set("..", 0, 0, 0o755);
        machine.set("../..", 0, 0, 0o755);
        machine.set("config.php", 0, PHP, 0o640);
        machine.set("admin/config.php", 0, PHP, 0o640);
        for folder in ["", "admin", "image", "image/cache", "system", "system/storage", "extension", "extension/a"] {
            machine.set(folder, 0, 0, 0o755);
        }
        for written in ["image", "image/cache", "system/storage"] {
            machine.set(written, PHP, PHP, 0o770);
        }
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("srv/shop").join(name)
    }

    fn set(&self, name: &str, uid: u32, gid: u32, mode: u32) {
        chown(self.at(name), Some(uid), Some(gid)).unwrap();
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn shop(&self) -> Shop {
        Shop::look(self.folder.path(), Path::new("/srv/shop"), None).unwrap()
    }

    fn verdict(&self, check: Check) -> Verdict {
        verdict(check, &Ok(self.shop()))
    }

    fn expect(&self, check: Check, expected: &Expect) {
        let Verdict { state, seen, fix, cap } = self.verdict(check);
        assert_eq!(cap, None);
        expected.assert_eq(&format!("{state:?}: {seen}\n{fix}"));
    }
}

fn workers() -> Workers {
    Workers { known: vec![Worker { pool: "www".to_owned(), uid: PHP, gids: vec![PHP] }], missing: None }
}

fn verdict(check: Check, shop: &Known<Shop>) -> Verdict {
    judged(check, shop, &workers())
}

fn judged(check: Check, shop: &Known<Shop>, workers: &Workers) -> Verdict {
    verdicts_of(shop, workers).into_iter().find(|(one, _)| *one == check).unwrap().1
}

/// What somebody sees who is in no group: as root, a thread gives its rights away.
fn as_nobody<T: Send>(look: impl FnOnce() -> T + Send) -> T {
    let nobody = || {
        let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(gid, gid, gid).unwrap();
        set_thread_res_uid(uid, uid, uid).unwrap();
        look()
    };
    thread::scope(|scope| scope.spawn(nobody).join().unwrap())
}

#[test]
fn a_shop_that_is_not_known_leaves_all_three_unknown() {
    let unknown = Unknown::new(Cause::NotConfigured, "no root");
    let verdicts = verdicts_of(&Err(unknown.clone()), &workers());
    assert_eq!(verdicts.each_ref().map(|(check, _)| check.id()), ["API-04", "API-07", "MON-05"]);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::from(&unknown)));
}

#[test]
fn a_configuration_as_it_should_be_passes() {
    Machine::new().expect(Check::Api04, &expect![[r#"
        Pass: /srv/shop/config.php is 0640, of user 0 and group 4033; /srv/shop/admin/config.php is 0640, of user 0 and group 4033: closed to others, and no pool of PHP-FPM writes to it
    "#]]);
}

#[test]
fn a_configuration_that_all_may_read_is_half_of_it() {
    let machine = Machine::new();
    machine.set("admin/config.php", 0, 0, 0o644);
    machine.expect(
        Check::Api04,
        &expect![[r#"
        Partial: /srv/shop/admin/config.php is 0644, of user 0 and group 0: everybody on the machine reads its passwords
        chown root:4033 /srv/shop/config.php /srv/shop/admin/config.php
        chmod 0640 /srv/shop/config.php /srv/shop/admin/config.php"#]],
    );
    // Behind a folder that others may not enter, nobody reads it.
    machine.set("", 0, PHP, 0o750);
    assert_eq!(machine.verdict(Check::Api04).state, State::Pass);
}

#[test]
fn a_configuration_that_php_may_write_fails() {
    let machine = Machine::new();
    machine.set("config.php", PHP, PHP, 0o644);
    machine.expect(Check::Api04, &expect![[r#"
        Fail: /srv/shop/config.php is 0644, of user 4033 and group 4033: PHP may change it (pool www); /srv/shop/config.php is 0644, of user 4033 and group 4033: everybody on the machine reads its passwords
        chown root:4033 /srv/shop/config.php /srv/shop/admin/config.php
        chmod 0640 /srv/shop/config.php /srv/shop/admin/config.php"#]]);
    for (uid, gid, mode) in [(0, PHP, 0o660), (0, 0, 0o777), (PHP, 0, 0o600)] {
        machine.set("config.php", uid, gid, mode);
        assert_eq!(machine.verdict(Check::Api04).state, State::Fail, "{uid} {gid} {mode:o}");
    }
    // The owner's class is the owner's alone, whatever the group may.
    machine.set("config.php", PHP, PHP, 0o460);
    assert_eq!(machine.verdict(Check::Api04).state, State::Partial);
}

#[test]
fn a_configuration_that_php_may_replace_is_half_of_it() {
    let machine = Machine::new();
    machine.set("", PHP, PHP, 0o755);
    machine.expect(Check::Api04, &expect![[r#"
        Partial: PHP may put another /srv/shop/config.php in its place, because /srv/shop is 0755, of user 4033 and group 4033 (pool www)
        chown root:4033 /srv/shop/config.php /srv/shop/admin/config.php
        chmod 0640 /srv/shop/config.php /srv/shop/admin/config.php
        chown root:4033 /srv/shop
        chmod 0755 /srv/shop"#]]);
    machine.set("", 0, PHP, 0o1775);
    assert_eq!(machine.verdict(Check::Api04).state, State::Pass, "in a sticky folder, others' files stay");
}

#[test]
fn a_closed_configuration_is_judged_without_being_read() {
    let machine = Machine::new();
    let shop = as_nobody(|| machine.shop());
    assert_eq!(shop.storage.as_ref().unwrap_err().cause, Cause::Permission);
    assert_eq!(shop.database.as_ref().unwrap_err().cause, Cause::Permission);
    assert_eq!((shop.admin.as_deref(), &shop.redis), (Some("/admin/"), &Ok(None)));
    assert!(shop.written.contains(&"/system/storage/upload/".to_owned()), "{:?}", shop.written);
    let unseen = shop.exposed.as_ref().unwrap_err();
    assert_eq!(unseen.cause, Cause::Permission);
    assert_eq!(shop.exposed_missed.as_ref(), Some(unseen));
    assert_eq!(verdict(Check::Api04, &Ok(shop.clone())).state, State::Pass);
    assert_eq!(verdict(Check::Api07, &Ok(shop)).state, State::Pass);

    machine.set("admin", 0, PHP, 0o750);
    let shop = as_nobody(|| machine.shop());
    assert_eq!(verdict(Check::Api07, &Ok(shop)).state, State::Unknown(Cause::Permission));
    machine.set("", 0, PHP, 0o750);
    let host = machine.folder.path();
    let unknown = as_nobody(|| Shop::look(host, Path::new("/srv/shop"), None)).unwrap_err();
    assert_eq!(unknown.cause, Cause::Permission);
}

#[test]
fn code_that_php_does_not_write_to_passes() {
    Machine::new().expect(
        Check::Api07,
        &expect![[r#"
        Pass: of 14 files and folders of code that were looked at, PHP writes to none
    "#]],
    );
}

#[test]
fn code_that_php_may_write_fails() {
    let machine = Machine::new();
    machine.set("catalog/controller/home.php", PHP, 0, 0o644);
    machine.set("extension", PHP, PHP, 0o755);
    machine.expect(Check::Api07, &expect![[r#"
        Fail: PHP (pool www) may change 1 of 14 files and folders of code that were looked at, for example /srv/shop/catalog/controller/home.php is 0644, of user 4033 and group 0
        find /srv/shop -path /srv/shop/image -prune -o -path /srv/shop/system/storage -prune -o -exec chown -h root:4033 {} +
        find /srv/shop -path /srv/shop/image -prune -o -path /srv/shop/system/storage -prune -o ! -type l -exec chmod g-w,o-w {} +"#]]);
    machine.set("catalog/controller/home.php", 0, 0, 0o666);
    assert!(machine.verdict(Check::Api07).seen.starts_with("PHP (pool www)"), "others may be PHP, too");
}

#[test]
fn extensions_that_php_may_write_are_half_of_it() {
    let machine = Machine::new();
    machine.set("extension", PHP, PHP, 0o755);
    machine.set("extension/a/a.php", PHP, PHP, 0o644);
    machine.expect(Check::Api07, &expect![[r#"
        Partial: PHP (pool www) may change 2 of 14 files and folders of code that were looked at, for example /srv/shop/extension/a/a.php is 0644, of user 4033 and group 4033, among the extensions alone
        find /srv/shop -path /srv/shop/image -prune -o -path /srv/shop/system/storage -prune -o -exec chown -h root:4033 {} +
        find /srv/shop -path /srv/shop/image -prune -o -path /srv/shop/system/storage -prune -o ! -type l -exec chmod g-w,o-w {} +"#]]);
    machine.set("extension", 0, 0, 0o755);
    machine.set("extension/a/a.php", PHP, PHP, 0o444);
    machine.expect(Check::Api07, &expect![[r#"
        Partial: PHP owns 1 of 14 files and folders of code that were looked at, none of them writable: it may make them so (/srv/shop/extension/a/a.php is 0444, of user 4033 and group 4033)
        find /srv/shop -path /srv/shop/image -prune -o -path /srv/shop/system/storage -prune -o -exec chown -h root:4033 {} +
        find /srv/shop -path /srv/shop/image -prune -o -path /srv/shop/system/storage -prune -o ! -type l -exec chmod g-w,o-w {} +"#]]);
}

#[test]
fn whom_php_runs_as_has_to_be_known_unless_everybody_may() {
    let machine = Machine::new();
    let nobody = Workers { known: Vec::new(), missing: Some(Unknown::new(Cause::Unsupported, "no pool")) };
    for check in [Check::Api04, Check::Api07] {
        let state = judged(check, &Ok(machine.shop()), &nobody).state;
        assert_eq!(state, State::Unknown(Cause::Unsupported), "{check:?}");
    }
    machine.set("config.php", 0, 0, 0o666);
    machine.set("index.php", 0, 0, 0o666);
    for check in [Check::Api04, Check::Api07] {
        assert_eq!(judged(check, &Ok(machine.shop()), &nobody).state, State::Fail, "{check:?}");
    }
}

#[test]
fn workers_of_root_write_everywhere() {
    let machine = Machine::new();
    let root = Workers { known: vec![Worker { pool: "www".to_owned(), uid: 0, gids: vec![0] }], missing: None };
    for check in [Check::Api04, Check::Api07] {
        assert_eq!(judged(check, &Ok(machine.shop()), &root).state, State::Fail, "{check:?}");
    }
}

/// A shop with a manifest of it as it is, compared at a time.
struct Deployed {
    machine: Machine,
    watch: Watch,
    now: i64,
}

impl Deployed {
    fn new() -> Self {
        let machine = Machine::new();
        let manifest = super::super::Manifest::make(machine.folder.path(), Path::new("/srv/shop")).unwrap();
        fs::create_dir_all(machine.folder.path().join("etc")).unwrap();
        fs::write(machine.folder.path().join("etc/shop.sha256"), manifest.text()).unwrap();
        machine.set("../../etc", 0, 0, 0o755);
        Self { machine, watch: Watch::default(), now: 1_000_000 }
    }

    fn verdict(&mut self) -> Verdict {
        let mut shop = self.machine.shop();
        let host = self.machine.folder.path();
        shop.drift = self.watch.look(host, &shop, Some(Path::new("/etc/shop.sha256")), self.now);
        verdict(Check::Mon05, &Ok(shop))
    }
}

#[test]
fn a_shop_as_it_was_deployed_passes() {
    let mut deployed = Deployed::new();
    expect!["all 7 files are as the manifest has them"].assert_eq(&deployed.verdict().seen);
    // What customers bring is not code that was deployed.
    fs::write(deployed.machine.at("image/x.php"), "").unwrap();
    assert_eq!(deployed.verdict().state, State::Pass);
}

#[test]
fn what_nobody_deployed_is_drift() {
    let mut deployed = Deployed::new();
    assert_eq!(deployed.verdict().state, State::Pass);
    fs::write(deployed.machine.at("index.php"), "<?php define('VERSION', '4.1.0.4');").unwrap();
    fs::write(deployed.machine.at("catalog/x\ny.php"), "").unwrap();
    fs::remove_file(deployed.machine.at("extension/a/a.php")).unwrap();
    let Verdict { state, seen, fix, .. } = deployed.verdict();
    expect![[r#"
        Fail: of 7 files in the manifest, 1 have changed and 1 are missing; 1 are there that it does not have: catalog/x?y.php (added), index.php (changed), extension/a/a.php (missing)
        # once it is clear who did this, and that it is meant
        vitrin manifest /srv/shop >/etc/shop.sha256"#]].assert_eq(&format!("{state:?}: {seen}\n{fix}"));
}

#[test]
fn a_linked_folder_and_one_with_a_repositorys_name_hide_nothing() {
    let mut deployed = Deployed::new();
    fs::create_dir(deployed.machine.at(".git")).unwrap();
    fs::write(deployed.machine.at(".git/x.php"), "").unwrap();
    assert_eq!(deployed.verdict().state, State::Pass);
    fs::create_dir(deployed.machine.at("catalog/.git")).unwrap();
    fs::write(deployed.machine.at("catalog/.git/x.php"), "").unwrap();
    std::os::unix::fs::symlink("/tmp", deployed.machine.at("catalog/more")).unwrap();
    fs::create_dir_all(deployed.machine.folder.path().join("tmp")).unwrap();
    let Verdict { state, seen, .. } = deployed.verdict();
    assert_eq!(state, State::Fail);
    assert!(seen.contains("catalog/more (added), catalog/.git/x.php (added)"), "{seen}");
}

#[test]
fn a_link_that_was_deployed_is_as_it_was_while_it_leads_to_what_is_looked_at() {
    let mut deployed = Deployed::new();
    let host = deployed.machine.folder.path().to_owned();
    fs::create_dir_all(host.join("tmp")).unwrap();
    let link = deployed.machine.at("linked");
    let mut lead = |target: &str, is_deployed: bool| {
        if link.is_symlink() {
            fs::remove_file(&link).unwrap();
        }
        std::os::unix::fs::symlink(target, &link).unwrap();
        if is_deployed {
            let manifest = super::super::Manifest::make(&host, Path::new("/srv/shop")).unwrap();
            fs::write(host.join("etc/shop.sha256"), manifest.text()).unwrap();
        }
        deployed.verdict().state
    };
    assert_eq!(lead("catalog", true), State::Pass);
    assert_eq!(lead("/srv/shop/image", true), State::Pass, "what is written to is left out in any case");
    assert_eq!(lead("extension", false), State::Fail);
    assert_eq!(lead("/tmp", true), State::Unknown(Cause::Unsupported));
}

#[test]
fn a_walk_that_takes_long_goes_on_at_the_next_look() {
    let mut deployed = Deployed::new();
    deployed.watch.walking = Duration::ZERO;
    assert_eq!(deployed.verdict().state, State::Unknown(Cause::Stale));
    let mut looks = 1;
    while deployed.watch.is_behind() {
        deployed.verdict();
        looks += 1;
        assert!(looks < 100, "it never ends");
    }
    assert!(looks > 3, "{looks}");
    fs::write(deployed.machine.at("index.php"), "other").unwrap();
    assert_eq!(deployed.verdict().state, State::Fail, "what the last walk found is compared all the while");
    assert!(deployed.watch.is_behind());
}

#[test]
fn a_change_that_keeps_size_and_time_is_found_by_what_nobody_sets() {
    let mut deployed = Deployed::new();
    assert_eq!(deployed.verdict().state, State::Pass);
    let file = deployed.machine.at("index.php");
    let times = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("4.1.0.3", "6.6.6.6")).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(times).unwrap();
    assert_eq!(deployed.verdict().state, State::Fail);
}

#[test]
fn contents_are_read_a_part_at_a_time_and_again_after_a_day() {
    let mut deployed = Deployed::new();
    deployed.watch.files = 4;
    assert_eq!(deployed.verdict().state, State::Unknown(Cause::Stale));
    assert!(deployed.watch.is_behind());
    assert_eq!(deployed.verdict().state, State::Pass);
    assert!(!deployed.watch.is_behind());
    deployed.watch.files = 0;
    assert_eq!(deployed.verdict().state, State::Pass);
    assert!(!deployed.watch.is_behind(), "nothing has changed since");
    deployed.now += 24 * 60 * 60;
    assert_eq!(deployed.verdict().state, State::Pass, "what was the same is believed to be");
    assert!(deployed.watch.is_behind(), "but it is to be read again");
}

#[test]
fn a_manifest_that_php_may_write_proves_nothing() {
    let mut deployed = Deployed::new();
    deployed.machine.set("../../etc/shop.sha256", PHP, 0, 0o644);
    let Verdict { state, fix, .. } = deployed.verdict();
    assert_eq!((state, &*fix), (State::Fail, "chown root:root /etc/shop.sha256\nchmod 0644 /etc/shop.sha256"));
    deployed.machine.set("../../etc/shop.sha256", 0, 0, 0o644);
    deployed.machine.set("../../etc", PHP, 0, 0o755);
    assert_eq!(deployed.verdict().state, State::Fail);
}

#[test]
fn a_manifest_that_is_none_is_unknown() {
    let mut deployed = Deployed::new();
    let file = deployed.machine.folder.path().join("etc/shop.sha256");
    fs::write(&file, "nothing of the kind").unwrap();
    assert_eq!(deployed.verdict().state, State::Unknown(Cause::Unparsable));
    fs::remove_file(&file).unwrap();
    assert_eq!(deployed.verdict().state, State::Unknown(Cause::NotConfigured));
}

#[test]
fn what_is_closed_and_untouched_since_is_as_it_was() {
    let deployed = Deployed::new();
    let host = deployed.machine.folder.path();
    let drift_of = || {
        let shop = deployed.machine.shop();
        as_nobody(|| Watch::default().look(host, &shop, Some(Path::new("/etc/shop.sha256")), 1)).unwrap().unwrap()
    };
    let manifest = host.join("etc/shop.sha256");
    let text = fs::read(&manifest).unwrap();
    let changed = |path: &Path| fs::metadata(path).map(|metadata| (metadata.ctime(), metadata.ctime_nsec())).unwrap();
    // Times advance by the kernel's ticks.
    while changed(&manifest) <= changed(&deployed.machine.at("admin/config.php")) {
        fs::write(&manifest, &text).unwrap();
    }
    let drift = drift_of();
    assert_eq!((drift.count(), drift.unread, drift.unseen), (0, 2, None));

    // Whatever the manifest's time is set to.
    fs::write(deployed.machine.at("config.php"), "<?php evil();").unwrap();
    let later = SystemTime::now() + Duration::from_mins(1);
    fs::File::options().write(true).open(&manifest).unwrap().set_modified(later).unwrap();
    while changed(&deployed.machine.at("config.php")) < changed(&manifest) {
        fs::write(deployed.machine.at("config.php"), "<?php evil();").unwrap();
    }
    let drift = drift_of();
    assert_eq!((drift.unread, drift.unseen.map(|unseen| unseen.cause)), (1, Some(Cause::Permission)));
}

#[test]
fn without_a_manifest_a_watcher_is_half_of_it() {
    let machine = Machine::new();
    machine.expect(
        Check::Mon05,
        &expect![[r#"
        Fail: nothing would notice a change of the shop's code: there is no manifest
        vitrin manifest /srv/shop >/etc/vitrin/shop.sha256
        # vitrin.toml
        [security]
        manifest = "/etc/vitrin/shop.sha256""#]],
    );
    let mut shop = machine.shop();
    shop.monitors.push("AIDE".to_owned());
    assert_eq!(verdict(Check::Mon05, &Ok(shop)).state, State::Partial);
}
