//! OPcache through FPM's socket, and what keeps it from us.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use vitrin::collector::Reason;

use super::{collector, whole};
use crate::support::found::Found;
use crate::support::php_fpm::PhpFpm;

const POOL: &str = "pm = static\npm.max_children = 2\npm.status_path = /status";

fn master(settings: &[&str], directives: &str) -> PhpFpm {
    PhpFpm::with(settings, &[("shop", &format!("{POOL}\n{directives}"))])
}

/// The one gap of a run, which names the OPcache of the pool.
async fn gap(master: &PhpFpm) -> (Reason, String) {
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    assert!(found.names().contains("phpfpm_total_processes"), "the pool's own numbers are there");
    assert!(found.get("phpfpm_opcache_enabled", &[]).is_none(), "unknown is absent");
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    (gap.reason, gap.to_string())
}

#[tokio::test]
async fn the_cache_and_its_settings_are_told() {
    let settings = ["opcache.memory_consumption=64", "opcache.max_accelerated_files=4000", "opcache.revalidate_freq=7"];
    let master = master(&settings, "");
    let collector = collector(&master.table(""));
    for _ in 0..3 {
        whole(&Found::by(&collector).await.unwrap());
    }
    let found = Found::by(&collector).await.unwrap();
    for (name, value) in [
        ("enabled", 1.0),
        ("cache_full", 0.0),
        ("cached_scripts", 1.0),
        ("max_accelerated_files", 4000.0),
        ("memory_consumption_bytes", 67_108_864.0),
        ("revalidate_freq_seconds", 7.0),
        ("validate_timestamps", 1.0),
        ("max_wasted_ratio", 0.05),
    ] {
        assert_eq!(found.number(&format!("phpfpm_opcache_{name}"), &[]), value, "{name}");
    }
    let number = |name: &str| found.number(&format!("phpfpm_opcache_{name}"), &[]);
    let memory = number("memory_used_bytes") + number("memory_free_bytes") + number("memory_wasted_bytes");
    assert_eq!(memory, 67_108_864.0);
    assert!(number("max_cached_keys") >= 4000.0);
    let (hits, misses) = (number("hits_total"), number("misses_total"));
    assert!(hits >= 2.0 && misses >= 1.0, "{hits} {misses}");
    assert_eq!(number("hit_ratio"), hits / (hits + misses));
    assert!(number("start_timestamp_seconds") > 1.6e9);
    for reason in ["oom", "hash", "manual"] {
        assert_eq!(found.number("phpfpm_opcache_restarts_total", &[("reason", reason)]), 0.0);
    }
    assert!(found.get("phpfpm_opcache_last_restart_timestamp_seconds", &[]).is_none(), "it never happened");
}

#[tokio::test]
async fn a_restart_is_counted_with_its_reason_and_time() {
    let master = master(&[], "");
    let answer = master.run("shop", &master.script("reset.php", "<?php opcache_reset(); echo 'done';"), &[]).answer();
    assert!(answer.ends_with("done"), "{answer}");
    // The cache is emptied by the next request that finds nobody using it.
    let collector = collector(&master.table(""));
    let manual = [("reason", "manual")];
    for _ in 0..1_000 {
        let found = Found::by(&collector).await.unwrap();
        if found.number("phpfpm_opcache_restarts_total", &manual) == 1.0 {
            assert!(found.number("phpfpm_opcache_last_restart_timestamp_seconds", &[]) > 1.6e9);
            return;
        }
    }
    panic!("the restart was never counted");
}

#[tokio::test]
async fn the_answer_is_small_however_many_scripts_there_are() {
    let master = master(&["opcache.max_accelerated_files=20000", "opcache.jit_buffer_size=8M"], "");
    let many = "<?php for ($i = 0; $i < 3000; $i++) {\n\
                $file = sys_get_temp_dir() . '/' . getmypid() . \"-a-rather-long-name-of-a-template-$i.php\";\n\
                file_put_contents($file, '<?php return ' . $i . ';'); opcache_compile_file($file); unlink($file); }\n\
                echo opcache_get_status(false)['opcache_statistics']['num_cached_scripts'];";
    let answer = master.run("shop", &master.script("many.php", many), &[]).answer();
    let body = answer.rsplit("\r\n\r\n").next().unwrap();
    assert!(body.parse::<u32>().is_ok_and(|scripts| scripts >= 3000), "{answer}");

    let script = master.opcache_script();
    let answer = master.run("shop", &script, &[("VITRIN_OPCACHE", "1")]).answer();
    assert!(answer.contains("\"num_cached_scripts\":300"), "{answer}");
    assert!(answer.len() < 4096, "{} bytes", answer.len());
}

#[tokio::test]
async fn preloading_is_told_as_numbers() {
    let folder = crate::support::daemon::folder();
    let preload = folder.path().join("preload.php");
    fs::write(&preload, "<?php function shop_one() {} function shop_two() {} class Shop {}").unwrap();
    let settings = [format!("opcache.preload={}", preload.display()), "opcache.preload_user=www-data".to_owned()];
    let master = master(&settings.each_ref().map(String::as_str), "");
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    whole(&found);
    assert_eq!(found.number("phpfpm_opcache_preload_functions", &[]), 2.0);
    assert_eq!(found.number("phpfpm_opcache_preload_classes", &[]), 1.0);
    assert_eq!(found.number("phpfpm_opcache_preload_scripts", &[]), 1.0);
    assert!(found.number("phpfpm_opcache_preload_memory_bytes", &[]) > 0.0);
}

#[tokio::test]
async fn an_opcache_that_is_off_is_no_failure() {
    let master = master(&["opcache.enable=0"], "");
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    whole(&found);
    assert_eq!(found.number("phpfpm_opcache_enabled", &[]), 0.0);
    assert!(!found.names().contains("phpfpm_opcache_hits_total"));
}

#[tokio::test]
async fn nobody_is_asked_when_opcache_is_not_wanted() {
    let master = master(&[], "");
    let found = Found::by(&collector(&master.table("").replace("opcache_script", "opcache = false\n#"))).await.unwrap();
    whole(&found);
    assert!(!found.names().contains("phpfpm_opcache_enabled"));
}

#[tokio::test]
async fn a_script_that_others_may_write_is_not_run() {
    let master = master(&[], "");
    fs::set_permissions(master.opcache_script(), fs::Permissions::from_mode(0o666)).unwrap();
    let (reason, message) = gap(&master).await;
    assert_eq!(reason, Reason::Permission);
    assert!(message.contains("chmod go-w"), "{message}");
}

#[tokio::test]
async fn what_php_forbids_is_told() {
    for (setting, says) in [
        ("opcache.restrict_api=/nowhere", "opcache.restrict_api"),
        ("disable_functions=opcache_get_status", "disable_functions"),
        ("open_basedir=/nowhere", "open_basedir"),
    ] {
        let (reason, message) = gap(&master(&[setting], "")).await;
        assert_eq!(reason, Reason::Permission, "{message}");
        assert!(message.starts_with("asking pool shop for OPcache at /") && message.contains(says), "{message}");
    }
}

#[tokio::test]
async fn a_script_behind_a_link_is_run_from_where_it_lies() {
    let home = crate::support::daemon::folder();
    let real = home.path().join("real");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, home.path().join("link")).unwrap();
    let master = master(&[&format!("opcache.restrict_api={}", real.display())], "");
    fs::copy(master.opcache_script(), real.join("opcache.php")).unwrap();
    let link = home.path().join("link/opcache.php");
    let table = master.table("").replace(master.opcache_script().to_str().unwrap(), link.to_str().unwrap());
    let found = Found::by(&collector(&table)).await.unwrap();
    whole(&found);
    assert_eq!(found.number("phpfpm_opcache_enabled", &[]), 1.0);
    // PHP goes by the name it was given, and refuses; that is not "off".
    let answer = master.run("shop", &link, &[("VITRIN_OPCACHE", "1")]).answer();
    assert!(answer.contains("\"restricted\":true"), "{answer}");
}

#[tokio::test]
async fn a_prepended_handler_of_errors_hides_no_restriction() {
    let folder = crate::support::daemon::folder();
    let file = folder.path().join("prepend.php");
    fs::write(&file, "<?php set_error_handler(function ($number, $text) { throw new Exception($text); });").unwrap();
    let settings = [format!("auto_prepend_file={}", file.display()), "opcache.restrict_api=/nowhere".to_owned()];
    let (reason, message) = gap(&master(&settings.each_ref().map(String::as_str), "")).await;
    assert_eq!(reason, Reason::Permission, "{message}");
    assert!(message.contains("opcache.restrict_api"), "{message}");
}

#[tokio::test]
async fn of_several_pools_one_that_may_tell_is_enough() {
    let closed = format!("{POOL}\nphp_admin_value[open_basedir] = /nowhere");
    let master = PhpFpm::start(&[("a", &closed), ("b", POOL)]);
    let found = Found::by(&collector(&master.table(""))).await.unwrap();
    whole(&found);
    assert_eq!(found.number("phpfpm_opcache_enabled", &[]), 1.0);
}

#[tokio::test]
async fn what_a_prepended_script_prints_does_not_matter() {
    let folder = crate::support::daemon::folder();
    let file = folder.path().join("prepend.php");
    fs::write(&file, "a banner <?php echo 'of the host';").unwrap();
    let settings = [format!("auto_prepend_file={}", file.display()), "output_buffering=4096".to_owned()];
    let master = master(&settings.each_ref().map(String::as_str), "");
    whole(&Found::by(&collector(&master.table(""))).await.unwrap());
}

#[tokio::test]
async fn a_web_server_gets_nothing_from_the_script() {
    let master = master(&[], "");
    let script = master.opcache_script();
    for params in [
        // A client's headers arrive with a prefix.
        &[("HTTP_VITRIN_OPCACHE", "1")][..],
        // What every web server adds, if it were made to send the parameter itself.
        &[("VITRIN_OPCACHE", "1"), ("REMOTE_ADDR", "192.0.2.1")],
        &[("VITRIN_OPCACHE", "1"), ("HTTP_HOST", "shop.example")],
        &[("VITRIN_OPCACHE", "")],
    ] {
        let answer = master.run("shop", &script, params).answer();
        assert!(answer.starts_with("Status: 404") && answer.ends_with("\r\n\r\n"), "{params:?}: {answer}");
    }
    assert!(master.run("shop", &script, &[("VITRIN_OPCACHE", "1")]).answer().contains("\"vitrin\":1"));
}
