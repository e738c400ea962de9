//! A collector with its type forgotten, so that jobs of all kinds stand in one list.

use std::any::Any;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::collector::{Collector, Failure};
use crate::remedy::{Complaints, Remedy, Service};
use crate::snapshot::Snapshot;

/// A collector with its type forgotten.
pub(super) trait Watch: Send + Sync {
    fn run(self: Arc<Self>, until: Instant) -> BoxFuture<'static, (Snapshot, Result<(), Failure>)>;
    fn remedies<'a>(&'a self, run: Complaints<'a>, service: &'a Service) -> BoxFuture<'a, Vec<Remedy>>;
}

impl<C: Collector> Watch for C {
    fn run(self: Arc<Self>, until: Instant) -> BoxFuture<'static, (Snapshot, Result<(), Failure>)> {
        async move {
            let mut out = Snapshot::until(until);
            let result = self.collect(&mut out).await;
            (out, result)
        }
        .boxed()
    }

    fn remedies<'a>(&'a self, run: Complaints<'a>, service: &'a Service) -> BoxFuture<'a, Vec<Remedy>> {
        Collector::remedies(self, run, service).boxed()
    }
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (_, Some(message)) => message,
        _ => "no message",
    }
}
