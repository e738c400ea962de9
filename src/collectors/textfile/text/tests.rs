//! Files that are in order, and what is wrong with others.

use proptest::prelude::*;

use super::*;

#[test]
fn a_file_is_read_whole() {
    let text = "# made by backup.sh\n# HELP backup_size_bytes Size of the last \\\\ backup.\n\
                # TYPE backup_size_bytes gauge\nbackup_size_bytes{db=\"shop\",note=\"a \\\"b\\\"\\n\",} 1.5e9\n\n\
                \tbackup_runs_total   3\nbackup_size_bytes { db = \"erp\" } +Inf\n#\n";
    let families = families(text).unwrap();
    let size = &families["backup_size_bytes"];
    assert_eq!((size.kind, size.help.as_deref()), (Some(Kind::Gauge), Some("Size of the last \\ backup.")));
    assert_eq!(size.samples[0].labels["note"], "a \"b\"\n");
    assert_eq!((size.samples[0].value, size.samples[1].value), (1.5e9, f64::INFINITY));
    assert_eq!(families["backup_runs_total"].kind, None);
    assert_eq!(super::families("").unwrap(), Families::new());
}

#[test]
fn what_is_wrong_anywhere_is_said_with_its_line() {
    for (text, problem) in [
        ("a 1", "its last line does not end: it was not written to its end"),
        ("a 1\nb\n", "line 2 has no value"),
        ("a 1 1700000000000\n", "line 1 has a timestamp, or something else behind its value"),
        ("1a 1\n", "line 1 has no name of a metric where one belongs: letters, digits and `_`, no digit first"),
        ("a:b 1\n", "line 1 has a name of a metric with what is no letter, digit or `_` in it"),
        ("# TYPE a-b gauge\n", "line 1 has a name of a metric with what is no letter, digit or `_` in it"),
        ("a one\n", "line 1 has a value that is no number"),
        ("a{b=\"c\" 1\n", "line 1 has neither `,` nor `}` behind a label"),
        ("a{b=\"c\",b=\"d\"} 1\n", "line 1 has the label b twice"),
        ("a{b=\"c} 1\n", "line 1 has a label's value that does not end"),
        ("a{b=\"\\x\"} 1\n", "line 1 has a backslash before what needs none"),
        ("a{b=c} 1\n", "line 1 has a label's value that is not in quotation marks"),
        ("a{__name__=\"c\"} 1\n", "line 1 has a label that begins with `__`, which are Prometheus' own"),
        ("# TYPE a gauge\n# TYPE a gauge\n", "line 2 is a TYPE behind a TYPE or a sample of its metric"),
        ("a 1\n# TYPE a gauge\n", "line 2 is a TYPE behind a TYPE or a sample of its metric"),
        ("# HELP a b\n# HELP a b\n", "line 2 is a second HELP of its metric"),
        ("# TYPE a histogram\n", "line 1 has a type that is not taken from files"),
        ("a_bucket{le=\"0.1\"} 1\n", "line 1 has the label le, which only types have that are not taken from files"),
        ("# TYPE a number\n", "line 1 has no type that there is: counter, gauge or untyped"),
    ] {
        assert_eq!(families(text).unwrap_err(), problem, "{text}");
    }
    let long = format!("a{{b=\"{}\"}} 1\n", "x".repeat(LINE_BYTES));
    assert!(families(&long).unwrap_err().contains("has more than 16384 bytes"));
    assert!(families(&"a 1\n".repeat(SAMPLES + 1)).unwrap_err().contains("one sample more than 5000"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        name in "[a-zA-Z_][a-zA-Z0-9_]{0,20}",
        labels in proptest::collection::btree_map("[a-z][a-z0-9_]{2,6}", ".{0,20}", 0..5),
        help in "[^\r]{0,40}",
        value in any::<f64>(),
    ) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n");
        let pairs: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value).replace('"', "\\\""))).collect();
        let help = help.trim_start_matches(BLANKS);
        let text = format!("# HELP {name} {}\n# TYPE {name} gauge\n{name}{{{}}} {value}\n", escaped(help), pairs.join(","));
        let read = families(&text).unwrap();
        let family = &read[&name];
        prop_assert_eq!(family.help.as_deref(), Some(help));
        prop_assert_eq!(&family.samples[0].labels, &labels);
        let same = family.samples[0].value.to_bits() == value.to_bits() || value.is_nan() && family.samples[0].value.is_nan();
        prop_assert!(same);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-#{}\"\\\\,=a-z0-9 \n]{0,80}") {
        if let Err(problem) = families(&text) {
            prop_assert!(problem.len() < 200 && !problem.contains('\n'), "{}", problem);
        }
    }
}
