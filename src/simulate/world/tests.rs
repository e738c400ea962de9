use std::net::Ipv4Addr;
use std::path::Path;

use super::super::scenario::parse;
use super::*;

/// A world, and what it says.
fn world(scenario: &str) -> World {
    World::new(parse(Path::new("scenario"), scenario).unwrap(), Lines::to(std::io::sink()).0)
}

fn generic(world: &World) -> (u64, Delivery) {
    let ask =
        Ask { method: "GET".to_owned(), host: "shop.example".to_owned(), path: "/a".to_owned(), ..Ask::default() };
    world.take(&ask, 1, IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn played(scenario: &str) -> Delivery {
    generic(&world(&format!("[[step]]\n{scenario}"))).1
}

#[tokio::test(start_paused = true)]
async fn scenarios_with_a_name_are_what_they_are_called() {
    let reply = |scenario: &str| played(&format!("scenario = '{scenario}'")).reply.unwrap();
    let wall = reply("html_403");
    assert_eq!((wall.status.as_u16(), wall.header("content-type")), (403, Some("text/html; charset=utf-8")));
    assert_eq!(reply("html_503").status, 503);
    let login = reply("redirect_login");
    assert_eq!(login.header("Location"), Some("https://shop.example/login?returnUrl=/a"));
    assert_eq!(login.status, 302);
    let page = reply("wrong_content_type");
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(reply("rate_limited").status, 429);
    assert_eq!(reply("wrong_key").status, 401);
    for (scenario, shape) in
        [("stall", Shape::Never), ("reset", Shape::Reset), ("truncated", Shape::Truncated), ("huge_body", Shape::Huge)]
    {
        assert_eq!(played(&format!("scenario = '{scenario}'")).shape, shape);
    }
    assert_eq!(played("scenario = 'slow'").processing, Duration::from_millis(400));
}

#[tokio::test(start_paused = true)]
async fn in_a_brown_out_every_second_answer_is_an_error_and_the_others_are_late() {
    let world = world("[[step]]\nscenario = 'brown_out'");
    let seen: Vec<_> =
        (0..4).map(|_| generic(&world).1).map(|one| (one.reply.unwrap().status.as_u16(), one.processing)).collect();
    let (late, error) = ((200, Duration::from_secs(2)), (503, Duration::ZERO));
    assert_eq!(seen, [late, error, late, error]);
}

#[tokio::test(start_paused = true)]
async fn what_a_step_says_of_the_answer_is_in_the_answer() {
    let reply = played("scenario = 'rate_limited'\nretry_after = '30s'").reply.unwrap();
    // In place of the marketplace's own.
    let told: Vec<_> = reply.headers.iter().filter(|(name, _)| name == "Retry-After").collect();
    assert_eq!(told, [&("Retry-After".to_owned(), "30".to_owned())]);

    let written = played("status = 418\nheaders = { X-A = 'b' }\nbody = 'c'").reply.unwrap();
    assert_eq!((written.status.as_u16(), written.header("X-A"), &written.body[..]), (418, Some("b"), b"c".as_slice()));

    let behind = played("scenario = 'date_skew'\nskew = '-1h'").reply.unwrap();
    let date = httpdate::parse_http_date(behind.header("Date").unwrap()).unwrap();
    let off = SystemTime::now().duration_since(date).unwrap().as_secs();
    assert!((3_590..=3_700).contains(&off), "{off}");
}

#[tokio::test(start_paused = true)]
async fn a_reset_begins_the_scenario_anew_and_forgets_the_rest() {
    let world = world("[[step]]\nfor = '1m'\nscenario = 'stall'");
    assert!(generic(&world).1.reply.is_none());
    tokio::time::advance(Duration::from_mins(1)).await;
    assert!(generic(&world).1.reply.is_some());
    let more = parse(Path::new("script"), "[[step]]\nscenario = 'html_403'").unwrap();
    assert_eq!(world.add(&more), Ok(2));
    assert_eq!(generic(&world).1.reply.unwrap().status, 403);
    let requests = |world: &World| world.requests(0, None).unwrap().matches("\"number\"").count();
    assert_eq!(requests(&world), 3);

    world.reset();
    assert_eq!(requests(&world), 0);
    assert!(generic(&world).1.reply.is_none());
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(generic(&world).1.reply.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn steps_are_added_up_to_a_limit() {
    let world = world("");
    let text = |steps| "[[step]]\nscenario = 'slow'\n".repeat(steps);
    let add = |steps| world.add(&parse(Path::new("script"), &text(steps)).unwrap());
    assert_eq!(add(STEPS), Ok(STEPS));
    assert!(add(1).unwrap_err().contains("POST /reset"));
    assert!(world.add(&parse(Path::new("script"), "repeat = '1m'").unwrap()).is_err());
}

#[test]
fn jitter_is_chance_within_its_bounds_and_the_same_in_each_run() {
    let varied = |number| varied(Duration::from_millis(100), 0.2, number).as_secs_f64();
    let all: Vec<_> = (1..1_000).map(varied).collect();
    assert!(all.iter().all(|time| (0.08..=0.12).contains(time)));
    assert!(all.iter().any(|time| *time < 0.085) && all.iter().any(|time| *time > 0.115));
    assert_eq!(varied(1), varied(1));
    assert_eq!(super::varied(Duration::from_millis(100), 0.0, 5), Duration::from_millis(100));
}
