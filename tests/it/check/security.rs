//! A security score of which not all is known.

use std::fs;

use super::Check;

#[test]
fn what_keeps_the_score_from_being_known_is_no_error_and_is_said() {
    let check = Check::of("[security]\n");
    let (etc, units) = (check.file("host/etc"), check.file("host/usr/lib/systemd/system"));
    for folder in [&etc, &units, &check.file("host/run")] {
        fs::create_dir_all(folder).unwrap();
    }
    for file in ["passwd", "group"] {
        fs::copy(format!("/etc/{file}"), etc.join(file)).unwrap();
    }
    let host = check.file("host").display().to_string();
    let run = || check.run_with(&["--path.rootfs", &host]);
    let checked = run();
    assert_eq!((checked.code, checked.script().as_str()), (Some(0), ""), "{}", checked.text);
    let points_to_the_report = "cannot be made: ";
    for said in [
        "What only root sees of the firewall",
        "run `systemctl enable --now",
        points_to_the_report,
        "  | vitrin security\n",
    ] {
        assert!(checked.text.contains(said), "no `{said}` in\n{}", checked.text);
    }
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vitrin-facts.timer"), units.join("vitrin-facts.timer"))
        .unwrap();
    let checked = run();
    assert_eq!(checked.script(), "systemctl enable --now vitrin-facts.timer\n", "{}", checked.text);
    assert_eq!(checked.code, Some(0), "{}", checked.text);
}
