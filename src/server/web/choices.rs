//! Versions, suites and curves: what the file leaves of what rustls speaks.

use rustls::crypto::{CryptoProvider, ring};
use rustls::{NamedGroup, SupportedProtocolVersion, version};
use serde_saphyr::{Location, Spanned};

use super::file::{TlsServer, Version, place};
use super::tls::Reader;
use crate::config::{Problem, meant};

/// Suites that exporter-toolkit knows and rustls does not speak: they lack authenticated encryption or forward secrecy.
const OLD_SUITES: [&str; 12] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
];

/// The curves by the names that Go gives them; the last one is in no version of `ring`.
const CURVES: [(&str, NamedGroup); 4] = [
    ("X25519", NamedGroup::X25519),
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
    ("CurveP521", NamedGroup::secp521r1),
];

impl Reader<'_> {
    pub(super) fn versions(&mut self, server: &TlsServer) -> Result<Vec<&'static SupportedProtocolVersion>, Problem> {
        let at = |version: &Option<Spanned<Version>>| version.as_ref().map(|version| version.referenced);
        let least = server.min_version.as_ref().map_or(Version::Tls12, |version| version.value);
        let most = server.max_version.as_ref().map_or(Version::Tls13, |version| version.value);
        if most < Version::Tls12 {
            let place = at(&server.max_version).unwrap_or(Location::UNKNOWN);
            return Err(self.problem(
                place,
                "tls_server_config.max_version: TLS 1.0 and 1.1 are not spoken",
                "write TLS12 or TLS13, or leave it out",
            ));
        }
        if least < Version::Tls12 {
            let place = place(self.file, at(&server.min_version));
            self.warnings.push(format!("{place}: TLS 1.0 and 1.1 are not spoken; min_version is taken as TLS12"));
        }
        if least > most {
            let place = at(&server.min_version).unwrap_or(Location::UNKNOWN);
            return Err(self.problem(
                place,
                "tls_server_config.min_version: it is above max_version",
                "leave max_version out",
            ));
        }
        let mut versions = Vec::new();
        if most == Version::Tls13 {
            versions.push(&version::TLS13);
        }
        if least <= Version::Tls12 {
            versions.push(&version::TLS12);
        }
        Ok(versions)
    }

    /// The suites and curves that the file leaves. As in Go, the suites of TLS 1.3 are not a matter of choice.
    pub(super) fn provider(
        &mut self,
        server: &TlsServer,
        versions: &[&SupportedProtocolVersion],
    ) -> Result<CryptoProvider, Problem> {
        let mut provider = ring::default_provider();
        if let Some(list) = server.cipher_suites.as_ref().filter(|list| !list.value.is_empty()) {
            let spoken = ring::ALL_CIPHER_SUITES;
            let name = |suite: &rustls::SupportedCipherSuite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
            let known: Vec<String> = spoken.iter().map(name).collect();
            let chosen = self.chosen("cipher_suites", list, &known, &OLD_SUITES)?;
            let mut suites: Vec<_> = spoken.iter().filter(|suite| suite.tls13().is_some()).copied().collect();
            suites.extend(chosen.into_iter().map(|index| spoken[index]).filter(|suite| suite.tls13().is_none()));
            if versions == [&version::TLS12] && suites.iter().all(|suite| suite.tls13().is_some()) {
                let message = "tls_server_config.cipher_suites: none of these is left for TLS 1.2";
                return Err(self.problem(list.referenced, message, "leave the list out, or add one of those with GCM"));
            }
            provider.cipher_suites = suites;
        }
        if let Some(list) = server.curve_preferences.as_ref().filter(|list| !list.value.is_empty()) {
            let known: Vec<String> = CURVES[..3].iter().map(|(name, _)| (*name).to_owned()).collect();
            let chosen = self.chosen("curve_preferences", list, &known, &["CurveP521", "X25519MLKEM768"])?;
            provider.kx_groups = chosen
                .into_iter()
                .filter_map(|index| ring::ALL_KX_GROUPS.iter().find(|group| group.name() == CURVES[index].1).copied())
                .collect();
            if provider.kx_groups.is_empty() {
                let message = "tls_server_config.curve_preferences: none of these is spoken";
                return Err(self.problem(list.referenced, message, format!("known here: {}", known.join(", "))));
            }
        }
        Ok(provider)
    }

    /// The words of a list as indices into `known`; those in `foreign` are left out with a warning.
    fn chosen(
        &mut self,
        key: &str,
        list: &Spanned<Vec<String>>,
        known: &[String],
        foreign: &[&str],
    ) -> Result<Vec<usize>, Problem> {
        let mut chosen = Vec::new();
        for word in &list.value {
            if let Some(index) = known.iter().position(|name| name == word) {
                chosen.push(index);
            } else if foreign.contains(&word.as_str()) {
                let place = place(self.file, Some(list.referenced));
                self.warnings.push(format!("{place}: {key}: {word} is not spoken here and left out"));
            } else {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let message = format!("tls_server_config.{key}: `{word}` is not known here");
                return Err(self.problem(list.referenced, message, meant(word, &known)));
            }
        }
        Ok(chosen)
    }
}
