//! Files that scripts leave, beside what node_exporter makes of them.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use vitrin::collector::{Collector, Context, Paths, Reason};
use vitrin::collectors::textfile::{Config, Textfile};

use crate::support::exporter::Exporter;
use crate::support::found::Found;
use crate::support::peers::Peer;
use crate::support::scrape::Page;

const GOOD: &str = "# HELP backup_size_bytes Size of the last backup.\n# TYPE backup_size_bytes gauge\n\
                    backup_size_bytes{db=\"shop\",note=\"a \\\"b\\\" \\\\ c\"} 1.5e9\nbackup_size_bytes{db=\"erp\"} 12\n\
                    # TYPE backup_runs_total counter\nbackup_runs_total 3\nbackup_untyped{} -0.5\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Makes a file look as if it had been written so long ago.
fn age(folder: &Path, file: &str, seconds: u64) {
    let written = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(folder.join(file)).unwrap().set_modified(written).unwrap();
}

fn collector(folder: &Path, more: &str) -> Textfile {
    let config: Config = toml::from_str(&format!("folder = '{}'\n{more}", folder.display())).unwrap();
    Textfile::new(&config, &Context::new(Paths::default()))
}

fn states(found: &Found) -> [f64; 3] {
    ["shown", "stale", "refused"].map(|state| found.number("vitrin_textfile_files", &[("state", state)]))
}

#[tokio::test]
async fn what_is_in_the_files_is_shown_as_it_stands() {
    let folder = folder(&[("backup.prom", GOOD), ("backup.prom.tmp", "half"), ("notes.txt", "nothing")]);
    let found = Found::by(&collector(folder.path(), "")).await.unwrap();
    assert!(found.gaps.is_empty() && found.dropped.is_empty(), "{:?}", found.gaps);
    assert_eq!(states(&found), [1.0, 0.0, 0.0]);
    assert_eq!(found.number("backup_size_bytes", &[("db", "shop"), ("note", "a \"b\" \\ c")]), 1.5e9);
    assert_eq!(found.number("backup_size_bytes", &[("db", "erp"), ("note", "")]), 12.0);
    assert_eq!(found.number("backup_runs_total", &[]), 3.0);
    assert_eq!(found.number("node_textfile_scrape_error", &[]), 0.0);
    let path = folder.path().join("backup.prom").display().to_string();
    assert!(found.number("node_textfile_mtime_seconds", &[("file", &path)]) > 1.7e9);
}

#[tokio::test]
async fn a_file_that_is_too_old_is_withheld_and_counted() {
    let folder = folder(&[("a.prom", "script_ok 1\n"), ("nightly.prom", "nightly_ok 1\n")]);
    age(folder.path(), "a.prom", 3700);
    age(folder.path(), "nightly.prom", 3700);
    let found = Found::by(&collector(folder.path(), "max_ages = { 'nightly.prom' = '26h' }")).await.unwrap();
    assert_eq!(states(&found), [1.0, 1.0, 0.0]);
    assert!(found.get("script_ok", &[]).is_none());
    assert_eq!(found.number("nightly_ok", &[]), 1.0);
    assert!(matches!(found.gaps.as_slice(), [gap] if gap.reason == Reason::Stale), "{:?}", found.gaps);
    // What is in it is not looked at: a mistake there is one of yesterday.
    fs::write(folder.path().join("a.prom"), "half a li").unwrap();
    age(folder.path(), "a.prom", 3700);
    let found = Found::by(&collector(folder.path(), "max_ages = { 'nightly.prom' = '26h' }")).await.unwrap();
    assert_eq!(states(&found), [1.0, 1.0, 0.0]);
    fs::write(folder.path().join("a.prom"), "script_ok 1\n").unwrap();
    age(folder.path(), "a.prom", 3700);
    // When it was written is true however long ago it was.
    let path = folder.path().join("a.prom").display().to_string();
    assert!(found.number("node_textfile_mtime_seconds", &[("file", &path)]) > 1.7e9);
    // A clock that was set back makes nothing old.
    let ahead = SystemTime::now() + Duration::from_hours(9);
    File::options().write(true).open(folder.path().join("a.prom")).unwrap().set_modified(ahead).unwrap();
    let found = Found::by(&collector(folder.path(), "max_age = '2h'")).await.unwrap();
    assert_eq!(states(&found), [2.0, 0.0, 0.0]);
}

#[tokio::test]
async fn a_name_that_vitrin_has_itself_is_refused_and_the_rest_is_shown() {
    let folder = folder(&[
        ("a.prom", "mysql_up 1\nnode_load1 0\nvitrin_up{collector=\"host\"} 1\nbackup_ok 1\n"),
        ("b.prom", "# TYPE backup_ok counter\nbackup_ok 2\n"),
        ("c.prom", "backup_ok{db=\"shop\"} 3\nbackup_ok 4\n"),
    ]);
    let found = Found::by(&collector(folder.path(), "")).await.unwrap();
    assert_eq!(found.number("vitrin_textfile_refused_families", &[]), 4.0);
    assert!(!found.names().contains("mysql_up") && !found.names().contains("node_load1"), "{:?}", found.names());
    assert_eq!(found.number("backup_ok", &[("db", "")]), 1.0);
    assert_eq!(found.number("backup_ok", &[("db", "shop")]), 3.0);
    let gaps: Vec<_> = found.gaps.iter().map(ToString::to_string).collect();
    assert!(gaps.iter().any(|gap| gap.contains("a.prom has mysql_up, which is a name of Vitrin's own")), "{gaps:?}");
    assert!(gaps.iter().any(|gap| gap == "b.prom has backup_ok with another type than a.prom"), "{gaps:?}");
    // The same series in two files is one, and counted.
    assert_eq!(found.dropped.values().sum::<u64>(), 1, "{:?}", found.dropped);
}

#[tokio::test]
async fn what_is_no_file_or_too_large_costs_itself_alone() {
    let folder = folder(&[("a.prom", "backup_ok 1\n"), ("cut.prom", "backup_cut 1")]);
    let path = |name| folder.path().join(name);
    fs::write(path("large.prom"), "# x\n".repeat(300_000)).unwrap();
    fs::write(path("latin.prom"), b"a{b=\"\xe4\"} 1\n").unwrap();
    fs::create_dir(path("folder.prom")).unwrap();
    let pipe = path("pipe.prom");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("zero.prom")).unwrap();
    std::os::unix::fs::symlink("/nowhere", path("nowhere.prom")).unwrap();
    let found = Found::by(&collector(folder.path(), "")).await.unwrap();
    assert_eq!((states(&found), found.number("backup_ok", &[])), ([1.0, 0.0, 7.0], 1.0), "{:?}", found.gaps);
    assert_eq!(found.number("node_textfile_scrape_error", &[]), 1.0);
}

#[tokio::test]
async fn what_is_too_much_for_one_scrape_costs_the_last_files_by_name() {
    let folder = folder(&[]);
    let write = |name: &str, text: String| fs::write(folder.path().join(format!("{name}.prom")), text).unwrap();
    // Four files of the largest size are as many bytes as may be; one that is too old to be read does not count.
    for name in ["0_old", "1", "2", "3", "4"] {
        write(name, format!("backup_{name} 1\n# {}\n", "x\n# ".repeat((1 << 18) - 5)));
    }
    age(folder.path(), "0_old.prom", 3700);
    write("5_more", "a 1\n".repeat(20));
    let found = Found::by(&collector(folder.path(), "")).await.unwrap();
    assert_eq!(states(&found), [4.0, 1.0, 1.0], "{:?}", found.gaps);
    assert_eq!((found.number("backup_4", &[]), found.number("node_textfile_scrape_error", &[])), (1.0, 1.0));
    let gaps: Vec<_> = found.gaps.iter().filter(|gap| gap.reason == Reason::Limit).map(ToString::to_string).collect();
    assert!(
        matches!(gaps.as_slice(), [gap] if gap.ends_with(
            "5_more.prom: with it there are more than 4194304 bytes in the files, by their names"
        )),
        "{gaps:?}"
    );
}

#[tokio::test]
async fn what_is_too_many_samples_for_one_scrape_costs_the_last_files_by_name() {
    let folder = folder(&[]);
    for name in ["a", "b", "c"] {
        let line = |metric: usize| format!("backup_{name}_{} 1\n", metric % 300);
        let text: String = (0..4_000).map(line).collect();
        fs::write(folder.path().join(format!("{name}.prom")), text).unwrap();
    }
    let found = Found::by(&collector(folder.path(), "")).await.unwrap();
    assert_eq!(states(&found), [2.0, 0.0, 1.0], "{:?}", found.gaps);
    assert_eq!(found.number("backup_b_299", &[]), 1.0);
    assert!(!found.names().contains("backup_c_0"));
    assert!(found.gaps.iter().any(|gap| gap.to_string().contains("c.prom: with it there are more than 10000 samples")));
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_down_and_says_so() {
    let folder = folder(&[]);
    let nowhere = folder.path().join("nowhere");
    let (found, failure) = Found::down(&collector(&nowhere, "")).await;
    assert!(failure.to_string().starts_with(&format!("reading the folder {}: ", nowhere.display())), "{failure}");
    assert_eq!(found.number("node_textfile_scrape_error", &[]), 1.0);
    for file in 0..101 {
        fs::write(folder.path().join(format!("{file}.prom")), "a 1\n").unwrap();
    }
    let (_, failure) = Found::down(&collector(folder.path(), "")).await;
    assert_eq!(failure.reason, Reason::Limit, "{failure}");
}

/// The families of a page that come from files, without HELP: where there is none each program makes up its own.
fn from_files(page: &Page) -> Vec<(String, String, Vec<String>)> {
    let ours = |name: &str| name.starts_with("backup_") || name == "node_textfile_scrape_error";
    let families = page.families.iter().filter(|family| ours(&family.name));
    let series = |family: &crate::support::scrape::Family| {
        let mut series: Vec<_> = family
            .series
            .iter()
            // An empty label is none to Prometheus.
            .map(|one| {
                let labels: Vec<_> = one.labels.iter().filter(|(_, value)| !value.is_empty()).collect();
                format!("{} {labels:?} {}", one.name, one.value)
            })
            .collect();
        series.sort();
        series
    };
    families.map(|family| (family.name.clone(), family.kind.clone(), series(family))).collect()
}

#[test]
fn node_exporter_makes_the_same_of_good_files_and_refuses_the_same_bad_ones() {
    let folder = folder(&[("good.prom", GOOD)]);
    let argument = format!("--collector.textfile.directory={}", folder.path().display());
    let peer = Peer::node_with(&[argument]);
    let exporter = Exporter::start(&format!("[textfile]\nfolder = '{}'\n", folder.path().display()));
    assert_eq!(from_files(&exporter.scrape()), from_files(&peer.page()));
    let bad = folder.path().join("bad.prom");
    for text in [
        "backup_bad 1",
        "backup_bad 1 1700000000000\n",
        "backup_bad\n",
        "backup_bad one\n",
        "backup_bad{a=\"b\" 1\n",
        "backup_bad{a=b} 1\n",
        "backup_bad{a=\"\\x\"} 1\n",
        "# TYPE backup_bad gauge\n# TYPE backup_bad gauge\nbackup_bad 1\n",
        "backup_bad 1\n# TYPE backup_bad gauge\n",
        "# HELP backup_bad a\n# HELP backup_bad b\nbackup_bad 1\n",
        "# TYPE backup_bad number\nbackup_bad 1\n",
        "1backup_bad 1\n",
    ] {
        fs::write(&bad, text).unwrap();
        let (ours, theirs) = (from_files(&exporter.scrape()), from_files(&peer.page()));
        assert_eq!(ours, theirs, "{text}");
        let error = ours.iter().find(|(name, ..)| name == "node_textfile_scrape_error").unwrap();
        assert!(error.2[0].ends_with(" 1"), "{text}: {error:?}");
    }
}
