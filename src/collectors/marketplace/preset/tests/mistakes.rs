//! What is wrong with a preset or an account, and what is said about it: message, and the way out in a second line.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect_file;

use super::super::Preset;
use super::{SECRETS, complete, loaded};

const HEAD: &str =
    "schema = 1\n[preset]\nname = 'bazaar'\noptional_vars = { since = '' }\nrequired_secrets = ['key']\n";
const ENVIRONMENTS: &str =
    "[environments.production]\nbase_url = 'https://api.example'\nhosts = { oms = 'https://oms.example' }\n";
const AUTH: &str = "[auth]\ntype = 'headers'\ninject = { X-Key = '{{secret.key}}' }\n\
    [[auth.static_expiry]]\ncredential = 'api_key'\nfrom_var = 'since'\nadd = '365d'\n";
const OAUTH: &str = "[auth]\ntype = 'oauth2'\ntoken_url = '{{base_url}}/token'\ngrant = 'client_credentials'\n\
    client_id = '{{var.since}}'\nclient_secret = '{{secret.key}}'\n";
const PROBE: &str = "[[probe]]\nname = 'orders'\nrole = 'auth'\npath = '/orders'\n";

fn refused(text: &str) -> String {
    match Preset::parse(Path::new("bazaar.toml"), text) {
        Ok(_) => panic!("nothing is wrong with it:\n{text}"),
        Err(problem) => problem,
    }
}

#[test]
fn the_preset_that_is_spoiled_here_is_right() {
    for auth in [AUTH, OAUTH] {
        Preset::parse(Path::new("bazaar.toml"), &[HEAD, ENVIRONMENTS, auth, PROBE].concat()).unwrap();
    }
}

#[test]
fn each_mistake_in_a_preset_is_named_with_the_way_out() {
    let mut text = String::new();
    let whole = [HEAD, ENVIRONMENTS, AUTH, PROBE].concat();
    let mut note = |what: &str, spoiled: &str| {
        let problem = refused(spoiled);
        assert_eq!(problem.lines().count(), 2, "{what}: {problem}");
        assert!(!problem.contains("canary"), "{what}: {problem}");
        write!(text, "{what}\n    {}\n", problem.replace('\n', "\n    ")).unwrap();
    };
    for (from, to) in [
        ("schema = 1", "schema = 2"),
        ("schema = 1\n", ""),
        ("name = 'bazaar'", "name = 'Grand Bazaar'"),
        ("name = 'bazaar'", "name = 'bazaar'\nhomepage = 'x'"),
        ("['key']", "['key', 'other']"),
        ("['key']", "['Key']"),
        ("['key']", "['key', 'key']"),
        ("['key']", "[]"),
        ("since = ''", "since = '', other = ''"),
        ("since = ''", ""),
        ("['key']\n", "['key']\nallowed = { sinse = ['a'] }\n"),
        ("['key']\n", "['key']\nallowed = { since = ['2026'] }\n"),
        (
            "[environments.production]\nbase_url = 'https://api.example'\nhosts = { oms = 'https://oms.example' }",
            "[environments]",
        ),
        ("https://api.example'", "https://{{secret.key}}.example'"),
        (
            "hosts = { oms = 'https://oms.example' }",
            "[environments.sandbox]\nbase_url = 'https://a'\nhosts = { x = 'https://b' }",
        ),
        ("'headers'", "'header'"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { X-Key = '{{secret.keys}}' }"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { X-Key = '{{secret.key}}', x-key = '' }"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { Authorization = 'Bearer canary' }"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { 'X Key' = '{{secret.key}}' }"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { Host = '{{secret.key}}' }"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { X-Key = \"{{secret.key}}\\n\" }"),
        ("inject = { X-Key = '{{secret.key}}' }", "inject = { X-Key = '{{token}}' }"),
        ("inject = { X-Key", "token_url = 'https://a'\ninject = { X-Key"),
        ("'api_key'", "'password'"),
        ("from_var = 'since'", "from_var = 'sinse'"),
        ("'365d'", "'11y'"),
        (PROBE, ""),
        (
            PROBE,
            "[[probe]]\nname = 'orders'\nrole = 'auth'\npath = '/a'\n[[probe]]\nname = 'orders'\nrole = 'auth'\npath = '/b'\n",
        ),
        ("name = 'orders'", "name = 'Orders'"),
        ("role = 'auth'", "role = 'authentication'"),
        ("path = '/orders'", ""),
        ("path = '/orders'", "path = 'orders'"),
        ("path = '/orders'", "path = '/orders?size=1'"),
        ("path = '/orders'", "path = '{{var.since}}'"),
        ("path = '/orders'", "path = '/{{secret.kye}}'"),
        ("path = '/orders'", "path = '/{{user}}'"),
        ("path = '/orders'", "path = '/orders'\nmethod = 'PUT'"),
        ("path = '/orders'", "path = '/orders'\nmethod = 'POST'"),
        ("path = '/orders'", "path = '/orders'\nbody = { text = '{}' }"),
        ("path = '/orders'", "path = '/orders'\nhost = 'oma'"),
        ("path = '/orders'", "path = '/orders'\nauth = 'app'"),
        ("path = '/orders'", "path = '/orders'\nauth = 'none'\nauth_inject = { X-A = 'b' }"),
        ("path = '/orders'", "path = '/orders'\nquery = { size = '{{token}}' }"),
        ("path = '/orders'", "path = '/orders'\ninterval = 'often'"),
        ("path = '/orders'", "path = '/orders'\ndocumented_limit = { requests = 0, per = '1s' }"),
        ("path = '/orders'", "path = '/orders'\ndocumented_limit = { requests = 1, per = '1s', budget_share = 0.9 }"),
        ("path = '/orders'", "path = '/orders'\ndocumented_limit = { requests = 1, per = '1s', scope = 'world' }"),
        (
            "path = '/orders'",
            "path = '/orders'\nclassify = [{ when = { status = [200], environment = 'stage' }, result = 'blocked' }]",
        ),
        ("path = '/orders'", "path = '/orders'\nclassify = [{ when = {}, result = 'blocked' }]"),
        ("path = '/orders'", "path = '/orders'\nextract = [{ metric = 'revenue', value = { json = '/a' } }]"),
    ] {
        assert!(whole.contains(from), "{from}");
        let from_shown = from.replace('\n', "⏎");
        note(&format!("{from_shown} → {}", to.replace('\n', "⏎")), &whole.replacen(from, to, 1));
    }
    let whole = [HEAD, ENVIRONMENTS, OAUTH, PROBE].concat();
    for (from, to) in [
        ("'client_credentials'", "'password'"),
        ("'client_credentials'", "'refresh_token'"),
        ("'client_credentials'", "'client_credentials'\nrotates_refresh_token = true"),
        ("'client_credentials'", "'client_credentials'\nform = { grant_type = 'x' }"),
        ("'client_credentials'", "'client_credentials'\nform = { a = '{{token}}' }"),
        ("'client_credentials'", "'client_credentials'\ntoken = 'access_token'"),
        ("'client_credentials'", "'client_credentials'\nexpires_in = []"),
        ("'client_credentials'", "'client_credentials'\nfail = { auth_error = [{}] }"),
        ("'client_credentials'", "'client_credentials'\nclient_auth = 'header'"),
        ("{{base_url}}/token", "https://a/{{secret.key}}"),
        ("client_id = '{{var.since}}'\n", ""),
    ] {
        assert!(whole.contains(from), "{from}");
        note(&format!("{from} → {}", to.replace('\n', "⏎")), &whole.replacen(from, to, 1));
    }
    expect_file!["mistakes/presets.txt"].assert_eq(&text);
}

#[test]
fn each_mistake_in_an_account_is_named_with_the_way_out() {
    let generic = "[targets.main]\npreset = 'generic'\nvars = { base_url = 'https://shop.example', path = '/' }\n";
    let trendyol = complete("trendyol", "production");
    let mut text = String::new();
    let mut note = |what: &str, configuration: &str| {
        let (account, _) = loaded(configuration, SECRETS);
        let problem = account.expect_err(what);
        assert!(!problem.contains("canary"), "{what}: {problem}");
        write!(text, "{}\n    {}\n", what.replace('\n', "⏎"), problem.replace('\n', "\n    ")).unwrap();
    };
    for (from, to) in [
        ("'trendyol'", "'trendyoll'"),
        ("'trendyol'", "'amazon'"),
        ("'production'", "'stage'"),
        ("vars.seller_id = '[seller_id]'\n", ""),
        ("vars.seller_id = '[seller_id]'\n", "vars = 'canary'\n"),
        ("'[seller_id]'", "''"),
        ("'[seller_id]'", "1.5"),
        ("'[seller_id]'", "\"a\\r\\nX-Evil: 1\""),
        ("vars.seller_id", "vars.seler_id = 'canary'\nvars.seller_id"),
        ("secrets.api_key = { env = 'SECRET' }\n", ""),
        ("secrets.api_key = { env = 'SECRET' }\n", "secrets.api_key = 'canary'\n"),
        ("secrets.api_key = { env = 'SECRET' }\nsecrets.api_secret = { env = 'SECRET' }\n", "secrets = 'canary'\n"),
        ("secrets.api_key", "secrets.apikey = { env = 'SECRET' }\nsecrets.api_key"),
        ("secrets.api_key = { env = 'SECRET' }", "secrets.api_key = { env = 'NOT_SET' }"),
        ("probes.products.", "probes.product."),
        ("probes.products.enabled = true", "probes.products.interval = 'soon'"),
        ("probes.products.enabled = true", "probes.products.intervall = '1m'"),
        ("probes.products.enabled = true", "probes.products.name = 'p'"),
        ("probes.products.enabled = true", "probes.products.query.page = '{{var.page}}'"),
        ("probes.products.enabled = true", "probes.products.query.page = '{{secret.page}}'"),
        ("probes.products.enabled = true", "probes.products.headers.Cookie = 'canary'"),
        ("probes.products.enabled = true", "probes.products.method = 'POST'"),
        ("probes.products.enabled = true", "probes.products.timeout = '2m'"),
        ("probes.products.enabled = true", "probes.products = { timeout = '50s', interval = '40s' }"),
        ("probes.products.enabled = true", "budget_share = 1"),
        ("probes.products.enabled = true", "latency_objective = '0ms'"),
        ("probes.products.enabled = true", "ip = 4"),
        ("probes.products.enabled = true", "resolve = { 'apigw.trendyol.com' = '127.0.0.1:1' }"),
        ("probes.products.enabled = true", "resolve = { 'apigw.trendyol.com:443' = 'localhost' }"),
        ("probes.products.enabled = true", "preset_dir = '/etc'"),
        (
            "probes.reachability.enabled = true\nprobes.products.enabled = true\nprobes.orders.enabled = true\nprobes.listings-rejected.enabled = true",
            "probes.reachability.enabled = false\nprobes.products.enabled = false\nprobes.orders.enabled = false",
        ),
    ] {
        assert!(trendyol.contains(from), "{from}");
        note(&format!("{from} → {to}"), &trendyol.replacen(from, to, 1));
    }
    for more in [
        "vars.unused = '1'\n",
        "secrets.unused = { env = 'SECRET' }\n",
        "probes.own.path = '/'\n",
        "probes.Own = { role = 'auth', path = '/' }\n",
        "probes.http.auth = 'basic'\n",
        "probes.http.auth = 'oauth2'\n",
        "vars.username = 'u'\nprobes.http.auth = 'basic'\n",
        "secrets.password = { env = 'SECRET' }\nprobes.http.auth = 'basic'\n",
        "secrets.token = { env = 'SECRET' }\nprobes.http.auth = 'bearer_file'\n",
    ] {
        note(
            more.trim_end(),
            &format!(
                "{}{more}",
                generic.replace(
                    "vars = { base_url = 'https://shop.example', path = '/' }",
                    "vars.base_url = 'https://shop.example'\nvars.path = '/'"
                )
            ),
        );
    }
    for (base_url, path) in [
        ("shop.example", "/"),
        ("ftp://shop.example", "/"),
        ("https://user:canary@shop.example", "/"),
        ("https://shop.example/?key=1", "/"),
        ("https://shop.example", "health"),
        ("https://shop.example", "/a b"),
    ] {
        let configuration =
            generic.replace("https://shop.example", base_url).replace("path = '/'", &format!("path = '{path}'"));
        note(&format!("{} {path}", base_url.replace("canary", "…")), &configuration);
    }
    note("region", &complete("amazon-sp-api", "production").replace("vars.region = 'na'", "vars.region = 'tr'"));
    note("day", &(complete("pazarama", "production") + "vars.secret_created_at = 'canary'\n"));
    let many: String = (0..101).map(|n| trendyol.replace("[targets.main]", &format!("[targets.t{n}]"))).collect();
    note("101 targets", &many);
    note("preset_dirs", &format!("preset_dirs = ['presets']\n{trendyol}"));
    expect_file!["mistakes/accounts.txt"].assert_eq(&text);
}
