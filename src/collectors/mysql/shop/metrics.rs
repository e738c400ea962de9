//! What a shop's own database tells: names that rules and dashboards may count on, whatever system the shop runs.

use crate::metric::Desc;

crate::metrics! {
    Own as METRICS;
    /// When the newest order was placed, by the shop's database, as Unix time; without those whose payment was not finished or failed.
    ORDERS_NEWEST = Gauge("shop_orders_newest_timestamp_seconds", Seconds, []);
    /// Orders placed in the 2 hours or the day up to now (weeks_ago 0), or up to the same moment one to four weeks before, by the channel that they came in by; without those whose payment was not finished or failed.
    ORDERS_RECENT = Gauge("shop_orders_recent", None, ["channel", "window", "weeks_ago"]);
    /// What the orders of the 2 hours or the day up to now are worth, in units of their currency, without those cancelled or refunded since.
    ORDERS_REVENUE = Gauge("shop_orders_revenue_recent", None, ["channel", "currency", "window"]);
    /// Orders begun in the 2 hours or the day up to now, by the status that they have now; `unfinished` were never paid for, `failed` were refused.
    ORDERS_STATUS = Gauge("shop_orders_status_recent", None, ["status", "window"]);
    /// When a regular job of the shop last came to its end, as Unix time; `any` where jobs are not told apart.
    CRON_LAST = Gauge("shop_cron_last_success_timestamp_seconds", Seconds, ["code"]);
    /// How often a regular job of the shop is to run.
    CRON_PERIOD = Gauge("shop_cron_period_seconds", Seconds, ["code"]);
    /// Jobs in a queue of the shop: those that wait and are due, those that run, and those of the last day that failed or were missed.
    QUEUE_JOBS = Gauge("shop_queue_jobs", None, ["queue", "status"]);
    /// Since when the oldest job that is due waits in a queue of the shop, as Unix time.
    QUEUE_OLDEST = Gauge("shop_queue_oldest_timestamp_seconds", Seconds, ["queue"]);
    /// When the newest order that the shop knows of was placed at a marketplace, as Unix time.
    MARKETPLACE_NEWEST = Gauge("shop_marketplace_orders_newest_timestamp_seconds", Seconds, ["marketplace"]);
    /// When the shop last brought in an order of a marketplace, as Unix time.
    MARKETPLACE_IMPORT = Gauge("shop_marketplace_imports_newest_timestamp_seconds", Seconds, ["marketplace"]);
    /// Orders that the shop knows of, placed at a marketplace in the 2 hours or the day up to now (weeks_ago 0), or up to the same moment one to four weeks before.
    MARKETPLACE_RECENT = Gauge("shop_marketplace_orders_recent", None, ["marketplace", "window", "weeks_ago"]);
    /// Orders of the last week that were brought in from a marketplace and did not become orders of the shop.
    MARKETPLACE_UNLINKED = Gauge("shop_marketplace_orders_unlinked", None, ["marketplace"]);
    /// Listings of the shop at a marketplace, by the status that the shop has noted.
    MARKETPLACE_LISTINGS = Gauge("shop_marketplace_listings", None, ["marketplace", "status"]);
    /// When the shop last synchronised a listing at a marketplace, as Unix time.
    MARKETPLACE_SYNC = Gauge("shop_marketplace_listings_newest_timestamp_seconds", Seconds, ["marketplace"]);
    /// Jobs that wait for a marketplace and are due, those that run, and those of the last day that failed.
    MARKETPLACE_QUEUE = Gauge("shop_marketplace_queue_jobs", None, ["marketplace", "status"]);
    /// Since when the oldest job that is due waits for a marketplace, as Unix time.
    MARKETPLACE_QUEUE_OLDEST = Gauge("shop_marketplace_queue_oldest_timestamp_seconds", Seconds, ["marketplace"]);
}

crate::metrics! {
    Own as HEALTH;
    /// When this question to the shop's database was last answered, as Unix time.
    LAST_SUCCESS = Gauge("shop_database_last_success_timestamp_seconds", Seconds, ["query"]);
}

/// The declaration of this name.
pub(super) fn named(name: &str) -> Option<&'static Desc> {
    METRICS.iter().copied().find(|desc| desc.name == name)
}

/// How two values of one series become one: when rows differ in what is no label of it, or in what is `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    Sum,
    Least,
    Most,
}

impl Merge {
    /// Of several jobs the one that ran the longest ago is the one to look at, of several queues the longest wait.
    pub(super) fn of(desc: &Desc) -> Self {
        if desc.name.contains("_oldest_") || desc.name == CRON_LAST.desc().name {
            Self::Least
        } else if desc.name.contains("_newest_") || desc.name == CRON_PERIOD.desc().name {
            Self::Most
        } else {
            Self::Sum
        }
    }

    pub(super) fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum => a + b,
            Self::Least => a.min(b),
            Self::Most => a.max(b),
        }
    }
}

/// The windows that end now, or weeks ago, and how many hours each has: a shop that sells much is told by the short one,
/// one that sells little by the long one.
pub(super) const WINDOWS: [(&str, u32); 2] = [("2h", 2), ("1d", 24)];

/// How many weeks back the same window is counted again.
pub(super) const WEEKS: u32 = 4;

/// How far back all windows reach, in days: what is older need not be read.
pub(super) const DAYS: u32 = WEEKS * 7 + 1;
