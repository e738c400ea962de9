//! A new user's first hour, on machines as Debian installs them.

use expect_test::expect;

use crate::support::fresh::on_a_fresh_machine;

#[test]
fn init_and_the_lines_of_check_make_everything_green() {
    let said = on_a_fresh_machine(
        r#"
        vitrin init 2>&1
        if vitrin check >/tmp/before; then echo "green before"; fi
        apply_what_check_says >/tmp/applied 2>&1 || { cat /tmp/applied; exit 1; }
        vitrin check >/tmp/after || { cat /tmp/before /tmp/applied /tmp/after; exit 1; }
        # Without figures, which are the machine's.
        sed -E 's/ +[0-9]+$//' /tmp/after
        # Nor is what is served any different.
        serve vitrin
        eventually metrics_say 'nginx_up 1'
        get /metrics | grep '^vitrin_up'
        kill $!
        "#,
    );
    expect![[r#"
        wrote /etc/vitrin/vitrin.toml: host/main, php_fpm/main, mysql/main, redis/main, nginx/main, access_log/main
        next: vitrin check
        TARGET               REACHED  SERIES  WHAT IS MISSING
        host/main            yes
        php_fpm/main         yes
        php_fpm_errors/main  yes
        mysql/main           yes
        mysql_tables/main    yes
        redis/main           yes
        nginx/main           yes
        access_log/main      yes

        Nothing is wrong without these, but they would show more:

        1. PHP's errors in www go to the web server, unless php.ini says otherwise: with its log, or php.ini's, they are counted.
          | In the table of this target in vitrin.toml:
          | error_logs = ["/var/log/nginx/error.log"]

        2. The lines of /var/log/nginx/access.log do not say how long requests took, how long the backends took, what the cache did and what limits did.
          | In nginx's configuration, in `http`, before the first access_log:
          | log_format combined_timed '$remote_addr - $remote_user [$time_local] "$request" '
          |                           '$status $body_bytes_sent "$http_referer" "$http_user_agent" '
          |                           '"$host" $request_time "$upstream_response_time" '
          |                           '"$upstream_cache_status" "$limit_req_status" "$limit_conn_status"';
          | In /etc/nginx/nginx.conf, in place of the line for this log:
          | access_log /var/log/nginx/access.log combined_timed;
          | Then: nginx -t && systemctl reload nginx
          | Where vitrin.toml names this log, its target gets: format = "combined_timed"

        3. performance_schema is off in MariaDB at /run/mysqld/mysqld.sock: no digests, unused indexes or full scans, and query time as its status has it.
          | It costs about 100 MB of memory, a little CPU, and a restart of the server. In /etc/mysql/mariadb.conf.d/vitrin.cnf:
          | [mariadb]
          | performance_schema = ON

        Everything is seen that the configuration asks for.
        vitrin_up{collector="access_log",target="main"} 1
        vitrin_up{collector="host",target="main"} 1
        vitrin_up{collector="mysql",target="main"} 1
        vitrin_up{collector="mysql_tables",target="main"} 1
        vitrin_up{collector="nginx",target="main"} 1
        vitrin_up{collector="php_fpm",target="main"} 1
        vitrin_up{collector="php_fpm_errors",target="main"} 1
        vitrin_up{collector="redis",target="main"} 1
    "#]]
    .assert_eq(&said);
}

#[test]
fn the_lines_of_check_can_be_applied_twice() {
    on_a_fresh_machine(
        r"
        vitrin init 2>/dev/null
        vitrin check >/tmp/first || true
        sed -n 's/^    //p' /tmp/first >/tmp/lines
        sh -eu /tmp/lines && sh -eu /tmp/lines
        vitrin check
        ",
    );
}

#[test]
fn the_file_that_init_writes_says_why_each_target_is_there() {
    let said = on_a_fresh_machine(
        "vitrin init 2>/dev/null\nstat --format '%a %U' /etc/vitrin /etc/vitrin/vitrin.toml\n\
         sed -E 's#/php/[0-9.]+/#/php/VERSION/#' /etc/vitrin/vitrin.toml\n",
    );
    expect![[r#"
        755 root
        644 root
        # What Vitrin watches on this machine, as `vitrin init` found it. It is yours to change. Without this
        # file Vitrin looks for itself; with it, nothing is watched but what stands here.
        #
        # `vitrin check` says which of these let Vitrin in, and prints the lines that open the others. After a
        # change: systemctl reload vitrin
        #
        # The drop-in metrics of a target named `main` have no `target` label, those of all others do. A
        # password never stands here, but where it is kept: password = { file = "/etc/vitrin/mysql.password" }

        # --- The machine itself: watched unless this says false.
        [host]
        enabled = true

        # --- How secure the shop is, as one number; `vitrin security` says it at once, and what would bring more.
        # The page then names what is weak. With `url`, pages and the certificate are looked at as visitors do.
        #[security]
        #url = "https://shop.example/"

        # --- PHP-FPM
        # Found: PHP-FPM is configured by /etc/php/VERSION/fpm/php-fpm.conf.
        [php_fpm.targets.main]
        configuration = "/etc/php/VERSION/fpm/php-fpm.conf"

        # --- MySQL or MariaDB
        # Found: mariadbd listens at /run/mysqld/mysqld.sock.
        [mysql.targets.main]
        address = "/run/mysqld/mysqld.sock"
        user = "vitrin"

        # --- Redis or Valkey
        # Found: redis-server listens at 127.0.0.1:6379.
        [redis.targets.main]
        url = "redis://127.0.0.1:6379"

        # --- nginx
        # Found: nginx runs; its configuration /etc/nginx/nginx.conf has no page with `stub_status`.
        [nginx.targets.main]
        url = "http://127.0.0.1:8080/stub_status"

        # --- Access logs
        # Found: nginx logs to /var/log/nginx/access.log in the format combined.
        [access_log.targets.main]
        files = ["/var/log/nginx/access.log"]
        error_files = ["/var/log/nginx/error.log"]
    "#]]
    .assert_eq(&said);
}

#[test]
fn without_a_configuration_what_is_found_is_served_and_what_is_closed_is_opened_by_its_own_lines() {
    let said = on_a_fresh_machine(
        r#"
        useradd --system --user-group vitrin
        serve vitrin
        eventually page_says 'closed</b> nginx/main'
        # A loaded machine may show the page before the first scrape.
        eventually page_says 'up</b> redis/main'
        get / >/tmp/page
        for word in 'closed</b> php_fpm/main' 'closed</b> mysql/main' 'up</b> redis/main' 'up</b> host/main' \
          '4 servers and logs that were found do not let Vitrin in' 'usermod --append --groups www-data vitrin' \
          'closed</b> access_log/main' 'usermod --append --groups adm vitrin' \
          'CREATE USER IF NOT EXISTS vitrin@localhost' 'location = /stub_status'; do
          grep -qF -- "$word" /tmp/page || { echo "not on the page: $word"; cat /tmp/page; exit 1; }
        done
        # What does not let us in is no target that is down.
        get /metrics | grep -E '^(mysql|nginx|redis)_up |^vitrin_up'
        apply_what_check_says >/dev/null 2>&1
        # Servers take their time to read what they are told to.
        opened() { kill -HUP $!; metrics_say 'mysql_up 1' && metrics_say 'nginx_up 1'; }
        eventually opened
        # Groups count from the next start.
        kill $!; wait $! || true
        serve vitrin
        served() { opened && metrics_say 'vitrin_up{collector="php_fpm",target="main"} 1'; }
        eventually page_says Vitrin
        eventually served
        # What the shop is asked for from now on is counted.
        shopped() {
          exec 3<>/dev/tcp/127.0.0.1/80
          printf 'GET / HTTP/1.0\r\nUser-Agent: Mozilla/5.0\r\n\r\n' >&3
          cat <&3 >/dev/null
          exec 3>&-
          get /metrics | grep -q '^shop_http_requests_total{.*route="home".*} [1-9]'
        }
        eventually shopped
        page_says '/var/log/nginx/access.log do not say how long requests took'
        service mariadb stop >/dev/null 2>&1
        eventually metrics_say 'mysql_up 0'
        page_says 'closed</b> mysql/main' && { echo "a target that was up is closed"; exit 1; }
        # As if it had never been there.
        kill -HUP $!
        eventually page_says 'up</b> php_fpm/main'
        gone() { ! get /metrics | grep -q '^mysql_up'; }
        eventually gone
        kill $!
        "#,
    );
    expect![[r#"
        redis_up 1
        vitrin_up{collector="host",target="main"} 1
        vitrin_up{collector="redis",target="main"} 1
    "#]]
    .assert_eq(&said);
}

#[test]
fn a_superuser_s_login_is_never_used_to_serve() {
    let said = on_a_fresh_machine(
        r#"
        # Root is let in by its socket; the maintenance file is there; and this is what people add.
        printf '[client]\nuser = root\n' | tee /root/.my.cnf >/home/my.cnf
        mariadb -e "SELECT 1" >/dev/null
        test -r /etc/mysql/debian.cnf
        serve root
        eventually page_says 'closed</b> mysql/main'
        get /metrics | grep -c '^mysql_' || true
        kill $!; wait $! || true
        # One of root's in the home of ours.
        useradd --system --user-group --home-dir /home vitrin
        mv /home/my.cnf /home/.my.cnf
        export HOME=/home
        serve vitrin
        eventually page_says 'closed</b> mysql/main'
        get / | grep -o "Access denied for user '[a-z]*'"
        kill $!
        "#,
    );
    expect![[r#"
        0
        Access denied for user 'vitrin'
    "#]]
    .assert_eq(&said);
}
