//! A marketplace: down, hung, slow, tired of us, and with another opinion of the key than ours.

use crate::drill::{Drill, critical, warning};
use crate::world::World;

/// One of this topic.
const DRILL: Drill = Drill {
    beside: |world| world.marketplaces().target(),
    repair: |world| world.marketplaces().be_well(),
    ..Drill::NONE
};

/// What the simulator takes for the right one.
const SECRET: &str = "simulated-trendyol-secret";

/// What is usual at this time takes a day to know; on the day before, so many orders came.
const YESTERDAY: &str = "
groups:
- name: drill
  interval: 30s
  rules:
  - record: marketplace:order_changes_before:count_2h
    expr: 20 + 0 * marketplace:order_changes:count_2h
    labels: {before: day}
";

pub(super) const DRILLS: &[Drill] = &[
    Drill {
        fault: "a marketplace answers 503",
        pages: &[critical("MarketplaceApiDown", 2)],
        after: 14.0,
        inject: |world| world.marketplaces().go_wrong("status = 503"),
        ..DRILL
    },
    Drill {
        fault: "a marketplace takes requests and does not answer",
        pages: &[critical("MarketplaceApiDown", 2)],
        after: 14.0,
        inject: |world| world.marketplaces().go_wrong("scenario = 'stall'"),
        ..DRILL
    },
    Drill {
        fault: "a marketplace refuses the key",
        pages: &[critical("MarketplaceCredentialRejected", 2)],
        after: 7.0,
        acknowledged: true,
        inject: |world| replace(world, "another", SECRET),
        repair: |world| replace(world, SECRET, "another"),
        ..DRILL
    },
    Drill {
        fault: "a marketplace has had enough of us (429)",
        pages: &[warning("MarketplaceRateLimited", 1)],
        after: 15.0,
        over: 30.0,
        inject: |world| world.marketplaces().go_wrong("scenario = 'rate_limited'\nretry_after = '2s'"),
        ..DRILL
    },
    Drill {
        fault: "a marketplace sells nothing, which is not usual",
        pages: &[critical("MarketplaceOrdersStalled", 2)],
        after: 125.0,
        rules: Some(YESTERDAY),
        inject: |world| world.marketplaces().go_wrong("scenario = 'no_orders'"),
        ..DRILL
    },
    Drill {
        fault: "a marketplace takes 400 ms longer for each answer",
        pages: &[warning("MarketplaceLatencyHigh", 1)],
        after: 40.0,
        over: 35.0,
        inject: |world| world.marketplaces().go_wrong("latency = { processing = '400ms' }"),
        ..DRILL
    },
];

fn replace(world: &mut World, by: &str, was: &str) {
    assert_eq!(world.marketplaces().replace_secret(by).trim_end(), was);
}
