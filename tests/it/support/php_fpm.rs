//! PHP-FPM with OPcache: a master with the pools that a test asks for, and a client that keeps its workers busy.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::daemon::{Daemon, folder, listens_on, program};

/// The binaries, newest first.
const PROGRAMS: [&str; 6] = ["php-fpm8.5", "php-fpm8.4", "php-fpm8.3", "php-fpm8.2", "php-fpm8.1", "php-fpm"];

/// The OPcache script as the repository has it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/vitrin-opcache.php");

/// A running master.
pub(crate) struct PhpFpm {
    pub(crate) daemon: Daemon,
}

impl PhpFpm {
    /// A master with these pools: a name, and directives besides `listen` and the user.
    pub(crate) fn start(pools: &[(&str, &str)]) -> Self {
        Self::with(&[], pools)
    }

    /// The same, with settings of php.ini as `name=value`.
    pub(crate) fn with(settings: &[&str], pools: &[(&str, &str)]) -> Self {
        let folder = folder();
        let home = folder.path();
        fs::create_dir(home.join("pool.d")).unwrap();
        let include = home.join("pool.d/*.conf");
        let log = home.join("fpm.log");
        let text = format!("[global]\nerror_log = {}\ninclude = {}\n", log.display(), include.display());
        fs::write(home.join("php-fpm.conf"), text).unwrap();
        for (name, directives) in pools {
            write_pool(home, name, directives);
        }
        fs::copy(SCRIPT, home.join("opcache.php")).unwrap();
        fs::set_permissions(home.join("opcache.php"), fs::Permissions::from_mode(0o644)).unwrap();

        let mut command = program(&PROGRAMS);
        command.arg("--nodaemonize").arg("--fpm-config").arg(home.join("php-fpm.conf"));
        // Scripts are cached at once, however young.
        for setting in ["opcache.enable=1", "opcache.file_update_protection=0"].iter().chain(settings) {
            command.arg("-d").arg(setting);
        }
        let sockets: Vec<_> = pools.iter().map(|(name, _)| home.join(format!("{name}.sock"))).collect();
        let mut daemon = Daemon::start("php-fpm", command, folder);
        daemon.wait_until(|| sockets.iter().all(|socket| listens_on(socket)));
        Self { daemon }
    }

    /// Its `php-fpm.conf`.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.daemon.folder().join("php-fpm.conf")
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.daemon.folder().join(name)
    }

    /// The OPcache script, as installed for it.
    pub(crate) fn opcache_script(&self) -> PathBuf {
        self.file("opcache.php")
    }

    /// The socket of a pool.
    pub(crate) fn socket(&self, pool: &str) -> PathBuf {
        self.file(&format!("{pool}.sock"))
    }

    /// `[php_fpm.targets.main]` for it, with further lines.
    pub(crate) fn table(&self, more: &str) -> String {
        let (configuration, script) = (self.configuration(), self.opcache_script());
        format!("configuration = '{}'\nopcache_script = '{}'\n{more}\n", configuration.display(), script.display())
    }

    /// Writes a script and returns its path.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Adds a pool and lets FPM re-read its configuration.
    pub(crate) fn add(&mut self, name: &str, directives: &str) {
        write_pool(self.daemon.folder(), name, directives);
        self.reload();
        let socket = self.socket(name);
        self.daemon.wait_until(|| listens_on(&socket));
    }

    /// Removes a pool and lets FPM re-read its configuration.
    pub(crate) fn remove(&mut self, name: &str) {
        fs::remove_file(self.file(&format!("pool.d/{name}.conf"))).unwrap();
        self.reload();
        let socket = self.socket(name);
        self.daemon.wait_until(|| !listens_on(&socket));
    }

    fn reload(&self) {
        self.daemon.signal(Signal::USR2);
    }

    /// Sends a request for a script through a pool's socket; [`Running::answer`] waits for its end.
    pub(crate) fn run(&self, pool: &str, script: &Path, params: &[(&str, &str)]) -> Running {
        let script = script.to_str().unwrap();
        let mut pairs = Vec::new();
        for (name, value) in
            [("SCRIPT_FILENAME", script), ("SCRIPT_NAME", "/t.php"), ("REQUEST_METHOD", "GET")].iter().chain(params)
        {
            pairs.push(u8::try_from(name.len()).unwrap());
            pairs.push(u8::try_from(value.len()).ok().filter(|length| *length < 128).expect("a short value"));
            pairs.extend([name.as_bytes(), value.as_bytes()].concat());
        }
        let record = |kind: u8, content: &[u8]| {
            let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[1, kind, 0, 1, high, low, 0, 0], content].concat()
        };
        let wire = [record(1, &[0, 1, 0, 0, 0, 0, 0, 0]), record(4, &pairs), record(4, &[]), record(5, &[])].concat();
        let mut stream = UnixStream::connect(self.socket(pool)).unwrap();
        stream.write_all(&wire).unwrap();
        Running(stream)
    }
}

/// A request under way; dropping it lets go of the connection.
pub(crate) struct Running(UnixStream);

impl Running {
    /// Waits until the script has ended, whether it answers or its worker is no more.
    pub(crate) fn end(mut self) {
        let mut rest = Vec::new();
        // What a killed worker has left unread makes this an error.
        self.0.read_to_end(&mut rest).ok();
    }

    /// Status, headers and body, once the script has ended.
    pub(crate) fn answer(mut self) -> String {
        let mut wire = Vec::new();
        self.0.read_to_end(&mut wire).unwrap();
        let mut text = Vec::new();
        let mut rest = &wire[..];
        while let [_, kind, _, _, high, low, padding, _, content @ ..] = rest {
            let (content, after) = content.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            if *kind == 6 {
                text.extend_from_slice(content);
            }
            rest = &after[usize::from(*padding)..];
        }
        String::from_utf8(text).unwrap()
    }
}

fn write_pool(home: &Path, name: &str, directives: &str) {
    let mut text = format!("[{name}]\nlisten = {}/$pool.sock\nlisten.mode = 0666\n", home.display());
    if rustix::process::geteuid().is_root() {
        text.push_str("user = www-data\ngroup = www-data\n");
    }
    writeln!(text, "{directives}").unwrap();
    fs::write(home.join(format!("pool.d/{name}.conf")), text).unwrap();
}
