//! What lets Vitrin see an nginx: a server of its own for the `stub_status` page.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::url::StatusUrl;
use crate::config::types::Address;
use crate::remedy::Remedy;

/// The file that the server is put into, and where nginx must say that it reads it.
const FILE: &str = "/etc/nginx/conf.d/vitrin.conf";
const MAIN: &str = "/etc/nginx/nginx.conf";
const INCLUDE: &str = "/etc/nginx/conf.d/*.conf";

/// The largest file that is read.
const FILE_BYTES: u64 = 1 << 20;

/// The server block of an nginx whose page is to be there.
fn server(url: &StatusUrl) -> String {
    let listen = &url.address;
    let path = url.path.split('?').next().unwrap_or_default();
    format!(
        "server {{\n    listen {listen};\n    access_log off;\n    location = {path} {{\n        stub_status;\n        \
         allow 127.0.0.1;\n        deny all;\n    }}\n}}\n"
    )
}

/// What makes nginx show the page of `url`, at which nothing answers yet.
pub fn status_page(root: &Path, url: &StatusUrl) -> Remedy {
    let why = format!("nginx has no stub_status page at {url}: with one, connections and requests show.");
    let server = server(url);
    let local = matches!(&url.address, Address::Tcp { host, .. } if host == "127.0.0.1");
    if read(root, FILE).is_some_and(|text| text == server) {
        let why =
            format!("nginx does not answer at {url}, though {FILE} says so: it does not run, or has not read it.");
        return Remedy::by_hand(why, "Start it, or let it read its files: service nginx start; nginx -s reload\n");
    }
    // What stands in the address must not become words of nginx's.
    let is_plain = url.path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if !local || !is_plain || !includes(root) {
        return Remedy::by_hand(why, format!("In nginx's configuration, in `http`:\n{server}"));
    }
    Remedy::mend(why, format!("cat >{FILE} <<'NGINX'\n{server}NGINX\nnginx -t -q\nnginx -s reload\n"))
}

/// Whether nginx reads what is put there.
fn includes(root: &Path) -> bool {
    let included = |line: &str| line.trim().strip_prefix("include").is_some_and(|rest| rest.contains(INCLUDE));
    read(root, MAIN).is_some_and(|text| text.lines().any(included))
}

fn read(root: &Path, file: &str) -> Option<String> {
    let mut text = String::new();
    File::open(root.join(file.trim_start_matches('/'))).ok()?.take(FILE_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::expect;

    use super::*;

    #[test]
    fn a_server_of_its_own_is_put_where_nginx_reads_it() {
        let root = tempfile::tempdir().unwrap();
        let url = "http://127.0.0.1:8080/stub_status".parse().unwrap();
        assert!(status_page(root.path(), &url).run.is_empty());
        fs::create_dir_all(root.path().join("etc/nginx")).unwrap();
        fs::write(root.path().join("etc/nginx/nginx.conf"), "http {\n\tinclude /etc/nginx/conf.d/*.conf;\n}\n")
            .unwrap();
        expect![[r#"
            cat >/etc/nginx/conf.d/vitrin.conf <<'NGINX'
            server {
                listen 127.0.0.1:8080;
                access_log off;
                location = /stub_status {
                    stub_status;
                    allow 127.0.0.1;
                    deny all;
                }
            }
            NGINX
            nginx -t -q
            nginx -s reload
        "#]]
        .assert_eq(&status_page(root.path(), &url).run);
        let hostile = "http://127.0.0.1:8080/a{}}load_module/tmp/x.so;".parse().unwrap();
        assert!(status_page(root.path(), &hostile).run.is_empty());
        let elsewhere = "http://10.0.0.7:8080/stub_status".parse().unwrap();
        assert!(status_page(root.path(), &elsewhere).run.is_empty());
    }
}
