//! Claims, saving, and what goes wrong with a folder.

use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use tempfile::tempdir;

use super::*;

fn slot(folder: &Arc<Folder>, target: &str) -> Slot {
    Slot::new(folder.clone(), "access_log", &target.parse().unwrap())
}

/// What the log was told of the slot `main`.
fn trouble(folder: &Folder) -> String {
    folder.inner().troubles.get("access_log@main").cloned().unwrap_or_default()
}

#[test]
fn what_is_saved_is_there_after_a_restart() {
    let place = tempdir().unwrap();
    let path = place.path().join("state");
    let first = slot(&Folder::new(path.clone()), "main").claim().unwrap();
    assert_eq!(first.load().unwrap(), None);
    for bytes in [&b"one"[..], b"", b"two\0\n"] {
        first.save(bytes);
        assert_eq!(first.load().unwrap().unwrap(), bytes);
    }
    drop(first);
    let second = slot(&Folder::new(path.clone()), "main").claim().unwrap();
    assert_eq!(second.load().unwrap().unwrap(), b"two\0\n");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("access_log@main.state"))), (0o700, 0o600));
}

#[test]
fn a_slot_is_had_by_one_at_a_time_and_waited_for() {
    let place = tempdir().unwrap();
    let folder = Folder::new(place.path().to_owned());
    let held = slot(&folder, "main").claim().unwrap();
    assert!(slot(&folder, "other").claim().is_some());
    assert!(slot(&folder, "main").claim_within(Duration::ZERO).is_none());
    held.save(b"of the first");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| slot(&folder, "main").claim().unwrap().load().unwrap());
        drop(held);
        assert_eq!(waiting.join().unwrap().unwrap(), b"of the first");
    });
    assert!(folder.wait_until_free(PATIENCE));
}

#[test]
fn a_folder_that_another_vitrin_uses_is_left_alone_until_it_lets_go() {
    let place = tempdir().unwrap();
    // A lock belongs to who opened the file, so two in one process are as good as two processes.
    let (ours, theirs) = (Folder::new(place.path().to_owned()), Folder::new(place.path().to_owned()));
    let held = slot(&theirs, "main").claim().unwrap();
    assert!(slot(&ours, "main").claim_within(Duration::ZERO).is_none());
    assert!(trouble(&ours).starts_with("another Vitrin keeps its state in "));
    drop(held);
    drop(theirs);
    assert!(slot(&ours, "main").claim().is_some());
}

#[test]
fn a_folder_that_cannot_be_is_told_once_with_a_way_out() {
    let place = tempdir().unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    let folder = Folder::new(place.path().join("file/state"));
    assert!(slot(&folder, "main").claim().is_none());
    let told = trouble(&folder).replace(place.path().to_str().unwrap(), "");
    expect_test::expect![[r#"
        no state can be kept in /file/state: Not a directory (os error 20): after a restart, counters that come from logs start at zero, lines written meanwhile are not counted, accounts at marketplaces ask for new tokens, and the security score has no first one to be compared with
          hint: make the folder and give it to the user that serves: install -d -m 0700 -o vitrin -g vitrin /file/state; or name another: state_dir = "...""#]]
    .assert_eq(&told);
}

#[test]
fn a_damaged_file_is_an_error_and_the_next_save_mends_it() {
    let place = tempdir().unwrap();
    let folder = Folder::new(place.path().to_owned());
    let claim = slot(&folder, "main").claim().unwrap();
    claim.save(b"what was counted");
    let path = place.path().join("access_log@main.state");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(claim.load().unwrap_err().kind(), io::ErrorKind::InvalidData, "{length} bytes of it");
        // As a file system leaves it that had written the length, but not yet the bytes.
        let mut zeros = whole[..length].to_vec();
        zeros.resize(whole.len(), 0);
        fs::write(&path, &zeros).unwrap();
        assert_eq!(claim.load().unwrap_err().kind(), io::ErrorKind::InvalidData, "zeros from {length} on");
    }
    claim.save(b"what is counted now");
    assert_eq!(claim.load().unwrap().unwrap(), b"what is counted now");
}

#[test]
fn a_save_that_fails_keeps_what_was_saved_and_is_counted() {
    let place = tempdir().unwrap();
    let folder = Folder::new(place.path().to_owned());
    let claim = slot(&folder, "main").claim().unwrap();
    claim.save(b"before");
    claim.save(&vec![0; file::BYTES + 1]);
    assert_eq!(claim.load().unwrap().unwrap(), b"before");
    assert_eq!(folder.failures.load(Ordering::Relaxed), 1);
    assert!(trouble(&folder).starts_with("state cannot be saved in "));
    claim.save(b"after");
    assert_eq!(trouble(&folder), "");
}

#[test]
fn what_is_wrong_with_a_slot_is_forgotten_with_it() {
    let place = tempdir().unwrap();
    let folder = Folder::new(place.path().to_owned());
    let claim = slot(&folder, "main").claim().unwrap();
    claim.save(&vec![0; file::BYTES + 1]);
    assert_ne!(trouble(&folder), "");
    // The target is taken out of the configuration.
    drop(claim);
    assert_eq!(trouble(&folder), "");
}

#[test]
fn what_has_not_changed_is_not_written() {
    let place = tempdir().unwrap();
    let claim = slot(&Folder::new(place.path().to_owned()), "main").claim().unwrap();
    claim.save(b"the same");
    let path = place.path().join("access_log@main.state");
    fs::remove_file(&path).unwrap();
    claim.save(b"the same");
    assert!(!path.exists());
    claim.save(b"another");
    assert!(path.exists());
}

#[test]
fn a_state_dir_is_a_whole_path() {
    assert!(StateDir::try_from("/var/lib/vitrin".to_owned()).is_ok());
    for text in ["", "state", "./state", "/a\0b"] {
        assert!(StateDir::try_from(text.to_owned()).is_err(), "{text}");
    }
}
