//! The database: its accounts and the shop's, and what other checks decide of it.

use super::*;

#[test]
fn each_count_of_the_database_flips_its_own_check() {
    use State::{Fail, Partial};
    assert_eq!(differs(|seen| part!(seen.database.accounts).anonymous = 1), [("API-20", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.accounts).without_password = 1), [("API-20", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.accounts).remote_root = 1), [("API-21", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.accounts).test = 1), [("API-21", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).any_host = 1), [("API-21", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.settings).local_infile = true), [("API-21", Partial)]);
    assert_eq!(differs(|seen| part!(seen.database.settings).files = Files::Anywhere), [("API-21", Partial)]);
    assert_eq!(differs(|seen| part!(seen.database.settings).files = Files::Nowhere), []);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).global = 1), [("API-22", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).server_schemas = 1), [("API-22", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).other_schemas = 1), [("API-22", Partial)]);
    assert_eq!(differs(|seen| part!(seen.database.shop_account).grant = 1), [("API-22", Partial)]);
    let unknown = |cause| vec![("API-22", State::Unknown(cause))];
    assert_eq!(differs(|seen| part!(seen.database.shop_account).roles = 1), unknown(Cause::Unsupported));
    assert_eq!(differs(|seen| part!(seen.database.shop_account).hosts = 0), unknown(Cause::NotConfigured));
}

#[test]
fn each_count_of_the_shop_flips_its_own_check() {
    use State::{Fail, Partial};
    assert_eq!(differs(|seen| part!(seen.database.shop).error_display = Some(true)), [("API-08", Partial)]);
    let both = |seen: &mut Seen| {
        part!(seen.database.shop).error_display = Some(true);
        set("display_errors", "stderr")(seen);
    };
    assert_eq!(differs(both), [("API-08", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop).second_factor = Some(false)), [("API-15", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop).second_factor = None), [("API-15", Fail)]);
    assert_eq!(differs(|seen| part!(seen.database.shop).strong = 1), [("API-16", Partial)]);
    let third = |seen: &mut Seen| {
        part!(seen.database.shop).strong = 1;
        seen.shop.as_mut().unwrap().engine = Engine::OpenCart(Some((3, 0, 3)));
    };
    assert_eq!(differs(third), [("API-16", Fail)]);
    let of_old = |seen: &mut Seen| {
        part!(seen.database.shop).strong = 0;
        seen.shop = unseen(Cause::Permission);
    };
    assert_eq!(differs(of_old), [("API-16", Fail)]);
    let unknown = State::Unknown(Cause::Unparsable);
    assert_eq!(differs(|seen| part!(seen.database.shop).administrators = 0), [("API-16", unknown)]);
    let api = |enabled, without_addresses| {
        move |seen: &mut Seen| part!(seen.database.shop).api = Some(Api { enabled, without_addresses })
    };
    assert_eq!(differs(api(2, 1)), [("API-17", Fail)]);
    assert_eq!(differs(api(2, 0)), [("API-17", Partial)], "FW-09 fails here");
    let wordpress = |seen: &mut Seen| {
        let counts =
            ShopCounts { engine: "wordpress".to_owned(), administrators: 1, strong: 1, ..ShopCounts::default() };
        seen.database.as_mut().unwrap().shop = Ok(counts);
    };
    let unsupported = State::Unknown(Cause::Unsupported);
    assert_eq!(differs(wordpress), [("API-08", unsupported), ("API-15", unsupported), ("API-17", unsupported)]);
}

#[test]
fn other_checks_decide_where_they_are_named() {
    let mut seen = hardened();
    part!(seen.database.shop).second_factor = Some(false);
    part!(seen.database.shop).api = Some(Api { enabled: 1, without_addresses: 0 });
    let state = |states: &[(Check, State)], check| judged(&seen, states)[&check].state;
    assert_eq!(state(&[(Check::Api02, State::Pass)], Check::Api15), State::Partial);
    assert_eq!(state(&[(Check::Api02, State::Partial)], Check::Api15), State::Fail);
    let unknown = State::Unknown(Cause::Permission);
    assert_eq!(state(&[(Check::Api02, unknown)], Check::Api15), unknown);
    assert_eq!(state(&[(Check::Fw09, State::Pass)], Check::Api17), State::Pass);
    assert_eq!(state(&[(Check::Fw09, unknown)], Check::Api17), State::Partial);
}
