"""What the demo consists of: each server with its configuration, its account and what it is ready by."""
import glob
import json
import os
import shutil
import subprocess

from bundle import Bundle
from processes import Failed, get, listens


class Demo(Bundle):
    """The shop, and who watches it."""

    def start(self):
        for step in (
            self.database, self.redis, self.php_fpm, self.nginx, self.front_page, self.mail, self.marketplaces, self.watcher,
            self.load, self.alertmanager, self.prometheus, self.grafana, self.first_numbers,
        ):
            step()

    def database(self):
        program, stack = self.programs["MariaDB"], self.stack
        mariadb = program.endswith("mariadbd")
        self.step("MariaDB" if mariadb else "MySQL", program, "--version")
        folder = stack.room("mysql")
        places = [f"--datadir={folder}/data", f"--tmpdir={folder}"]
        if mariadb:
            install = stack.find("mariadb-install-db")
            if not install:
                raise Failed("mariadb-install-db is not installed")
            stack.run("mysql-install", [install, "--no-defaults", *places, "--force", "--skip-test-db",
                                        "--auth-root-authentication-method=normal"])
        else:
            make = [program, "--no-defaults", "--initialize-insecure", "--secure-file-priv=", *places]
            stack.run("mysql-install", make)
        file = self.configured("my.cnf", "my.cnf")
        client = [self.programs["MariaDB's client"], "--no-defaults", "--user=root", f"--socket={folder}/mysqld.sock"]

        def ready():
            # MySQL listens for a moment while it is not ready yet: ask.
            if not listens(f"{folder}/mysqld.sock"):
                return False
            silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            return stack.spawn([*client, "--execute=SELECT 1"], {}, False, **silent).wait(30) == 0

        stack.serve("mysql", [program, f"--defaults-file={file}"], ready)
        stack.write("setup.sql", self.accounts(mariadb))
        with open(f"{self.folder}/setup.sql", encoding="utf-8") as sql:
            stack.run("mysql-setup", [*client, "--default-character-set=utf8mb4"], stdin=sql)
        stack.screen.done()

    def accounts(self, mariadb):
        """The shop's data; its account, and vitrin's, with no more rights than they need; a password for root."""
        with open(f"{self.repository}/demo/shop/schema.sql", encoding="utf-8") as file:
            schema = file.read()
        rights = self.block("mariadb-grants" if mariadb else "mysql").splitlines()
        return "\n".join([
            schema,
            f"CREATE USER shop@localhost IDENTIFIED BY '{self.values['SHOP_PASSWORD']}';",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO shop@localhost;",
            self.block("password").replace("PASSWORD", self.passwords["mysql"]),
            *(line for line in rights if line.startswith("GRANT")),
            "GRANT SELECT (status) ON shop.orders TO vitrin@localhost;",
            f"ALTER USER root@localhost IDENTIFIED BY '{self.passwords['root']}';",
        ])

    def redis(self):
        program = self.programs["Redis"]
        self.step("Redis" if "redis" in program else "Valkey", program, "--version")
        self.stack.room("redis")
        # The shop itself comes without a password, as most do on their own machine.
        user = self.block("redis-user").replace("PASSWORD", self.passwords["redis"]).strip()
        keys = self.block("redis-key-groups").strip()
        file = self.configured("redis.conf", "redis.conf", VITRIN_USER=f"{user} {keys}")
        self.stack.serve("redis", [program, file], lambda: listens(self.ports["REDIS"]))
        self.stack.screen.done()

    def php_fpm(self):
        program = self.programs["PHP-FPM"]
        self.step("PHP-FPM", program, "--version")
        folder = self.stack.room("php-fpm")
        file = self.configured("php-fpm.conf", "php-fpm/php-fpm.conf")
        shutil.copy(f"{self.repository}/packaging/vitrin-opcache.php", f"{self.folder}/opcache.php")
        os.chmod(f"{self.folder}/opcache.php", 0o644)
        self.stack.serve("php-fpm", [program, "--nodaemonize", "--fpm-config", file, "-d", "opcache.enable=1"],
                         lambda: listens(f"{folder}/shop.sock"))
        self.stack.screen.done()

    def nginx(self):
        program = self.programs["nginx"]
        self.step("nginx", program, "-v")
        folder = self.stack.room("nginx")
        self.certificate()
        self.configured(
            "shop.conf", "nginx/shop.conf",
            SHOP_LISTEN=f"listen 127.0.0.1:{self.ports['SHOP']};\n    listen 127.0.0.1:{self.ports['TLS']} ssl;",
            SHOP_ROOT=f"{self.folder}/bundle/demo/shop/public",
            SHOP_PHP_FPM=f"unix:{self.folder}/php-fpm/shop.sock",
            SHOP_ACCESS_LOG=f"{folder}/access.log",
            SHOP_CACHE=f"{folder}/cache",
            SHOP_LOAD_FROM="127.0.0.1",
            SHOP_STATUS_LISTEN=f"unix:{folder}/status.sock",
            SHOP_STATUS_ALLOW="allow unix:;",
        )
        file = self.configured("nginx.conf", "nginx/nginx.conf")
        command = [program, "-c", file, "-e", f"{folder}/error.log"]
        self.stack.serve("nginx", command, lambda: listens(self.ports["SHOP"]))
        self.stack.screen.done()

    def certificate(self):
        folder = self.stack.room("tls")
        self.stack.run("openssl", [
            self.programs["openssl"], "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "90", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", f"{folder}/shop.key", "-out", f"{folder}/shop.crt",
        ])

    def front_page(self):
        self.stack.screen.begin("the shop's front page")
        self.stack.until(lambda: "The shop window" in (get(self.ports["SHOP"], "/") or ""))
        self.stack.screen.done()

    def mail(self):
        self.stack.screen.begin("a mailbox")
        command = [self.python(), f"{self.folder}/bundle/demo/mail", f"--smtp=127.0.0.1:{self.ports['SMTP']}",
                   f"--http=127.0.0.1:{self.ports['MAIL']}", f"--runbooks={self.folder}/bundle/docs/runbooks"]
        self.stack.serve("mail", command, lambda: get(self.ports["MAIL"], "/") is not None, ours=True)
        self.stack.screen.done()

    def marketplaces(self):
        """Simulated ones, where the shop has an account each, with credentials that are made up."""
        self.stack.screen.begin("marketplaces, simulated")
        command = [self.ours(), "simulate", f"--folder={self.stack.room('marketplaces')}",
                   f"--listen=127.0.0.1:{self.ports['SELLING']}", f"--control=127.0.0.1:{self.ports['MARKETPLACES']}"]
        self.stack.serve("marketplaces", command, lambda: self.accounts_there() is not None, ours=True)
        self.stack.screen.done()

    def accounts_there(self):
        """What has vitrin watch them."""
        return get(self.ports["MARKETPLACES"], "/vitrin.toml")

    def ours(self):
        """Vitrin, where whoever runs the servers can read it: as nobody, they may not be able to read root's."""
        if not self.stack.as_root:
            return self.vitrin
        program = f"{self.folder}/vitrin.program"
        if not os.path.exists(program):
            os.chmod(shutil.copy(self.vitrin, program), 0o755)
        return program

    def watcher(self):
        self.stack.screen.begin("vitrin")
        self.stack.room("vitrin")
        for name in ("mysql", "redis"):
            self.stack.write(f"vitrin/{name}.password", self.passwords[name])
        file = self.configured("vitrin.toml", "vitrin.toml", ACCOUNTS=self.accounts_there())
        command = [self.ours(), f"--config.file={file}",
                   f"--web.listen-address=127.0.0.1:{self.ports['VITRIN']}"]
        self.stack.serve("vitrin", command, lambda: get(self.ports["VITRIN"], "/-/healthy") is not None, ours=True)
        self.stack.screen.done()

    def alertmanager(self):
        program = self.programs["Alertmanager"]
        self.step("Alertmanager", program, "--version")
        folder = self.stack.room("alertmanager")
        file = self.changed("alertmanager/alertmanager.yml", "alertmanager/alertmanager.yml", {
            "mail.example.com:587": f"127.0.0.1:{self.ports['SMTP']}\n  smtp_require_tls: false",
            "  smtp_auth_username: alerts@example.com\n  smtp_auth_password_file: /etc/alertmanager/secrets/smtp\n": "",
            "http://127.0.0.1:9467/phone/on-call": self.url("MAIL", "/phone"),
            "https://deadman.example.com/vitrin": self.url("MAIL", "/dead-man"),
            "templates: [templates/*.tmpl]": f"templates: ['{self.folder}/bundle/alertmanager/templates/*.tmpl']",
        })
        command = [program, f"--config.file={file}", f"--storage.path={folder}/data", "--cluster.listen-address=",
                   f"--web.listen-address=127.0.0.1:{self.ports['ALERTMANAGER']}",
                   f"--web.external-url={self.url('ALERTMANAGER')}"]
        # Debian's has no page of its own, and a flag for one.
        log = f"{self.folder}/log/alertmanager-help"
        self.stack.run("alertmanager-help", [program, "--help"])
        with open(log, encoding="utf-8") as told:
            if "--web.ui-path" in told.read():
                command.append(f"--web.ui-path={self.folder}/bundle/alertmanager/ui")
        self.stack.serve("alertmanager", command, lambda: get(self.ports["ALERTMANAGER"], "/-/ready") is not None)
        self.stack.screen.done()

    def prometheus(self):
        program = self.programs["Prometheus"]
        self.step("Prometheus", program, "--version")
        folder = self.stack.room("prometheus")
        file = self.changed("prometheus/prometheus.yml", "prometheus/prometheus.yml", {
            "rule_files: [rules/*.yml]": f"rule_files: ['{self.folder}/bundle/prometheus/rules/*.yml']",
            "127.0.0.1:22100": f"127.0.0.1:{self.ports['VITRIN']}",
            "127.0.0.1:9090": f"127.0.0.1:{self.ports['PROMETHEUS']}",
            "127.0.0.1:9093": f"127.0.0.1:{self.ports['ALERTMANAGER']}",
        })
        command = [program, f"--config.file={file}", f"--storage.tsdb.path={folder}/data",
                   "--rules.alert.for-grace-period=1m", f"--web.external-url={self.url('PROMETHEUS')}",
                   f"--web.listen-address=127.0.0.1:{self.ports['PROMETHEUS']}"]
        self.stack.serve("prometheus", command, lambda: get(self.ports["PROMETHEUS"], "/-/ready") is not None)
        self.stack.screen.done()

    def load(self):
        self.stack.screen.begin("shoppers")
        command = [self.python(), f"{self.folder}/bundle/demo/load", f"--shop={self.url('SHOP')}"]
        self.stack.serve("load", command, lambda: True, ours=True)
        self.stack.screen.done()

    def grafana(self):
        """Where it is installed, with our data sources and dashboards; Debian has no package of it."""
        program = self.grafana_program()
        if not program or not os.path.isdir(f"{self.folder}/bundle/grafana/provisioning"):
            return
        self.stack.screen.begin("Grafana")
        folder, bundle = self.stack.room("grafana"), f"{self.folder}/bundle/grafana"
        for path in glob.glob(f"{bundle}/provisioning/dashboards/*.y*ml"):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("/var/lib/grafana/dashboards", f"{bundle}/dashboards"))
        environment = {
            "PROMETHEUS_URL": self.url("PROMETHEUS"), "ALERTMANAGER_URL": self.url("ALERTMANAGER"),
            "GF_PATHS_DATA": f"{folder}/data", "GF_PATHS_LOGS": f"{folder}/log", "GF_PATHS_PLUGINS": f"{folder}/plugins",
            "GF_PATHS_PROVISIONING": f"{bundle}/provisioning", "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(self.ports["GRAFANA"]), "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_ANALYTICS_REPORTING_ENABLED": "false", "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{bundle}/dashboards/operations/overview.json",
        }
        home = os.environ.get("GF_PATHS_HOME", "/usr/share/grafana")
        command = [program, *(["server"] if program.endswith("/grafana") else []), f"--homepath={home}"]
        try:
            healthy = lambda: get(self.ports["GRAFANA"], "/api/health") is not None
            self.stack.serve("grafana", command, healthy, environment)
            self.stack.screen.done()
        except Failed as failure:
            # It may be one of any version. The rest does not need it.
            del self.stack.servers["grafana"]
            self.stack.screen.broken()
            self.stack.screen.say(f"  {failure}")

    def first_numbers(self):
        """Until Prometheus has asked everybody and knows of the shop's visitors."""

        def ready():
            targets = self.asked("/api/v1/targets?state=active", "activeTargets")
            return (all(target["health"] == "up" for target in targets)
                    and self.asked("/api/v1/query?query=shop_http_requests_total", "result"))

        self.stack.screen.begin("first numbers in Prometheus")
        self.stack.until(ready)
        self.stack.screen.done()

    def asked(self, path, what):
        """A list of Prometheus' answer; an empty one when there is none."""
        try:
            return json.loads(get(self.ports["PROMETHEUS"], path) or "{}")["data"][what]
        except (ValueError, KeyError):
            return []
