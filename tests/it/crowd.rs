//! Many scrapers at once: all are answered, and neither the backends nor the shop's own requests notice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use mysql_async::prelude::Queryable as _;

use crate::support::daemon::{Ending, eventually, turn};
use crate::support::exporter::Exporter;
use crate::support::http::Response;
use crate::support::mariadb::block_on;
use crate::support::nginx::Nginx;
use crate::support::php_fpm::PhpFpm;
use crate::support::scrape::Page;
use crate::support::stack::Stack;

/// As many as bring mysqld_exporter to take every connection that a MariaDB has by default.
const SCRAPERS: usize = 200;

/// The most connections that a backend may see of us at once.
const MOST: usize = 2;

/// Prometheus' default limit for a scrape.
const LIMIT: (&str, &str) = ("X-Prometheus-Scrape-Timeout-Seconds", "10");

/// A pool that the shop uses, and one that nobody asks but us.
const POOL: &str = "pm = static\npm.max_children = 8\npm.status_path = /status";

/// An nginx that says 503 to whoever asks for its status on one connection too many.
const LOCATIONS: &str = "location / { return 200 'shop'; }\n\
                         location = /counted { limit_conn ours 2; stub_status; }";

/// All answers to as many scrapes at once.
fn crowd(exporter: &Exporter) -> Vec<Response> {
    thread::scope(|scope| {
        let scrapers: Vec<_> = (0..SCRAPERS).map(|_| scope.spawn(|| exporter.get("/metrics", &[LIMIT]))).collect();
        scrapers.into_iter().map(|scraper| scraper.join().unwrap()).collect()
    })
}

/// Asserts that each answer is a page on which these are up.
#[track_caller]
fn assert_up(answers: &[Response], collectors: &[&str], log: &str) {
    for answer in answers {
        assert_eq!(answer.status, 200);
        let text = answer.text();
        for collector in collectors {
            let line = format!("vitrin_up{{collector=\"{collector}\",target=\"main\"}} 1\n");
            assert!(text.contains(&line), "{collector}; the log:\n{log}");
        }
    }
}

/// The shop's own requests, one after the other until it closes; none may fail.
struct Shop<'a> {
    stack: &'a Stack,
    nginx: &'a Nginx,
    php_fpm: &'a PhpFpm,
    closed: AtomicBool,
    served: [AtomicUsize; 4],
}

impl Shop<'_> {
    fn serve(&self, counter: usize, mut request: impl FnMut()) {
        while !self.closed.load(Ordering::Relaxed) {
            request();
            self.served[counter].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn query(&self) {
        block_on(async {
            let mut visitor = self.stack.database().visitor().await;
            while !self.closed.load(Ordering::Relaxed) {
                visitor.query_drop("SELECT name FROM shop.t1 WHERE id = 1").await.unwrap();
                self.served[0].fetch_add(1, Ordering::Relaxed);
            }
            visitor.disconnect().await.unwrap();
        });
    }

    fn cache(&self, mut connection: redis::Connection) {
        self.serve(1, || redis::cmd("GET").arg("cache:1").exec(&mut connection).unwrap());
    }

    fn browse(&self) {
        self.serve(2, || assert_eq!(self.nginx.get("/").text(), "shop"));
    }

    fn run(&self) {
        let script = self.php_fpm.script("page.php", "<?php echo 'page';");
        self.serve(3, || assert!(self.php_fpm.run("shop", &script, &[]).answer().ends_with("page")));
    }
}

#[test]
fn two_hundred_scrapers_at_once_cost_each_backend_two_connections_at_most_and_the_shop_nothing() {
    let _turn = turn();
    let stack = Stack::start();
    let nginx = Nginx::counting(LOCATIONS);
    let php_fpm = PhpFpm::start(&[("shop", POOL), ("admin", POOL)]);
    let status = format!("http://127.0.0.1:{}/counted", nginx.port);
    let config = stack.without_php().replace(&stack.stub_status(), &status);
    assert!(config.contains(&status), "{config}");
    // MySQL and Redis refuse what is one too many, as they do to a shop that has used up its connections.
    let exporter = "exporter@127.0.0.1";
    block_on(stack.database().run(&[&format!("ALTER USER {exporter} WITH MAX_USER_CONNECTIONS {MOST}")]));
    let mut cache = redis::Client::open(stack.redis_url()).unwrap().get_connection().unwrap();
    redis::cmd("CONFIG").arg(&["SET", "maxclients"]).arg(1 + MOST).exec(&mut cache).unwrap();

    let exporter = Exporter::start(&format!("{config}[php_fpm.targets.main]\n{}", php_fpm.table("")));
    // The timers have run, and the kept connections are there.
    let before = exporter.scrape();
    let shop = Shop {
        stack: &stack,
        nginx: &nginx,
        php_fpm: &php_fpm,
        closed: AtomicBool::new(false),
        served: <[AtomicUsize; 4]>::default(),
    };
    let served = || shop.served.each_ref().map(|served| served.load(Ordering::Relaxed));
    let answers = thread::scope(|scope| {
        let shop = &shop;
        let _ending = Ending(&shop.closed);
        scope.spawn(|| shop.query());
        scope.spawn(move || shop.cache(cache));
        scope.spawn(|| shop.browse());
        scope.spawn(|| shop.run());
        let everywhere = |before: [usize; 4]| (0..4).all(|at| served()[at] > before[at]);
        eventually("the shop to be open", || everywhere([0; 4]));
        let begun = served();
        let answers = crowd(&exporter);
        eventually("the shop to have served meanwhile", || everywhere(begun));
        answers
    });
    assert_up(&answers, &["host", "mysql", "redis", "nginx", "php_fpm"], &exporter.log());

    let after = exporter.scrape();
    // How often we connected, as Redis counts it: one that was closed meanwhile may have been made anew, once.
    let received = "redis_connections_received_total";
    assert!(after.number(received, &[]) - before.number(received, &[]) <= 1.0);
    // What MySQL counts under our name, tables and digests with it.
    let ours = "SELECT current_connections FROM performance_schema.users WHERE user = 'exporter'";
    let ours: usize = block_on(stack.database().ask(ours))[0][0].parse().unwrap();
    assert!(ours <= MOST, "{ours} connections to MySQL");
    // The pool of ours and nobody else's, by its own count.
    let busiest = after.samples("phpfpm_max_active_processes").find(|series| series.labels["pool"] == "admin");
    let busiest = busiest.expect("the pool answers").value;
    assert!(busiest <= 2.0, "{busiest} processes of FPM were busy with us at once");
    let failed: Vec<_> = reasons(&after);
    assert!(failed.is_empty(), "{failed:?}; the log:\n{}", exporter.log());
}

/// What has failed at any time.
fn reasons(page: &Page) -> Vec<String> {
    let failed = page.samples("vitrin_collect_failures_total").filter(|series| series.value > 0.0);
    failed.map(|series| format!("{:?}", series.labels)).collect()
}

#[test]
fn two_hundred_scrapers_wait_together_for_backends_that_hang() {
    let _turn = turn();
    let stack = Stack::start();
    let exporter = Exporter::start(&stack.configuration());
    let before = exporter.scrape();
    stack.servers().into_iter().for_each(|(.., server)| server.hang());
    let answers = crowd(&exporter);
    stack.servers().into_iter().for_each(|(.., server)| server.resume());
    assert_up(&answers, &["host"], &exporter.log());
    let mut after = exporter.scrape();
    eventually("all to be up again", || {
        after = exporter.scrape();
        after.samples("vitrin_up").all(|series| series.value == 1.0)
    });
    // The one that hung, a new one, and those that found the server not awake yet; not one for each scraper.
    for counter in ["mysql_global_status_connections", "redis_connections_received_total"] {
        let made = after.number(counter, &[]) - before.number(counter, &[]);
        assert!(made < 10.0, "{made} more of {counter}");
    }
}
