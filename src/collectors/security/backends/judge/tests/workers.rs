//! PHP's workers.

use super::*;

#[test]
fn workers_are_bound_in_time_and_in_number() {
    use State::{Fail, Partial};
    let workers =
        |change: fn(&mut Workers)| move |seen: &mut Seen| change(&mut seen.pools.as_mut().unwrap()[0].workers);
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = Some(0))), [("DD-08", Partial)]);
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = Some(121))), [("DD-08", Partial)]);
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = Some(120))), []);
    assert_eq!(differs(workers(|workers| workers.most = Some(200))), [("DD-08", Partial)]);
    // (8192 * 0.8 - 128) / 64 is 100.4.
    assert_eq!(differs(workers(|workers| workers.most = Some(100))), []);
    assert_eq!(differs(workers(|workers| workers.most = Some(101))), [("DD-08", Partial)]);
    let neither = |workers: &mut Workers| (workers.most, workers.terminate_timeout) = (Some(500), Some(0));
    assert_eq!(differs(workers(neither)), [("DD-08", Fail)]);
    let unknown = |cause| vec![("DD-08", State::Unknown(cause))];
    assert_eq!(differs(workers(|workers| workers.most = None)), unknown(Cause::Unparsable));
    assert_eq!(differs(workers(|workers| workers.terminate_timeout = None)), unknown(Cause::Unparsable));
    assert_eq!(differs(workers(|workers| workers.sizes.clear())), unknown(Cause::Unreachable));
    assert_eq!(differs(workers(|workers| workers.machine = None)), unknown(Cause::Unsupported));
}

#[test]
fn a_pool_for_long_jobs_has_its_time_and_takes_memory() {
    let second = |most, name: &'static str| {
        move |seen: &mut Seen| {
            let mut jobs = pool("jobs");
            (jobs.workers.terminate_timeout, jobs.workers.most) = (Some(0), Some(most));
            jobs.workers.sizes.clear();
            seen.pools.as_mut().unwrap().push(jobs);
            seen.php.as_mut().unwrap().pool = name.to_owned();
        }
    };
    assert_eq!(differs(second(80, "www")), []);
    assert_eq!(differs(second(81, "www")), [("DD-08", State::Partial)]);
    assert_eq!(differs(second(80, "nowhere")), [("DD-08", State::Partial)], "it may be the shop's");
}
