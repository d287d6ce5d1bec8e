use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka_sys as rs;

use super::groups::{AdminError, Event, Queue};
use super::{millis, text};

/// Positions on their way to a member's group. Dropped before it is answered it stays unknown what became of them.
pub(crate) struct MemberCommit<K> {
    queue: Queue,
    // Last: the queue must go before the client does.
    _keep: K,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl<K: Send> Send for MemberCommit<K> {}

impl<K> MemberCommit<K> {
    /// Sends positions as the member `client` is; `keep` keeps it alive. The error is librdkafka's code.
    pub(crate) fn send<C: ClientContext>(
        client: &rdkafka::client::Client<C>,
        positions: &TopicPartitionList,
        keep: K,
    ) -> Result<MemberCommit<K>, i32> {
        let failed = rs::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__FAIL as i32;
        // SAFETY: the client is alive; the queue is ours, or null.
        let queue = NonNull::new(unsafe { rs::rd_kafka_queue_new(client.native_ptr()) }).map(Queue).ok_or(failed)?;
        // SAFETY: client, list and queue are alive and the list is copied. Without a callback the answer comes as an event of the queue.
        let error =
            unsafe { rs::rd_kafka_commit_queue(client.native_ptr(), positions.ptr(), queue.0.as_ptr(), None, ptr::null_mut()) };
        if error as i32 != 0 { Err(error as i32) } else { Ok(MemberCommit { queue, _keep: keep }) }
    }

    /// What became of them; none if there is no answer within `timeout`.
    pub(crate) fn answer(&self, timeout: Duration) -> Option<Result<(), AdminError>> {
        // SAFETY: the queue is alive; the event, if there is one, is ours.
        let event = NonNull::new(unsafe { rs::rd_kafka_queue_poll(self.queue.0.as_ptr(), millis(timeout)) }).map(Event)?;
        // SAFETY: the event is alive; its string lives as long.
        let (code, said) = unsafe {
            let code = rs::rd_kafka_event_error(event.0.as_ptr()) as i32;
            (code, text(rs::rd_kafka_event_error_string(event.0.as_ptr())))
        };
        Some(if code == 0 { Ok(()) } else { Err(AdminError { code, text: said }) })
    }
}
