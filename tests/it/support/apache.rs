//! Apache: one server on a free port, for the logs it writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::daemon::{Daemon, folder, free_port, listens};
use super::generation::Generation;

/// A running Apache; always that of this machine, since the other generation has none.
pub(crate) struct Apache {
    daemon: Daemon,
    pub(crate) port: u16,
}

impl Apache {
    /// An Apache without pages that wants a password for `/private`, and writes a log in each of these formats, which are
    /// between the quotation marks of their `LogFormat`.
    pub(crate) fn logging(formats: &[&str]) -> Self {
        let folder = folder();
        let port = free_port();
        let home = folder.path().display();
        let logs = formats.iter().enumerate();
        let logs = logs.map(|(at, format)| format!("CustomLog {home}/access-{at}.log \"{format}\"\n"));
        let modules = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"];
        let modules = modules.map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n")).concat();
        let text = format!(
            "ServerRoot {home}\nServerName shop.example\nListen 127.0.0.1:{port}\nPidFile {home}/pid\n\
             {modules}Mutex file:{home}\nUser www-data\nGroup www-data\nErrorLog {home}/error.log\nDocumentRoot {home}/pages\n\
             <Location /private>\nAuthType Basic\nAuthName shop\nAuthUserFile {home}/users\nRequire valid-user\n\
             </Location>\nHttpProtocolOptions Unsafe\n{}",
            logs.collect::<String>()
        );
        fs::create_dir(folder.path().join("pages")).unwrap();
        fs::write(folder.path().join("users"), "").unwrap();
        fs::write(folder.path().join("apache2.conf"), text).unwrap();
        let mut command = Generation::installed().program(&["apache2"]);
        command.arg("-D").arg("FOREGROUND").arg("-f").arg(folder.path().join("apache2.conf"));
        let mut daemon = Daemon::start("apache2", command, folder);
        daemon.wait_until(|| listens(port));
        Self { daemon, port }
    }

    /// The log in the format with this number.
    pub(crate) fn log(&self, at: usize) -> PathBuf {
        Path::new(self.daemon.folder()).join(format!("access-{at}.log"))
    }
}

/// Where Debian has its modules.
const MODULES: &str = "/usr/lib/apache2/modules";
