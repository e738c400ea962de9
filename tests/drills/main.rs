//! Drills: a fault in a real server, and who is called for it.
//!
//! The shipped rules, routes and templates run in a real Prometheus and Alertmanager over a real shop; the clock alone is
//! another one ([`compress`]). `cargo test --test drills` runs a short set; with `-- --all` (`make drills`) all of them,
//! and writes `docs/drills.md`. Words among the arguments choose drills by their names.
#![allow(dead_code)]
#![expect(clippy::unwrap_used, reason = "a drill that cannot go on ends there")]
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

mod calls;
mod compress;
mod drill;
mod faults;
mod files;
mod ladder;
mod load;
mod monitoring;
mod relay;
mod shop;
mod sinks;
mod timeline;
mod vitrin;
mod world;

#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
#[path = "../it/support/mod.rs"]
mod support;

fn main() {
    compress::claims();
    sinks::claims();
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if words.iter().any(|word| word == "ladder") {
        println!("{:#?}", ladder::alone());
        return;
    }
    if words.iter().any(|word| word == "pair") {
        println!("{:#?}", ladder::pair());
        return;
    }
    let begun = std::time::Instant::now();
    let mut world = world::World::start();
    println!("the shop is open after {:.1?}", begun.elapsed());
    for drill in faults::all().filter(|drill| words.is_empty() || words.iter().any(|word| drill.fault.contains(word))) {
        let begun = std::time::Instant::now();
        let row = drill.run(&mut world);
        println!("{:.1?} {row:#?}", begun.elapsed());
    }
}
