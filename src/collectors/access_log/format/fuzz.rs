//! What must hold for any format and any line.

use super::{Field, Format};

/// A format of any text: compiled, or refused with a way out. What a server writes in it is read back.
pub(crate) fn format(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let format = match Format::compile(text) {
        Ok(format) => format,
        Err(problem) => {
            let (message, hint) = problem.split_once('\n').unwrap_or_else(|| panic!("no way out: {problem}"));
            assert!(!message.is_empty() && !hint.is_empty(), "{problem}");
            return;
        }
    };
    assert_eq!(Format::compile(&format.to_string()).as_ref(), Ok(&format));
    assert!(format.has(Field::Status) || format.has(Field::Target));
    read_back(&format, &[b"200", b"0.001", b"GET /a?b HTTP/1.1"]);
    read_back(&format, &[b"-", b"\" \\\" ] [ - , : ", b"", b"0.1,-,1e9", b"a b", b"\x16\x03 \xff"]);
}

/// A line of any bytes behind a line with its format. Then the same bytes again as the values of a line, parted by tabs.
pub(crate) fn line(bytes: &[u8]) {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return };
    let Ok(Ok(format)) = str::from_utf8(&bytes[..end]).map(Format::compile) else { return };
    let line = &bytes[end + 1..];
    match format.parse(line) {
        Ok(said) => {
            assert!(said.status <= 999 && said.sent <= 1 << 50, "{said:?}");
            assert!(said.duration <= Some(40_000_000_000_000) && said.upstream <= Some(40_000_000_000_000), "{said:?}");
            let lacks = |field| !format.has(field);
            assert!(!lacks(Field::Duration) || said.duration.is_none(), "{said:?}");
            assert!(!lacks(Field::Agent) || said.agent.is_empty(), "{said:?}");
        }
        Err(unparsed) => assert!(!format.explain(unparsed).is_empty()),
    }
    let values: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    read_back(&format, &values);
}

/// What a server has written for these values is what is read, or nothing is: never something else.
fn read_back(format: &Format, values: &[&[u8]]) {
    format.write(values, |line, said| match (format.parse(line), said) {
        (Ok(read), said) => assert_eq!(Some(read), said, "{format} reads {:?}", String::from_utf8_lossy(line)),
        (Err(unparsed), Some(said)) if format.is_certain() => {
            let why = format.explain(unparsed);
            panic!("{format} refuses {:?}, which says {said:?}: {why}", String::from_utf8_lossy(line));
        }
        (Err(_), _) => {}
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    /// What formats are made of: each kind of variable, and texts of which some are made to be mistaken.
    const NGINX: [&str; 14] = [
        "$remote_addr",
        "$remote_user",
        "$time_local",
        "$request",
        "$request_uri",
        "$args",
        "$status",
        "$request_time",
        "$upstream_response_time",
        "$upstream_addr",
        "$host",
        "$http_user_agent",
        "$http_cookie",
        "$pid",
    ];
    const APACHE: [&str; 10] = ["%h", "%u", "%t", "%r", "%U", "%q", "%>s", "%b", "%{User-agent}i", "%v"];
    const BETWEEN: [&str; 16] =
        [" ", " ", "\" \"", "\" \"", "\" ", " \"", " - ", "] \"", " [", ":", ", ", "\\\"", "\\", "-", " : ", "/"];

    /// Values that look like the end of one and the beginning of the next.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[-\" \\\\:,/\\[\\]a0.]{0,8}",
            "[0-9]{1,3}",
            "[0-9]\\.[0-9]{3}",
            Just("GET /a?b HTTP/1.1".to_owned())
        ]
    }

    fn format(variables: &'static [&'static str]) -> impl Strategy<Value = String> {
        let piece = (select(&BETWEEN[..]), select(variables)).prop_map(|(text, variable)| format!("{text}{variable}"));
        (proptest::collection::vec(piece, 1..7), select(&BETWEEN[..])).prop_map(|(pieces, end)| pieces.concat() + end)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_a_server_writes_is_read_back_or_refused(
            (escape, format) in prop_oneof![
                (Just("escape=default "), format(&NGINX)),
                (Just("escape=json "), format(&NGINX)),
                (Just("escape=none "), format(&NGINX)),
                (Just(""), format(&APACHE)),
            ],
            values in proptest::collection::vec(value(), 1..7),
        ) {
            super::line(format!("{escape}{format}\n{}", values.join("\t")).as_bytes());
        }
    }
}
