//! How a server is trusted, and how we show who we are: the keys of `tls = { … }`.

use std::path::PathBuf;

use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder};
use serde::Deserialize;

use super::{certificates, private_key};
use crate::collector::{Failure, Reason};

/// How to trust the server, and how to show who we are. The files are read again at each connect.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The authorities to trust, in PEM; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// Take any certificate: the traffic is hidden, but from whom is not known.
    pub insecure: bool,
    /// Our certificate, in PEM, for a server that asks for one.
    pub cert_file: Option<PathBuf>,
    /// The key of `cert_file`, in PEM.
    pub key_file: Option<PathBuf>,
    /// The name the server's certificate must carry; the host of the URL when absent.
    pub server_name: Option<String>,
}

impl Settings {
    /// That a client certificate has both its files.
    ///
    /// # Errors
    /// What is missing, and how to write it.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.cert_file.is_some() == self.key_file.is_some() {
            return Ok(());
        }
        Err("a client certificate needs both its files\nset cert_file and key_file in tls".to_owned())
    }

    /// The certificates of the authorities to trust: those of `ca_file`, or those that the system trusts.
    ///
    /// # Errors
    /// Those of [`certificates`].
    pub(crate) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        match &self.ca_file {
            Some(file) => certificates(file),
            None => Ok(rustls_native_certs::load_native_certs().certs),
        }
    }

    /// Finishes a client's configuration with our certificate, if we have one.
    ///
    /// # Errors
    /// Those of [`certificates`] and [`private_key`]; `tls` when the two do not belong together.
    pub(crate) fn identify(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, Failure> {
        let (Some(certificate), Some(key)) = (&self.cert_file, &self.key_file) else {
            return Ok(builder.with_no_client_auth());
        };
        builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| Failure::new(Reason::Tls, error).context(format!("using {}", certificate.display())))
    }
}
