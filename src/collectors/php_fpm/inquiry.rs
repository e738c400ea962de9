//! What the security score asks of an FPM master: who its pools are, and how PHP is contained in them.

use std::path::Path;

use super::ask::{Question, TWICE, ask};
use super::config::Config;
use super::configuration::Access;
use super::source::Source;
use super::{parameters, script};
use crate::collector::{Context, Failure, Reason};
use crate::config::types::Address;

/// The largest answer of the script, which prints some 500 bytes.
const ANSWER_BYTES: usize = 16 << 10;

/// A pool, as its configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors) struct Configured {
    /// Its name.
    pub(in crate::collectors) name: String,
    /// Where it listens: bound to all addresses, it says so; or why that cannot be told.
    pub(in crate::collectors) bound: Result<Address, String>,
    /// Where it is asked.
    pub(in crate::collectors) listen: Result<Address, String>,
    /// `listen.allowed_clients`.
    pub(in crate::collectors) allowed_clients: Option<String>,
    /// `user`: a name or a number.
    pub(in crate::collectors) user: Option<String>,
    /// `group`: a name or a number.
    pub(in crate::collectors) group: Option<String>,
    /// `php_admin_value[post_max_size]`, which nothing of PHP's own overrides.
    pub(in crate::collectors) post_max_size: Option<String>,
    /// `pm.max_children`; `None` when it cannot be told.
    pub(in crate::collectors) max_children: Option<u64>,
    /// `request_terminate_timeout` in seconds, 0 for never; `None` when it cannot be told.
    pub(in crate::collectors) terminate_timeout: Option<u64>,
    /// The file that it is in, as the host names it.
    pub(in crate::collectors) file: String,
}

impl Config {
    /// The pools, by FPM's configuration; `None` where the target is a list of addresses. Blocks.
    pub(in crate::collectors) fn pools(&self, root: &Path) -> Result<Option<Vec<Configured>>, Failure> {
        if matches!(self.source, Source::Addresses { .. }) {
            return Ok(None);
        }
        let mut reading = None;
        let configuration = self.source.read(root, &mut reading)?;
        let file = |pool: &str| reading.as_ref().and_then(|reading| reading.place(pool));
        let pools = configuration.pools.iter().filter_map(|pool| {
            let Access { bound, allowed_clients, user, group, post_max_size } = pool.access.clone()?;
            let name = pool.name.clone()?;
            let manager = pool.manager.as_ref();
            Some(Configured {
                bound,
                listen: pool.listen.clone(),
                allowed_clients,
                user,
                group,
                post_max_size,
                max_children: manager.and_then(|manager| manager.max_children),
                terminate_timeout: manager.and_then(|manager| manager.request_terminate_timeout),
                file: file(&name).map(|file| file.display().to_string()).unwrap_or_default(),
                name,
            })
        });
        Ok(Some(pools.collect()))
    }

    /// The addresses that pools are asked at, where the target is a list of them. Blocks.
    pub(in crate::collectors) fn addresses(&self, root: &Path) -> Result<Vec<Address>, Failure> {
        let configuration = self.source.read(root, &mut None)?;
        Ok(configuration.pools.iter().filter_map(|pool| pool.listen.clone().ok()).collect())
    }

    /// Runs the script in the pool at this address, and gives what it prints of PHP's containment.
    pub(in crate::collectors) async fn containment(
        &self,
        context: &Context,
        address: &Address,
    ) -> Result<Vec<u8>, Failure> {
        let (root, path) = (context.paths.root.clone(), self.opcache_script.clone());
        let script = tokio::task::spawn_blocking(move || script::checked(&root, &path))
            .await
            .map_err(|panic| Failure::new(Reason::Bug, panic))??;
        let script = script.to_string_lossy();
        let mut params = parameters("/vitrin-opcache.php", &script, "").to_vec();
        params.extend([("VITRIN_OPCACHE", "1"), ("VITRIN_SECURITY", "1")]);
        let question = Question::Request { params: &params, limit: ANSWER_BYTES };
        let answer = ask(context, address, question, TWICE).await?;
        if answer.status != 200 || answer.body.starts_with(b"No input file") {
            let message = format!(
                "FPM did not run the script (status {}): its user must be able to read it, and `open_basedir`, \
                 `chroot` and `PrivateTmp` must not hide it",
                answer.status
            );
            return Err(Failure::message(Reason::Permission, message));
        }
        Ok(answer.body)
    }

    /// Where the script is expected, as the host names it.
    pub(in crate::collectors) fn script(&self) -> &Path {
        &self.opcache_script
    }
}
