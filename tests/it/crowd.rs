//! Many scrapers at once: all are answered, and the backends hardly notice.

use std::thread;

use crate::support::daemon::turn;
use crate::support::exporter::Exporter;
use crate::support::stack::Stack;

/// As many as bring mysqld_exporter to take every connection that a MariaDB has by default.
const SCRAPERS: usize = 200;

#[test]
fn two_hundred_scrapers_at_once_are_answered_by_one_connection_to_each_backend() {
    let _turn = turn();
    let stack = Stack::start();
    let exporter = Exporter::start(&stack.configuration());
    // The timers have run, and the kept connections are there.
    let before = exporter.scrape();
    thread::scope(|scope| {
        let scrapers: Vec<_> = (0..SCRAPERS).map(|_| scope.spawn(|| exporter.scrape())).collect();
        for scraper in scrapers {
            let page = scraper.join().unwrap();
            for collector in ["host", "mysql", "redis", "nginx", "php_fpm"] {
                let job = [("collector", collector), ("target", "main")];
                assert_eq!(page.number("vitrin_up", &job), 1.0, "{collector}; the log:\n{}", exporter.log());
            }
        }
    });
    let after = exporter.scrape();
    let added = |name: &str| after.number(name, &[]) - before.number(name, &[]);
    // A connection that the server closed meanwhile may have been made anew, once.
    assert!(added("mysql_global_status_connections") <= 1.0, "{}", added("mysql_global_status_connections"));
    assert!(added("redis_connections_received_total") <= 1.0, "{}", added("redis_connections_received_total"));
    // The harness' own connection while it set the server up, and ours.
    assert!(after.number("mysql_global_status_max_used_connections", &[]) <= 3.0);
}
