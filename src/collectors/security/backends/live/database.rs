//! MariaDB, or the MySQL of the generation under test.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Daemon, differs, folder, free_port, program, secret, told};
use crate::collector::{Context, Paths};
use crate::collectors::mysql;
use crate::collectors::security::backends::database::{Database, ask_database, ask_databases};
use crate::collectors::security::backends::views::{Engine, Server, Wanted, statements};
use crate::collectors::security::verdict::{Cause, Known, State};

const PACKAGE: &str = "mariadb-server";

/// A shop like OpenCart's, as hardened as it can be.
const SHOP: &str = "
CREATE SCHEMA oc_shop; CREATE SCHEMA elsewhere;
CREATE TABLE oc_shop.oc_user (user_id int primary key auto_increment, password varchar(255), status tinyint);
CREATE TABLE oc_shop.oc_api (api_id int primary key auto_increment, `key` text, status tinyint);
CREATE TABLE oc_shop.oc_api_ip (api_ip_id int primary key auto_increment, api_id int, ip varchar(40));
CREATE TABLE oc_shop.oc_setting (setting_id int primary key auto_increment, store_id int, `key` varchar(128), value text);
INSERT INTO oc_shop.oc_user VALUES (1, '$2y$10$canaryhash', 1), (2, '5f4dcc3b5aa765d61d8327deb882cf99', 0);
INSERT INTO oc_shop.oc_api VALUES (1, 'canary-key', 0);
INSERT INTO oc_shop.oc_setting VALUES (1, 0, 'config_user_2fa', '1'), (2, 0, 'config_error_display', '0'),
  (3, 0, 'config_login_attempts', '5'), (4, 0, 'config_mail_smtp_password', 'canary-mail');
CREATE USER shop@localhost IDENTIFIED BY 'canary-shop';
GRANT SELECT, INSERT, UPDATE, DELETE ON `oc\\_shop`.* TO shop@localhost;
CREATE USER vitrin@localhost IDENTIFIED BY 'canary-vitrin';
ALTER USER root@localhost IDENTIFIED BY 'canary-root';
";

/// The checks that do not pass.
type Flipped = &'static [(&'static str, State)];

const UNKNOWN: State = State::Unknown(Cause::Unsupported);

struct Running {
    daemon: Daemon,
    is_mariadb: bool,
}

impl Running {
    /// A server with these options, and the hardened shop in it.
    fn start(options: &[&str]) -> Self {
        let folder = folder();
        let server = program(&["mariadbd", "mysqld"], PACKAGE);
        let is_mariadb = format!("{server:?}").contains("mariadbd");
        let (data, socket) = (folder.path().join("data"), folder.path().join("socket"));
        install(&data, is_mariadb);
        let mut command = server;
        command
            .args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", folder.path().display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--port={}", free_port()))
            .args(if is_mariadb { &[][..] } else { &["--mysqlx=OFF"] })
            .args(options);
        let ready = || client(&socket).arg("--execute=SELECT 1").output().is_ok_and(|output| output.status.success());
        let daemon = Daemon::start(command, folder, ready);
        let running = Self { daemon, is_mariadb };
        if is_mariadb {
            // What its installation leaves beside root@localhost.
            running.run_as(
                "",
                "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost'; FLUSH PRIVILEGES;",
            );
        }
        running.run_as("", SHOP);
        running.run("SET GLOBAL local_infile = OFF;");
        running
    }

    /// Runs statements as root, by the server's own client, as an operator would.
    fn run(&self, statements: &str) {
        self.run_as("canary-root", statements);
    }

    fn run_as(&self, password: &str, statements: &str) {
        let mut command = client(&self.daemon.file("socket"));
        command.env("MYSQL_PWD", password).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut client = command.spawn().unwrap();
        client.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What a statement answers root.
    fn answer(&self, statement: &str) -> String {
        let mut command = client(&self.daemon.file("socket"));
        command.env("MYSQL_PWD", "canary-root").args(["--batch", "--skip-column-names"]);
        let output = command.arg(format!("--execute={statement}")).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn make_views(&self) {
        let server = if self.is_mariadb { Server::Mariadb } else { Server::Mysql };
        self.make_views_of(server, Engine::Opencart, "oc_");
    }

    fn make_views_of(&self, server: Server, engine: Engine, prefix: &str) {
        let wanted =
            Wanted { server, engine, schema: "oc_shop", prefix, account: "shop", reader: ("vitrin", "localhost") };
        self.run(&statements(&wanted));
    }

    fn config(&self, password: &str) -> mysql::Config {
        let password = secret(self.daemon.folder.path(), "password", password);
        let (socket, password) = (self.daemon.file("socket"), password.display().to_string());
        let text = format!("address = '{}'\nuser = 'vitrin'\npassword = {{ file = '{password}' }}", socket.display());
        toml::from_str(&text).unwrap()
    }

    async fn ask(&self) -> Database {
        ask_database(&self.config("canary-vitrin"), &context()).await.unwrap()
    }

    /// What these statements flip, before others take them back.
    async fn flips(&self, change: &str, back: &str) -> Vec<(&'static str, State)> {
        self.run(change);
        let database = self.ask().await;
        self.run(back);
        differs(|seen| seen.database = Ok(database))
    }
}

fn context() -> Context {
    Context::new(Paths::default())
}

fn client(socket: &Path) -> Command {
    let mut command = program(&["mariadb", "mysql"], "mariadb-client");
    command.args(["--no-defaults", "--user=root"]).arg(format!("--socket={}", socket.display()));
    command
}

fn install(data: &Path, is_mariadb: bool) {
    let mut command =
        if is_mariadb { program(&["mariadb-install-db"], PACKAGE) } else { program(&["mysqld"], PACKAGE) };
    command.args(["--no-defaults", "--user=root"]).arg(format!("--datadir={}", data.display()));
    command.arg(format!("--tmpdir={}", data.parent().unwrap().display()));
    if is_mariadb {
        command.args(["--force", "--skip-test-db", "--auth-root-authentication-method=normal"]);
    } else {
        command.arg("--initialize-insecure");
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where the server may read and write files.
const LIMITED: &[&str] = &["--secure-file-priv=/tmp"];

#[tokio::test(flavor = "multi_thread")]
async fn each_setting_of_a_real_database_flips_its_own_check() {
    use State::{Fail, Partial};
    let server = Running::start(LIMITED);
    let before = differs(|_| {});
    assert_eq!(before, []);
    let missing = ask_database(&server.config("canary-vitrin"), &context()).await.unwrap();
    assert_eq!(missing.accounts.as_ref().unwrap_err().cause, Cause::Permission);
    if server.is_mariadb {
        let denied = server.answer("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'");
        assert!(denied.trim_end().ends_with("\t0"), "nothing is asked that would be refused: {denied}");
    }
    assert!(missing.settings.is_ok());
    server.make_views();
    assert_eq!(server.flips("", "").await, []);
    assert_eq!(server.ask().await.shop.unwrap().login_attempts, Some(5));

    let table: &[(&str, &str, Flipped)] = &[
        ("CREATE USER ''@localhost IDENTIFIED BY 'x'", "DROP USER ''@localhost", &[("API-20", Fail)]),
        ("CREATE USER free@localhost", "DROP USER free@localhost", &[("API-20", Fail)]),
        ("CREATE USER locked@localhost ACCOUNT LOCK", "DROP USER locked@localhost", &[]),
        ("CREATE USER certified@localhost REQUIRE X509", "DROP USER certified@localhost", &[]),
        ("CREATE USER named@localhost IDENTIFIED BY 'x'", "DROP USER named@localhost", &[]),
        ("CREATE ROLE clerk", "DROP ROLE clerk", &[]),
        ("CREATE USER root@'192.0.2.1' IDENTIFIED BY 'x'", "DROP USER root@'192.0.2.1'", &[("API-21", Fail)]),
        (
            "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', 'test', '', 'Y')",
            "DELETE FROM mysql.db WHERE User = ''",
            &[("API-21", Fail)],
        ),
        ("CREATE SCHEMA test; CREATE TABLE test.a (a int)", "DROP SCHEMA test", &[("API-21", Fail)]),
        ("RENAME USER shop@localhost TO shop@'%'", "RENAME USER shop@'%' TO shop@localhost", &[("API-21", Fail)]),
        ("SET GLOBAL local_infile = ON", "SET GLOBAL local_infile = OFF", &[("API-21", Partial)]),
        ("GRANT PROCESS ON *.* TO shop@localhost", "REVOKE PROCESS ON *.* FROM shop@localhost", &[("API-22", Fail)]),
        ("GRANT FILE ON *.* TO shop@localhost", "REVOKE FILE ON *.* FROM shop@localhost", &[("API-22", Fail)]),
        (
            "GRANT SELECT ON mysql.* TO shop@localhost",
            "REVOKE SELECT ON mysql.* FROM shop@localhost",
            &[("API-22", Fail)],
        ),
        (
            "GRANT SELECT ON `oc%`.* TO shop@localhost",
            "REVOKE SELECT ON `oc%`.* FROM shop@localhost",
            &[("API-22", Fail)],
        ),
        (
            "GRANT SELECT ON elsewhere.* TO shop@localhost",
            "REVOKE SELECT ON elsewhere.* FROM shop@localhost",
            &[("API-22", Partial)],
        ),
        (
            "GRANT SELECT ON `oc\\_shop`.* TO shop@localhost WITH GRANT OPTION",
            "REVOKE GRANT OPTION ON `oc\\_shop`.* FROM shop@localhost",
            &[("API-22", Partial)],
        ),
        ("CREATE ROLE clerk; GRANT clerk TO shop@localhost", "DROP ROLE clerk", &[("API-22", UNKNOWN)]),
        (
            "UPDATE oc_shop.oc_setting SET value = '1' WHERE setting_id = 2",
            "UPDATE oc_shop.oc_setting SET value = '0' WHERE setting_id = 2",
            &[("API-08", Partial)],
        ),
        (
            "UPDATE oc_shop.oc_setting SET value = '0' WHERE setting_id = 1",
            "UPDATE oc_shop.oc_setting SET value = '1' WHERE setting_id = 1",
            &[("API-15", Fail)],
        ),
        (
            "UPDATE oc_shop.oc_user SET status = 1 WHERE user_id = 2",
            "UPDATE oc_shop.oc_user SET status = 0 WHERE user_id = 2",
            &[("API-16", Partial)],
        ),
        ("UPDATE oc_shop.oc_api SET status = 1", "UPDATE oc_shop.oc_api SET status = 0", &[("API-17", Fail)]),
        (
            "UPDATE oc_shop.oc_api SET status = 1; INSERT INTO oc_shop.oc_api_ip VALUES (1, 1, '192.0.2.7')",
            "UPDATE oc_shop.oc_api SET status = 0; DELETE FROM oc_shop.oc_api_ip",
            &[("API-17", Partial)],
        ),
    ];
    for (change, back, expected) in table {
        assert_eq!(server.flips(change, back).await, *expected, "{change}");
    }
    if server.is_mariadb {
        for (identified, expected) in [
            ("VIA unix_socket", &[][..]),
            ("VIA mysql_native_password USING 'invalid' OR unix_socket", &[]),
            ("VIA unix_socket OR mysql_native_password", &[("API-20", Fail)]),
            ("VIA mysql_native_password OR unix_socket", &[("API-20", Fail)]),
        ] {
            let create = format!("CREATE USER several@localhost IDENTIFIED {identified}");
            assert_eq!(server.flips(&create, "DROP USER several@localhost").await, expected, "{identified}");
        }
    } else {
        let (grant, back) =
            ("GRANT BACKUP_ADMIN ON *.* TO shop@localhost", "REVOKE BACKUP_ADMIN ON *.* FROM shop@localhost");
        assert_eq!(server.flips(grant, back).await, [("API-22", Fail)]);
    }
    assert_eq!(server.flips("", "").await, [], "all was taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_and_no_hash_of_a_real_database_is_told() {
    let server = Running::start(&["--secure-file-priv="]);
    server.make_views();
    server.run("CREATE USER legacy@localhost IDENTIFIED BY 'canary-legacy'; UPDATE oc_shop.oc_user SET status = 1;");
    let hashes = server.answer("SELECT authentication_string FROM mysql.user WHERE authentication_string <> ''");
    let hashes: Vec<_> = hashes.lines().filter(|hash| hash.len() > 10).collect();
    assert!(hashes.len() >= 3, "{hashes:?}");
    let known = server.ask().await;
    assert_eq!(
        differs(|seen| seen.database = Ok(known.clone())),
        [("API-16", State::Partial), ("API-21", State::Partial)]
    );
    let strange = ask_database(&server.config("canary-wrong"), &context()).await;
    assert_eq!(strange.as_ref().unwrap_err().cause, Cause::Permission);
    // A view that somebody made answers with what it should not.
    server.run(
        "CREATE OR REPLACE VIEW vitrin_security.shop AS SELECT password AS engine, password AS administrators FROM \
         oc_shop.oc_user;",
    );
    let forged = server.ask().await;
    assert_eq!(forged.shop.as_ref().unwrap_err().cause, Cause::Unparsable);
    for database in [Ok(known), strange, Ok(forged)] {
        let told = told(|seen| seen.database = database);
        assert!(!told.contains("canary") && !told.contains("5f4dcc3b"), "{told}");
        assert!(hashes.iter().all(|hash| !told.contains(hash)), "{told}");
    }
}

/// The tables of WordPress and Magento, as far as they are asked: of each two administrators, one with a hash of old.
const OTHERS: &str = "
CREATE TABLE oc_shop.wp_users (ID int primary key, user_pass varchar(255));
CREATE TABLE oc_shop.wp_usermeta (umeta_id int primary key, user_id int, meta_key varchar(255), meta_value longtext);
INSERT INTO oc_shop.wp_users VALUES (1, '$wp$2y$10$canary'), (2, '$P$Bcanary'), (3, '$P$Bcanary');
INSERT INTO oc_shop.wp_usermeta VALUES (1, 1, 'wp_capabilities', 'a:1:{s:13:\"administrator\";b:1;}'),
  (2, 2, 'wp_capabilities', 'a:1:{s:13:\"administrator\";b:1;}'), (3, 3, 'wp_capabilities', 'a:1:{s:8:\"customer\";b:1;}');
CREATE TABLE oc_shop.admin_user (user_id int primary key, password varchar(255), is_active smallint);
INSERT INTO oc_shop.admin_user VALUES (1, 'canary:salt:3_32_2_67108864', 1), (2, 'canary:salt:1', 1), (3, 'canary:salt:1', 0);
";

#[tokio::test(flavor = "multi_thread")]
async fn other_shops_and_older_servers_are_counted_by_views_of_their_own() {
    let server = Running::start(LIMITED);
    server.run(OTHERS);
    let here = if server.is_mariadb { Server::Mariadb } else { Server::Mysql };
    let unknown = [("API-08", UNKNOWN), ("API-15", UNKNOWN), ("API-16", State::Partial), ("API-17", UNKNOWN)];
    for (engine, prefix, name) in [(Engine::Wordpress, "wp_", "wordpress"), (Engine::Magento, "", "magento")] {
        server.make_views_of(here, engine, prefix);
        let counts = server.ask().await.shop.unwrap();
        assert_eq!((counts.engine.as_str(), counts.administrators, counts.strong), (name, 2, 1));
        assert_eq!(server.flips("", "").await, unknown);
    }
    if !server.is_mariadb {
        // What MySQL 5.7 has, a later one has, too.
        server.make_views_of(Server::Mysql57, Engine::Opencart, "oc_");
        assert_eq!(server.flips("", "").await, []);
        let (grant, back) = ("GRANT PROCESS ON *.* TO shop@localhost", "REVOKE PROCESS ON *.* FROM shop@localhost");
        assert_eq!(server.flips(grant, back).await, [("API-22", State::Fail)]);
        assert_eq!(
            server.flips("CREATE USER free@localhost", "DROP USER free@localhost").await,
            [("API-20", State::Fail)]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_the_one_with_the_views_is_the_shops() {
    let server = Running::start(LIMITED);
    server.make_views();
    let shop = server.config("canary-vitrin");
    let closed: mysql::Config = toml::from_str("address = '127.0.0.1:1'\nuser = 'vitrin'").unwrap();
    let ask = async |servers: &[&mysql::Config]| -> Known<Database> { ask_databases(servers, &context()).await };
    assert!(ask(&[&closed, &shop]).await.unwrap().accounts.is_ok());
    assert_eq!(ask(&[&closed]).await.unwrap_err().cause, Cause::Unreachable);
    assert_eq!(ask(&[]).await.unwrap_err().cause, Cause::NotConfigured);
    server.run("DROP SCHEMA vitrin_security;");
    assert_eq!(ask(&[&closed, &shop]).await.unwrap().accounts.unwrap_err().cause, Cause::Permission);
}
