//! Formats and the lines that real servers write in them.

mod compiling;

use expect_test::{Expect, expect};

use super::*;

/// A line as a person would tell it, or why it is none.
fn told(format: &str, line: &str) -> String {
    let format = Format::compile(format).unwrap_or_else(|problem| panic!("{problem}"));
    let line = match format.parse(line.as_bytes()) {
        Ok(line) => line,
        Err(unparsed) => return format.explain(unparsed),
    };
    let Line { time, client, user, method, target, query, protocol, status, sent, duration, upstream, .. } = line;
    let Line { cache, limit_req, limit_conn, host, agent, referer, .. } = line;
    let words = [
        ("client", client),
        ("user", user),
        ("method", method),
        ("target", target),
        ("query", query),
        ("protocol", protocol),
        ("cache", cache),
        ("limit_req", limit_req),
        ("limit_conn", limit_conn),
        ("host", host),
        ("agent", agent),
        ("referer", referer),
    ];
    let words = words.into_iter().filter(|(_, word)| !word.is_empty());
    let words = words.map(|(name, word)| format!("{name}={}", String::from_utf8_lossy(word)));
    let numbers = [("time", time.map(i64::unsigned_abs)), ("duration", duration), ("upstream", upstream)];
    let numbers = numbers.into_iter().filter_map(|(name, number)| Some(format!("{name}={}", number?)));
    let numbers = numbers.chain([format!("status={status}"), format!("sent={sent}")]);
    words.chain(numbers).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::needless_pass_by_value, reason = "as it is written")]
fn check(format: &str, line: &str, expected: Expect) {
    expected.assert_eq(&told(format, line));
}

#[test]
fn combined_is_what_nginx_and_apache_write_by_themselves() {
    check(
        "combined",
        r#"203.0.113.7 - - [24/Nov/2026:03:05:08 +0300] "GET /index.php?route=product/product&product_id=42 HTTP/2.0" 200 18234 "https://shop.example/" "Mozilla/5.0 (X11; \x22Linux\x22)""#,
        expect![[r#"
            client=203.0.113.7
            method=GET
            target=/index.php?route=product/product&product_id=42
            protocol=HTTP/2.0
            agent=Mozilla/5.0 (X11; \x22Linux\x22)
            referer=https://shop.example/
            time=1795478708
            status=200
            sent=18234"#]],
    );
    check(
        "combined",
        r#"2001:db8::7 - "" [24/Nov/2026:03:05:08 +0000] "GET /a\"b HTTP/1.1" 304 - "-" "say \\\"hi\\""#,
        expect![[r#"
            client=2001:db8::7
            method=GET
            target=/a\"b
            protocol=HTTP/1.1
            agent=say \\\"hi\\
            time=1795489508
            status=304
            sent=0"#]],
    );
    check(
        "combined",
        r#"10.0.0.1 - - [24/Nov/2026:03:05:08 +0000] "" 400 0 "-" "-""#,
        expect![[r#"
        client=10.0.0.1
        time=1795489508
        status=400
        sent=0"#]],
    );
    check(
        "combined",
        r#"10.0.0.1 - a [b] "" [24/Nov/2026:03:05:08 +0000] "\x16\x03\x01" 400 150 "-" "-""#,
        expect!["`%t` has a value that it cannot have"],
    );
    check(
        "combined",
        r#"10.0.0.1 - a - [b [24/Nov/2026:03:05:08 +0000] ] [24/Nov/2026:03:05:08 +0000] "GET /a b HTTP/1.1" 400 150 "-" "-""#,
        expect![[r#"
            client=10.0.0.1
            user=a - [b [24/Nov/2026:03:05:08 +0000] ]
            method=GET
            target=/a b
            protocol=HTTP/1.1
            time=1795489508
            status=400
            sent=150"#]],
    );
}

#[test]
fn the_recommended_format_says_everything() {
    let format = Format::compile(Format::RECOMMENDED).unwrap();
    assert_eq!(format.lacks().collect::<Vec<_>>(), []);
    assert_eq!(format.lines, Format::compile("combined_timed").unwrap().lines);
    check(
        Format::RECOMMENDED,
        r#"203.0.113.7 - ann [24/Nov/2026:03:05:08 +0000] "POST /api HTTP/1.1" 503 12 "-" "curl/8" "shop.example" 0.124 "0.001, 0.123 : -" "MISS" "REJECTED" "PASSED""#,
        expect![[r#"
            client=203.0.113.7
            user=ann
            method=POST
            target=/api
            protocol=HTTP/1.1
            cache=MISS
            limit_req=REJECTED
            limit_conn=PASSED
            host=shop.example
            agent=curl/8
            time=1795489508
            duration=124000
            upstream=124000
            status=503
            sent=12"#]],
    );
}

#[test]
fn a_format_of_json_is_a_text_like_any_other() {
    let format = r#"escape=json '{"t":"$time_iso8601","ip":"$remote_addr","m":"$request_method","u":"$request_uri","s":$status,"b":$body_bytes_sent,"ua":"$http_user_agent","h":"$host","rt":$request_time,"urt":$upstream_response_time,"x":"$http_x_forwarded_for"}'"#;
    check(
        format,
        r#"{"t":"2026-11-24T03:05:08+00:00","ip":"10.0.0.1","m":"GET","u":"/a\"b\\","s":200,"b":5,"ua":"\u0001 \"s\":500","h":"shop.example","rt":0.010,"urt":,"x":""}"#,
        expect![[r#"
            client=10.0.0.1
            method=GET
            target=/a\"b\\
            host=shop.example
            agent=\u0001 \"s\":500
            time=1795489508
            duration=10000
            status=200
            sent=5"#]],
    );
}

#[test]
fn objects_are_read_in_any_order() {
    check(
        "json",
        r#"{"status": "404", "request_uri": "\/a?b", "request_method": "GET", "request_time": 0.125, "user": null, "nested": {"status": 1, "a": [1, {"s": 2}]}, "time_local": "24/Nov/2026:03:05:08 +0000", "upstream_response_time": "0.1, 0.2", "ua": "a \"quoted\" one", "flag": true, "none": []}"#,
        expect![[r#"
            method=GET
            target=\/a?b
            agent=a \"quoted\" one
            time=1795489508
            duration=125000
            upstream=300000
            status=404
            sent=0"#]],
    );
    check(
        "json",
        r#" {"uri":"/a","args":"b=c","request":"POST /x?y HTTP/1.1","s":200,"method":"PUT","bytes_sent":7,"body_bytes_sent":5} "#,
        expect![[r#"
            method=POST
            target=/x?y
            protocol=HTTP/1.1
            status=200
            sent=5"#]],
    );
    // Caddy 2.8, shortened.
    check(
        "json",
        r#"{"level":"info","ts":1795489508.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","remote_port":"41342","client_ip":"203.0.113.7","proto":"HTTP/2.0","method":"GET","host":"shop.example:8443","uri":"/a?b","headers":{"User-Agent":["curl/7.82.0"],"Accept":["*/*"]},"tls":{"proto":"h2"}},"bytes_read":0,"user_id":"","duration":9.29675e-05,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"status":["500"]}}"#,
        expect![[r#"
            client=203.0.113.7
            method=GET
            target=/a?b
            protocol=HTTP/2.0
            host=shop.example
            agent=curl/7.82.0
            time=1795489508
            duration=92
            status=200
            sent=10900"#]],
    );
    // Headers that a client has made up.
    let line =
        br#"{"request":{"uri":"/a","headers":{"status":"500","rt":"9","ip":["::1"],"user-agent":"x"}},"status":200}"#;
    let line = Format::compile("json").unwrap().parse(line).unwrap();
    assert_eq!(line, Line { target: b"/a", agent: b"x", status: 200, ..Line::default() });
    for (line, why) in [
        ("", "no JSON object"),
        ("[]", "no JSON object"),
        (r#"{"status":200"#, "no JSON object"),
        (r#"{"status":200}}"#, "no JSON object"),
        (r#"{"status":200,}"#, "no JSON object"),
        (r#"{"status":"200\"}"#, "no JSON object"),
        (r#"{"status":"200\"#, "no JSON object"),
        (r#"{"level":"info","msg":"started"}"#, "no field that is known"),
        (r#"{"status":200,"ua":"x","status":"500"}"#, "says twice what nginx calls `$status`"),
        (r#"{"status":200,"rt":-1}"#, "`$request_time` has a value"),
        (&r#"{"status":200,"a":"#.to_owned().repeat(20), "no JSON object"),
        (&format!(r#"{{"status":200,"a":{}{}}}"#, "[".repeat(16), "]".repeat(16)), "no JSON object"),
    ] {
        assert!(told("json", line).contains(why), "{line}: {}", told("json", line));
    }
}

#[test]
fn apaches_directives_are_understood() {
    check(
        r#"%v:%p %h %l %u %t "%m %U%q %H" %s %>s %O %b "%{Referer}i" "%{User-agent}i" %D %{ms}T %T %{X-Forwarded-For}i"#,
        r#"shop.example:443 10.0.0.1 - ann [24/Nov/2026:03:05:08 +0000] "GET /a b?c HTTP/1.1" 200 301 999 512 "-" "x" 1234 1 0 1.1.1.1, 2.2.2.2"#,
        expect![[r#"
            client=10.0.0.1
            user=ann
            method=GET
            target=/a b?c
            protocol=HTTP/1.1
            host=shop.example
            agent=x
            time=1795489508
            duration=1234
            status=301
            sent=512"#]],
    );
    check(
        r#"%a %{usec}t %400,501{User-agent}i|%U|%q|%!200>s|%%|%{UNIQUE_ID}e %{us}T"#,
        r#"::1 1795489508000001 some one|/a|?b=c|404|%|abc def 17"#,
        expect![[r#"
            client=::1
            target=/a
            query=b=c
            agent=some one
            time=1795489508
            duration=17
            status=404
            sent=0"#]],
    );
    let whole_seconds = Format::compile(r#"%h "%r" %>s %T"#).unwrap();
    assert!(!whole_seconds.has(Field::Duration));
}

#[test]
fn a_line_that_can_be_read_in_two_ways_is_refused() {
    let none = r#"escape=none $remote_addr "$request" $status "$http_referer" "$http_user_agent""#;
    let line = |referer: &str, agent: &str| format!(r#"10.0.0.1 "GET / HTTP/1.1" 200 "{referer}" "{agent}""#);
    assert!(told(none, &line("a", "b")).contains("agent=b"));
    assert!(told(none, &line("a", r#"b "c" d"#)).contains(r#"agent=b "c" d"#));
    assert!(told(none, &line("a", r#"b" "c"#)).contains("can end in more than one place"));
    assert!(told(none, &line(r#"a" "b"#, "c")).contains("can end in more than one place"));
    let forged = r#"10.0.0.1 "GET /" 500 "x" "y" HTTP/1.1" 200 "a" "b""#;
    assert!(told(none, forged).contains("can end in more than one place"), "{}", told(none, forged));
    let bare = "$remote_user $http_x_forwarded_for $status";
    assert!(told(bare, "- 1.1.1.1 200").contains("status=200"));
    assert!(told(bare, "- 1.1.1.1, 2.2.2.2 200").contains("`$remote_user` can end in more than one place"));
    // Nobody asks where one of these ends and the next one begins.
    let idle = "$status $http_x_forwarded_for $http_cookie $pid";
    assert!(told(idle, "200 a, b c=d; e=f 7").contains("status=200"));
}

#[test]
fn lists_of_backends_need_no_quotation_marks() {
    check(
        "$status $upstream_addr $upstream_status $upstream_response_time $request_time",
        "502 10.0.0.1:80, unix:/run/a.sock : 10.0.0.2:80 502, 504 : - 0.001, 0.002 : 0.003 0.007",
        expect![[r#"
            duration=7000
            upstream=6000
            status=502
            sent=0"#]],
    );
    // What is empty lets the colon behind it look like one that parts two backends.
    let colon = "$status $upstream_status $scheme: $pid";
    assert!(told(colon, "502 502, 504 https: 7").contains("status=502"));
    assert!(!told(colon, "502 502, 504 : 7").contains("goes on otherwise"), "{}", told(colon, "502 502, 504 : 7"));
}

#[test]
fn a_line_that_is_not_as_its_format_says_where() {
    for (line, why) in [
        ("", "behind `%h`"),
        ("10.0.0.1", "behind `%h`"),
        (r#"10.0.0.1 - - 24/Nov/2026:03:05:08 +0000 "GET / HTTP/1.1" 200 5"#, "behind `%t`"),
        (r#"10.0.0.1 - - [24/Nov/2026 03:05:08 +0000] "GET / HTTP/1.1" 200 5"#, "`%t` has a value"),
        (r#"10.0.0.1 - - [24/Nov/2026:03:05:08 +0000] "GET / HTTP/1.1" 200"#, "behind `%>s`"),
        (r#"10.0.0.1 - - [24/Nov/2026:03:05:08 +0000] "GET / HTTP/1.1" 2000 5"#, "`%>s` has a value"),
        (r#"10.0.0.1 - - [24/Nov/2026:03:05:08 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#, "`%b` has a value"),
    ] {
        assert!(told("common", line).contains(why), "{line}: {}", told("common", line));
    }
    let more = format!("{} more", r#"10.0.0.1 - - [24/Nov/2026:03:05:08 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#);
    assert!(told("combined", &more).contains("goes on behind `%{User-Agent}i`, with which the format ends"));
    assert!(told("[$status]", "200").contains("begins with something else"));
}
