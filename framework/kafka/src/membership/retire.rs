use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;

use super::GroupConsumer;

/// Closes a consumer, which leaves the group (a static member stays until its session ends), and waits for the group's
/// answer: whether it came. `waiting`: the engine was asked something and will not answer any more.
///
/// Only a consumer that closed may be freed. One that failed for good, or does not close in time, is left behind in
/// memory on purpose: freeing it was seen to wait for ever inside librdkafka, and a member that is of no use must not
/// keep its process from going on.
pub(super) fn retire(consumer: Arc<GroupConsumer>, waiting: bool, patience: Duration) -> bool {
    let context = consumer.context().clone();
    context.leave();
    let closing = consumer.client().fatal_error().is_none() && consumer.close_queue().is_ok();
    if closing {
        // While a consumer closes librdkafka takes any answer for "none any more"; it waits for one that is due.
        let queued = std::iter::from_fn(|| context.take()).count() > 0;
        if (waiting || queued)
            && let Err(error) = consumer.unassign()
        {
            tracing::debug!(%error, "giving up partitions while leaving the group");
        }
        let deadline = Instant::now() + patience;
        while !consumer.closed() && Instant::now() < deadline {
            consumer.poll(Duration::from_millis(1));
        }
    }
    let closed = consumer.closed();
    if !closed {
        tracing::warn!("a group consumer does not close; it is left behind");
        std::mem::forget(consumer);
    }
    closed
}
