//! Formats as people write them: which are the same, and which are none.

use expect_test::expect;

use super::{Field, Format, check};

#[test]
fn a_directive_its_parts_and_its_text_are_the_same() {
    let texts = [
        r#"log_format shop '$remote_addr "$request" ' '$status';"#,
        "log_format  shop  escape=default\n    '$remote_addr \"$request\" '\n    '$status'  ;",
        r#"escape=default "${remote_addr} \"$request\" $status""#,
        r#"'$remote_addr "$request" $status'"#,
        r#"$remote_addr "${request}" $status"#,
    ];
    let line = br#"10.0.0.1 "GET / HTTP/1.1" 200"#;
    for text in texts {
        let format = Format::compile(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        let line = format.parse(line).unwrap();
        assert_eq!((line.client, line.target, line.status), (&b"10.0.0.1"[..], &b"/"[..], 200), "{text}");
        assert_eq!(Format::compile(&format.to_string()), Ok(format));
    }
    let texts = [
        r#"LogFormat "%h \"%r\" %>s" shop"#,
        r#"LogFormat "%h \"%r\" %>s""#,
        r#""%h \"%r\" %>s""#,
        r#"%h \"%r\" %>s"#,
        r#"%h "%r" %>s"#,
    ];
    for text in texts {
        let format = Format::compile(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(format.parse(line).unwrap().status, 200, "{text}");
    }
    let quoted = Format::compile(r#""$remote_addr" "$request" "$status""#).unwrap();
    assert_eq!(quoted.parse(br#""10.0.0.1" "GET / HTTP/1.1" "200""#).unwrap().status, 200);
}

#[test]
fn what_is_no_format_says_why_and_what_to_write() {
    for (text, expected) in [
        (
            "",
            expect![[r#"
                nothing is no format of an access log
                write the text of nginx' log_format or of Apache's LogFormat, or one of `combined`, `common`, `vhost_combined`, `main`, `combined_timed`, `json`"#]],
        ),
        (
            "combine",
            expect![[r#"
            `combine` is no format of an access log
            write the text of nginx' log_format or of Apache's LogFormat, or one of `combined`, `common`, `vhost_combined`, `main`, `combined_timed`, `json`"#]],
        ),
        (
            "$remote_addr$status",
            expect![[r#"
            `$remote_addr` and `$status` stand side by side, so that nothing says where one ends
            write something between them, best each in quotation marks"#]],
        ),
        (
            "%h%>s",
            expect![[r#"
            `%h` and `%>s` stand side by side, so that nothing says where one ends
            write something between them, best each in quotation marks"#]],
        ),
        (
            "$remote_addr costs 5$ $status",
            expect![[r#"
            no variable follows the `$` at character 21
            write $name or ${name}; nginx has no way to write a `$` itself"#]],
        ),
        (
            "$status ${request",
            expect![[r#"
            no variable follows the `$` at character 9
            write $name or ${name}; nginx has no way to write a `$` itself"#]],
        ),
        (
            "%h %",
            expect![[r#"
            no directive follows the `%` at character 4
            write for example %r or %{Referer}i; a `%` itself is %%"#]],
        ),
        (
            "%h %{Referer",
            expect![[r#"
            no directive follows the `%` at character 4
            write for example %r or %{Referer}i; a `%` itself is %%"#]],
        ),
        (
            "escape=xml '$status'",
            expect![[r#"
            `escape=xml` is none of nginx'
            write escape=default, escape=json or escape=none"#]],
        ),
        (
            "$remote_addr $http_cookie",
            expect![[r#"
            the format says neither what was asked for nor how it ended
            it needs nginx' $request and $status, or Apache's %r and %>s"#]],
        ),
        (
            "LogFormat combined",
            expect![[r#"
            `LogFormat combined` is no format of an access log
            write the text of nginx' log_format or of Apache's LogFormat, or one of `combined`, `common`, `vhost_combined`, `main`, `combined_timed`, `json`"#]],
        ),
        (
            "log_format shop",
            expect![[r#"
            the format says neither what was asked for nor how it ended
            it needs nginx' $request and $status, or Apache's %r and %>s"#]],
        ),
        (
            "log_format shop '$status",
            expect![[r#"
                `log_format` is not followed by a name and texts in quotation marks
                write the directive as nginx' configuration has it, up to its `;`"#]],
        ),
    ] {
        expected.assert_eq(&Format::compile(text).map_or_else(|problem| problem, |format| format!("{format:?}")));
    }
    let many = "$status ".repeat(200);
    assert!(Format::compile(&many).unwrap_err().contains("at most 128"));
    let bare: Vec<_> = Field::ALL.iter().map(|field| field.as_str()).collect();
    assert!(Format::compile(&format!("escape=none {} $args", bare.join(" $arg_a $arg_b "))).is_ok());
    assert!(Format::compile(&"x".repeat(17_000)).unwrap_err().contains("at most 16384"));
}

#[test]
fn of_two_that_say_the_same_the_better_is_taken() {
    check(
        r#"$request_method "$uri" "$args" "$request" $status"#,
        r#"PUT "/index.php" "route=a" "GET /a HTTP/1.1" 200"#,
        expect![[r#"
            method=GET
            target=/a
            protocol=HTTP/1.1
            status=200
            sent=0"#]],
    );
    check(
        r#""$uri" "$args" "$request_uri" $server_name $http_host $host $status"#,
        r#""/index.php" "route=a" "/a" one two three 200"#,
        expect![[r#"
            target=/a
            host=three
            status=200
            sent=0"#]],
    );
    check(
        r#""$uri" "$args" $status $status"#,
        r#""/index.php" "route=a" 200 500"#,
        expect![[r#"
        target=/index.php
        query=route=a
        status=200
        sent=0"#]],
    );
}

#[test]
fn what_belongs_together_may_stand_side_by_side() {
    check(
        r#"$status "$uri$is_args$args""#,
        r#"200 "/a?b""#,
        expect![[r#"
        target=/a?b
        status=200
        sent=0"#]],
    );
    check(
        r#"$status $scheme://$host$request_uri $pid"#,
        "200 https://shop.example/a b?c 7",
        expect![[r#"
        target=https://shop.example/a b?c
        status=200
        sent=0"#]],
    );
    check(
        r#"$status $scheme://$host$document_uri$is_args$args"#,
        "200 https://shop.example/a?c",
        expect![[r#"
        target=https://shop.example/a?c
        status=200
        sent=0"#]],
    );
}
