//! The package on a shop's machine: installed, used, upgraded, removed and purged.

use expect_test::expect;

use super::Packages;
use crate::support::document::Document;
use crate::support::fresh::{on_a_booted_machine_with, on_a_fresh_machine_with};

/// What scripts here begin with.
const PRELUDE: &str = r#"
cd /root
# The test's root was made without documentation; a shop's machine has it.
rm -f /etc/dpkg/dpkg.cfg.d/99mmdebstrap
quietly() { "$@" >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }; }
version() { dpkg-query --show --showformat='${db:Status-Status} ${Version}\n' vitrin | sed 's/ 99.*/ later/; s/ [0-9].*/ now/'; }
# All files but those that programs change while they run.
files() {
  find / -xdev \( -path /root -o -path /tmp -o -path /var/cache -o -path /var/log -o -path /var/lib/dpkg \
    -o -path /var/lib/mysql -o -path /var/lib/redis -o -path /var/lib/php -o -path /var/lib/nginx \
    -o -path /var/lib/systemd/timers \) -prune -o -printf '%y %m %u:%g %p %l\n' | sort
}
# An operator's changes, and whether they are still there.
change() {
  vitrin init 2>/dev/null
  echo '# Mine.' >>/etc/vitrin/vitrin.toml
  echo 'secret' | install -o root -g vitrin -m 0640 /dev/stdin /etc/vitrin/mysql.password
  echo 'VITRIN_FLAGS=--log.level=debug' >/etc/default/vitrin
  usermod --append --groups adm vitrin
  mine >/tmp/mine
}
mine() { sha256sum /etc/vitrin/* /etc/default/vitrin; stat --format '%n %a %U:%G' /etc/vitrin/*; id vitrin; }
"#;

fn script(text: &str) -> String {
    format!("{PRELUDE}{text}")
}

#[test]
fn where_no_systemd_runs_it_is_installed_upgraded_and_purged_all_the_same() {
    let packages = Packages::get();
    let said = on_a_fresh_machine_with(
        &[&packages.now, &packages.later],
        &script(
            r#"
            files >/tmp/before
            quietly dpkg --install vitrin.deb
            version
            getent passwd vitrin | cut -d: -f1,5-
            change
            # As the unit has it, with the folder that systemd would make.
            install -d -o vitrin -g vitrin -m 0700 /var/lib/vitrin
            . /etc/default/vitrin
            start=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/vitrin.service)
            user=$(sed -n 's/^User=//p' /usr/lib/systemd/system/vitrin.service)
            eval "setpriv --reuid $user --regid $user --init-groups --bounding-set=-all --no-new-privs $start" >/tmp/served 2>&1 &
            eventually metrics_say 'redis_up 1'
            get /metrics | grep '^vitrin_up{collector="access_log"'
            kill $!
            wait $! || true
            # Its state is there, and its own.
            find /var/lib/vitrin -printf '%m %u:%g %p\n' | sort --key=3

            # As unattended upgrades do where the operator and the package have both changed a file.
            quietly dpkg --force-confold --install later.deb
            version
            mine | diff /tmp/mine - && echo "all changes kept"
            tail -n 1 /etc/default/vitrin.dpkg-dist

            quietly dpkg --remove vitrin
            version
            mine | diff /tmp/mine - && echo "all changes kept"
            ls -d /usr/bin/vitrin /usr/share/vitrin /usr/share/doc/vitrin /var/lib/vitrin 2>/dev/null || true
            # Before anything is gone, it is back.
            quietly dpkg --force-confold --install vitrin.deb
            mine | diff /tmp/mine - && echo "all changes kept"
            quietly dpkg --purge vitrin </dev/null
            dpkg-query --show vitrin 2>/dev/null || echo "not known"
            files | diff /tmp/before - || true
            getent passwd vitrin | cut -d: -f1,5-
            "#,
        ),
    );
    expect![[r#"
        installed now
        vitrin:Vitrin:/var/lib/vitrin:/usr/sbin/nologin
        vitrin_up{collector="access_log",target="main"} 1
        700 vitrin:vitrin /var/lib/vitrin
        600 vitrin:vitrin /var/lib/vitrin/access_log@main.state
        600 vitrin:vitrin /var/lib/vitrin/lock
        600 vitrin:vitrin /var/lib/vitrin/php_fpm_errors@main.state
        installed later
        all changes kept
        # News of a later version.
        config-files later
        all changes kept
        /var/lib/vitrin
        all changes kept
        not known
        vitrin:Vitrin:/var/lib/vitrin:/usr/sbin/nologin
    "#]]
    .assert_eq(&said);
}

#[test]
fn systemd_starts_it_and_the_lines_of_the_manual_open_every_server_to_it() {
    let (packages, manual) = (Packages::get(), Document::read("docs/install.md"));
    let install = manual.with("install", &[("./vitrin_*.deb", "./vitrin.deb")]);
    let open = manual.block("open");
    let bundle = manual.block("bundle");
    let said = on_a_booted_machine_with(
        &[&packages.now],
        &script(&format!(
            r#"
            install() {{
            {install}
            }}
            quietly install
            unset -f install
            systemctl is-enabled vitrin.service vitrin.socket || true
            systemctl is-active vitrin.service vitrin.socket || true
            get /-/ready
            open() {{
            {open}
            }}
            open >/tmp/opened 2>&1 || {{ cat /tmp/opened; exit 1; }}
            # The service sees what it is to see from behind its walls.
            eventually metrics_say 'nginx_up 1'
            get /metrics | grep '^vitrin_up'
            get /metrics | grep '^phpfpm_opcache_enabled'
            mkdir -p /etc/prometheus /etc/alertmanager /etc/grafana/provisioning
            {bundle}
            cd / && ls -d etc/prometheus/rules/mysql.yml etc/alertmanager/alertmanager.yml \
                etc/grafana/provisioning/datasources/vitrin.yml var/lib/grafana/dashboards/operations/overview.json
            "#
        )),
    );
    expect![[r#"
        enabled
        disabled
        active
        inactive
        Vitrin is ready.
        vitrin_up{collector="access_log",target="main"} 1
        vitrin_up{collector="host",target="main"} 1
        vitrin_up{collector="mysql",target="main"} 1
        vitrin_up{collector="mysql_tables",target="main"} 1
        vitrin_up{collector="nginx",target="main"} 1
        vitrin_up{collector="php_fpm",target="main"} 1
        vitrin_up{collector="php_fpm_errors",target="main"} 1
        vitrin_up{collector="redis",target="main"} 1
        phpfpm_opcache_enabled{target="main"} 1
        etc/alertmanager/alertmanager.yml
        etc/grafana/provisioning/datasources/vitrin.yml
        etc/prometheus/rules/mysql.yml
        var/lib/grafana/dashboards/operations/overview.json
    "#]]
    .assert_eq(&said);
}

#[test]
fn behind_its_walls_it_sees_the_host_as_its_user_does_without_them() {
    let packages = Packages::get();
    let said = on_a_booted_machine_with(
        &[&packages.now],
        &script(
            r#"
            quietly dpkg --install vitrin.deb
            # Series of the host, without their values; those about mounts, with them.
            series() { sed -n -e '/^node_filesystem_readonly/p' -e 's/^\(node_[^ ]*\( .*}\)\?\) [^ ]*$/\1/p' | sort -u; }
            get /metrics | series >/tmp/served
            setpriv --reuid vitrin --regid vitrin --init-groups vitrin collect host/main 2>/dev/null | series >/tmp/free
            grep -c . /tmp/served | sed 's/^[0-9]\{3,4\}$/hundreds/'
            diff /tmp/free /tmp/served && echo "the same"
            # As one of the protections that were left out would not.
            mkdir /etc/systemd/system/vitrin.service.d
            printf '[Service]\nProcSubset=pid\n' >/etc/systemd/system/vitrin.service.d/less.conf
            systemctl daemon-reload
            systemctl restart vitrin
            get /metrics | series | comm -13 - /tmp/free | grep -o '^node_memory_MemTotal_bytes'
            "#,
        ),
    );
    expect![[r#"
        hundreds
        the same
        node_memory_MemTotal_bytes
    "#]]
    .assert_eq(&said);
}

#[test]
fn an_upgrade_restarts_what_ran_and_starts_nothing_that_was_off() {
    let packages = Packages::get();
    let said = on_a_booted_machine_with(
        &[&packages.now, &packages.later],
        &script(
            r#"
            files >/tmp/before
            quietly dpkg --install vitrin.deb
            main() { systemctl show --property=MainPID --value vitrin; }
            first=$(main)
            change
            quietly dpkg --force-confold --install later.deb
            version
            second=$(main)
            [ "$first" != "$second" ] && systemctl is-active vitrin
            mine | diff /tmp/mine - && echo "all changes kept"

            # A port that systemd holds is open all the while.
            systemctl stop vitrin
            echo 'VITRIN_FLAGS=--web.systemd-socket' >/etc/default/vitrin
            systemctl enable --now vitrin.socket 2>/dev/null
            get /-/ready
            quietly dpkg --force-confold --install vitrin.deb
            systemctl is-active vitrin.socket vitrin.service
            get /-/ready

            # What was switched off stays off.
            systemctl disable --now vitrin.socket vitrin.service 2>/dev/null
            quietly dpkg --force-confold --install later.deb
            systemctl is-enabled vitrin.socket vitrin.service || true

            systemctl start vitrin.socket
            get /-/ready
            quietly dpkg --purge vitrin </dev/null
            systemctl is-active vitrin.socket vitrin.service || true
            pgrep vitrin || echo "nothing runs"
            files | diff /tmp/before - || true
            "#,
        ),
    );
    expect![[r#"
        installed later
        active
        all changes kept
        Vitrin is ready.
        active
        active
        Vitrin is ready.
        disabled
        disabled
        Vitrin is ready.
        inactive
        inactive
        nothing runs
    "#]]
    .assert_eq(&said);
}
