//! What a client meets on the port, with nothing configured but the host.

use std::collections::BTreeSet;

use vitrin::collectors::catalogue;
use vitrin::metric::Tier;

use crate::support::broken::{Answer, Broken};
use crate::support::daemon::{eventually, folder};
use crate::support::exporter::Exporter;
use crate::support::http::{Connection, ask};
use crate::support::judges;
use crate::support::scrape::{Labels, Page};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What promtool's linter says of names that are ours; those of a peer are as they are.
fn remarks_about_us(text: &str) -> Vec<String> {
    let drop_in: BTreeSet<_> =
        catalogue().into_iter().filter(|desc| desc.tier == Tier::DropIn).map(|desc| &*desc.name).collect();
    let remarks = judges::promtool(text).err().unwrap_or_default();
    remarks.lines().filter(|remark| !drop_in.contains(remark.split(' ').next().unwrap())).map(str::to_owned).collect()
}

/// Name and labels of every sample.
fn series(text: &str) -> BTreeSet<(String, Labels)> {
    let page = Page::parse(text).unwrap();
    page.families.into_iter().flat_map(|family| family.series).map(|series| (series.name, series.labels)).collect()
}

/// An exporter that has had its first look around, and so has no file open but its own.
fn quiet() -> Exporter {
    let exporter = Exporter::start("");
    eventually("the first look around", || !exporter.get("/", &[]).text().contains("not run yet"));
    exporter
}

#[test]
fn without_an_accept_header_it_is_text_0_0_4() {
    let exporter = Exporter::start("");
    for headers in [&[][..], &[("Accept", "*/*")], &[("Accept", "text/html")]] {
        assert_eq!(exporter.get("/metrics", headers).header("content-type"), Some(TEXT));
    }
}

#[test]
fn both_formats_are_valid_and_carry_the_same_samples() {
    let exporter = Exporter::start("");
    let text = exporter.get("/metrics", &[]).text();
    let openmetrics = exporter.get("/metrics", &[("Accept", "application/openmetrics-text;version=1.0.0")]);
    assert_eq!(openmetrics.header("content-type"), Some(OPENMETRICS));
    let openmetrics = openmetrics.text();

    judges::prometheus_client(&openmetrics).unwrap();
    assert_eq!(remarks_about_us(&text), Vec::<String>::new());
    assert_eq!(series(&text), series(&openmetrics));
}

#[test]
fn gzip_comes_when_it_is_asked_for_and_says_the_same() {
    let exporter = Exporter::start("");
    let plain = exporter.get("/metrics", &[]);
    let packed = exporter.get("/metrics", &[("Accept-Encoding", "gzip")]);
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), (None, Some("gzip")));
    assert!(packed.body.len() * 3 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
    assert_eq!(series(&plain.text()), series(&packed.text()));
}

#[test]
fn head_answers_as_get_does_but_for_the_body() {
    let exporter = Exporter::start("");
    for path in ["/metrics", "/", "/-/healthy", "/-/ready"] {
        let get = ask(exporter.address(), "GET", path, &[]).unwrap();
        let head = ask(exporter.address(), "HEAD", path, &[]).unwrap();
        assert_eq!((head.status, head.header("content-type")), (200, get.header("content-type")), "{path}");
        assert!(head.header("content-length").is_some_and(|length| length != "0"), "{path}");
    }
}

#[test]
fn other_paths_and_methods_say_what_there_is() {
    let exporter = Exporter::start("");
    let nowhere = exporter.get("/metricz", &[]);
    assert_eq!((nowhere.status, nowhere.text().as_str()), (404, "not here; the metrics are at /metrics\n"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let refused = ask(exporter.address(), method, "/metrics", &[]).unwrap();
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[test]
fn a_request_that_is_too_large_or_no_request_is_refused_at_once() {
    let exporter = Exporter::start("");
    let long_path = format!("/{}", "a".repeat(100_000));
    let many_headers = "X-Many: 1\r\n".repeat(500);
    let one_long_header = format!("X: {}\r\n", "a".repeat(100_000));
    for (request, status) in [
        (format!("GET {long_path} HTTP/1.1\r\nHost: x\r\n\r\n"), [414, 431]),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{many_headers}\r\n"), [431, 431]),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{one_long_header}\r\n"), [431, 431]),
        ("\x16\x03\x01 hello\r\n\r\n".to_owned(), [400, 400]),
    ] {
        let mut connection = Connection::open(exporter.address()).unwrap();
        // The server may have answered and closed before everything was sent.
        connection.send(request.as_bytes()).unwrap_or_default();
        let answer = connection.answer("GET").unwrap();
        assert!(status.contains(&answer.status), "{} for {:.40}", answer.status, request);
    }
    assert_eq!(exporter.get("/-/healthy", &[]).status, 200);
}

#[test]
fn a_body_is_not_waited_for() {
    let exporter = Exporter::start("");
    let mut connection = Connection::open(exporter.address()).unwrap();
    connection.send(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc").unwrap();
    assert_eq!(connection.answer("POST").unwrap().status, 405);
}

#[test]
fn one_connection_serves_many_scrapes() {
    let exporter = Exporter::start("");
    let mut connection = Connection::open(exporter.address()).unwrap();
    for _ in 0..3 {
        let answer = connection.ask("GET", "/metrics", &[]).unwrap();
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn above_the_connection_cap_the_one_that_is_quiet_for_longest_makes_room() {
    let exporter = quiet();
    let mut crowd: Vec<_> = (0..256).map(|_| Connection::open(exporter.address()).unwrap()).collect();
    for connection in &mut crowd {
        connection.ask("GET", "/-/ready", &[]).unwrap();
    }
    let taken = exporter.fds();
    let mut late = Connection::open(exporter.address()).unwrap();
    assert_eq!(late.ask("GET", "/-/ready", &[]).unwrap().status, 200);
    assert!(crowd[0].ask("GET", "/-/ready", &[]).is_err(), "it has made room");
    for connection in &mut crowd[1..] {
        assert_eq!(connection.ask("GET", "/-/ready", &[]).unwrap().status, 200);
    }
    assert!(exporter.fds() <= taken, "{} after {taken}", exporter.fds());
}

#[test]
fn a_page_keeps_its_order_from_one_scrape_to_the_next() {
    let exporter = Exporter::start("");
    let order = |text: String| -> Vec<String> {
        text.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    // The first scrape may come while the first look around is under way, so both read the same kind of page.
    assert_eq!(order(exporter.get("/metrics", &[]).text()), order(exporter.get("/metrics", &[]).text()));
}

#[test]
fn sigterm_ends_it_well() {
    let exporter = Exporter::start("");
    let mut idle = Connection::open(exporter.address()).unwrap();
    idle.ask("GET", "/-/ready", &[]).unwrap();
    let (status, log) = exporter.stop();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("stopping: SIGTERM"), "{log}");
}

#[test]
fn a_scrape_under_way_is_answered_before_sigterm_ends_it() {
    let hung = Broken::tcp(Answer::silence());
    let config = format!("[redis]\ntimeout = '3s'\n[redis.targets.main]\nurl = 'redis://{}'\n", hung.address());
    let exporter = Exporter::start(&config);
    eventually("the first look around", || exporter.get("/", &[]).text().contains("down: "));
    let asked = hung.connections();
    let mut connection = Connection::open(exporter.address()).unwrap();
    connection.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    eventually("the scrape to hang", || hung.connections() > asked);

    let reader = std::thread::spawn(move || connection.answer("GET").unwrap());
    let (status, log) = exporter.stop();
    let answer = reader.join().unwrap();
    assert_eq!((status.code(), answer.status, answer.header("connection")), (Some(0), 200, Some("close")), "{log}");
    let page = Page::parse(&answer.text()).unwrap();
    let up = |collector| page.number("vitrin_up", &[("collector", collector), ("target", "main")]);
    assert_eq!((up("host"), up("redis")), (1.0, 0.0));
    assert!(!log.contains("cut off"), "{log}");
}

#[test]
fn requests_sent_at_once_are_answered_in_order() {
    let exporter = Exporter::start("");
    let mut connection = Connection::open(exporter.address()).unwrap();
    let requests = ["GET /-/healthy", "HEAD /metrics", "GET /metrics", "GET /nowhere", "GET /-/ready"];
    let sent = requests.map(|request| format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n"));
    connection.send(sent.concat().as_bytes()).unwrap();
    let answers = requests.map(|request| connection.answer(request.split(' ').next().unwrap()).unwrap());
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 200, 200, 404, 200]);
    assert_eq!(answers[4].text(), "Vitrin is ready.\n");
}

#[test]
fn a_client_that_does_not_read_its_pages_is_cut_off() {
    let exporter = quiet();
    let before = exporter.fds();
    let mut deaf = Connection::open(exporter.address()).unwrap();
    // More pages than the kernel keeps for a client that does not read.
    deaf.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(300).as_bytes()).unwrap();
    eventually("the connection to be taken", || exporter.fds() > before);
    eventually("the connection to be given up", || exporter.fds() <= before);
    assert!(deaf.answer("GET").is_ok_and(|answer| answer.status == 200), "it was let in, and then had to read");
}

#[test]
fn health_readiness_and_the_landing_page_ask_no_backend() {
    let backend = Broken::tcp(Answer::close());
    let exporter = Exporter::start(&format!("[redis.targets.main]\nurl = 'redis://{}'\n", backend.address()));
    // The look around at the start is the one time that nobody asked for.
    eventually("the first look around", || exporter.get("/", &[]).text().contains("down: "));
    let asked = backend.connections();
    for path in ["/-/healthy", "/-/ready", "/"] {
        assert_eq!(exporter.get(path, &[]).status, 200, "{path}");
    }
    assert_eq!(backend.connections(), asked);
    exporter.scrape();
    assert!(backend.connections() > asked);
}

#[test]
fn procfs_sysfs_and_the_root_are_where_the_flags_say() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    for (file, text) in [
        ("proc/loadavg", "4.25 3.5 2.75 1/100 1\n"),
        ("proc/1/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"),
        ("proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\nbtime 1700000000\n"),
        ("sys/class/net/shop0/mtu", "9000\n"),
        ("root/etc/os-release", "ID=shop\nVERSION_ID=1.5\n"),
    ] {
        std::fs::create_dir_all(path(file).parent().unwrap()).unwrap();
        std::fs::write(path(file), text).unwrap();
    }
    let flags = ["procfs=proc", "sysfs=sys", "rootfs=root"].map(|flag| {
        let (flag, name) = flag.split_once('=').unwrap();
        format!("--path.{flag}={}", path(name).display())
    });
    let exporter = Exporter::start_with("", &flags.each_ref().map(String::as_str));
    let page = exporter.scrape();
    assert_eq!(page.number("node_load1", &[]), 4.25);
    assert_eq!(page.number("node_boot_time_seconds", &[]), 1_700_000_000.0);
    assert_eq!(page.number("node_network_mtu_bytes", &[("device", "shop0")]), 9_000.0);
    assert!(page.samples("node_os_info").any(|series| series.labels["id"] == "shop"));
    assert!(page.samples("node_filesystem_size_bytes").any(|series| series.labels["mountpoint"] == "/"));
}
