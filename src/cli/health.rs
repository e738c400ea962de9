//! `vitrin health`: whether a running Vitrin answers, for container health checks.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::serve::addresses;

/// How long connecting, asking and answering may take, each.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the answer of a healthy Vitrin starts with.
const HEALTHY: &[u8] = b"HTTP/1.1 200 ";

/// Ask the Vitrin that listens at --web.listen-address whether it is alive.
///
/// The exit code is 0 when it is, 1 when not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(listen_address: &str, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let addresses = addresses(listen_address).with_context(|| format!("--web.listen-address: `{listen_address}`"))?;
    let address = reachable(addresses.first().copied().context("the name has no address")?);
    match ask(address) {
        Ok(answer) if answer.starts_with(HEALTHY) => {
            writeln!(out, "Vitrin at http://{address} is alive.")?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(_) => writeln!(out, "What listens at http://{address} is no healthy Vitrin.")?,
        Err(error) => writeln!(out, "No answer from http://{address}: {error}")?,
    }
    Ok(ExitCode::FAILURE)
}

/// What listens on all addresses is asked on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn ask(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: vitrin\r\nConnection: close\r\n\r\n")?;
    let mut answer = vec![0; HEALTHY.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
