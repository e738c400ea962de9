//! What this machine shows by its files: procfs, configurations, the shop itself, and what root has written down. All of it
//! blocks, and each part may lie on a disk that hangs: it costs that part alone.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::backends::{Pool, ask};
use super::facts::{self, Facts};
use super::firewall::boot::AtBoot;
use super::firewall::listeners::{cache_in_sight, listeners};
use super::firewall::routing::{Routing, has_public_ipv6};
use super::front::Front;
use super::held::Held;
use super::outside::active::burst::Limit;
use super::outside::renewal::Renewal;
use super::round::NOW_AND_THEN;
use super::seen::Listener;
use super::shop::{Shop, drift};
use super::subject::Subject;
use super::system::{Memory, System};
use super::verdict::{Cause, Known, Unknown};
use crate::collector::{Failure, Paths, Reason};
use crate::collectors::host::errand::Errand;
use crate::config::types::Address;

/// How long files may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What changes at any time, and costs nothing to look at: procfs.
#[derive(Clone, Debug)]
pub(super) struct Near {
    /// Who takes TCP connections.
    pub(super) listeners: Known<Vec<Listener>>,
    /// Whether the internet may know an IPv6 address of this machine.
    pub(super) has_public_ipv6: Known<bool>,
    /// The machine's routes and own addresses.
    pub(super) routing: Known<Routing>,
    /// By what Redis shows that it is here.
    pub(super) cache_in_sight: Known<Option<String>>,
}

impl Near {
    /// Looks at it.
    pub(super) fn look(paths: &Paths) -> Self {
        Self {
            listeners: listeners(paths),
            has_public_ipv6: has_public_ipv6(paths),
            routing: Routing::look(paths),
            cache_in_sight: cache_in_sight(paths),
        }
    }

    /// Nothing of it, and why.
    fn unknown(why: &Unknown) -> Self {
        Self {
            listeners: Err(why.clone()),
            has_public_ipv6: Err(why.clone()),
            routing: Err(why.clone()),
            cache_in_sight: Err(why.clone()),
        }
    }
}

/// What root has seen and written into this file of the host.
pub(super) fn facts(file: &Path, paths: &Paths, now: i64) -> Known<Facts> {
    facts::read(&paths.root.join(file.strip_prefix("/").unwrap_or(file)), now)
}

/// What the configurations of the machine's servers say.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    /// What brings the firewall's rules back after a reboot.
    pub(super) at_boot: Known<AtBoot>,
    /// nginx, by its configuration.
    pub(super) front: Known<Front>,
    /// Where nginx asks for the shop's PHP, where that is one server.
    pub(super) php_address: Option<Address>,
    /// PHP-FPM's pools, by their configuration.
    pub(super) pools: Known<Vec<Pool>>,
    /// What renews the certificate.
    pub(super) renewal: Renewal,
}

impl Configured {
    /// Reads them.
    pub(super) fn look(subject: &Subject, paths: &Paths) -> Self {
        let front = Front::read(&paths.root, &subject.config);
        let masters: Vec<_> = subject.php_fpm.iter().collect();
        Self {
            at_boot: AtBoot::look(&paths.root),
            pools: ask::pools(paths, &masters),
            renewal: Renewal::look(&paths.root),
            php_address: front.as_ref().ok().and_then(Front::php_address),
            front,
        }
    }
}

/// A part of the files, in a thread that may hang.
struct Part<T> {
    errand: Errand,
    held: Held<T>,
}

impl<T: Clone + Send + 'static> Part<T> {
    fn new(thread: &'static str) -> Self {
        Self { errand: Errand::new(thread), held: Held::new(NOW_AND_THEN) }
    }

    /// Looks at it and notes what came of that; gives what else came along.
    async fn look<M: Send + 'static>(
        &mut self,
        now: i64,
        look: impl FnOnce() -> (Known<T>, M) + Send + 'static,
    ) -> Result<Option<M>, Failure> {
        let looked = in_time(self.errand.run(PATIENCE, look).await)?;
        let (found, along) = match looked {
            Ok((found, along)) => (found, Some(along)),
            Err(unknown) => (Err(unknown), None),
        };
        self.held.note(Instant::now(), now, found);
        Ok(along)
    }
}

/// Whoever takes too long is not known; all else is a failure.
pub(super) fn in_time<T>(done: Result<T, Failure>) -> Result<Known<T>, Failure> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(failure) if failure.reason == Reason::Timeout => {
            Ok(Err(Unknown::new(Cause::Timeout, format!("the files were not read within {PATIENCE:?}"))))
        }
        Err(failure) => Err(failure),
    }
}

/// What is in files, and the threads that read them.
pub(super) struct OnDisk {
    near: Errand,
    facts: Errand,
    limit: Errand,
    configured: Part<Configured>,
    shop: Part<Shop>,
    system: Part<System>,
    /// What is compared from one look at the shop to the next; a thread that is late has it.
    drift: Arc<Mutex<drift::Watch>>,
}

impl Default for OnDisk {
    fn default() -> Self {
        Self {
            near: Errand::new("security-near"),
            facts: Errand::new("security-facts"),
            limit: Errand::new("security-limit"),
            configured: Part::new("security-files"),
            shop: Part::new("security-shop"),
            system: Part::new("security-system"),
            drift: Arc::default(),
        }
    }
}

impl OnDisk {
    /// Reads what is due; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// `bug`, when a thread of ours panics; `limit`, when none can be started.
    pub(super) async fn read(
        &mut self,
        subject: &Subject,
        paths: &Paths,
        now: i64,
        memory: &mut Memory,
    ) -> Result<(), Failure> {
        if self.configured.held.is_due(Instant::now()) {
            let (subject, paths) = (subject.clone(), paths.clone());
            self.configured.look(now, move || (Ok(Configured::look(&subject, &paths)), ())).await?;
        }
        let front = self.configured().and_then(|configured| configured.front.clone());
        let is_behind = self.drift.try_lock().is_ok_and(|drift| drift.is_behind());
        let is_due = [is_behind || self.shop.held.is_due(Instant::now()), self.system.held.is_due(Instant::now())];
        let shop = async {
            if is_due[0] {
                let (subject, root, front, drift) =
                    (subject.clone(), paths.root.clone(), front.clone(), self.drift.clone());
                let look = move || {
                    let mut drift = drift.lock().unwrap_or_else(PoisonError::into_inner);
                    (shop(&subject, &front, &root, now, &mut drift), ())
                };
                self.shop.look(now, look).await?;
            }
            Ok::<_, Failure>(())
        };
        let system = async {
            if is_due[1] {
                let logs = front.as_ref().map(Front::logs).map_err(Clone::clone);
                let (paths, mut memory) = (paths.clone(), memory.clone());
                let look = move || (Ok(System::look(&paths, &logs, now, &mut memory)), memory);
                return self.system.look(now, look).await;
            }
            Ok(None)
        };
        let (shop, system) = tokio::join!(shop, system);
        shop?;
        if let Some(new) = system? {
            *memory = new;
        }
        Ok(())
    }

    /// Looks at what changes at any time.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) async fn near(&self, facts: &Path, paths: &Paths, now: i64) -> Result<(Near, Known<Facts>), Failure> {
        let (file, here, there) = (facts.to_owned(), paths.clone(), paths.clone());
        let (near, facts) = tokio::join!(
            self.near.run(PATIENCE, move || Near::look(&here)),
            self.facts.run(PATIENCE, move || self::facts(&file, &there, now)),
        );
        Ok((in_time(near)?.unwrap_or_else(|why| Near::unknown(&why)), in_time(facts)?.and_then(|facts| facts)))
    }

    /// What nginx lets one client ask of the shop, which depends on what files there are.
    pub(super) async fn limit(&self) -> Known<Limit> {
        let front = self.configured()?.front.clone()?;
        let limit = in_time(self.limit.run(PATIENCE, move || limit(&front)).await);
        limit.unwrap_or_else(|failure| Err(Unknown::new(Cause::Unsupported, failure.to_string())))?
    }

    /// The configurations.
    pub(super) fn configured(&self) -> Known<&Configured> {
        self.configured.held.as_ref()
    }

    /// The shop's files.
    pub(super) fn shop(&self) -> Known<&Shop> {
        self.shop.held.as_ref()
    }

    /// The operating system.
    pub(super) fn system(&self) -> Known<System> {
        self.system.held.known()
    }

    /// When the configurations were last read, in seconds since 1970.
    pub(super) const fn configured_at(&self) -> Option<i64> {
        self.configured.held.seen()
    }

    /// When the shop's files were.
    pub(super) const fn shop_at(&self) -> Option<i64> {
        self.shop.held.seen()
    }

    /// When the operating system's were.
    pub(super) const fn system_at(&self) -> Option<i64> {
        self.system.held.seen()
    }
}

/// What nginx lets one client ask of the shop.
fn limit(front: &Front) -> Known<Limit> {
    let answer = front.answer("/index.php", "", "GET")?;
    let found = answer.requests.iter().filter_map(|limit| Some(Limit { rate: limit.rate?, burst: limit.burst }));
    let least = found.min_by(|a, b| a.rate.total_cmp(&b.rate));
    least.ok_or_else(|| Unknown::new(Cause::NotConfigured, "nginx limits no requests: there is no limit to be tried"))
}

/// The shop, in the folder that is configured, or the one that nginx serves it from.
pub(super) fn shop(
    subject: &Subject,
    front: &Known<Front>,
    root: &Path,
    now: i64,
    drift: &mut drift::Watch,
) -> Known<Shop> {
    let config = &subject.config;
    let folder: PathBuf = match (&config.root, front) {
        (Some(folder), _) => folder.clone(),
        (None, Ok(front)) => front.shop_root().ok_or_else(|| {
            Unknown::new(Cause::NotConfigured, "nginx does not tell where the shop's files are: set `[security] root`")
        })?,
        (None, Err(unknown)) => return Err(unknown.clone()),
    };
    let mut shop = Shop::look(root, &folder, config.admin_path.as_deref())?;
    shop.drift = drift.look(root, &shop, config.manifest.as_deref(), now);
    Ok(shop)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::yield_now;

    use super::*;

    /// Looks, and what comes of it.
    async fn looked(part: &mut Part<u8>, look: impl FnOnce() -> Known<u8> + Send + 'static) -> Known<u8> {
        part.look(0, move || (look(), ())).await.unwrap();
        part.held.known()
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_costs_its_own_part_one_thread_and_is_looked_at_again() {
        let (mut hung, mut well) = (Part::new("hung"), Part::new("well"));
        let (release, hangs) = mpsc::channel::<()>();
        let late = looked(&mut hung, move || Ok(u8::from(hangs.recv().is_ok()))).await.unwrap_err();
        assert_eq!((late.cause, late.why.as_str()), (Cause::Timeout, "the files were not read within 30s"));
        let late = looked(&mut hung, || panic!("must not run")).await.unwrap_err();
        assert_eq!(late.cause, Cause::Timeout);
        // The thread answers in no time, and time stands still for who waits for it.
        while looked(&mut well, || Ok(7)).await != Ok(7) {}
        release.send(()).unwrap();
        while looked(&mut hung, || Ok(8)).await != Ok(8) {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_look_that_panics_is_a_bug_of_ours() {
        let mut part = Part::<u8>::new("panics");
        let failure = part.look(0, || -> (Known<u8>, ()) { panic!("on purpose") }).await.unwrap_err();
        assert_eq!(failure.reason, Reason::Bug);
    }
}
