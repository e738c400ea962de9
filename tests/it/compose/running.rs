//! The services at work, in containers made by hand: each with its own command, user, mounts and health check. Of the
//! images only Grafana's has no program here.

use std::path::Path;

use super::container::{Image, Pod, image_of_prometheus};
use super::model::Model;
use super::{here, image};
use crate::support::generation::Generation;

/// The names under which Debian has Alertmanager, and its makers' image.
const ALERTMANAGER: &str = "ln -s /usr/bin/prometheus-alertmanager \"$root/usr/local/bin/alertmanager\"";

/// What nginx' image has for its main configuration, and does at its start.
const NGINX: &str = r#"
cat >"$root/etc/nginx/nginx.conf" <<'END'
worker_processes auto;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout;
  include /etc/nginx/conf.d/*.conf;
}
END
cat >"$root/docker-entrypoint.sh" <<'END'
#!/bin/bash
set -eu
text=$(</etc/nginx/templates/shop.conf.template)
for name in $(compgen -e); do text=${text//"\${$name}"/"${!name}"}; done
printf '%s\n' "$text" >/etc/nginx/conf.d/shop.conf
exec "$@"
END
chmod 755 "$root/docker-entrypoint.sh"
"#;

/// What MariaDB's image does when it starts for the first time, and its check.
const MARIADB: &str = r#"
mkdir -p "$root/docker-entrypoint-initdb.d"
cat >"$root/docker-entrypoint.sh" <<'END'
#!/bin/bash
set -eu
own=(--no-defaults --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock)
mariadb-install-db --no-defaults --datadir=/var/lib/mysql --auth-root-authentication-method=normal --skip-test-db
mariadbd "${own[@]}" --skip-networking &
ask() { "$1" --no-defaults --socket=/run/mysqld/mysqld.sock --user=root "${@:2}"; }
until ask mariadb-admin ping; do sleep 0.1; done
for file in /docker-entrypoint-initdb.d/*.sql; do ask mariadb <"$file"; done
ask mariadb-admin shutdown
wait
exec mariadbd "${own[@]}" --bind-address=0.0.0.0 "$@"
END
cat >"$root/usr/local/bin/healthcheck.sh" <<'END'
#!/bin/bash
exec mariadb --no-defaults --host=127.0.0.1 --user=vitrin --password=demo --execute='SELECT status FROM shop.orders LIMIT 1'
END
chmod 755 "$root/docker-entrypoint.sh" "$root/usr/local/bin/healthcheck.sh"
"#;

/// What the demo's own image has.
const PROGRAM: &str =
    r#"install -D -m 644 "$REPOSITORY/packaging/vitrin-opcache.php" "$root/usr/share/vitrin/opcache.php""#;

/// Asks Prometheus whether it sees all three, and prints how they are.
const TARGETS: &str = r#"
targets() { curl --silent --fail 'http://127.0.0.1:9090/api/v1/query?query=up'; }
all_up() { [[ $(targets | grep --only-matching '"1"\]' | wc -l) == 3 ]]; }
eventually all_up
targets | grep --only-matching '"instance":"[^"]*"' | sort
"#;

fn prometheus(root: &Path) -> Image {
    image_of_prometheus(root, &["prometheus"])
}

fn alertmanager(root: &Path) -> Image {
    let mut image = image_of_prometheus(root, &["prometheus-alertmanager"]);
    image.complete = format!("{}\n{ALERTMANAGER}", image.complete);
    image
}

/// `vitrin` in its container sees the machine as it does outside: sizes, states, interfaces, processors.
#[test]
fn the_shop_s_services_run_as_they_stand_and_vitrin_sees_the_machine() {
    let shop = Model::shop(here()).unwrap();
    let files = image::files_with(Path::new(env!("CARGO_BIN_EXE_vitrin")));
    let generation = Generation::under_test();
    let mut pod = Pod::of(&[]);
    pod.start(shop.service("vitrin"), &image::vitrin(&files));
    pod.start(shop.service("prometheus"), &prometheus(generation.root()));
    pod.start(shop.service("alertmanager"), &alertmanager(generation.root()));
    for name in ["vitrin", "prometheus", "alertmanager"] {
        pod.healthy(name);
    }
    let said = pod.run(&format!(
        r#"{TARGETS}
what_lasts() {{
  grep -E '^node_(filesystem_(readonly|size_bytes|device_error)|network_(up|transmit_queue_length)|uname_info|memory_MemTotal_bytes)|^node_cpu_seconds_total.*mode="idle"' |
    grep -vFe "$pod" -e /var/tmp/vitrin- | sed -E 's/(node_cpu_seconds_total.*) .*/\1/' | sort
}}
curl --silent http://127.0.0.1:22100/metrics | what_lasts >"$pod/inside"
"$VITRIN" collect host/main 2>/dev/null | what_lasts >"$pod/outside"
grep -q 'node_filesystem_readonly.*mountpoint="/"}} 0' "$pod/inside"
diff "$pod/outside" "$pod/inside"
curl --silent http://127.0.0.1:22100/metrics | grep -E '^vitrin_up.*host'
# As little as may be: no capability, no way to one, no group but those that were given.
grep -E '^(CapPrm|CapEff|NoNewPrivs|Uid|Groups)' "/proc/${{pid_of[vitrin]}}/status" | tr '\t' ' '
end vitrin prometheus alertmanager
for check in health_of_vitrin health_of_prometheus health_of_alertmanager; do
  is_unwell() {{ ! "$check"; }}
  eventually is_unwell
done
echo 'and all three were unwell when they had ended'
"#
    ));
    expect_test::expect![[r#"
        "instance":"127.0.0.1:22100"
        "instance":"127.0.0.1:9090"
        "instance":"127.0.0.1:9093"
        vitrin_up{collector="host",target="main"} 1
        Uid: 65532 65532 65532 65532
        Groups: 4 33 
        CapPrm: 0000000000000000
        CapEff: 0000000000000000
        NoNewPrivs: 1
        and all three were unwell when they had ended
    "#]]
    .assert_eq(&said);
}

/// The whole demo but for Grafana: its shop is open, shoppers come, and what vitrin, Prometheus and Alertmanager make of
/// it ends on the page of the mails.
#[test]
fn the_demo_s_services_work_together() {
    let demo = Model::demo(here()).unwrap();
    let files = image::files_with(Path::new(env!("CARGO_BIN_EXE_vitrin")));
    let generation = Generation::under_test();
    // The shop is of this machine's Debian, as the demo's own image is.
    let debian = |entrypoint, complete: &str| Image { root: "/".into(), entrypoint, complete: complete.to_owned() };
    let entry: &[&str] = &["/docker-entrypoint.sh"];
    let mut pod = Pod::of(&demo.names());
    for (name, image) in [
        ("demo-mail", debian(&[], PROGRAM)),
        ("demo-redis", debian(&[], "")),
        ("demo-mariadb", debian(entry, MARIADB)),
        ("demo-php", debian(&[], PROGRAM)),
        ("demo-shop", debian(entry, NGINX)),
        ("demo-load", debian(&[], PROGRAM)),
        ("demo-vitrin", image::vitrin(&files)),
        ("demo-alertmanager", alertmanager(generation.root())),
        ("demo-prometheus", prometheus(generation.root())),
    ] {
        pod.start(demo.service(name), &image);
        pod.healthy(name);
    }
    let said = pod.run(&format!(
        r#"{TARGETS}
page() {{ curl --silent http://127.0.0.1:22100/metrics; }}
everything_is_up() {{ page >"$pod/page"; ! grep -E '^vitrin_up\{{.*\}} 0' "$pod/page"; }}
eventually everything_is_up
shoppers_come() {{ page | grep -E '^shop_http_requests_total.*route="product".* [1-9]'; }}
eventually shoppers_come
grep -oE '^vitrin_up\{{.*' "$pod/page" | sort
grep -E '^(phpfpm_opcache_enabled|mysql_up|redis_up|nginx_up|vitrin_state_writable|node_filesystem_size_bytes)[ {{]' "$pod/page" | sed -E 's/(size_bytes).*(mountpoint="[^"]*").*/\1 \2/' | sort
pinged() {{ curl --silent http://127.0.0.1:8025/messages | grep -qv '"ping": null'; }}
eventually pinged
echo 'the dead man'"'"'s switch is pressed'
"#
    ));
    expect_test::expect![[r#"
        "instance":"demo-alertmanager:9093"
        "instance":"demo-prometheus:9090"
        "instance":"demo-vitrin:22100"
        vitrin_up{collector="access_log",target="main"} 1
        vitrin_up{collector="host",target="main"} 1
        vitrin_up{collector="mysql",target="main"} 1
        vitrin_up{collector="mysql_digests",target="main"} 1
        vitrin_up{collector="mysql_queries",target="main"} 1
        vitrin_up{collector="mysql_tables",target="main"} 1
        vitrin_up{collector="nginx",target="main"} 1
        vitrin_up{collector="php_fpm",target="main"} 1
        vitrin_up{collector="probe",target="shop"} 1
        vitrin_up{collector="redis",target="main"} 1
        vitrin_up{collector="redis_key_groups",target="main"} 1
        mysql_up 1
        nginx_up 1
        node_filesystem_size_bytes mountpoint="/"
        phpfpm_opcache_enabled{target="main"} 1
        redis_up 1
        vitrin_state_writable 1
        the dead man's switch is pressed
    "#]]
    .assert_eq(&said);
}
