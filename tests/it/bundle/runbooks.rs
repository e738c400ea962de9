//! What stands in runbooks: the four headings, a first command that runs as it stands, and only things that exist.

use std::collections::BTreeSet;
use std::process::Command;

use super::catalogue::Catalogue;
use super::expression::Expression;
use super::files::{Bundle, Topic};

/// The headings of a runbook, in order.
const HEADINGS: [&str; 4] = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"];

/// How the first command may begin: with what is on every host of a shop, or answers on its default port.
const FIRST: [&str; 18] = [
    "vitrin collect ",
    "vitrin check",
    "vitrin security",
    "mysql -e '",
    "mysql -e \"",
    "redis-cli ",
    "curl -s http://127.0.0.1:22100/metrics | grep ",
    "curl -s http://127.0.0.1:9090/",
    "curl -s http://127.0.0.1:9093/",
    "amtool ",
    "promtool query instant http://127.0.0.1:9090 '",
    "df ",
    "ps ",
    "ss ",
    "free",
    "tail ",
    "nginx -t",
    "openssl ",
];

/// What it may not hold: something to be filled in first, and what no container has.
const NOT_FIRST: [&str; 7] = ["<", "...", "…", "$", "systemctl", "journalctl", "sudo"];

/// What shellcheck says that does not matter to somebody who reads the answer: that `ps | grep` finds itself, too.
const NOT_MINDED: &str = "--exclude=SC2009";

/// How `promtool` is asked something in a runbook.
const QUERY: &str = "promtool query instant http://127.0.0.1:9090 '";

/// Words that begin as a metric does and are none: settings and programs of the servers.
const NOT_METRICS: [&str; 3] = ["mysql_secure_installation", "mysql_upgrade", "mysql_native_password"];

/// A file of `docs/runbooks`, as a complaint says it.
fn path(name: &str) -> String {
    format!("docs/runbooks/{name}.md")
}

/// Everything that is wrong with the runbooks of a bundle.
pub(super) fn complaints(bundle: &Bundle) -> Vec<String> {
    let catalogue = Catalogue::of(bundle);
    let alerts: BTreeSet<&str> = bundle.alerts().map(|(_, rule)| rule.alert.as_str()).collect();
    let mut complaints: Vec<String> = alerts
        .iter()
        .filter(|alert| !bundle.runbooks.contains_key(**alert))
        .map(|alert| format!("{}: it is missing, and {alert} sends people there", path(alert)))
        .collect();
    for (name, text) in &bundle.runbooks {
        let mut wrong = Vec::new();
        if !alerts.contains(name.as_str()) {
            wrong.push("there is no such alert".to_owned());
        }
        wrong.extend(headings(name, text));
        wrong.extend(first_command(text));
        wrong.extend(threshold(bundle, name, text));
        for command in blocks(text, "sh").iter().flat_map(|block| commands(block)) {
            wrong.extend(vitrin(&command));
            wrong.extend(query(&catalogue, &command));
        }
        for block in blocks(text, "toml") {
            if let Err(error) = vitrin::config::parse(std::path::Path::new("vitrin.toml"), &block) {
                wrong.push(format!("its configuration is refused: {error:#}"));
            }
        }
        wrong.extend(words(&bundle.topics, &catalogue, text));
        wrong.extend(links(bundle, text));
        complaints.extend(wrong.into_iter().map(|what| format!("{}: {what}", path(name))));
    }
    complaints
}

fn headings(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.lines().next() != Some(&format!("# {name}")) {
        wrong.push(format!("it does not begin with `# {name}`"));
    }
    let found: Vec<&str> = outside_blocks(text).filter(|line| line.starts_with("## ")).collect();
    if found != HEADINGS {
        wrong.push(format!("its headings are {found:?}, not {HEADINGS:?}"));
    }
    for heading in HEADINGS {
        if section(text, heading).trim().is_empty() {
            wrong.push(format!("nothing stands under `{heading}`"));
        }
    }
    wrong
}

fn outside_blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// What stands under a heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let Some((_, rest)) = text.split_once(&format!("\n{heading}\n")) else { return "" };
    rest.split("\n## ").next().unwrap_or_default()
}

/// The fenced blocks of a language.
pub(super) fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(opened) = line.trim_start().strip_prefix("```") {
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().take_while(|line| line.trim() != "```");
            let block: String = inside.flat_map(|line| [line.get(indent..).unwrap_or_default(), "\n"]).collect();
            if opened.trim() == language {
                found.push(block);
            }
        }
    }
    found
}

/// The commands of a block, lines that go on put together, without comments.
pub(super) fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn first_command(text: &str) -> Option<String> {
    let diagnosis = section(text, "## Diagnosis").trim_start();
    if !diagnosis.starts_with("```sh\n") {
        return Some("`## Diagnosis` does not begin with a block of `sh`".to_owned());
    }
    let block = blocks(diagnosis, "sh").into_iter().next().unwrap_or_default();
    let Some(command) = commands(&block).into_iter().next() else {
        return Some("the first block of `## Diagnosis` holds no command".to_owned());
    };
    if !FIRST.iter().any(|start| command.starts_with(start)) {
        return Some(format!("its first command `{command}` begins as none of {FIRST:?}"));
    }
    let found = NOT_FIRST.iter().find(|part| command.contains(**part))?;
    Some(format!("its first command `{command}` holds `{found}`: it must run as it stands, everywhere"))
}

/// Who has a threshold says how it is moved, and who has none does not.
fn threshold(bundle: &Bundle, name: &str, text: &str) -> Option<String> {
    let has = bundle.thresholds.iter().any(|row| row.alert == name);
    let says = section(text, "## Mitigation").contains("[objectives.thresholds]");
    (has != says).then(|| {
        let why = if has { "does not say" } else { "says, but there is no such threshold," };
        format!("its `## Mitigation` {why} that `{name}` in `[objectives.thresholds]` moves the alert")
    })
}

/// What is wrong with how a command calls vitrin.
fn vitrin(command: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for call in command.split(['|', ';', '&', '(', ')']).map(str::trim) {
        let call = call.strip_prefix("sudo ").unwrap_or(call);
        let mut words = call.split_whitespace();
        if words.next() != Some("vitrin") {
            continue;
        }
        let arguments: Vec<&str> = words.collect();
        let name = arguments.first().copied().unwrap_or_default();
        let Some(help) = help(name) else {
            wrong.push(format!("`{call}`: vitrin has no command `{name}`"));
            continue;
        };
        for flag in arguments.iter().filter(|argument| argument.starts_with("--")) {
            let flag = flag.split('=').next().unwrap_or_default();
            if !help.split([' ', ',', '\n', '=']).any(|word| word == flag) {
                wrong.push(format!("`{call}`: `vitrin {name}` has no flag `{flag}`"));
            }
        }
        if name == "collect" {
            let job = arguments.get(1).copied().unwrap_or_default();
            let collector = job.split('/').next().unwrap_or_default();
            if !job.contains('/') || vitrin::collectors::all().iter().all(|(known, _)| *known != collector) {
                wrong.push(format!("`{call}`: `{job}` is no collector with a target"));
            }
        }
    }
    wrong
}

/// What `vitrin help COMMAND` says; `None` when there is no such command.
fn help(command: &str) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_vitrin")).args([command, "--help"]).output().unwrap();
    let known = output.status.success() && !command.is_empty();
    known.then(|| String::from_utf8(output.stdout).unwrap())
}

fn query(catalogue: &Catalogue, command: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for asked in command.split(QUERY).skip(1) {
        let Some((expression, _)) = asked.split_once('\'') else {
            wrong.push(format!("`{command}`: the query does not end"));
            continue;
        };
        match Expression::parse(expression) {
            Ok(parsed) => {
                wrong.extend(parsed.check(catalogue).into_iter().map(|what| format!("`{expression}`: {what}")));
            }
            Err(error) => wrong.push(format!("`{expression}`: {error}")),
        }
    }
    wrong
}

/// Words in code that look like metrics and are none.
fn words(topics: &[Topic], catalogue: &Catalogue, text: &str) -> Vec<String> {
    // What only ends a pattern is the beginning of a name.
    let metric = |word: &&str| {
        let prefix = topics
            .iter()
            .flat_map(|topic| &topic.metrics)
            .any(|start| start.ends_with('_') && word.starts_with(start.as_str()));
        // PHP-FPM and MySQL have settings that begin so.
        let collector = vitrin::collectors::all().iter().any(|(name, _)| name == word);
        prefix && !collector && !word.starts_with("process_") && !NOT_METRICS.contains(word)
    };
    let mut unknown: BTreeSet<&str> = BTreeSet::new();
    for code in code(text) {
        let found = code.split(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c)).filter(metric);
        unknown.extend(found.filter(|word| !catalogue.has_start(word)));
    }
    unknown
        .into_iter()
        .map(|word| format!("there is no metric `{word}`; {} is the nearest", catalogue.nearest(word)))
        .collect()
}

/// What stands between backticks, in blocks or in lines.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).chain(text.split("```").skip(1).step_by(2))
}

fn links(bundle: &Bundle, text: &str) -> Vec<String> {
    let found = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next());
    let local = found.filter(|link| !link.contains("://") && !link.starts_with(['#', '<']));
    let missing = local.filter(|link| {
        let file = link.split('#').next().unwrap_or_default();
        !bundle.root.join("docs/runbooks").join(file).exists()
    });
    missing.map(|link| format!("its link {link} leads nowhere")).collect()
}

/// What shellcheck says of every block of shell.
pub(super) fn shellcheck(bundle: &Bundle) -> Vec<String> {
    let folder = crate::support::daemon::folder();
    let mut files = Vec::new();
    for (name, text) in &bundle.runbooks {
        for (index, block) in blocks(text, "sh").iter().enumerate() {
            let file = format!("{name}-{}", index + 1);
            std::fs::write(folder.path().join(&file), block).unwrap();
            files.push(file);
        }
    }
    if files.is_empty() {
        return vec!["docs/runbooks: there is no block of shell".to_owned()];
    }
    let mut shellcheck = Command::new("shellcheck");
    let output = shellcheck
        .current_dir(folder.path())
        .args(["--shell=bash", "--format=gcc", NOT_MINDED])
        .args(&files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Vec::new()
    } else {
        said.lines().map(|line| format!("docs/runbooks/{line}")).collect()
    }
}
