//! The `nginx` collector against a real nginx.

use vitrin::collector::{Collector as _, Context, Paths, Reason};
use vitrin::collectors::nginx::{Config, Nginx};

use crate::support::found::Found;
use crate::support::nginx as server;

fn collector(url: &str) -> Nginx {
    let config: Config = toml::from_str(&format!("url = '{url}'")).unwrap();
    Nginx::new(&config, &Context::new(Paths::default()))
}

fn at(nginx: &server::Nginx, path: &str) -> Nginx {
    collector(&format!("http://127.0.0.1:{}{path}", nginx.port))
}

#[tokio::test]
async fn connections_and_requests_are_counted() {
    let nginx = server::Nginx::start("location / { return 200 'shop'; }");
    let collector = at(&nginx, "/stub_status");
    let before = Found::by(&collector).await.unwrap();
    for _ in 0..5 {
        assert_eq!(nginx.get("/").text(), "shop");
    }
    let after = Found::by(&collector).await.unwrap();
    for name in ["nginx_http_requests_total", "nginx_connections_accepted", "nginx_connections_handled"] {
        // And one that asks for the page.
        assert_eq!(after.number(name, &[]) - before.number(name, &[]), 6.0, "{name}");
    }
    assert_eq!(after.number("nginx_connections_writing", &[]), 1.0);
    assert!(after.number("nginx_connections_active", &[]) >= 1.0);
}

#[tokio::test]
async fn the_page_is_read_through_a_socket() {
    let nginx = server::Nginx::start("");
    let collector = collector(&format!("unix:{}:/stub_status", nginx.socket().display()));
    assert!(Found::by(&collector).await.unwrap().number("nginx_http_requests_total", &[]) >= 1.0);
}

#[tokio::test]
async fn what_is_no_status_page_says_why() {
    let nginx = server::Nginx::start(
        "location / { default_type text/html; return 200 '<html>shop</html>'; }\n\
         location /closed { deny all; stub_status; }\n\
         location /secret { auth_basic shop; auth_basic_user_file /dev/null; stub_status; }\n\
         location /moved { return 301 /stub_status; }\nlocation /none { return 404; }\n",
    );
    for (path, reason, says) in [
        ("/", Reason::Protocol, "does another `location` answer"),
        ("/closed", Reason::Permission, "`allow` Vitrin's address"),
        ("/secret", Reason::Auth, "auth_basic"),
        ("/moved", Reason::Protocol, "status 301"),
        ("/none", Reason::Protocol, "stub_status;"),
    ] {
        let (_, failure) = Found::down(&at(&nginx, path)).await;
        assert_eq!(failure.reason, reason, "{failure}");
        let message = failure.to_string();
        assert!(message.starts_with("reading the stub_status page http://127.0.0.1:"), "{message}");
        assert!(message.contains(says), "{message}");
    }
}
