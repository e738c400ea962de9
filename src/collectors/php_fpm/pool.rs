//! A pool as samples: what its status page says and how it is configured.

use super::configuration::Pool;
use super::status::{IDLE, Status};
use crate::collector::{Failure, Reason};
use crate::snapshot::{Number as _, Snapshot};

/// The most children that are shown each by themselves, of all pools together: with six states each, what one family
/// may have.
pub(super) const CHILDREN: usize = 300;

crate::metrics! {
    DropIn as POOL;
    /// Whether this pool answers, 1 or 0: with its status page, or to a FastCGI ping where `pm.status_path` is not set.
    UP = Gauge("phpfpm_up", None, ["pool", "scrape_uri"]);
    /// Scrapes that this pool did not answer since Vitrin started.
    SCRAPE_FAILURES = Counter("phpfpm_scrape_failures", None, ["pool", "scrape_uri"]);
    /// Seconds since this pool started, from `start since`.
    START_SINCE = Gauge("phpfpm_start_since", None, ["pool", "scrape_uri"]);
    /// Requests that this pool has taken, from `accepted conn`; asking for the status is one, except through
    /// `pm.status_listen`.
    ACCEPTED_CONNECTIONS = Counter("phpfpm_accepted_connections", None, ["pool", "scrape_uri"]);
    /// Requests that wait for a free process, from `listen queue`; for a Unix socket, of which FPM says 0, from the
    /// kernel, and absent when the socket is not one of this network namespace.
    LISTEN_QUEUE = Gauge("phpfpm_listen_queue", None, ["pool", "scrape_uri"]);
    /// Most requests that ever waited at once since this pool started, from `max listen queue`; 0 for a Unix socket.
    MAX_LISTEN_QUEUE = Gauge("phpfpm_max_listen_queue", None, ["pool", "scrape_uri"]);
    /// Requests that may wait before the kernel refuses more, from `listen queue len`; for a Unix socket from the
    /// kernel, as `phpfpm_listen_queue`.
    LISTEN_QUEUE_LENGTH = Gauge("phpfpm_listen_queue_length", None, ["pool", "scrape_uri"]);
    /// Processes that wait for a request, counted by their states.
    IDLE_PROCESSES = Gauge("phpfpm_idle_processes", None, ["pool", "scrape_uri"]);
    /// Processes in any state but `Idle`, also those that are only just beginning or ending a request.
    ACTIVE_PROCESSES = Gauge("phpfpm_active_processes", None, ["pool", "scrape_uri"]);
    /// Processes of this pool, idle and active.
    TOTAL_PROCESSES = Gauge("phpfpm_total_processes", None, ["pool", "scrape_uri"]);
    /// Most processes that were ever active at once since this pool started, from `max active processes`.
    MAX_ACTIVE_PROCESSES = Gauge("phpfpm_max_active_processes", None, ["pool", "scrape_uri"]);
    /// Times that another process was wanted when there were `pm.max_children` already, from `max children reached`.
    MAX_CHILDREN_REACHED = Counter("phpfpm_max_children_reached", None, ["pool", "scrape_uri"]);
    /// Requests that took longer than `request_slowlog_timeout`, from `slow requests`.
    SLOW_REQUESTS = Counter("phpfpm_slow_requests", None, ["pool", "scrape_uri"]);
}

crate::metrics! {
    DropIn as CHILD;
    /// Requests that this child has served, from `requests`.
    PROCESS_REQUESTS = Counter("phpfpm_process_requests", None, ["pool", "child", "scrape_uri"]);
    /// Most memory that the last request of this child took, in bytes, from `last request memory`.
    PROCESS_LAST_REQUEST_MEMORY = Gauge("phpfpm_process_last_request_memory", None, ["pool", "child", "scrape_uri"]);
    /// Share of one processor that the last request of this child took, in percent, from `last request cpu`.
    PROCESS_LAST_REQUEST_CPU = Gauge("phpfpm_process_last_request_cpu", None, ["pool", "child", "scrape_uri"]);
    /// Microseconds that the current or last request of this child has taken, from `request duration`.
    PROCESS_REQUEST_DURATION = Gauge("phpfpm_process_request_duration", None, ["pool", "child", "scrape_uri"]);
    /// Whether this child is in this state, 1 or 0.
    PROCESS_STATE = Gauge("phpfpm_process_state", None, ["pool", "child", "state", "scrape_uri"]);
}

crate::metrics! {
    Own as MEMORY;
    /// Most memory that one request has taken since this pool started, from `memory peak` of PHP 8.4 and later.
    MEMORY_PEAK = Gauge("phpfpm_request_memory_peak_bytes", Bytes, ["pool", "scrape_uri"]);
}

crate::metrics! {
    Own as MANAGER;
    /// How this pool manages its processes, in the label `pm`: `static`, `dynamic` or `ondemand`.
    INFO = Gauge("phpfpm_pm_info", None, ["pool", "pm"]);
    /// Most processes this pool may have at once, `pm.max_children`.
    MAX_CHILDREN = Gauge("phpfpm_pm_max_children", None, ["pool"]);
    /// Processes this dynamic pool starts with, `pm.start_servers`.
    START_SERVERS = Gauge("phpfpm_pm_start_servers", None, ["pool"]);
    /// Fewest idle processes this dynamic pool keeps, `pm.min_spare_servers`.
    MIN_SPARE_SERVERS = Gauge("phpfpm_pm_min_spare_servers", None, ["pool"]);
    /// Most idle processes this dynamic pool keeps, `pm.max_spare_servers`.
    MAX_SPARE_SERVERS = Gauge("phpfpm_pm_max_spare_servers", None, ["pool"]);
    /// Requests after which a process is replaced, `pm.max_requests`; 0 when none ever is.
    MAX_REQUESTS = Gauge("phpfpm_pm_max_requests", None, ["pool"]);
    /// Time after which an idle process of this ondemand pool ends, `pm.process_idle_timeout`.
    IDLE_TIMEOUT = Gauge("phpfpm_pm_process_idle_timeout_seconds", Seconds, ["pool"]);
    /// Time after which a request is ended by force, `request_terminate_timeout`; 0 when none ever is.
    TERMINATE_TIMEOUT = Gauge("phpfpm_pm_request_terminate_timeout_seconds", Seconds, ["pool"]);
    /// Time after which a request is written to the slow log, `request_slowlog_timeout`; 0 when none ever is.
    SLOWLOG_TIMEOUT = Gauge("phpfpm_pm_request_slowlog_timeout_seconds", Seconds, ["pool"]);
    /// Whether `pm.status_listen` is set, 1 or 0; without it nobody sees the status of this pool while it is full.
    STATUS_LISTEN = Gauge("phpfpm_pm_status_listen", None, ["pool"]);
    /// Active processes of this pool as a part of `pm.max_children`.
    BUSY_RATIO = Gauge("phpfpm_pm_busy_ratio", Ratio, ["pool"]);
    /// Most processes all pools of this FPM may have together, `process.max`; absent when there is no such limit.
    PROCESS_MAX = Gauge("phpfpm_pm_process_max", None, []);
}

/// The states of a child in the words of FPM (`fpm_request_get_stage_name`).
const STATES: [&str; 6] = [IDLE, "Running", "Reading headers", "Getting request informations", "Finishing", "Ending"];

impl Pool {
    /// Pushes how the pool is configured.
    pub(super) fn report(&self, out: &mut Snapshot) {
        let (Some(name), Some(manager)) = (self.name.as_deref(), &self.manager) else { return };
        // FPM reads no other word; a configuration that it would refuse is no reason for a new series.
        if ["static", "dynamic", "ondemand"].contains(&manager.kind.as_str()) {
            out.push(&INFO, [name, &manager.kind], 1.0);
        }
        out.push(&STATUS_LISTEN, [name], self.status_listen.is_some());
        let spares = [
            (&START_SERVERS, manager.start_servers),
            (&MIN_SPARE_SERVERS, manager.min_spare_servers),
            (&MAX_SPARE_SERVERS, manager.max_spare_servers),
        ];
        let of_all = [
            (&MAX_CHILDREN, manager.max_children),
            (&MAX_REQUESTS, manager.max_requests),
            (&TERMINATE_TIMEOUT, manager.request_terminate_timeout),
            (&SLOWLOG_TIMEOUT, manager.request_slowlog_timeout),
        ];
        let dynamic = spares.into_iter().filter(|_| manager.kind == "dynamic");
        let on_demand = [(&IDLE_TIMEOUT, manager.process_idle_timeout)].into_iter();
        let on_demand = on_demand.filter(|_| manager.kind == "ondemand");
        for (metric, value) in dynamic.chain(on_demand).chain(of_all) {
            if let Some(value) = value {
                out.push(metric, [name], value);
            }
        }
    }

    /// Pushes how much of what the pool may have is in use.
    pub(super) fn report_use(&self, status: &Status, out: &mut Snapshot) {
        let max = self.manager.as_ref().and_then(|manager| manager.max_children).filter(|max| *max > 0);
        if let (Some(name), Some(max), Some((_, active))) = (&self.name, max, status.counts()) {
            // FPM may have one child more for a moment when its limit was lowered by a reload.
            out.push(&BUSY_RATIO, [name], (active / max.number()).min(1.0));
        }
    }
}

impl Status {
    /// Pushes the numbers of the pool; those of its queue only where FPM knows it.
    pub(super) fn report(&self, pool: &str, uri: &str, queue: bool, out: &mut Snapshot) {
        let head = &self.head;
        for (metric, value) in [
            (&START_SINCE, head.start_since),
            (&ACCEPTED_CONNECTIONS, head.accepted),
            (&LISTEN_QUEUE, head.queue.filter(|_| queue)),
            (&MAX_LISTEN_QUEUE, head.max_queue),
            (&LISTEN_QUEUE_LENGTH, head.queue_length.filter(|_| queue)),
            (&MAX_ACTIVE_PROCESSES, head.max_active),
            (&MAX_CHILDREN_REACHED, head.max_children_reached),
            (&SLOW_REQUESTS, head.slow),
            (&MEMORY_PEAK, head.memory_peak),
        ] {
            if let Some(value) = value {
                out.push(metric, [pool, uri], value);
            }
        }
        if let Some((idle, active)) = self.counts() {
            out.push(&IDLE_PROCESSES, [pool, uri], idle);
            out.push(&ACTIVE_PROCESSES, [pool, uri], active);
            out.push(&TOTAL_PROCESSES, [pool, uri], idle + active);
        }
    }

    /// Pushes the numbers of each child, of at most `room`; returns how many.
    pub(super) fn report_children(
        &self,
        pool: &str,
        uri: &str,
        room: usize,
        out: &mut Snapshot,
    ) -> Result<usize, Failure> {
        let Some(processes) = &self.processes else {
            let message = "the processes' part of the status page is not JSON; PHP before 8.3 does not escape requests";
            return Err(Failure::message(Reason::Protocol, message));
        };
        for (index, process) in processes.iter().take(room).enumerate() {
            let child = &index.to_string();
            out.push(&PROCESS_REQUESTS, [pool, child, uri], process.requests);
            out.push(&PROCESS_LAST_REQUEST_MEMORY, [pool, child, uri], process.memory);
            out.push(&PROCESS_LAST_REQUEST_CPU, [pool, child, uri], process.cpu);
            // A clock that was set back makes it negative, which FPM prints as a number just below 2^64.
            if process.duration < i64::MAX.number() {
                out.push(&PROCESS_REQUEST_DURATION, [pool, child, uri], process.duration);
            }
            for state in STATES {
                out.push(&PROCESS_STATE, [pool, child, state, uri], process.state == state);
            }
        }
        if processes.len() > room {
            let message = format!("more than {CHILDREN} children; the others are not shown one by one");
            return Err(Failure::message(Reason::Limit, message));
        }
        Ok(processes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::php_fpm::fastcgi::Answer;
    use crate::collectors::php_fpm::status;

    #[test]
    fn a_duration_that_was_negative_is_absent() {
        let body = r#"{"pool":"a","total processes":2,"processes":[
            {"state":"Idle","requests":1,"request duration":18446744073709550774,"last request cpu":0,
             "last request memory":0},
            {"state":"Idle","requests":1,"request duration":42,"last request cpu":0,"last request memory":0}]}"#;
        let answer = Answer { status: 200, body: body.into(), stderr: String::new() };
        let mut out = Snapshot::default();
        status::parse(&answer).unwrap().report_children("a", "", 2, &mut out).unwrap();
        let findings = out.finish().0;
        let series = |name: &str| {
            let family = findings.families().find(|(family, _)| family.name == name);
            family.map(|(_, group)| group.samples().count())
        };
        assert_eq!(series("phpfpm_process_request_duration"), Some(1));
        assert_eq!(series("phpfpm_process_requests"), Some(2));
    }
}
