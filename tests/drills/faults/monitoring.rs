//! Those who watch and call: vitrin, Prometheus, Alertmanager and the mail server; and an hour in which all is well.

use super::{SHOP_FAILS, Special, mysql};
use crate::compress::minutes;
use crate::sinks::smtp::Manners;
use crate::timeline::{Event, What};
use crate::watch::{Page, Row, SLACK, Watch, calls_for, critical, told};
use crate::world::World;

pub(super) const SPECIAL: &[Special] = &[
    Special { fault: "vitrin killed while memory is low", short: true, run: vitrin_killed },
    Special { fault: "Prometheus killed", short: false, run: prometheus_killed },
    Special { fault: "Alertmanager killed, then MySQL", short: false, run: alertmanager_killed },
    Special { fault: "MySQL stopped while the mail server refuses connections", short: false, run: mail_refused },
    Special { fault: "MySQL stopped while the mail server answers 452 after DATA", short: false, run: mail_lost },
    Special { fault: "nothing for an hour, under load", short: false, run: quiet_hour },
];

const MYSQL_DOWN: &[Page] = &[critical("MySQLDown", 3)];

/// What it last said holds until it answers again: its death is no repair.
fn vitrin_killed(fault: &'static str, world: &mut World) -> Row {
    const LOW: &[(&str, &str)] = &[("HostMemoryLow", "0.01")];
    const MEMORY: &[Page] = &[critical("HostMemoryLow", 1)];
    const DOWN: &[Page] = &[critical("VitrinDown", 3)];
    world.watch(&[]);
    let watch = Watch::begin(world, fault);
    world.promise(LOW);
    let mut calls = calls_for(MEMORY, true);
    watch.expect(world, &calls, 5.0 + SLACK, "the first alert");
    let silences = watch.acknowledge(world);
    world.timeline.done("vitrin is killed");
    world.vitrin.daemon.kill();
    calls.extend(calls_for(DOWN, true));
    watch.expect(world, &calls, SLACK, "that vitrin is down");
    // Longer than anything that looks back keeps a number.
    world.timeline.pass(minutes(7.0));
    watch.nothing_else(world, &calls, &[], false);
    world.timeline.done("vitrin starts");
    world.vitrin.start_again();
    calls.extend(calls_for(DOWN, false));
    watch.expect(world, &calls, SLACK, "that vitrin is back");
    world.timeline.pass(minutes(4.0));
    watch.nothing_else(world, &calls, &[], false);
    world.timeline.done("memory is well again");
    world.promise(&[]);
    world.expect_calm_of(&crate::watch::names(MEMORY));
    for id in &silences {
        world.monitoring().expire(id);
    }
    calls.extend(calls_for(MEMORY, false));
    watch.expect(world, &calls, SLACK, "that all is over");
    watch.nothing_else(world, &calls, &[], false);
    watch.only_these_fire(world, &[MEMORY[0], DOWN[0]], &[]);
    watch.row(world, format!("{}, acknowledged; then {}; each over when it is, not before", told(MEMORY), told(DOWN)))
}

/// Nobody can call then but the dead man's switch: its pings stop, and that is what rings elsewhere.
fn prometheus_killed(fault: &'static str, world: &mut World) -> Row {
    world.watch(&[]);
    let watch = Watch::begin(world, fault);
    assert!(pings(world, &watch, 5.0), "the dead man's switch is held down to begin with");
    world.timeline.done("Prometheus is killed");
    world.monitoring_mut().prometheus[0].daemon.kill();
    // Alertmanager keeps an alert for four times as long as it is sent again after.
    world.timeline.pass(minutes(6.0));
    let dead = Watch::begin(world, fault);
    world.timeline.pass(minutes(10.0));
    if pings(world, &dead, 0.0) {
        watch.fail(world, "the dead man's switch is held down by nobody");
    }
    let back = Watch::begin(world, fault);
    world.monitoring_mut().prometheus[0].start_again();
    assert!(pings(world, &back, SLACK), "the dead man's switch is held down again");
    world.timeline.pass(minutes(5.0));
    watch.nothing_else(world, &calls_for(&[], true), &[], false);
    watch.row(
        world,
        "nobody is called from here; the pings stop within 6 minutes, and so whoever waits for them rings".to_owned(),
    )
}

/// What happens meanwhile is told as soon as it is back.
fn alertmanager_killed(fault: &'static str, world: &mut World) -> Row {
    world.watch(&[]);
    let watch = Watch::begin(world, fault);
    world.monitoring_mut().alertmanagers[0].daemon.kill();
    // Killed, since a server takes some minutes of a drill to stop.
    world.shop.database.daemon.kill();
    // Shorter than what Prometheus says of calls that it could not make.
    world.timeline.pass(minutes(3.0));
    watch.nothing_else(world, &calls_for(&[], true), &[], false);
    if pings(world, &watch, 0.0) {
        watch.fail(world, "the dead man's switch is held down by nobody");
    }
    world.timeline.done("Alertmanager starts");
    world.monitoring_mut().alertmanagers[0].start_again();
    let mut calls = calls_for(MYSQL_DOWN, true);
    watch.expect(world, &calls, SLACK, "the calls that were due");
    world.timeline.done("MySQL starts");
    mysql::start(world);
    calls.extend(calls_for(MYSQL_DOWN, false));
    watch.expect(world, &calls, SLACK, "that it is over");
    watch.nothing_else(world, &calls, &[SHOP_FAILS, &["TargetDown"]].concat(), false);
    watch.row(world, format!("no ping, no call; once it is back: {}", told(MYSQL_DOWN)))
}

/// The phone does not need the mail server; the mails arrive when they can.
///
/// `AlertmanagerNotificationsFailing` cannot be drilled: Alertmanager gives a mail up after 10 s at the least, which are
/// 10 minutes here, and counts it then; that is too rare for an alert about five of them.
fn mail_refused(fault: &'static str, world: &mut World) -> Row {
    let symptoms = [SHOP_FAILS, &["AlertmanagerNotificationsFailing"]].concat();
    world.watch(&[]);
    let watch = Watch::begin(world, fault);
    world.smtp.behave(Manners::Refuses);
    mysql::stop(world);
    let mut calls = calls_for(MYSQL_DOWN, true);
    let phone = calls.iter().filter(|call| call.who == "phone").cloned().collect();
    watch.expect(world, &phone, SLACK, "the phone");
    world.timeline.pass(minutes(5.0));
    watch.nothing_else(world, &phone, &symptoms, false);
    world.timeline.done("the mail server takes mail");
    world.smtp.behave(Manners::Good);
    watch.expect(world, &calls, SLACK, "the mails that were due");
    world.timeline.done("MySQL starts");
    mysql::start(world);
    calls.extend(calls_for(MYSQL_DOWN, false));
    watch.expect(world, &calls, SLACK, "that it is over");
    watch.nothing_else(world, &calls, &symptoms, false);
    watch.row(world, format!("the phone rings for {}; the mails arrive when they can", told(MYSQL_DOWN)))
}

/// A mail that was read and then refused: Alertmanager 0.25 counts it as sent, later ones try again and complain.
fn mail_lost(fault: &'static str, world: &mut World) -> Row {
    world.watch(&[]);
    let watch = Watch::begin(world, fault);
    world.smtp.behave(Manners::Full);
    mysql::stop(world);
    let phone = calls_for(MYSQL_DOWN, true).into_iter().filter(|call| call.who == "phone").collect();
    watch.expect(world, &phone, SLACK, "the phone");
    world.timeline.pass(minutes(5.0));
    let refused = |events: &[Event]| events.iter().filter(|event| matches!(event.what, What::Refused(_))).count();
    let tried = refused(&world.timeline.since(watch.since()));
    if tried == 0 {
        watch.fail(world, "no mail was tried");
    }
    let version = world.monitoring().version();
    let again = world.timeline.until(watch.since(), minutes(3.0), |events| refused(events) > tried);
    let loses = version.starts_with("0.25.");
    if again == loses {
        watch.fail(world, &format!("Alertmanager {version} tries again: {again}"));
    }
    world.smtp.behave(Manners::Good);
    let calls = calls_for(MYSQL_DOWN, true);
    if !loses {
        watch.expect(world, &calls, SLACK, "the mails that were due");
    }
    mysql::start(world);
    // That it is over is said by mail, too, to those who never heard that it began.
    watch.expect(world, &calls_for(MYSQL_DOWN, false), SLACK, "that it is over");
    let expected = if loses {
        "the phone rings for MySQLDown; Alertmanager 0.25 loses the mail without a word"
    } else {
        "the phone rings for MySQLDown; the mail is tried again until it arrives"
    };
    watch.row(world, expected.to_owned())
}

/// Shoppers come, and nothing else happens.
fn quiet_hour(fault: &'static str, world: &mut World) -> Row {
    world.watch(&[]);
    let watch = Watch::begin(world, fault);
    let before = world.load.rounds();
    world.timeline.pass(minutes(60.0));
    let rounds = world.load.rounds() - before;
    if rounds < 100 {
        watch.fail(world, &format!("shoppers came only {rounds} times"));
    }
    watch.nothing_else(world, &calls_for(&[], true), &[], false);
    watch.only_these_fire(world, &[], &[]);
    watch.row(world, told(&[]))
}

/// Whether the dead man's switch is held down within these minutes.
fn pings(world: &World, watch: &Watch, within: f64) -> bool {
    world
        .timeline
        .until(watch.since(), minutes(within), |events| events.iter().any(|event| matches!(event.what, What::Ping)))
}
