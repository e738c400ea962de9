//! A conversation over HTTP, and what goes wrong with it.

use std::pin::pin;

use futures_util::future::{Either, FutureExt as _, select};

use crate::collector::{Failure, Reason};

/// What an exchange brings whose bytes a connection moves, which may well end before we have looked at the last of them.
pub(crate) async fn carried<A, E: From<Failure>>(
    exchange: impl Future<Output = Result<A, E>>,
    connection: impl Future<Output = hyper::Result<()>>,
) -> Result<A, E> {
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((Ok(()), exchange)) => exchange.await,
        // Some servers tear the connection down once they have said everything, which is an answer all the same.
        Either::Right((Err(error), exchange)) => exchange.now_or_never().unwrap_or_else(|| Err(broken(&error).into())),
    }
}

/// What went wrong in a conversation: `limit` when the header is larger than we are ready to read, else `protocol`.
pub(crate) fn broken(error: &hyper::Error) -> Failure {
    let reason = if error.is_parse_too_large() { Reason::Limit } else { Reason::Protocol };
    // hyper names the stage, and leaves what happened to its cause.
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Failure::message(reason, message)
}
