//! Forwarders on machines that were made up.

use std::fs;

use proptest::prelude::*;

use super::super::super::verdict::State;
use super::super::tests::seen;
use super::*;

struct Host(tempfile::TempDir);

impl Host {
    fn new(files: &[(&str, &str)], processes: &[(&str, &str)]) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        host.write("proc/1/comm", "systemd\n");
        for (name, text) in files {
            host.write(name, text);
        }
        for (id, (name, line)) in processes.iter().enumerate() {
            let folder = format!("proc/{}", id + 10);
            host.write(&format!("{folder}/comm"), &format!("{name}\n"));
            host.write(&format!("{folder}/status"), "Uid:\t0\t0\t0\t0\nNSpid:\t7\n");
            host.write(&format!("{folder}/cmdline"), &line.replace(' ', "\0"));
        }
        host
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn state(&self) -> State {
        let paths = Paths { root: self.0.path().to_owned(), proc: self.0.path().join("proc"), ..Paths::default() };
        let mut seen = seen();
        seen.system.shipping = look(&paths);
        judge(&seen).state
    }
}

#[test]
fn each_forwarder_that_is_told_and_runs_is_one() {
    for (file, text, process, line) in [
        ("etc/rsyslog.d/9.conf", "*.* @@logs.example:6514\n", "rsyslogd", "/usr/sbin/rsyslogd -n"),
        (
            "etc/rsyslog.conf",
            "*.*\taction(type=\"omfwd\"\n  queue.type=\"LinkedList\" Target=\"10.0.0.7\" port=\"514\")",
            "rsyslogd",
            "x",
        ),
        ("etc/syslog-ng/conf.d/x.conf", "destination d_x { network(\"logs.example\" port(514)); };", "syslog-ng", "x"),
        (
            "etc/systemd/journal-upload.conf",
            "[Upload]\nURL=https://logs.example:19532\n",
            "systemd-journal",
            "/lib/systemd/systemd-journal-upload --save-state",
        ),
        (
            "etc/vector/vector.toml",
            "[sources.a]\ntype = \"file\"\n[sinks.b]\ninputs=[\"a\"]\ntype = \"loki\"\n",
            "vector",
            "vector",
        ),
        (
            "etc/vector/vector.yaml",
            "sources:\n  a:\n    type: file\nsinks:\n  b:\n    type: elasticsearch\n",
            "vector",
            "vector",
        ),
        (
            "etc/promtail/config.yml",
            "clients:\n  - url: https://u:p@logs.example/loki/api/v1/push\n",
            "promtail",
            "promtail",
        ),
        (
            "etc/alloy/config.alloy",
            "loki.write \"x\" {\n endpoint {\n  url = \"https://logs.example\"\n }\n}",
            "alloy",
            "alloy",
        ),
        (
            "etc/fluent-bit/fluent-bit.conf",
            "[INPUT]\n  Name tail\n[OUTPUT]\n    Name  es\n    Host 10.1.1.1\n",
            "fluent-bit",
            "x",
        ),
        ("etc/filebeat/filebeat.yml", "output.logstash:\n  hosts: [\"logs.example:5044\"]\n", "filebeat", "filebeat"),
        (
            "etc/filebeat/filebeat.yml",
            "output.elasticsearch:\n  hosts:\n    - https://logs.example:9200\n",
            "filebeat",
            "filebeat",
        ),
    ] {
        assert_eq!(Host::new(&[(file, text)], &[(process, line)]).state(), State::Pass, "{file}");
        assert_eq!(Host::new(&[(file, text)], &[]).state(), State::Fail, "{file}, and nothing runs");
    }
}

#[test]
fn what_stays_on_the_machine_has_not_left_it() {
    for (file, text, process) in [
        (
            "etc/rsyslog.conf",
            "#*.* @@logs.example\n*.* /var/log/all\n*.* @127.0.0.1:514\nmail.* -/var/log/mail\n",
            "rsyslogd",
        ),
        ("etc/rsyslog.conf", "*.* action(type=\"omfile\" target=\"logs.example\")\n", "rsyslogd"),
        (
            "etc/syslog-ng/syslog-ng.conf",
            "source s { network(\"0.0.0.0\"); };\ndestination d { file(\"/x\"); };",
            "syslog-ng",
        ),
        ("etc/systemd/journal-upload.conf", "[Upload]\n# URL=https://logs.example\n", "systemd-journal"),
        ("etc/vector/vector.toml", "[sources.a]\ntype = \"syslog\"\n[sinks.b]\ntype = \"console\"\n", "vector"),
        ("etc/promtail/config.yml", "clients:\n  - url: http://localhost:3100/loki/api/v1/push\n", "promtail"),
        ("etc/fluent-bit/fluent-bit.conf", "[INPUT]\n Name cpu\n[OUTPUT]\n Name stdout\n", "fluent-bit"),
        (
            "etc/filebeat/filebeat.yml",
            "output.elasticsearch:\n  hosts: [\"localhost:9200\"]\n#  hosts: [\"logs.example\"]\n",
            "filebeat",
        ),
    ] {
        assert_eq!(Host::new(&[(file, text)], &[(process, process)]).state(), State::Fail, "{file}");
    }
}

#[test]
fn journald_is_not_what_uploads_the_journal() {
    let upload = ("etc/systemd/journal-upload.conf", "[Upload]\nURL=https://logs.example\n");
    let journald = ("systemd-journal", "/lib/systemd/systemd-journald");
    assert_eq!(Host::new(&[upload], &[journald]).state(), State::Fail);
}

#[test]
fn a_journal_that_outlives_a_reboot_is_half_of_it() {
    let folder = ("var/log/journal/x/system.journal", "");
    assert_eq!(Host::new(&[folder], &[]).state(), State::Partial);
    let volatile = ("etc/systemd/journald.conf.d/x.conf", "[Journal]\nStorage=volatile\n");
    assert_eq!(Host::new(&[folder, volatile], &[]).state(), State::Fail);
    let persistent = ("etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n");
    assert_eq!(Host::new(&[persistent], &[]).state(), State::Partial);
}

#[test]
fn one_that_runs_by_a_configuration_out_of_sight_is_unknown() {
    assert_eq!(
        Host::new(&[], &[("promtail", "promtail -config.file=/opt/x.yml")]).state(),
        State::Unknown(Cause::Unsupported)
    );
    let hidden = Host::new(&[], &[]);
    fs::remove_dir_all(hidden.0.path().join("proc")).unwrap();
    assert_eq!(hidden.state(), State::Unknown(Cause::Permission));
}

proptest! {
    #[test]
    fn no_text_panics(text in "([ -~\n]|action\\(|destination |network\\(|hosts:|\\[OUTPUT\\]\n){0,60}") {
        for forwarder in &FORWARDERS {
            (forwarder.targets)(&text);
        }
    }
}
