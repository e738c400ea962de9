//! The ACL user in Redis and Valkey: kept where the server keeps its users, refused nothing, with no word too many.

use std::fs;

use redis::Value;

use super::document::{documented_rule, rule};
use super::{Check, password};
use crate::support::fresh::only_root_can;
use crate::support::redis::RedisServer;

fn config(server: &RedisServer) -> String {
    format!(
        "[redis.targets.main]\nurl = '{}'\nuser = 'vitrin'\npassword.file = '{{folder}}/password'\n\
         key_groups.sessions = {{ pattern = 'session:*', db = 1 }}\n",
        server.url()
    )
}

/// Refusals in the server's own log of them.
fn refusals(server: &RedisServer) -> usize {
    match server.ask(&["ACL", "LOG"]) {
        Value::Array(entries) => entries.len(),
        other => panic!("{other:?}"),
    }
}

/// A check of that server, whose password file is to belong to root and the service.
#[track_caller]
fn check(server: &RedisServer) -> Check {
    only_root_can("give files away");
    Check::of(&config(server))
}

#[test]
fn the_user_is_refused_nothing_and_needs_each_word() {
    let server = RedisServer::configured("cluster-enabled no\n");
    let check = check(&server);
    password(&check.file("password"));
    server.ask_in(1, &["SET", "session:1", "x"]);
    let checked = check.mend();
    assert!(!checked.text.contains("canary"), "{}", checked.text);
    server.ask(&["ACL", "LOG", "RESET"]);
    assert_eq!(check.run().code, Some(0));
    assert_eq!(refusals(&server), 0);

    let rule = rule(&checked);
    assert_eq!(rule, documented_rule());
    // A server that is no cluster has nothing to say of one.
    for word in rule.iter().filter(|word| word.starts_with('+') && *word != "+cluster|info") {
        let taken = word.replace('+', "-");
        assert_eq!(server.ask(&["ACL", "SETUSER", "vitrin", &taken]), Value::Okay, "{taken}");
        let checked = check.run();
        // Without a name it works as well, but not without a word in the server's log.
        let code = i32::from(word != "+client|setname");
        assert_eq!((checked.code, refusals(&server) > 0), (Some(code), true), "{word}\n{}", checked.text);
        server.ask(&["ACL", "SETUSER", "vitrin", word]);
        server.ask(&["ACL", "LOG", "RESET"]);
    }
    server.ask(&["ACL", "SETUSER", "vitrin", "resetkeys"]);
    assert_eq!(check.run().code, Some(1));
}

#[test]
fn the_user_is_kept_where_the_server_keeps_its_users() {
    let server = RedisServer::configured("");
    let check = check(&server);
    check.mend();
    let text = fs::read_to_string(server.daemon.folder().join("redis.conf")).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("user vitrin ")).count(), 1, "{text}");
    // As it would be after a restart.
    let again = RedisServer::configured(text.split_once('\n').unwrap().1);
    let config = fs::read_to_string(check.file("vitrin.toml")).unwrap();
    fs::write(check.file("vitrin.toml"), config.replace(&server.url(), &again.url())).unwrap();
    assert_eq!(check.run().code, Some(0));
}

#[test]
fn the_user_is_kept_in_a_file_of_users_where_there_is_one() {
    let server = RedisServer::configured("aclfile {folder}/users.acl\n");
    let check = check(&server);
    check.mend();
    let text = fs::read_to_string(server.daemon.folder().join("redis.conf")).unwrap();
    assert!(!text.contains("user vitrin"), "{text}");
    // What a restart would do to the users.
    assert_eq!(server.ask(&["ACL", "LOAD"]), Value::Okay);
    assert_eq!(check.run().code, Some(0));
}

#[test]
fn a_server_whose_administrator_has_a_password_is_asked_with_that() {
    let server = RedisServer::configured("requirepass \"canary-7f3a \"\n");
    let check = check(&server);
    // A host whose configuration is in the usual place.
    let configuration = server.daemon.folder().join("redis.conf");
    let etc = check.file("host/etc");
    fs::create_dir_all(etc.join("redis")).unwrap();
    for file in ["passwd", "group"] {
        fs::copy(format!("/etc/{file}"), etc.join(file)).unwrap();
    }
    std::os::unix::fs::symlink(&configuration, etc.join("redis/redis.conf")).unwrap();
    let host = check.file("host").display().to_string();
    let checked = check.run_with(&["--path.rootfs", &host]);
    assert_eq!(checked.code, Some(1), "{}", checked.text);
    assert!(!checked.text.contains("canary-7f3a"), "{}", checked.text);

    let here = configuration.display().to_string();
    check.apply(&checked.script().replace("/etc/redis/redis.conf", &here));
    let after = check.run();
    assert_eq!(after.code, Some(0), "{}", after.text);
}
