//! What an account makes of its preset.

use std::fs;
use std::time::Duration;

use super::super::{AccessToken, AuthKind, Credential};
use super::{MOMENT, SECRETS, account, complete, loaded};

const GENERIC: &str =
    "[targets.main]\npreset = 'generic'\nvars.base_url = 'https://shop.example/'\nvars.path = '/health'\n";

fn sent(configuration: &str, header: &str) -> Option<String> {
    let account = account(configuration);
    let question = account.probes[0].question(None, &MOMENT).unwrap();
    question.headers().get(header).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn an_account_writes_over_any_key_of_a_probe() {
    let account = account(&format!(
        "{}interval = '3m'\ntimeout = '4s'\nlatency_objective = '250ms'\n[marketplace.targets.main.probes.products]\n\
         interval = '90s'\ntimeout = '3s'\nquery = {{ size = '2', page = '' }}\n\
         headers = {{ accept = '', X-Shop = '{{{{var.seller_id}}}}' }}\n\
         documented_limit = {{ requests = 2000 }}\nsuccess = {{ status = [200, 204] }}\nrate_limit = []\n",
        complete("trendyol", "sandbox").replace("probes.products.enabled = true\n", "")
    ));
    let products = account.probes.iter().find(|probe| probe.name == "products").unwrap();
    assert_eq!((products.pace.every, products.timeout), (Duration::from_secs(90), Duration::from_secs(3)));
    assert_eq!(products.documented.as_ref().unwrap().limit.requests.0, 2000.0);
    assert_eq!((products.rules.rate_limit.len(), products.rules.success.require.len()), (0, 1));
    let shown = products.shown(&MOMENT);
    assert!(shown.starts_with("GET https://stageapigw.trendyol.com/"), "{shown}");
    assert!(shown.contains("approved?size=2\n") && shown.contains("\nx-shop: [seller_id]\n"), "{shown}");
    assert!(!shown.contains("accept: "), "{shown}");
    let others: Vec<_> =
        account.probes.iter().filter(|probe| probe.name != "products").map(|probe| probe.timeout).collect();
    assert_eq!(others, [Duration::from_secs(4); 3]);
    assert_eq!(account.objective, Duration::from_millis(250));
}

#[test]
fn the_topic_says_what_no_target_and_no_preset_does() {
    let probe = "probes.own = { role = 'business', path = '/own' }\n";
    let own = |topic: &str, target: &str| {
        let account = account(&format!("{topic}{GENERIC}{probe}{target}"));
        let own = account.probes.iter().find(|probe| probe.name == "own").unwrap();
        (own.pace.every.as_secs(), own.timeout.as_secs(), account.objective.as_millis())
    };
    assert_eq!(own("", ""), (60, 10, 100));
    let topic = "interval = '2m'\ntimeout = '20s'\nlatency_objective = '200ms'\n";
    assert_eq!(own(topic, ""), (120, 20, 200));
    assert_eq!(own(topic, "interval = '5s'\nlatency_objective = '1s'\n"), (5, 5, 1000));
}

#[test]
fn who_wants_too_much_gets_what_is_allowed_and_is_told() {
    let (account, notices) =
        loaded(&format!("{}probes.orders.interval = '10s'\n", complete("trendyol", "production")), SECRETS);
    let account = account.unwrap();
    let orders = account.probes.iter().find(|probe| probe.name == "orders").unwrap();
    assert_eq!(orders.pace.every, Duration::from_secs(200));
    let why = "the probe `orders` of the marketplace `main` is made every 3m 20s, not every 10s: \
               1 % of the documented 30 requests in 1m is one every 3m 20s";
    assert_eq!(notices, [why]);
    let share =
        "budget_share = 0.02\n".to_owned() + &complete("trendyol", "production") + "probes.orders.interval = '10s'\n";
    let account = super::account(&share);
    assert_eq!(
        account.probes.iter().find(|probe| probe.name == "orders").unwrap().pace.every,
        Duration::from_secs(100)
    );
}

#[test]
fn an_interval_that_no_probe_takes_is_said_to_change_nothing() {
    let (_, notices) = loaded(&format!("{}interval = '5m'\n", complete("trendyol", "production")), SECRETS);
    let why = "the `interval` of the marketplace `main` changes nothing: each of its probes has its own, which \
               [marketplace.targets.main.probes.<probe>] can change";
    assert_eq!(notices, [why]);
    let own = "probes.own = { role = 'business', path = '/own' }\ninterval = '5m'\n";
    let (_, notices) = loaded(&format!("{GENERIC}{own}"), SECRETS);
    assert_eq!(notices, Vec::<String>::new());
}

#[test]
fn credentials_that_anybody_can_read_on_the_way_are_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "one").unwrap();
    let secret =
        format!("secrets.token = {{ file = '{}' }}\nprobes.http.auth = 'bearer_file'\n", file.path().display());
    for (base, told) in [
        ("http://shop.example", true),
        ("https://shop.example", false),
        ("http://127.0.0.1:8080", false),
        ("http://[::1]:8080", false),
    ] {
        let text = GENERIC.replace("https://shop.example", base) + &secret;
        assert!(text.contains(base), "{text}");
        let (account, notices) = loaded(&text, SECRETS);
        account.unwrap();
        let why = "the marketplace `main` is asked over http: whoever is on the way can read its credentials";
        assert_eq!(notices.iter().any(|notice| notice == why), told, "{base}: {notices:?}");
        let open = GENERIC.replace("https://shop.example", base);
        assert_eq!(loaded(&open, SECRETS).1, Vec::<String>::new(), "there are none");
    }
}

#[test]
fn a_generic_account_has_probes_and_names_of_its_own() {
    let account = account(&format!(
        "{GENERIC}vars.shop = 'a b'\nsecrets.key = {{ env = 'SECRET' }}\n[marketplace.targets.main.probes.orders]\nrole = 'business'\n\
         path = '/shops/{{{{var.shop}}}}/orders'\nmethod = 'POST'\nread_only = true\nbody = {{ text = '{{\"k\":\"{{{{json:secret.key}}}}\"}}' }}\n"
    ));
    let names: Vec<_> = account.probes.iter().map(|probe| probe.name.as_str()).collect();
    assert_eq!(names, ["http", "orders"]);
    let shown = account.probes[1].shown(&MOMENT);
    assert!(shown.starts_with("POST https://shop.example/shops/a%20b/orders\n"), "{shown}");
    assert!(shown.ends_with("\n\n{\"k\":\"[secret key]\"}\n"), "{shown}");
}

#[test]
fn a_generic_account_chooses_how_it_logs_in() {
    for (names, auth, header) in [
        ("vars.username = 'u'\nsecrets.password = { env = 'SECRET' }", "basic", "Basic dTpjYW5hcnk="),
        ("secrets.token = { env = 'SECRET' }", "bearer", "Bearer canary"),
    ] {
        let configuration = format!("{GENERIC}{names}\nprobes.http.auth = '{auth}'\n");
        assert_eq!(sent(&configuration, "authorization").as_deref(), Some(header));
    }
    assert_eq!(sent(GENERIC, "authorization"), None);
}

#[test]
fn a_header_of_which_nothing_is_left_is_not_sent_and_vitrin_says_its_name() {
    let name = concat!("vitrin/", env!("CARGO_PKG_VERSION"));
    assert_eq!(sent(GENERIC, "user-agent").as_deref(), Some(name));
    assert_eq!(sent(&format!("{GENERIC}vars.user_agent = 'shop'\n"), "user-agent").as_deref(), Some("shop"));
    assert_eq!(sent(&complete("trendyol", "production"), "storefrontcode"), None);
    let abroad = complete("trendyol", "production") + "vars.store_front_code = 'AE'\n";
    assert_eq!(sent(&abroad, "storefrontcode").as_deref(), Some("AE"));
}

#[test]
fn a_token_that_the_shop_writes_into_a_file_is_read_anew() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "one\n").unwrap();
    let path = file.path().display();
    let account =
        account(&format!("{GENERIC}secrets.token = {{ file = '{path}' }}\nprobes.http.auth = 'bearer_file'\n"));
    let sent =
        || account.probes[0].question(None, &MOMENT).unwrap().headers()["authorization"].to_str().unwrap().to_owned();
    let auth = &account.auths[account.auth(&account.probes[0]).unwrap()];
    assert_eq!(auth.kind, AuthKind::BearerFile);
    let mark = auth.mark();
    assert_eq!((sent(), auth.mark()), ("Bearer one".to_owned(), mark));
    let (written, mark_written) = (auth.mark_written(), || auth.mark_written());
    // As a supervisor does that puts the same credentials into a new place at each start.
    let time = fs::metadata(file.path()).unwrap().modified().unwrap() + Duration::from_secs(1);
    fs::File::options().write(true).open(file.path()).unwrap().set_modified(time).unwrap();
    assert_eq!(auth.mark(), mark, "no token is lost for it");
    assert_ne!(mark_written(), written, "somebody has seen to it");
    fs::write(file.path(), "another\n").unwrap();
    assert_eq!(sent(), "Bearer another");
    assert_ne!(auth.mark(), mark, "what was refused is tried again");
    fs::remove_file(file.path()).unwrap();
    let failure = account.probes[0].question(None, &MOMENT).unwrap_err();
    assert!(failure.reason.as_str() == "permission", "{failure}");
}

#[test]
fn what_is_sent_of_a_secret_is_encoded_for_its_place() {
    let (account, _) = loaded(
        &format!(
            "{GENERIC}secrets.key = {{ env = 'KEY' }}\n[marketplace.targets.main.probes.http]\npath = '/{{{{secret.key}}}}'\n\
             query.k = '{{{{secret.key}}}}'\nheaders.X-Key = '{{{{secret.key}}}}'\n"
        )
        .replace("vars.path = '/health'\n", "vars.path = '/'\n"),
        &[("KEY", "a/b?c&d=e f")],
    );
    // The preset's own path is written over, so that its variable is of no use.
    assert!(account.unwrap_err().contains("the variable `path` is used nowhere"));
    let (account, _) = loaded(
        &format!(
            "{GENERIC}secrets.key = {{ env = 'KEY' }}\n[marketplace.targets.main.probes.own]\nrole = 'auth'\nmethod = 'POST'\n\
             read_only = true\npath = '/{{{{secret.key}}}}'\nquery.k = '{{{{secret.key}}}}'\n\
             headers.X-Key = '{{{{secret.key}}}}'\nbody.text = '<k>{{{{xml:secret.key}}}}</k>'\n"
        ),
        &[("KEY", "a/b?c&d=e <f>")],
    );
    let question = account.unwrap().probes[1].question(None, &MOMENT).unwrap();
    let encoded = "a%2Fb%3Fc%26d%3De%20%3Cf%3E";
    assert_eq!(question.uri().to_string(), format!("https://shop.example/{encoded}?k={encoded}"));
    assert_eq!(question.headers()["x-key"], "a/b?c&d=e <f>");
    assert!(question.headers()["x-key"].is_sensitive());
    let body = format!("{:?}", question.into_body());
    assert!(body.contains("<k>a/b?c&amp;d=e &lt;f&gt;</k>"), "{body}");
}

#[test]
fn a_secret_that_would_be_more_than_a_value_is_not_sent() {
    for (secret, why) in [
        ("", "the secret `token` is empty"),
        ("canary\r\nX-Evil: 1", "the secret `token` has a line break or a zero byte in it"),
        ("canary\0", "the secret `token` has a line break or a zero byte in it"),
        ("canary\u{7f}", "the header authorization cannot be sent"),
    ] {
        let configuration = format!("{GENERIC}secrets.token = {{ env = 'KEY' }}\nprobes.http.auth = 'bearer'\n");
        let account = loaded(&configuration, &[("KEY", secret)]).0.unwrap();
        let failure = account.probes[0].question(None, &MOMENT).unwrap_err();
        assert_eq!(failure.to_string(), format!("making the request: {why}"));
    }
}

#[test]
fn a_probe_that_needs_a_token_is_not_made_without() {
    let account = account(&complete("pazarama", "production"));
    let failure = account.probes[0].question(None, &MOMENT).unwrap_err();
    assert_eq!(failure.to_string(), "making the request: there is no access token");
    let token = AccessToken::new("t".to_owned()).unwrap();
    assert_eq!(account.probes[0].question(Some(&token), &MOMENT).unwrap().headers()["authorization"], "Bearer t");
}

#[test]
fn a_token_is_read_wherever_the_marketplace_puts_it() {
    let account = account(&complete("pazarama", "production"));
    let AuthKind::OAuth2(oauth2) = &account.auths[0].kind else { panic!("it asks for a token") };
    let read = |body: &str| {
        let token = oauth2.read(body.as_bytes()).map_err(|failure| failure.to_string())?;
        Ok::<_, String>((token.access_token.reveal().to_owned(), token.expires_in.as_secs()))
    };
    assert_eq!(read(r#"{"access_token":"a","expires_in":1800}"#), Ok(("a".to_owned(), 1800)));
    assert_eq!(read(r#"{"data":{"accessToken":"b","expiresIn":"60"},"success":true}"#), Ok(("b".to_owned(), 60)));
    for odd in ["0", "-1", "0.9", "1e-20", "null", "\"soon\"", "[]"] {
        assert_eq!(read(&format!(r#"{{"access_token":"a","expires_in":{odd}}}"#)), Ok(("a".to_owned(), 3600)), "{odd}");
    }
    assert_eq!(read(r#"{"access_token":"a","expires_in":1e12}"#), Ok(("a".to_owned(), 366 * 86_400)));
    let doing = "reading the answer to the request for a token: ";
    for (body, why) in [
        ("<html>canary</html>", "it is no JSON"),
        (r#"{"error":"canary"}"#, "there is no text at /access_token or /data/accessToken"),
        (r#"{"access_token":17}"#, "there is no text at /access_token or /data/accessToken"),
        (r#"{"access_token":""}"#, "the access token is empty"),
        (r#"{"access_token":"canary\r\nX: 1"}"#, "the access token has characters in it that no token has"),
    ] {
        assert_eq!(read(body), Err(format!("{doing}{why}")));
    }
    let hour = Duration::from_hours(1);
    assert_eq!(oauth2.refresh_after(hour), Duration::from_mins(58));
    assert_eq!(oauth2.refresh_after(Duration::from_mins(1)), Duration::from_secs(54));
}

#[test]
fn the_day_of_a_credential_says_when_it_expires() {
    let pazarama = complete("pazarama", "production");
    assert_eq!(account(&pazarama).expiries, []);
    for (day, at) in [("2026-03-01", 1_803_859_200.0), ("2026-03-01T12:00:00Z", 1_803_902_400.0)] {
        let account = account(&format!("{pazarama}vars.secret_created_at = '{day}'\n"));
        let expiries: Vec<_> = account.expiries.iter().map(|expiry| (expiry.credential, expiry.at)).collect();
        assert_eq!(expiries, [(Credential::ClientSecret, at)]);
    }
}

#[test]
fn an_account_that_did_not_change_is_equal_and_one_that_did_is_not() {
    let text = complete("ebay", "production");
    assert_eq!(account(&text), account(&text));
    assert_ne!(account(&text), account(&complete("ebay", "sandbox")));
    assert_ne!(account(&text), account(&format!("{text}probes.account.interval = '61s'\n")));
}

#[test]
fn connections_can_be_led_elsewhere() {
    let account = account(&format!(
        "{GENERIC}ip = '4'\nca_file = '/etc/ssl/proxy.pem'\nresolve = {{ 'Shop.example:443' = '127.0.0.1:8443' }}\n"
    ));
    assert_eq!(account.resolve["shop.example:443"], "127.0.0.1:8443".parse().unwrap());
    assert_eq!(account.ca_file.unwrap(), std::path::Path::new("/etc/ssl/proxy.pem"));
}
