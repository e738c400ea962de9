//! How a connection is made: address, account and encryption, handed to the driver without a connection string, so that
//! no byte of a password means anything.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use mysql_async::{ClientIdentity, Conn, Opts, OptsBuilder, SslOpts};

use super::config::{Config, Tls, TlsMode};
use super::failure;
use crate::collector::{Failure, Reason};
use crate::config::types::Address;

/// The largest packet, which is the largest row, that we read.
const PACKET_BYTES: usize = 4 << 20;

/// The largest certificate or key file that we read.
const FILE_BYTES: u64 = 1 << 20;

/// Connects and logs in.
pub(super) async fn connect(config: &Config) -> Result<Conn, Failure> {
    let options = options(config, None)?;
    match Conn::new(options).await {
        Ok(connection) => Ok(connection),
        Err(error) => match name_to_accept(config.tls.mode, &error) {
            Some(name) => Conn::new(self::options(config, Some(name))?).await.map_err(|error| failure::of(&error)),
            None => Err(failure::of(&error)),
        },
    }
}

fn name_to_accept(mode: TlsMode, error: &mysql_async::Error) -> Option<String> {
    (mode == TlsMode::VerifyCa).then(|| failure::presented_name(error)).flatten()
}

fn options(config: &Config, name: Option<String>) -> Result<Opts, Failure> {
    let password = config.password.as_ref().map(crate::config::secret::Secret::reveal).transpose()?;
    let builder = OptsBuilder::default()
        .user(Some(config.user.as_str()))
        .pass(password)
        .max_allowed_packet(Some(PACKET_BYTES))
        // The session sets its own; given here so that the driver does not ask.
        .wait_timeout(Some(3600))
        // An address is an address: the driver would move to the socket that the server names.
        .prefer_socket(false)
        // Prepared statements are closed after use.
        .stmt_cache_size(0);
    let builder = match &config.address {
        Address::Unix(path) => builder.socket(Some(path.to_string_lossy())),
        Address::Tcp { host, port } => {
            builder.ip_or_hostname(host.as_str()).tcp_port(*port).ssl_opts(encryption(&config.tls, name)?)
        }
    };
    Ok(builder.into())
}

fn encryption(tls: &Tls, name: Option<String>) -> Result<Option<SslOpts>, Failure> {
    if tls.mode == TlsMode::Disable {
        return Ok(None);
    }
    let mut options = SslOpts::default().with_danger_accept_invalid_certs(tls.mode == TlsMode::Require);
    if let Some(file) = &tls.ca_file {
        options = options.with_root_certs(vec![read(file)?.into()]).with_disable_built_in_roots(true);
    }
    if let (Some(certificate), Some(key)) = (&tls.cert_file, &tls.key_file) {
        let identity = ClientIdentity::new(read(certificate)?.into(), read(key)?.into());
        options = options.with_client_identity(Some(identity));
    }
    Ok(Some(options.with_danger_tls_hostname_override(name)))
}

/// Reads a certificate or key anew for each connection, so that a renewed one needs no reload.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let doing = || format!("reading {}", path.display());
    let fail = |error| Failure::new(Reason::Tls, error);
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut content))
        .map_err(|error| fail(error).context(doing()))?;
    if content.len() as u64 > FILE_BYTES {
        return Err(Failure::message(Reason::Limit, "larger than 1 MiB").context(doing()));
    }
    Ok(content)
}
