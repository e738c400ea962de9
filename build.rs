//! Tells the program which compiler built it, for `vitrin_build_info`, and packs what is moved at its start.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("cargo has just found this compiler");
    let text = String::from_utf8(output.stdout).expect("the compiler's version is text");
    let version = text.split_whitespace().nth(1).expect("`rustc 1.95.0 (...)`");
    println!("cargo::rustc-env=VITRIN_RUSTC={version}");
    println!("cargo::rerun-if-changed=build.rs");
    if packs_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the program is to run with a C library like this machine's, and that takes addresses in few bytes (`DT_RELR`,
/// glibc since 2.36): half a megabyte less.
fn packs_relocations() -> bool {
    const NATIVE: &str = "x86_64-unknown-linux-gnu";
    let is_native = ["HOST", "TARGET"].iter().all(|name| env::var_os(name).is_some_and(|machine| machine == NATIVE));
    is_native && glibc().is_some_and(|version| version >= (2, 36))
}

/// `getconf GNU_LIBC_VERSION` says `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
