//! The documentation that is made from the code, held equal to it. `UPDATE_EXPECT=1` writes it.

use std::fmt::Write as _;

use expect_test::expect_file;
use vitrin::collectors::catalogue;
use vitrin::metric::{Kind, Tier};

#[test]
fn the_list_of_metrics_is_that_of_the_code() {
    let topics = include_str!("../../docs/topics.tsv").lines().filter(|line| !line.starts_with('#'));
    let families = catalogue();
    let mut text = include_str!("metrics-head.md").to_owned();
    for topic in topics {
        let mut columns = topic.split('\t');
        let (name, prefixes) = (columns.next().unwrap(), columns.next().unwrap());
        let of_topic: Vec<_> =
            families.iter().filter(|desc| prefixes.split(' ').any(|prefix| desc.name.starts_with(prefix))).collect();
        if of_topic.is_empty() {
            continue;
        }
        write!(text, "\n## {name}\n\n| metric | type | labels | what it is |\n|---|---|---|---|\n").unwrap();
        for desc in of_topic {
            let mut labels = desc.labels.join(", ");
            if desc.tier == Tier::Own && !["vitrin_", "process_"].iter().any(|own| desc.name.starts_with(own)) {
                labels =
                    [&*labels, "target"].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            }
            let renamed = desc.kind == Kind::Summary || (desc.kind == Kind::Counter && !desc.name.ends_with("_total"));
            let kind = if renamed { format!("{}*", desc.kind.as_str()) } else { desc.kind.as_str().to_owned() };
            let help = desc.help.replace('|', "\\|");
            writeln!(text, "| `{}` | {kind} | {labels} | {help} |", desc.name).unwrap();
        }
    }
    expect_file!["../../docs/metrics.md"].assert_eq(&text);
}
