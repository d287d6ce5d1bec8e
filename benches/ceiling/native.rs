//! Two calls of librdkafka that `rdkafka` does not have as they are needed here: many records at once, and a flush that returns with the last
//! acknowledgement (that of `rdkafka` takes at least 100 ms).
#![allow(unsafe_code, reason = "calls of librdkafka; every block says why it holds")]

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka_sys as rs;

/// Records taken at once at most.
const BATCH: usize = 2_000;

/// A record; lives until it was looked at.
pub(crate) struct Received<'a> {
    topic: *mut rs::rd_kafka_topic_t,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Received<'_> {
    /// Tells topics apart while messages of them are at hand.
    pub(crate) fn handle(&self) -> usize {
        self.topic as usize
    }

    pub(crate) fn is_of(&self, topic: &str) -> bool {
        // SAFETY: not null for a record; the message keeps its topic alive, and with it its name.
        let name = unsafe { CStr::from_ptr(rs::rd_kafka_topic_name(self.topic)) };
        name.to_bytes() == topic.as_bytes()
    }
}

/// The queue into which a consumer fetches all its partitions.
pub(crate) struct Queue<'a> {
    queue: NonNull<rs::rd_kafka_queue_t>,
    taken: Vec<*mut rs::rd_kafka_message_t>,
    consumer: PhantomData<&'a BaseConsumer>,
}

impl<'a> Queue<'a> {
    pub(crate) fn of(consumer: &'a BaseConsumer) -> Result<Queue<'a>, String> {
        // SAFETY: the consumer is alive; the pointer is null or a reference of our own to the queue.
        let queue = NonNull::new(unsafe { rs::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) });
        let queue = queue.ok_or("the consumer has no queue")?;
        Ok(Queue { queue, taken: vec![ptr::null_mut(); BATCH], consumer: PhantomData })
    }

    /// Waits up to `timeout` for records and shows them one by one. Answers how many there were.
    pub(crate) fn take(
        &mut self,
        timeout: Duration,
        mut look: impl FnMut(&Received<'_>) -> Result<(), String>,
    ) -> Result<usize, String> {
        let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive, as the consumer is by its lifetime, and the array has room for that many pointers.
        let got =
            unsafe { rs::rd_kafka_consume_batch_queue(self.queue.as_ptr(), millis, self.taken.as_mut_ptr(), self.taken.len()) };
        let got = usize::try_from(got).map_err(|_| "nothing can be consumed".to_owned())?;
        let mut result = Ok(got);
        for message in &self.taken[..got] {
            if result.is_ok() {
                // SAFETY: a valid message until it is destroyed below.
                result = unsafe { received(*message) }.and_then(|record| look(&record)).map(|()| got);
            }
            // SAFETY: taken from the queue, and destroyed once, after the last look at it.
            unsafe { rs::rd_kafka_message_destroy(*message) };
        }
        result
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        // SAFETY: our own reference, given back once.
        unsafe { rs::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// # Safety
/// The message is valid for as long as what is answered lives.
unsafe fn received<'a>(message: *mut rs::rd_kafka_message_t) -> Result<Received<'a>, String> {
    // SAFETY: the caller's promise; the error is read as the number it is.
    let (found, code) = unsafe { (&*message, ptr::addr_of!((*message).err).cast::<i32>().read()) };
    if code != 0 {
        return Err(format!("consuming partition {}: librdkafka's error {code}", found.partition));
    }
    let mut kind = rs::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: a valid message and a place for the kind.
    let timestamp = unsafe { rs::rd_kafka_message_timestamp(message, &mut kind) };
    let bytes = |data: *mut std::ffi::c_void, length: usize| -> &'a [u8] {
        if data.is_null() {
            return &[];
        }
        // SAFETY: not null, and so that many bytes, which live as long as the message.
        unsafe { slice::from_raw_parts(data.cast::<u8>(), length) }
    };
    let (key, value) = (bytes(found.key, found.key_len), bytes(found.payload, found.len));
    Ok(Received { topic: found.rkt, partition: found.partition, offset: found.offset, timestamp, key, value })
}

/// Waits until everything sent is acknowledged; delivery reports are served by the producer's own thread.
pub(crate) fn flush<C: ClientContext + ProducerContext + 'static>(
    producer: &ThreadedProducer<C>,
    limit: Duration,
) -> Result<(), String> {
    let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the producer is alive.
    let code = unsafe { rs::rd_kafka_flush(producer.client().native_ptr(), millis) };
    if code as i32 == 0 { Ok(()) } else { Err(format!("not everything was acknowledged within {limit:?}")) }
}
