//! The `Dockerfile`s: read as far as ours go, and the steps that make the image run on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use tempfile::TempDir;

use super::container::Image;
use super::here;
use crate::support::daemon::{copy, folder};
use crate::support::exporter::environment;

const DOCKERFILES: [&str; 2] = ["Dockerfile", "demo/compose/Dockerfile"];

/// An instruction and the rest of its line, continued lines joined.
struct Instruction {
    /// The name of the stage it is in; of the last one, nothing.
    stage: String,
    keyword: String,
    rest: String,
}

fn instructions(file: &Path) -> Vec<Instruction> {
    let text = fs::read_to_string(file).unwrap();
    let text: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    let mut stage = String::new();
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    let instruction = |line: &str| {
        let (keyword, rest) = line.split_once(' ').unwrap();
        if keyword == "FROM" {
            stage = rest.split_once(" AS ").map(|(_, name)| name.to_owned()).unwrap_or_default();
        }
        Instruction { stage: stage.clone(), keyword: keyword.to_owned(), rest: rest.trim().to_owned() }
    };
    lines.map(instruction).collect()
}

/// What an instruction copies from the repository, and where to.
fn copied(instruction: &Instruction) -> Option<(Vec<&str>, &str)> {
    if instruction.keyword != "COPY" || instruction.rest.contains("--from=") {
        return None;
    }
    let mut paths: Vec<_> = instruction.rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
    let target = paths.pop()?;
    Some((paths, target))
}

/// Whether `.dockerignore` lets a path through: the last line that fits it, or a folder above it, decides.
fn is_let_through(ignored: &str, path: &str) -> bool {
    let fits = |pattern: &str| pattern == "*" || Path::new(path).starts_with(pattern);
    let lines = ignored.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.fold(true, |passes, line| match line.strip_prefix('!') {
        Some(pattern) => passes || fits(pattern),
        None => passes && !fits(line),
    })
}

/// What is wrong with the Dockerfiles of a repository.
fn complaints(root: &Path) -> Vec<String> {
    let ignored = fs::read_to_string(root.join(".dockerignore")).unwrap();
    let mut complaints = Vec::new();
    let mut needed = BTreeSet::new();
    for file in DOCKERFILES {
        let instructions = instructions(&root.join(file));
        let stages: Vec<_> = instructions.iter().map(|instruction| instruction.stage.as_str()).collect();
        for instruction in &instructions {
            if let Some((paths, _)) = copied(instruction) {
                for path in paths {
                    if !root.join(path).exists() {
                        complaints.push(format!("{file}: {path} is not there"));
                    }
                    if !is_let_through(&ignored, path) {
                        complaints.push(format!("{file}: .dockerignore keeps {path} out"));
                    }
                    needed.insert(path.to_owned());
                }
            }
            if instruction.keyword == "FROM" {
                let base = instruction.rest.split_whitespace().find(|word| !word.starts_with("--")).unwrap();
                let is_ours = base == "scratch" || base.contains('$') || stages.contains(&base);
                let tag = base.split_once(':').map_or("", |(_, tag)| tag);
                let version = tag.split('-').next().unwrap_or_default();
                if !is_ours && !version.contains('.') {
                    complaints.push(format!("{file}: `{base}` is no one version"));
                }
                let rust = env!("CARGO_PKG_RUST_VERSION");
                if base.starts_with("rust:") && !version.starts_with(rust) {
                    complaints.push(format!("{file}: `{base}`, and Cargo.toml asks for Rust {rust}"));
                }
            }
            if instruction.rest.contains("cargo build") && !instruction.rest.contains("--locked") {
                complaints.push(format!("{file}: not what Cargo.lock says is built"));
            }
        }
        let last = instructions.iter().filter(|instruction| instruction.stage.is_empty());
        let last: BTreeMap<_, _> = last.map(|line| (line.keyword.as_str(), line.rest.as_str())).collect();
        if file == "Dockerfile" {
            if last.get("USER").is_none_or(|user| user.split(':').any(|id| id.parse::<u32>().unwrap_or(0) == 0)) {
                complaints.push(format!("{file}: its user is not two numbers, or root"));
            }
            if last.get("HEALTHCHECK").is_none_or(|check| !check.ends_with("CMD [\"/usr/bin/vitrin\", \"health\"]")) {
                complaints.push(format!("{file}: vitrin is not asked how it is"));
            }
        }
    }
    for line in ignored.lines().filter_map(|line| line.strip_prefix('!')) {
        if !needed.contains(line) {
            complaints.push(format!(".dockerignore: nothing copies {line}"));
        }
    }
    complaints
}

/// How Docker and Debian call the architecture of this machine.
const fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// A step of the stage `build`, to be run by a shell of this machine in `source`, with `image` for `/image`.
fn step(start: &str, source: &Path, image: &Path) -> Command {
    let instructions = instructions(&here().join("Dockerfile"));
    let compiler = format!("compiler-{}", architecture());
    let variables = instructions.iter().filter(|line| line.stage == compiler && line.keyword == "ENV");
    let variables: Vec<_> =
        variables.flat_map(|line| line.rest.split(' ')).filter_map(|word| word.split_once('=')).collect();
    let runs = instructions.iter().filter(|line| line.stage == "build" && line.keyword == "RUN");
    let words = runs.map(|line| line.rest.split(' ').filter(|word| !word.starts_with("--mount=")).collect::<Vec<_>>());
    let lines: Vec<_> = words.map(|words| words.join(" ")).filter(|line| line.trim().starts_with(start)).collect();
    let [line] = &lines[..] else { panic!("of the steps that begin with {start} there are {}", lines.len()) };
    let mut command = Command::new("sh");
    command.arg("-c").arg(line.replace("/image", image.to_str().unwrap())).current_dir(source);
    command.envs(variables.into_iter().map(|(name, value)| (name, value.trim_matches('"'))));
    command
}

#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, text(&output.stderr));
    text(&output.stdout)
}

/// The files of the image, made by the steps of the `Dockerfile` of this program.
pub(super) fn files_with(program: &Path) -> TempDir {
    let image = folder();
    fs::create_dir_all(image.path().join("usr/bin")).unwrap();
    copy(program, &image.path().join("usr/bin/vitrin"));
    succeed(&mut step("loader=", here(), image.path()));
    for instruction in instructions(&here().join("Dockerfile")).iter().filter(|line| line.stage.is_empty()) {
        if let Some((paths, target)) = copied(instruction) {
            for path in paths {
                let target = image.path().join(target.trim_start_matches('/'));
                let target = if target.to_string_lossy().ends_with('/') { target.join(path) } else { target };
                fs::create_dir_all(target.parent().unwrap()).unwrap();
                copy(&here().join(path), &target);
                let root = Some(0);
                std::os::unix::fs::chown(&target, root, root).expect("only root can make an image");
            }
        }
    }
    image
}

/// The same as an image to start.
pub(super) fn vitrin(files: &TempDir) -> Image {
    Image { root: files.path().to_owned(), entrypoint: &["/usr/bin/vitrin"], complete: String::new() }
}

fn files_below(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() && fs::read_dir(&path).unwrap().next().is_some() {
            files_below(&path, root, found);
        } else {
            found.insert(format!("/{}", path.strip_prefix(root).unwrap().display()));
        }
    }
}

#[test]
fn the_dockerfiles_copy_what_is_there_and_let_through_and_nothing_else_is() {
    assert_eq!(complaints(here()), [""; 0]);
}

#[test]
fn a_spoiled_dockerfile_is_noticed() {
    let folder = folder();
    let files =
        [".dockerignore", "Dockerfile", "Cargo.toml", "Cargo.lock", "build.rs", "LICENSE-APACHE", "LICENSE-MIT"];
    for file in files.into_iter().chain(["src", "demo", "docs", "packaging"]) {
        copy(&here().join(file), &folder.path().join(file));
    }
    assert_eq!(complaints(folder.path()), [""; 0]);
    for (file, from, to, says) in [
        ("Dockerfile", "COPY src src", "COPY sources src", "sources is not there"),
        (".dockerignore", "!src\n", "", ".dockerignore keeps src out"),
        (".dockerignore", "!src\n", "!src\n!.git\n", "nothing copies .git"),
        ("Dockerfile", "rust:1.95.0-slim-bookworm", "rust:slim-bookworm", "is no one version"),
        ("Dockerfile", "rust:1.95.0-slim-bookworm", "rust:1.85.0-slim-bookworm", "Cargo.toml asks for Rust"),
        ("Dockerfile", "cargo build --locked", "cargo build", "not what Cargo.lock says"),
        ("Dockerfile", "USER 65532:65532\n", "", "its user is not two numbers"),
        ("Dockerfile", "USER 65532:65532\n", "USER 0:0\n", "or root"),
        ("Dockerfile", "\"health\"]", "\"--version\"]", "vitrin is not asked how it is"),
        ("demo/compose/Dockerfile", "debian:12.11-slim", "debian:latest", "is no one version"),
    ] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not say {from:?}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let complaints = complaints(folder.path());
        assert!(complaints.iter().any(|complaint| complaint.contains(says)), "{from:?}, {to:?}: {complaints:?}");
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn the_image_sets_what_the_unit_sets() {
    let instructions = instructions(&here().join("Dockerfile"));
    let last = instructions.iter().filter(|line| line.stage.is_empty() && line.keyword == "ENV");
    let set: Vec<_> = last.filter_map(|line| line.rest.split_once('=')).collect();
    let unit = environment();
    assert!(!unit.is_empty());
    assert_eq!(set, unit.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>());
}

/// By the very commands of the `Dockerfile`, of the files that it copies and no others; only faster code is not asked for.
#[test]
fn the_program_builds_of_what_is_copied() {
    let source = folder();
    for instruction in instructions(&here().join("Dockerfile")).iter().filter(|line| line.stage == "build") {
        for path in copied(instruction).into_iter().flat_map(|(paths, _)| paths) {
            let target = source.path().join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            copy(&here().join(path), &target);
        }
    }
    // The cache of the step.
    let target = here().join("target/image");
    fs::create_dir_all(&target).unwrap();
    std::os::unix::fs::symlink(&target, source.path().join("target")).unwrap();
    let image = folder();
    let mut build = step("cargo build", source.path(), image.path());
    for (name, value) in [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "256"), ("STRIP", "true")] {
        build.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    let cargo = Path::new(env!("CARGO")).parent().unwrap().display();
    succeed(build.env("PATH", format!("{cargo}:/usr/sbin:/usr/bin:/sbin:/bin")));
    let program = image.path().join("usr/bin/vitrin");
    let said = succeed(Command::new(&program).arg("--version"));
    assert_eq!(said, format!("vitrin {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_image_holds_the_program_what_it_is_linked_with_and_no_shell() {
    let image = files_with(Path::new(env!("CARGO_BIN_EXE_vitrin")));
    let mut found = BTreeSet::new();
    files_below(image.path(), image.path(), &mut found);
    let (loader, rest): (Vec<PathBuf>, Vec<PathBuf>) = found
        .iter()
        .map(PathBuf::from)
        .partition(|path| path.file_name().unwrap().to_str().unwrap().starts_with("ld-"));
    assert_eq!(loader.len(), 1, "{found:?}");
    expect![[r#"
        [
            "/etc/group",
            "/etc/nsswitch.conf",
            "/etc/passwd",
            "/etc/ssl/certs/ca-certificates.crt",
            "/usr/bin/vitrin",
            "/usr/lib/libc.so.6",
            "/usr/lib/libgcc_s.so.1",
            "/usr/lib/libm.so.6",
            "/usr/share/doc/vitrin/LICENSE-APACHE",
            "/usr/share/doc/vitrin/LICENSE-MIT",
            "/usr/share/vitrin/opcache.php",
            "/var/lib/vitrin",
        ]
    "#]]
    .assert_debug_eq(&rest);
    // What the loader finds there, and no other's.
    let said = succeed(Command::new("chroot").arg(image.path()).arg(&loader[0]).args(["--list", "/usr/bin/vitrin"]));
    let places: Vec<_> = said.lines().filter_map(|line| line.split_once("=> ")).map(|(_, place)| place).collect();
    assert!(places.len() >= 3 && places.iter().all(|place| place.starts_with("/usr/lib/")), "{said}");
}
