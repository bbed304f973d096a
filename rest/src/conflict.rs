//! Changing what others change too.

use std::future::Future;
use std::time::Duration;

use kubewire_flowcontrol::ExponentialBackoff;

use crate::Error;

/// How often a change is tried.
const TRIES: u32 = 5;
/// The pause before it is tried again, and how much of it may come on top by chance.
const PAUSE: Duration = Duration::from_millis(10);
const JITTER: f64 = 0.1;

/// Does `change`, and does it again while it ends with a [conflict](Error::is_conflict): up to five times in all, some
/// 10 ms apart. `change` has to read the object anew each time, since a conflict says that it was changed meanwhile.
///
/// ```no_run
/// use kubewire_rest::{Error, Object, RestClient, retry_on_conflict};
///
/// # async fn run(client: RestClient) -> Result<(), Error> {
/// let deployment = |request: kubewire_rest::Request| request.namespace("shop").resource("deployments").name("web");
/// let scaled: Object = retry_on_conflict(|| async {
///     let mut found: Object = deployment(client.get()).send().await.into_object()?;
///     if let Some(replicas) = found.pointer_mut("/spec/replicas") {
///         *replicas = 3.into();
///     }
///     deployment(client.put()).body(&found).send().await.into_object()
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first that is no conflict, or else the last conflict.
///
/// Cancellation: dropping the future drops the change that is on its way.
pub async fn retry_on_conflict<T, F>(change: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let pauses = ExponentialBackoff::new(PAUSE, 2 * PAUSE).with_factor(1.0).with_jitter(JITTER);
    pauses.with_attempts(TRIES - 1).retry(change, Error::is_conflict).await
}
