//! The configuration that watches the simulator, and the credentials that it names.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::certificates::CA_FILE;
use super::folder;
use super::manners::{ALL, Manners};

/// What stands above it.
const HEAD: &str = "# All marketplaces at a `vitrin simulate`, as one account each; the credentials are made up.\n";

/// Writes the credentials into a folder, each into a file of its own that is for its owner alone.
///
/// # Errors
/// When a file cannot be written, or another is there.
pub(super) fn write_secrets(folder: &Path) -> anyhow::Result<()> {
    folder::make(folder)?;
    for one in ALL {
        for (name, secret) in one.secrets {
            folder::keep(&folder.join(file(one, name)), secret)?;
        }
    }
    Ok(())
}

/// The tables of `vitrin.toml` for all marketplaces, at the simulator that listens there.
///
/// # Errors
/// When the folder's path cannot be written down.
pub(super) fn configuration(folder: &Path, listens: SocketAddr) -> anyhow::Result<String> {
    let folder = folder.canonicalize().with_context(|| format!("looking at {}", folder.display()))?;
    let mut text = HEAD.to_owned();
    for one in ALL {
        let name = one.name;
        write!(text, "\n[marketplace.targets.{name}]\npreset = {}\n", quoted(name))?;
        if !one.vars.is_empty() {
            let vars: Vec<_> = one.vars.iter().map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
            writeln!(text, "vars = {{ {} }}", vars.join(", "))?;
        }
        let secret =
            |(name, _): &(&str, &str)| Ok(format!("{name} = {{ file = {} }}", place(folder.join(file(one, name)))?));
        let secrets: Vec<_> = one.secrets.iter().map(secret).collect::<anyhow::Result<_>>()?;
        writeln!(text, "secrets = {{ {} }}", secrets.join(", "))?;
        let here: Vec<_> = one.hosts.iter().map(|host| format!("\"{host}:443\" = \"{listens}\"")).collect();
        writeln!(text, "resolve = {{ {} }}", here.join(", "))?;
        writeln!(text, "ca_file = {}", place(folder.join(CA_FILE))?)?;
    }
    Ok(text)
}

fn file(one: &Manners, secret: &str) -> String {
    format!("{}-{secret}", one.name)
}

fn place(path: PathBuf) -> anyhow::Result<String> {
    let path = path.into_os_string().into_string();
    Ok(quoted(&path.map_err(|_| anyhow::anyhow!("the folder's name is no text\n  hint: name another --folder"))?))
}

/// Text in quotation marks; what JSON escapes, TOML reads.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_every_server_and_files_that_hold_the_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a \"folder\"");
        write_secrets(&path).unwrap();
        let text = configuration(&path, "127.0.0.1:22143".parse().unwrap()).unwrap();
        let read: toml::Table = text.parse().unwrap();
        let targets = read["marketplace"]["targets"].as_table().unwrap();
        assert_eq!(targets.len(), ALL.len());
        for one in ALL {
            let target = targets[one.name].as_table().unwrap();
            assert_eq!(target["preset"].as_str(), Some(one.name));
            for host in one.hosts {
                assert_eq!(target["resolve"][format!("{host}:443")].as_str(), Some("127.0.0.1:22143"));
            }
            for (name, secret) in one.secrets {
                let file = target["secrets"][*name]["file"].as_str().unwrap();
                assert_eq!(std::fs::read_to_string(file).unwrap(), *secret);
                // Secrets are never in the configuration itself.
                assert!(!text.contains(secret), "{secret}");
            }
        }
    }
}
