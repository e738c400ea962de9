//! What servers say when they are asked: PHP, the database, Redis, the shop's own pages, and whoever watches over it.

use std::time::Duration;

use tokio::time::Instant;

use super::backends::{Cache, Database, Php, ask};
use super::held::Held;
use super::kept::Kept;
use super::on_disk::OnDisk;
use super::outside::active::files::ask_files;
use super::outside::active::logins::ask_logins;
use super::outside::active::vantage::ask_vantage;
use super::outside::active::{self, burst::ask_burst};
use super::outside::certificate::look_at_certificate;
use super::outside::encryption::{Offers, Shown};
use super::outside::offers::ask_versions_and_suites;
use super::outside::pages::ask_pages;
use super::outside::visitor::Visitor;
use super::outside::{Active, Pages, administration, interface};
use super::round::{NOW_AND_THEN, OFTEN};
use super::subject::Subject;
use super::system::{Alerting, CrowdSec, System};
use crate::collector::Context;
use crate::net::threads::Threads;

/// How often pages and the certificate are asked for.
const HOURLY: Duration = Duration::from_hours(1);

/// How often it is asked what TLS agrees to, and what more than any visitor would ask.
const DAILY: Duration = Duration::from_hours(24);

/// How often logins are tried.
const WEEKLY: Duration = Duration::from_hours(7 * 24);

/// What servers have said.
#[derive(Debug)]
pub(super) struct Asked {
    threads: Threads,
    /// PHP, as FPM runs it.
    pub(super) php: Held<Php>,
    /// MySQL or MariaDB.
    pub(super) database: Held<Database>,
    /// Redis or Valkey.
    pub(super) cache: Held<Cache>,
    pages_kept: Patience,
    offers_kept: Patience,
    /// Pages, as any visitor gets them.
    pub(super) pages: Held<Pages>,
    /// The certificate.
    pub(super) certificate: Held<Shown>,
    /// What TLS agrees to.
    pub(super) offers: Held<Offers>,
    /// CrowdSec, where one answers.
    pub(super) crowdsec: Held<Option<CrowdSec>>,
    /// What would tell of trouble.
    pub(super) alerting: Held<Alerting>,
    /// What does more than any visitor.
    pub(super) active: Active,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            threads: Threads::default(),
            php: Held::new(NOW_AND_THEN),
            database: Held::new(NOW_AND_THEN),
            cache: Held::new(OFTEN),
            pages_kept: Patience::default(),
            offers_kept: Patience::default(),
            pages: Held::new(HOURLY),
            certificate: Held::new(HOURLY),
            offers: Held::new(DAILY),
            crowdsec: Held::new(NOW_AND_THEN),
            alerting: Held::new(NOW_AND_THEN),
            active: Active::default(),
        }
    }
}

impl Asked {
    /// Asks those who are due; `disk` says who and where.
    pub(super) async fn ask(&mut self, subject: &Subject, context: &Context, disk: &OnDisk, now: i64, kept: &mut Kept) {
        let begun = Instant::now();
        let pool = disk.configured().ok().and_then(|configured| configured.php_address.clone());
        let folder = disk.shop().ok().map(|shop| shop.root.clone());
        let php = async {
            let masters: Vec<_> = subject.php_fpm.iter().collect();
            ask::ask_php(&masters, context, pool.as_ref(), folder.as_deref(), &self.threads).await
        };
        let database = async {
            let servers: Vec<_> = subject.mysql.iter().collect();
            ask::ask_databases(&servers, context).await
        };
        let cache = async {
            let servers: Vec<_> = subject.redis.iter().collect();
            ask::ask_caches(&servers, context, &self.threads).await
        };
        let watchers = async {
            let mut system = System::default();
            system.ask(&subject.config, now, &mut kept.system, &self.threads).await;
            (system.crowdsec, system.alerting)
        };
        let (php, database, cache, watchers, ()) = tokio::join!(
            due(self.php.is_due(begun), php),
            due(self.database.is_due(begun), database),
            due(self.cache.is_due(begun), cache),
            due(self.crowdsec.is_due(begun) || self.alerting.is_due(begun), watchers),
            visit(
                subject,
                disk,
                begun,
                now,
                Visits {
                    pages: &mut self.pages,
                    pages_kept: &mut self.pages_kept,
                    certificate: &mut self.certificate,
                    offers: &mut self.offers,
                    offers_kept: &mut self.offers_kept,
                },
            ),
        );
        if let Some(php) = php {
            self.php.note(begun, now, php);
        }
        if let Some(database) = database {
            self.database.note(begun, now, database);
        }
        if let Some(cache) = cache {
            self.cache.note(begun, now, cache);
        }
        if let Some((crowdsec, alerting)) = watchers {
            self.crowdsec.note(begun, now, crowdsec);
            self.alerting.note(begun, now, alerting);
        }
        // What does more than any visitor is the service's alone: whoever looks twice does not do it twice.
        if context.serving {
            self.act(subject, disk, now, kept).await;
        } else {
            self.active = kept.active.clone();
        }
    }
}

impl Asked {
    /// Does what does more than any visitor, as far as it is asked for and due; what was found holds until the same is
    /// seen to be over.
    async fn act(&mut self, subject: &Subject, disk: &OnDisk, now: i64, kept: &mut Kept) {
        let config = &subject.config;
        let mut found = Active::default();
        if let Some(view) = &config.outside_view
            && kept.is_turn("vantage", NOW_AND_THEN, now)
        {
            found.vantage = Some(ask_vantage(view).await);
        }
        if let Ok(visitor) = Visitor::of(config) {
            let shop = disk.shop().cloned();
            if config.active.files && kept.is_turn("files", DAILY, now) {
                // What was found before comes first: only an answer clears it.
                let before = kept.active.files.as_ref().and_then(|files| files.as_ref().ok());
                let mut exposed = before.map(|files| files.secrets.clone()).unwrap_or_default();
                let mut installer = before.and_then(|files| files.installer.clone());
                if let Ok(shop) = &shop {
                    exposed.extend(shop.exposed.clone().unwrap_or_default());
                    installer = installer.or_else(|| shop.installer.clone());
                }
                found.files = Some(ask_files(&visitor, &exposed, installer.as_deref()).await);
            }
            if config.active.logins && kept.is_turn("logins", WEEKLY, now) {
                let admin = administration(config, &shop);
                found.logins = Some(match &shop {
                    Ok(shop) => ask_logins(&visitor, &config.active, &admin, &shop.engine).await,
                    Err(unknown) => Err(unknown.clone()),
                });
            }
            if config.active.burst && kept.is_turn("burst", DAILY, now) {
                found.burst = Some(match disk.limit().await {
                    Ok(limit) => ask_burst(&visitor, limit).await,
                    Err(unknown) => Err(unknown),
                });
            }
        }
        kept.active = active::held(&kept.active, found);
        // What is not asked for any more is not held against anybody.
        kept.active.vantage.take_if(|_| config.outside_view.is_none());
        kept.active.files.take_if(|_| !config.active.files);
        kept.active.logins.take_if(|_| !config.active.logins);
        kept.active.burst.take_if(|_| !config.active.burst);
        self.active = kept.active.clone();
    }
}

/// Does something if it is due.
async fn due<T>(is_due: bool, work: impl Future<Output = T>) -> Option<T> {
    if is_due { Some(work.await) } else { None }
}

/// Since when some of several answers did not come.
#[derive(Debug, Default)]
struct Patience(Option<Instant>);

impl Patience {
    /// What was found, or that with what it was before in the place of what is silent now: for three periods, as all that
    /// is held.
    fn choose<T: PartialEq>(&mut self, now: Instant, every: Duration, found: T, held: T) -> T {
        if found == held {
            self.0 = None;
            return found;
        }
        let since = *self.0.get_or_insert(now);
        if now.duration_since(since) < every * 2 { held } else { found }
    }
}

/// What is asked of the shop's own address, one connection at a time.
struct Visits<'a> {
    pages_kept: &'a mut Patience,
    offers_kept: &'a mut Patience,
    pages: &'a mut Held<Pages>,
    certificate: &'a mut Held<Shown>,
    offers: &'a mut Held<Offers>,
}

async fn visit(subject: &Subject, disk: &OnDisk, begun: Instant, now: i64, visits: Visits<'_>) {
    let Visits { pages, certificate, offers, pages_kept, offers_kept } = visits;
    let config = &subject.config;
    let visitor = match Visitor::of(config) {
        Ok(visitor) => visitor,
        Err(unknown) => {
            pages.note(begun, now, Err(unknown.clone()));
            certificate.note(begun, now, Err(unknown.clone()));
            return offers.note(begun, now, Err(unknown));
        }
    };
    let shop = disk.shop().cloned();
    let admin = administration(config, &shop);
    if pages.is_due(begun) {
        let before = pages.known().ok();
        let found = ask_pages(&visitor, &admin, interface(&shop)).await;
        let held = found.clone().held(before.as_ref());
        let is_silent = found.is_silent();
        pages.note(begun, now, Ok(pages_kept.choose(begun, HOURLY, found, held)));
        pages.note_part(begun, is_silent);
    }
    if certificate.is_due(begun) {
        certificate.note(begun, now, look_at_certificate(&visitor).await);
    }
    if offers.is_due(begun) {
        let before = offers.known().ok();
        let found = ask_versions_and_suites(&visitor).await;
        let is_silent = found.as_ref().is_ok_and(Offers::is_silent);
        let choose = |found: Offers| {
            let held = found.clone().held(before.as_ref());
            offers_kept.choose(begun, DAILY, found, held)
        };
        offers.note(begun, now, found.map(choose));
        offers.note_part(begun, is_silent);
    }
}
