//! The first command of each runbook, run as it stands on a shop's host: it must work, and have something to say.
//!
//! Runbooks speak of a host with default ports. This one has others, so that programs that are told where to ask are
//! found in a folder of wrappers first, which change the address and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::heartbeat::{self, Trade};
use crate::support::daemon::{eventually, folder};
use crate::support::mariadb::{block_on, is_mariadb};
use crate::vitrin::PROGRAM;
use crate::watch::Row;
use crate::world::World;

const RUNBOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbooks");

/// Those that may end with 1, and why.
const FINDS: &[(&str, &str)] = &[
    ("vitrin check", "1 says that something could be better; on a drill's host something can"),
    ("vitrin security", "1 says that the score is below its objective; that of a drill's host is"),
];

/// Those that ask for what is wrong, of which a shop that is well has none, or that has no day behind it; or for what the
/// one marketplace here does not tell.
const SILENT: &[&str] = &[
    "AlertmanagerUnreachable",
    "CertificateInvalid",
    "HostUnitFailed",
    "MarketplaceApiDown",
    "MarketplaceBlocked",
    "MarketplaceCredentialExpiresSoon",
    "MarketplaceLatencyDegraded",
    "MarketplaceLatencyUnsteady",
    "MarketplaceProbeRefused",
    "MarketplaceProberStuck",
    "MarketplaceQuotaLow",
    "MarketplaceRateLimited",
    "MarketplaceTokenFailing",
    "ProbeFailing",
    "ProbeTlsLegacyAccepted",
    "PrometheusRulesFailing",
    "ShopLatencyDegraded",
    "ShopLatencyUnsteady",
    "ShopNoCheckouts",
    "ShopRequestsLimited",
    "ShopUpstreamErrors",
    "TargetWithoutShop",
    "VitrinWebCertificateExpires",
];

/// Those about Galera, of which MySQL knows nothing.
const SILENT_ON_MYSQL: &[&str] = &["MySQLGaleraNotReady", "MySQLGaleraNotSynced"];

/// Runs all of them. An alert's runbook is the one of its name.
pub(crate) fn first_commands(fault: &'static str, world: &mut World) -> Row {
    heartbeat::open(&world.shop.database, Trade::Busy);
    let beside = heartbeat::target(&world.shop.database, &world.shop.password()) + &world.marketplaces().target();
    world.also(beside);
    world.watch(&[]);
    let bench = Bench::new(world);
    bench.provoke(world);
    let (mut wrong, mut run) = (Vec::new(), 0);
    for (alert, path) in runbooks() {
        let text = fs::read_to_string(&path).unwrap();
        let Some(command) = first_command(&text) else {
            wrong.push(format!("{alert}: its diagnosis begins with no command"));
            continue;
        };
        let output = bench.run(&alert, &command);
        run += 1;
        if let Err(complaint) = judge(&alert, &command, &output) {
            wrong.push(format!("{alert}: `{command}`: {complaint}"));
        }
    }
    drop(bench);
    world.let_go();
    world.also(String::new());
    assert!(run > 0, "there are no runbooks");
    assert!(wrong.is_empty(), "{} of {run} first commands do not work: {wrong:#?}", wrong.len());
    Row {
        fault: fault.to_owned(),
        expected: "each works as written, and says something".to_owned(),
        got: format!("{run} of {run}"),
        first: None,
    }
}

/// All runbooks of alerts, by name; there may be other documents beside them.
fn runbooks() -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(RUNBOOKS).unwrap_or_else(|error| panic!("{RUNBOOKS}: {error}"));
    let paths = files.map(|entry| entry.unwrap().path());
    let named = |path: PathBuf| Some((path.file_stem()?.to_str()?.to_owned(), path));
    paths.filter_map(named).filter(|(name, _)| crate::calls::ALERTS.contains(name)).collect()
}

/// The first command of the first block of the diagnosis, with the lines that continue it.
fn first_command(text: &str) -> Option<String> {
    let (_, diagnosis) = text.split_once("\n## Diagnosis\n")?;
    let diagnosis = diagnosis.split("\n## ").next()?;
    let (_, block) = diagnosis.split_once("```sh\n")?;
    let block = block.split("```").next()?;
    let lines = block.lines().skip_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let mut command = String::new();
    for line in lines {
        command.push_str(line);
        if is_whole(&command) {
            return Some(command);
        }
        command.push('\n');
    }
    None
}

/// Whether no quote is open, and no backslash or pipe at the end wants another line.
fn is_whole(command: &str) -> bool {
    let (mut quote, mut escaped) = (None, false);
    for character in command.chars() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    quote.is_none() && !escaped && !command.ends_with('|')
}

fn judge(alert: &str, command: &str, output: &Output) -> Result<(), String> {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    if FINDS.iter().any(|(start, _)| command.starts_with(start)) && output.status.code() == Some(1) {
        return Ok(());
    }
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, said.trim()));
    }
    // Some say what they found where errors go: `nginx -t`.
    let may_be_silent = SILENT.contains(&alert) || (SILENT_ON_MYSQL.contains(&alert) && !is_mariadb());
    if said.trim().is_empty() && !may_be_silent { Err("it says nothing".to_owned()) } else { Ok(()) }
}

/// Where commands run: the wrappers, and what they lead to.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(world: &World) -> Self {
        let bench = Self { folder: folder() };
        let config = world.vitrin.configuration();
        let addresses = [
            ("22100", world.vitrin.port),
            ("9090", world.monitoring().prometheus[0].port),
            ("9093", world.monitoring().alertmanagers[0].port),
            ("80", world.shop.nginx.port),
        ];
        let mut moved = String::new();
        for (port, ours) in addresses {
            write!(moved, " -e 's!\\(127.0.0.1\\|localhost\\):{port}\\b!127.0.0.1:{ours}!g'").unwrap();
        }
        // Of what is asked on the default port of HTTP, nothing names it.
        write!(moved, " -e 's!//\\(127.0.0.1\\|localhost\\)/!//127.0.0.1:{}/!g'", world.shop.nginx.port).unwrap();
        let nginx = world.shop.nginx.access_log();
        let nginx = nginx.parent().unwrap();
        write!(moved, " -e 's!/var/log/nginx/!{}/!g'", nginx.display()).unwrap();
        write!(moved, " -e 's!/var/log/php[0-9.]*-fpm.log!{}!g'", world.shop.php_fpm.file("fpm.log").display())
            .unwrap();
        for program in ["curl", "promtool", "amtool", "tail", "grep", "awk", "ls", "sed"] {
            bench.wrap(program, &moved, "");
        }
        bench.wrap("redis-cli", "", &format!("-p {}", world.shop.redis.port));
        bench.wrap("nginx", "", &format!("-c {0}/nginx.conf -e {0}/error.log", nginx.display()));
        let database = |socket: PathBuf| format!("--no-defaults --user=root --socket={}", socket.display());
        bench.wrap("mysql", "", &database(world.shop.database.socket()));
        // On the host of a replica, `mysql` asks that.
        fs::create_dir(bench.file("replica")).unwrap();
        bench.wrap_in("replica", "mysql", "", &database(world.shop.replica.socket()));
        // The flag of the configuration follows the subcommand.
        let vitrin = format!("#!/bin/sh\nexec {PROGRAM} \"$@\" --config.file={}\n", config.display());
        bench.write("bin/vitrin", &vitrin);
        bench
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn wrap(&self, program: &str, moved: &str, first: &str) {
        fs::create_dir_all(self.file("bin")).unwrap();
        self.wrap_in("bin", program, moved, first);
    }

    /// A program that changes its arguments by these expressions of sed, has these before them, and becomes the real one.
    fn wrap_in(&self, folder: &str, program: &str, moved: &str, first: &str) {
        let real = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().stdout;
        let real = String::from_utf8(real).unwrap();
        let real = real.trim();
        let loop_over = if moved.is_empty() {
            String::new()
        } else {
            format!(
                "count=$#\nwhile [ $count -gt 0 ]; do\n  new=$(printf '%s.' \"$1\" | /bin/sed{moved})\n  shift\n  \
                 set -- \"$@\" \"${{new%.}}\"\n  count=$((count - 1))\ndone\n"
            )
        };
        self.write(&format!("{folder}/{program}"), &format!("#!/bin/sh\n{loop_over}exec {real} {first} \"$@\"\n"));
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
        fs::set_permissions(self.file(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a command as a shell on the host does.
    fn run(&self, alert: &str, command: &str) -> Output {
        let replica =
            if alert.starts_with("MySQLRepl") { format!("{}:", self.file("replica").display()) } else { String::new() };
        let path = format!(
            "{replica}{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            self.file("bin").display()
        );
        Command::new("timeout").args(["20", "sh", "-c", command]).env("PATH", path).output().unwrap()
    }

    /// What some of them look for: a slow command and a wrong password; a deadlock that was, and a transaction that waits
    /// for a lock.
    fn provoke(&self, world: &mut World) {
        for words in [
            &["CONFIG", "SET", "slowlog-log-slower-than", "0"][..],
            &["CONFIG", "SET", "slowlog-log-slower-than", "10000"],
            &["AUTH", "nobody", "wrong"],
        ] {
            world.shop.redis.ask(words);
        }
        let socket = world.shop.database.socket();
        let script = |name: &str, first: u8, second: u8| {
            let text = format!(
                "BEGIN; UPDATE shop.goods SET name = name WHERE id = {first}; DO SLEEP(1); \
                 UPDATE shop.goods SET name = name WHERE id = {second}; ROLLBACK;"
            );
            let path = self.file(name);
            fs::write(&path, text).unwrap();
            path
        };
        let client = |script: &Path| {
            let mut command = Command::new("mysql");
            command.args(["--no-defaults", "--user=root"]).arg(format!("--socket={}", socket.display()));
            command.stdin(fs::File::open(script).unwrap()).stderr(std::process::Stdio::null());
            command.spawn().unwrap()
        };
        let mut both = [client(&script("one", 1, 2)), client(&script("two", 2, 1))];
        for client in &mut both {
            client.wait().unwrap();
        }
        let holds = "BEGIN; UPDATE shop.goods SET name = name WHERE id = 3; DO SLEEP(60); ROLLBACK;";
        fs::write(self.file("holds"), holds).unwrap();
        fs::write(self.file("waits"), holds.replace("DO SLEEP(60); ", "")).unwrap();
        // Not `innodb_trx`, which is made anew only when nobody has looked for 100 ms.
        let asleep = "SELECT id FROM information_schema.processlist WHERE info = 'DO SLEEP(60)'";
        let holds = client(&self.file("holds"));
        eventually("a transaction that holds a lock", || !block_on(world.shop.database.ask(asleep)).is_empty());
        let waits = client(&self.file("waits"));
        let waiting = || block_on(world.shop.database.status("Innodb_row_lock_current_waits"));
        eventually("a transaction that waits for it", || waiting() > 0.0);
        world.hold(Clients([holds, waits]));
    }
}

/// Clients that end with the drill.
struct Clients([std::process::Child; 2]);

impl Drop for Clients {
    fn drop(&mut self) {
        for client in &mut self.0 {
            client.kill().ok();
            client.wait().ok();
        }
    }
}
