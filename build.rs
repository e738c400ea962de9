//! Tells the program which compiler built it, for `vitrin_build_info`.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("cargo has just found this compiler");
    let text = String::from_utf8(output.stdout).expect("the compiler's version is text");
    let version = text.split_whitespace().nth(1).expect("`rustc 1.95.0 (...)`");
    println!("cargo::rustc-env=VITRIN_RUSTC={version}");
    println!("cargo::rerun-if-changed=build.rs");
}
