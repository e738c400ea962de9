//! What a log would say in the recommended format, and the lines of nginx.conf that make it so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{enumeration, named};
use crate::collectors::access_log::discover::RECOMMENDED as NAME;
use crate::collectors::access_log::format::{Field, Format};
use crate::collectors::nginx::configuration::{self, AccessLog, Configuration};
use crate::collectors::nginx::discover::USUAL;
use crate::machine::is_roots;
use crate::remedy::Remedy;

/// What is worth another format, in words.
const WANTED: [(&[Field], &str); 4] = [
    (&[Field::Duration], "how long requests took"),
    (&[Field::Upstream], "how long the backends took"),
    (&[Field::Cache], "what the cache did"),
    (&[Field::LimitReq, Field::LimitConn], "what limits did"),
];

/// What Apache's `combined` becomes with the time, as it stands in its configuration.
const APACHE: &str = r#"LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D" combined_timed"#;

/// What is closed with a changed configuration of nginx's.
const RELOAD: &str = "Then: nginx -t && systemctl reload nginx\n";

/// A format that says more than this one, for these logs of the host.
pub(in crate::collectors::access_log) fn better(root: &Path, logs: &[PathBuf], format: &Format) -> Option<Remedy> {
    let lacks = |fields: &[Field]| fields.iter().any(|field| !format.has(*field));
    let lacking: Vec<_> = WANTED.iter().filter(|(fields, _)| lacks(fields)).map(|(_, words)| *words).collect();
    let (first, _) = logs.iter().zip(&lacking).next()?;
    let why = |lacking: &str| format!("The lines of {} do not say {lacking}.", named(&logs.iter().collect::<Vec<_>>()));
    let target = "Where vitrin.toml names this log, its target gets";
    if is_apache_s(first, format) {
        // Of backends, caches and limits Apache has nothing to say in any format.
        let by_hand = format!(
            "Apache says it with %D. In its configuration:\n{APACHE}\nCustomLog {} {NAME}\n\
             Then: apachectl configtest && systemctl reload apache2\n\
             {target} the text of this LogFormat: format = '…'\n",
            first.display()
        );
        let is_timed = format.has(Field::Duration);
        return (!is_timed).then(|| Remedy::by_hand(why(WANTED[0].1), by_hand).as_more());
    }
    let said = said(root, logs);
    let mut places: BTreeSet<_> = said.iter().map(|log| line(log, NAME, "")).collect();
    if places.is_empty() {
        places.insert(format!("Then, where the log is named:\naccess_log {} {NAME};\n", first.display()));
    }
    let places: String = places.into_iter().collect();
    let by_hand = format!(
        "In nginx's configuration, in `http`, before the first access_log:\n{}\n{places}{RELOAD}{target}: \
         format = \"{NAME}\"\n",
        Format::RECOMMENDED
    );
    Some(Remedy::by_hand(why(&enumeration(&lacking)), by_hand).as_more())
}

/// What makes nginx write lines as they come, where it waits for a buffer to be full.
pub(in crate::collectors::access_log) fn prompt(root: &Path, logs: &[PathBuf]) -> Option<Remedy> {
    let said = said(root, logs);
    let late: BTreeSet<_> = said.iter().filter(|log| log.is_held_back()).collect();
    let first = late.first()?;
    let why = format!("nginx holds lines of {} back until its buffer is full: they are counted late.", first.path);
    let lines: BTreeSet<_> = late.iter().map(|log| line(log, &log.format, " flush=1s")).collect();
    let by_hand = lines.into_iter().collect::<String>() + RELOAD;
    Some(Remedy::by_hand(why, by_hand).as_more())
}

/// An `access_log` with this format and more options, and where it belongs.
fn line(log: &AccessLog, format: &str, more: &str) -> String {
    let AccessLog { path, options, said_in, .. } = log;
    let options: String = options.iter().flat_map(|option| [" ", option]).collect();
    let place = match said_in {
        Some(file) => format!("In {}, in place of the line for this log:", file.display()),
        None => "In nginx's configuration, in `http`:".to_owned(),
    };
    format!("{place}\naccess_log {path} {format}{options}{more};\n")
}

/// What nginx's configuration says of these logs, where it is in a usual place and root's.
fn said(root: &Path, logs: &[PathBuf]) -> Vec<AccessLog> {
    let file = USUAL.iter().map(Path::new).find(|file| is_roots(root, file));
    let Configuration { servers, .. } = file.and_then(|file| configuration::read(root, file)).unwrap_or_default();
    let all = servers.into_iter().flat_map(|server| server.logs).flatten();
    all.filter(|log| logs.iter().any(|path| path == Path::new(&log.path))).collect()
}

/// Whether a log is one of Apache's, by its format or by the folders that distributions make for it.
fn is_apache_s(log: &Path, format: &Format) -> bool {
    format.to_string().contains('%')
        || log.components().any(|part| part.as_os_str() == "apache2" || part.as_os_str() == "httpd")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::{Expect, expect};

    use super::*;

    const DEBIAN: &str = include_str!("../../../../tests/fixtures/nginx/nginx-1.22-debian-nginx.conf");

    fn host(configuration: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/nginx/sites-enabled")).unwrap();
        fs::write(root.path().join("etc/nginx/nginx.conf"), configuration).unwrap();
        root
    }

    #[track_caller]
    fn shown(remedy: Option<Remedy>, expected: &Expect) {
        expected.assert_eq(&remedy.map(|remedy| format!("{}\n{}", remedy.why, remedy.by_hand)).unwrap_or_default());
    }

    #[test]
    fn debian_s_log_gets_the_recommended_format_in_its_own_place() {
        let site = "server { server_name a; } server { server_name b; }";
        let root = host(DEBIAN);
        fs::write(root.path().join("etc/nginx/sites-enabled/a"), site).unwrap();
        let logs = ["/var/log/nginx/access.log".into()];
        shown(
            better(root.path(), &logs, &"combined".parse().unwrap()),
            &expect![[r#"
                The lines of /var/log/nginx/access.log do not say how long requests took, how long the backends took, what the cache did and what limits did.
                In nginx's configuration, in `http`, before the first access_log:
                log_format combined_timed '$remote_addr - $remote_user [$time_local] "$request" '
                                          '$status $body_bytes_sent "$http_referer" "$http_user_agent" '
                                          '"$host" $request_time "$upstream_response_time" '
                                          '"$upstream_cache_status" "$limit_req_status" "$limit_conn_status"';
                In /etc/nginx/nginx.conf, in place of the line for this log:
                access_log /var/log/nginx/access.log combined_timed;
                Then: nginx -t && systemctl reload nginx
                Where vitrin.toml names this log, its target gets: format = "combined_timed"
            "#]],
        );
    }

    #[test]
    fn options_stay_and_lines_of_a_full_buffer_come_sooner() {
        let root = host("http { access_log /l/a.log x buffer=64k if=$ok; server { } server { access_log /l/b.log; } }");
        let logs = ["/l/a.log".into(), "/l/b.log".into()];
        shown(
            better(root.path(), &logs, &"common".parse().unwrap()),
            &expect![[r#"
                The lines of /l/a.log and /l/b.log do not say how long requests took, how long the backends took, what the cache did and what limits did.
                In nginx's configuration, in `http`, before the first access_log:
                log_format combined_timed '$remote_addr - $remote_user [$time_local] "$request" '
                                          '$status $body_bytes_sent "$http_referer" "$http_user_agent" '
                                          '"$host" $request_time "$upstream_response_time" '
                                          '"$upstream_cache_status" "$limit_req_status" "$limit_conn_status"';
                In /etc/nginx/nginx.conf, in place of the line for this log:
                access_log /l/a.log combined_timed buffer=64k if=$ok;
                In /etc/nginx/nginx.conf, in place of the line for this log:
                access_log /l/b.log combined_timed;
                Then: nginx -t && systemctl reload nginx
                Where vitrin.toml names this log, its target gets: format = "combined_timed"
            "#]],
        );
        shown(
            prompt(root.path(), &logs),
            &expect![[r#"
            nginx holds lines of /l/a.log back until its buffer is full: they are counted late.
            In /etc/nginx/nginx.conf, in place of the line for this log:
            access_log /l/a.log x buffer=64k if=$ok flush=1s;
            Then: nginx -t && systemctl reload nginx
        "#]],
        );
        shown(prompt(root.path(), &logs[1..]), &expect![[""]]);
    }

    #[test]
    fn a_log_of_apache_s_gets_a_format_of_apache_s() {
        let logs = ["/var/log/apache2/access.log".into()];
        shown(better(host("").path(), &logs, &APACHE[10..].parse().unwrap()), &expect![""]);
        shown(
            better(host("").path(), &logs, &"combined".parse().unwrap()),
            &expect![[r#"
                The lines of /var/log/apache2/access.log do not say how long requests took.
                Apache says it with %D. In its configuration:
                LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D" combined_timed
                CustomLog /var/log/apache2/access.log combined_timed
                Then: apachectl configtest && systemctl reload apache2
                Where vitrin.toml names this log, its target gets the text of this LogFormat: format = '…'
            "#]],
        );
    }

    #[test]
    fn a_log_that_nginx_does_not_name_here_gets_a_line_to_go_by() {
        shown(
            better(host("").path(), &["/srv/l.log".into()], &"combined".parse().unwrap()),
            &expect![[r#"
                The lines of /srv/l.log do not say how long requests took, how long the backends took, what the cache did and what limits did.
                In nginx's configuration, in `http`, before the first access_log:
                log_format combined_timed '$remote_addr - $remote_user [$time_local] "$request" '
                                          '$status $body_bytes_sent "$http_referer" "$http_user_agent" '
                                          '"$host" $request_time "$upstream_response_time" '
                                          '"$upstream_cache_status" "$limit_req_status" "$limit_conn_status"';
                Then, where the log is named:
                access_log /srv/l.log combined_timed;
                Then: nginx -t && systemctl reload nginx
                Where vitrin.toml names this log, its target gets: format = "combined_timed"
            "#]],
        );
    }

    #[test]
    fn what_says_all_gets_nothing() {
        let logs = ["/var/log/nginx/access.log".into()];
        for format in [Format::RECOMMENDED, NAME, "json"] {
            shown(better(host(DEBIAN).path(), &logs, &format.parse().unwrap()), &expect![""]);
        }
        shown(better(host(DEBIAN).path(), &[], &"combined".parse().unwrap()), &expect![""]);
    }
}
