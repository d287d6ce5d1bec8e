use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka_sys as rs;

use super::{Client, millis, text};

/// The queue into which a consumer with a group fetches all its partitions, and its logs and errors.
pub(crate) struct ConsumerQueue {
    queue: NonNull<rs::rd_kafka_queue_t>,
    /// What was taken out and not yet handed over; empty between two calls.
    taken: Vec<*mut rs::rd_kafka_message_t>,
    // Last: the queue must go before the client does.
    _client: Arc<Client>,
}

// SAFETY: librdkafka's queues may be used from any thread, and `taken` is empty outside of `fetch`, which has `&mut self`.
unsafe impl Send for ConsumerQueue {}

impl ConsumerQueue {
    /// None if the client has no group.
    pub(crate) fn new(client: &Arc<Client>) -> Option<ConsumerQueue> {
        // SAFETY: the client is alive; the pointer is null or a reference of our own to the queue.
        let queue = NonNull::new(unsafe { rs::rd_kafka_queue_get_consumer(client.native_ptr()) })?;
        Some(ConsumerQueue { queue, taken: Vec::new(), _client: client.clone() })
    }

    /// Waits up to `timeout` for something to arrive, then takes what is there, up to `max`, shows it to `f` all at once
    /// and frees it. Logs and errors in the queue are served on the way.
    ///
    /// Two calls, because one would wait until the array is full or the time is up. librdkafka leaves out messages
    /// fetched before the newest assignment, seek or pause of their partition (each raises the partition's version, at
    /// the latest when the call that asks for it returns).
    pub(crate) fn fetch<T>(&mut self, max: usize, timeout: Duration, f: impl FnOnce(&[Message<'_>]) -> T) -> T {
        self.take(1, timeout);
        if !self.taken.is_empty() && max > 1 {
            self.take(max - 1, Duration::ZERO);
        }
        let free = Free(&mut self.taken);
        // SAFETY: the pointers are valid messages until `free` is dropped, after `f`. `Message` is a transparent wrapper
        // around such a pointer, and the lifetime it gets ends with this call.
        let messages = unsafe { slice::from_raw_parts(free.0.as_ptr().cast::<Message<'_>>(), free.0.len()) };
        f(messages)
    }

    fn take(&mut self, max: usize, timeout: Duration) {
        let had = self.taken.len();
        self.taken.resize(had + max, ptr::null_mut());
        // SAFETY: the queue is alive and the array has room for `max` pointers from `had` on.
        let got = unsafe {
            rs::rd_kafka_consume_batch_queue(self.queue.as_ptr(), millis(timeout), self.taken.as_mut_ptr().add(had), max)
        };
        self.taken.truncate(had + usize::try_from(got).unwrap_or(0));
    }
}

impl Drop for ConsumerQueue {
    fn drop(&mut self) {
        // SAFETY: our own reference, given back once.
        unsafe { rs::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// Frees the messages, also when what looks at them panics.
struct Free<'a>(&'a mut Vec<*mut rs::rd_kafka_message_t>);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        for message in self.0.drain(..) {
            // SAFETY: taken from the queue and freed once.
            unsafe { rs::rd_kafka_message_destroy(message) };
        }
    }
}

/// A record, or word of a partition's end or failure; lives until `fetch` returns.
#[repr(transparent)]
pub(crate) struct Message<'a>(&'a rs::rd_kafka_message_t);

impl<'a> Message<'a> {
    /// The error's code if this is not a record.
    pub(crate) fn error(&self) -> Option<i32> {
        // SAFETY: read as the number it is: brokers may send codes that the enumeration does not know yet.
        let code = unsafe { ptr::addr_of!(self.0.err).cast::<i32>().read() };
        (code != 0).then_some(code)
    }

    /// The error in words.
    pub(crate) fn error_text(&self) -> String {
        // SAFETY: a valid message; the string lives as long as it.
        unsafe { text(rs::rd_kafka_message_errstr(self.0)) }
    }

    /// Tells topics apart while messages of them are at hand; 0 if the message belongs to none.
    pub(crate) fn topic_id(&self) -> usize {
        self.0.rkt as usize
    }

    pub(crate) fn topic(&self) -> &'a str {
        if self.0.rkt.is_null() {
            return "";
        }
        // SAFETY: the message keeps its topic alive, and with it its name. Topic names are ASCII.
        unsafe { CStr::from_ptr(rs::rd_kafka_topic_name(self.0.rkt)) }.to_str().unwrap_or("")
    }

    pub(crate) fn partition(&self) -> i32 {
        self.0.partition
    }

    pub(crate) fn offset(&self) -> i64 {
        self.0.offset
    }

    pub(crate) fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: null, or `key_len` bytes that live as long as the message.
        unsafe { bytes(self.0.key, self.0.key_len) }
    }

    pub(crate) fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: null, or `len` bytes that live as long as the message.
        unsafe { bytes(self.0.payload, self.0.len) }
    }

    /// Milliseconds since the epoch; -1 if there is none. And whether it is the broker's, of the time it appended the record.
    pub(crate) fn timestamp(&self) -> (i64, bool) {
        let mut kind = rs::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: a valid message and a place for the kind.
        let millis = unsafe { rs::rd_kafka_message_timestamp(self.0, &mut kind) };
        (millis, kind == rs::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME)
    }

    /// The headers, in the order they were written.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let mut headers = ptr::null_mut();
        // SAFETY: a valid message; it owns the headers, which are parsed at this first look.
        let found = unsafe { rs::rd_kafka_message_headers(self.0, &mut headers) } as i32 == 0;
        (0..).map_while(move |index| {
            let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
            // SAFETY: `headers` is valid if it was found; name and value live as long as the message.
            unsafe {
                if !found || rs::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut len) as i32 != 0 {
                    return None;
                }
                // Header names are UTF-8 by Kafka's protocol; one that is not cannot be asked for by name anyway.
                Some((CStr::from_ptr(name).to_str().unwrap_or(""), bytes(value, len)))
            }
        })
    }
}

/// # Safety
/// `data` is null or points to `len` bytes that live for `'a`.
unsafe fn bytes<'a>(data: *const c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!data.is_null()).then(|| unsafe { slice::from_raw_parts(data.cast::<u8>(), len) })
}
