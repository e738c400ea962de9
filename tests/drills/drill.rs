//! One drill of the usual kind: something is broken, people are called, it is repaired, and they hear of that.

pub(crate) use crate::watch::{Page, Row, critical, warning};

use crate::compress::minutes;
use crate::watch::{SETTLED, SLACK, Watch, calls_for, told};
use crate::world::World;

/// How long an acknowledged alert is watched: past the time that level 2 would be called at.
const ACKNOWLEDGED: f64 = 17.0;

/// A fault and what must come of it.
#[derive(Clone, Copy)]
pub(crate) struct Drill {
    /// What is broken, for the report.
    pub(crate) fault: &'static str,
    /// Whether it is one of those that run with the tests.
    pub(crate) short: bool,
    /// Thresholds other than the quiet ones.
    pub(crate) thresholds: &'static [(&'static str, &'static str)],
    /// All alerts that call somebody.
    pub(crate) pages: &'static [Page],
    /// Those that may fire besides, and call nobody: symptoms of a cause that was paged.
    pub(crate) symptoms: &'static [&'static str],
    /// How many minutes the last of the pages takes: its window and its `for`.
    pub(crate) after: f64,
    /// How many minutes more than others it may take until all say that it is over: the window that it must leave.
    pub(crate) over: f64,
    /// Whether somebody acknowledges it, after which no higher level may be called.
    ///
    /// Not where another alert of the component, that was inhibited, ends with it: Alertmanager then says that that one is
    /// over, and has forgotten what it said of the acknowledged one by the time its silence ends.
    pub(crate) acknowledged: bool,
    /// Rules beside the shipped ones, written as they are: what there is no time for to come about.
    pub(crate) rules: Option<&'static str>,
    /// What vitrin watches beside the shop's servers, from before the fault on: its targets.
    pub(crate) beside: fn(&mut World) -> String,
    pub(crate) inject: fn(&mut World),
    pub(crate) repair: fn(&mut World),
}

impl Drill {
    /// Nothing happens and nobody is called.
    pub(crate) const NONE: Self = Self {
        fault: "none",
        short: false,
        thresholds: &[],
        pages: &[],
        symptoms: &[],
        after: 0.0,
        over: 0.0,
        acknowledged: false,
        rules: None,
        beside: |_| String::new(),
        inject: |_| {},
        repair: |_| {},
    };

    /// Breaks, watches, acknowledges, repairs, and holds what came of it against what must.
    pub(crate) fn run(&self, world: &mut World) -> Row {
        let beside = (self.beside)(world);
        world.also(beside);
        world.rules = self.rules;
        world.watch(self.thresholds);
        world.rules = None;
        let watch = Watch::begin(world, self.fault);
        (self.inject)(world);
        let opened = calls_for(self.pages, true);
        watch.expect(world, &opened, self.after + SLACK, "these calls");

        let silences = if self.acknowledged { watch.acknowledge(world) } else { Vec::new() };
        world.timeline.pass(minutes(if self.acknowledged { ACKNOWLEDGED } else { SETTLED }));
        watch.nothing_else(world, &opened, self.symptoms, !self.acknowledged);

        world.timeline.done("repair");
        (self.repair)(world);
        // As a helper ends them when there is nothing left to silence; by hand, they would run out.
        if !silences.is_empty() {
            world.expect_calm_of(&crate::watch::names(self.pages));
            for id in &silences {
                world.monitoring().expire(id);
            }
        }
        let all = opened.union(&calls_for(self.pages, false)).cloned().collect();
        watch.expect(world, &all, self.over + SLACK, "these calls, and that it is over");
        world.timeline.pass(minutes(SETTLED));
        watch.nothing_else(world, &all, self.symptoms, !self.acknowledged);
        watch.only_these_fire(world, self.pages, self.symptoms);
        world.also(String::new());
        let mut expected = told(self.pages);
        if self.acknowledged {
            expected += "; acknowledged: nobody else";
        }
        watch.row(world, expected)
    }
}
