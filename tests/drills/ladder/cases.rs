//! What happens to each shop of the ladder's drill, and who is called when.

use super::page::Fault;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Begin(Fault),
    End(Fault),
    /// Somebody follows the links in the mails.
    Link,
    /// Somebody uses the button of Alertmanager's page on the alert of this level: a silence of all its labels.
    Button {
        level: u8,
    },
    KillAlertmanager(usize),
    StartAlertmanager(usize),
    KillPrometheus(usize),
}

/// A case: a shop, what happens there at which minute, and all calls by mailbox at which minute, open or over.
pub(super) struct Case {
    pub(super) shop: &'static str,
    pub(super) what: &'static str,
    /// The one alert that may call anybody.
    pub(super) alert: &'static str,
    pub(super) acts: &'static [(f64, Act)],
    pub(super) expected: &'static [(&'static str, &'static [(f64, bool)])],
}

const OPEN: bool = true;
const OVER: bool = false;

const fn slow(shop: &'static str) -> Fault {
    ("slow", shop, 0)
}

/// With one of each.
pub(super) const ALONE: [Case; 10] = [
    Case {
        shop: "nobody",
        what: "level 1, nobody answers, over at 70",
        alert: "DrillSlow",
        acts: &[(0.0, Act::Begin(slow("nobody"))), (70.0, Act::End(slow("nobody")))],
        expected: &[
            ("phone", &[(1.0, OPEN), (31.0, OPEN), (61.0, OPEN), (71.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-2", &[(16.0, OPEN), (71.0, OVER)]),
            ("level-3", &[(31.0, OPEN), (71.0, OVER)]),
            ("level-4", &[(61.0, OPEN), (71.0, OVER)]),
        ],
    },
    Case {
        shop: "button",
        what: "acknowledged at 10 by the button",
        alert: "DrillSlow",
        acts: &[(0.0, Act::Begin(slow("button"))), (10.0, Act::Button { level: 1 }), (70.0, Act::End(slow("button")))],
        expected: &[("phone", &[(1.0, OPEN)]), ("level-1", &[(1.0, OPEN)])],
    },
    Case {
        shop: "link",
        what: "acknowledged at 20 by the links in the mails",
        alert: "DrillSlow",
        acts: &[(0.0, Act::Begin(slow("link"))), (20.0, Act::Link), (70.0, Act::End(slow("link")))],
        expected: &[("phone", &[(1.0, OPEN)]), ("level-1", &[(1.0, OPEN)]), ("level-2", &[(16.0, OPEN)])],
    },
    Case {
        shop: "second",
        what: "level 2 uses its button at 22, over at 45",
        alert: "DrillSlow",
        acts: &[(0.0, Act::Begin(slow("second"))), (22.0, Act::Button { level: 2 }), (45.0, Act::End(slow("second")))],
        expected: &[
            ("phone", &[(1.0, OPEN), (31.0, OPEN), (46.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (46.0, OVER)]),
            ("level-2", &[(16.0, OPEN)]),
        ],
    },
    Case {
        shop: "database",
        what: "the database is down (level 3), with symptoms",
        alert: "DrillDatabaseDown",
        acts: &[
            (0.0, Act::Begin(("database", "database", 0))),
            (0.0, Act::Begin(slow("database"))),
            (69.0, Act::End(slow("database"))),
            (70.0, Act::End(("database", "database", 0))),
        ],
        expected: &[
            ("phone", &[(1.0, OPEN), (31.0, OPEN), (61.0, OPEN), (71.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-2", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-3", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-4", &[(61.0, OPEN), (71.0, OVER)]),
        ],
    },
    Case {
        shop: "warning",
        what: "a warning",
        alert: "DrillDiskFills",
        acts: &[(0.0, Act::Begin(("disk", "warning", 0))), (70.0, Act::End(("disk", "warning", 0)))],
        expected: &[("level-1", &[(1.0, OPEN), (71.0, OVER)]), ("level-2", &[(16.0, OPEN), (71.0, OVER)])],
    },
    Case {
        shop: "conflict",
        what: "starts at level 2",
        alert: "DrillConflict",
        acts: &[(0.0, Act::Begin(("conflict", "conflict", 0))), (70.0, Act::End(("conflict", "conflict", 0)))],
        expected: &[
            ("phone", &[(1.0, OPEN), (31.0, OPEN), (61.0, OPEN), (71.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-2", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-3", &[(31.0, OPEN), (71.0, OVER)]),
            ("level-4", &[(61.0, OPEN), (71.0, OVER)]),
        ],
    },
    Case {
        shop: "again",
        what: "there from 0 to 5, and again from 14 to 50",
        alert: "DrillSlow",
        acts: &[
            (0.0, Act::Begin(slow("again"))),
            (5.0, Act::End(slow("again"))),
            (14.0, Act::Begin(slow("again"))),
            (50.0, Act::End(slow("again"))),
        ],
        expected: &[
            ("phone", &[(1.0, OPEN), (6.0, OVER), (15.0, OPEN), (45.0, OPEN), (51.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (6.0, OVER), (15.0, OPEN), (51.0, OVER)]),
            ("level-2", &[(30.0, OPEN), (51.0, OVER)]),
            ("level-3", &[(45.0, OPEN), (51.0, OVER)]),
        ],
    },
    Case {
        shop: "later",
        what: "there from 0 to 5, and again from 50 to 68",
        alert: "DrillSlow",
        acts: &[
            (0.0, Act::Begin(slow("later"))),
            (5.0, Act::End(slow("later"))),
            (50.0, Act::Begin(slow("later"))),
            (70.0, Act::End(slow("later"))),
        ],
        expected: &[
            ("phone", &[(1.0, OPEN), (6.0, OVER), (51.0, OPEN), (71.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (6.0, OVER), (51.0, OPEN), (71.0, OVER)]),
            ("level-2", &[(66.0, OPEN), (71.0, OVER)]),
        ],
    },
    Case {
        shop: "twelve",
        what: "twelve at once: one mail a level",
        alert: "DrillSlow",
        acts: &[
            (0.0, Act::Begin(("slow", "twelve", 0))),
            (0.0, Act::Begin(("slow", "twelve", 1))),
            (0.0, Act::Begin(("slow", "twelve", 2))),
            (0.0, Act::Begin(("slow", "twelve", 3))),
            (0.0, Act::Begin(("slow", "twelve", 4))),
            (0.0, Act::Begin(("slow", "twelve", 5))),
            (0.0, Act::Begin(("slow", "twelve", 6))),
            (0.0, Act::Begin(("slow", "twelve", 7))),
            (0.0, Act::Begin(("slow", "twelve", 8))),
            (0.0, Act::Begin(("slow", "twelve", 9))),
            (0.0, Act::Begin(("slow", "twelve", 10))),
            (0.0, Act::Begin(("slow", "twelve", 11))),
            (10.0, Act::Link),
            (70.0, Act::End(("slow", "twelve", 0))),
        ],
        expected: &[("phone", &[(1.0, OPEN)]), ("level-1", &[(1.0, OPEN)])],
    },
];

/// Alertmanager 0 dies at 12, after the acknowledgement it was given, and is back at 24; Prometheus 0 dies at 20,
/// Alertmanager 1 at 40. Nobody is called twice, or not at all.
pub(super) const PAIR: [Case; 2] = [
    Case {
        shop: "nobody",
        what: "nobody answers, over at 70",
        alert: "DrillSlow",
        acts: &[
            (0.0, Act::Begin(slow("nobody"))),
            (12.0, Act::KillAlertmanager(0)),
            (20.0, Act::KillPrometheus(0)),
            (24.0, Act::StartAlertmanager(0)),
            (40.0, Act::KillAlertmanager(1)),
            (70.0, Act::End(slow("nobody"))),
        ],
        expected: &[
            ("phone", &[(1.0, OPEN), (31.0, OPEN), (61.0, OPEN), (71.0, OVER)]),
            ("level-1", &[(1.0, OPEN), (71.0, OVER)]),
            ("level-2", &[(16.0, OPEN), (71.0, OVER)]),
            ("level-3", &[(31.0, OPEN), (71.0, OVER)]),
            ("level-4", &[(61.0, OPEN), (71.0, OVER)]),
        ],
    },
    Case {
        shop: "link",
        what: "acknowledged at 9",
        alert: "DrillSlow",
        acts: &[(0.0, Act::Begin(slow("link"))), (9.0, Act::Link), (70.0, Act::End(slow("link")))],
        expected: &[("phone", &[(1.0, OPEN)]), ("level-1", &[(1.0, OPEN)])],
    },
];
