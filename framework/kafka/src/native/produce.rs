use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka_sys as rs;
use rs::rd_kafka_vtype_t as tag;

use super::{Client, millis};

/// A topic as the producer holds it, so that a send need not look it up by name.
pub(crate) struct Topic {
    topic: NonNull<rs::rd_kafka_topic_t>,
    // Last: the topic must go before the client does.
    _client: Arc<Client>,
}

// SAFETY: librdkafka's topic handles may be used from any thread.
unsafe impl Send for Topic {}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: our own reference, given back once.
        unsafe { rs::rd_kafka_topic_destroy(self.topic.as_ptr()) };
    }
}

/// What is sent. Borrowed: librdkafka copies it.
pub(crate) struct Payload<'a> {
    pub(crate) partition: i32,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    /// Milliseconds since the epoch; librdkafka replaces 0 by the time of day.
    pub(crate) timestamp: i64,
    pub(crate) header: Option<(&'a CStr, &'a [u8])>,
    pub(crate) tracked: bool,
}

/// The sending side of a producer.
pub(crate) struct Sender(pub(crate) Arc<Client>);

impl Sender {
    /// None if the name cannot be a topic's.
    pub(crate) fn topic(&self, name: &str) -> Option<Topic> {
        let name = CString::new(name).ok()?;
        // SAFETY: the client is alive and the name is copied; no topic configuration of our own.
        let topic = NonNull::new(unsafe { rs::rd_kafka_topic_new(self.0.native_ptr(), name.as_ptr(), ptr::null_mut()) })?;
        Some(Topic { topic, _client: self.0.clone() })
    }

    /// Queues one record; never blocks. The error is librdkafka's code.
    pub(crate) fn send(&self, topic: &Topic, payload: &Payload<'_>) -> Result<(), i32> {
        let (key, key_len) = raw(payload.key);
        let (value, value_len) = raw(payload.value);
        // Comes back in the delivery report.
        let opaque = ptr::without_provenance_mut::<c_void>(usize::from(payload.tracked));
        // SAFETY: client and topic are alive. Each tag is followed by the arguments that librdkafka reads for it, in
        // their C types; MSG_F_COPY makes it copy key and value, and headers are always copied.
        let error = unsafe {
            match payload.header {
                None => rs::rd_kafka_producev(
                    self.0.native_ptr(),
                    tag::RD_KAFKA_VTYPE_RKT,
                    topic.topic.as_ptr(),
                    tag::RD_KAFKA_VTYPE_PARTITION,
                    payload.partition,
                    tag::RD_KAFKA_VTYPE_MSGFLAGS,
                    rs::RD_KAFKA_MSG_F_COPY,
                    tag::RD_KAFKA_VTYPE_VALUE,
                    value,
                    value_len,
                    tag::RD_KAFKA_VTYPE_KEY,
                    key,
                    key_len,
                    tag::RD_KAFKA_VTYPE_TIMESTAMP,
                    payload.timestamp,
                    tag::RD_KAFKA_VTYPE_OPAQUE,
                    opaque,
                    tag::RD_KAFKA_VTYPE_END,
                ),
                Some((name, header)) => rs::rd_kafka_producev(
                    self.0.native_ptr(),
                    tag::RD_KAFKA_VTYPE_RKT,
                    topic.topic.as_ptr(),
                    tag::RD_KAFKA_VTYPE_PARTITION,
                    payload.partition,
                    tag::RD_KAFKA_VTYPE_MSGFLAGS,
                    rs::RD_KAFKA_MSG_F_COPY,
                    tag::RD_KAFKA_VTYPE_VALUE,
                    value,
                    value_len,
                    tag::RD_KAFKA_VTYPE_KEY,
                    key,
                    key_len,
                    tag::RD_KAFKA_VTYPE_TIMESTAMP,
                    payload.timestamp,
                    tag::RD_KAFKA_VTYPE_OPAQUE,
                    opaque,
                    tag::RD_KAFKA_VTYPE_HEADER,
                    name.as_ptr(),
                    header.as_ptr().cast::<c_void>(),
                    header.len(),
                    tag::RD_KAFKA_VTYPE_END,
                ),
            }
        };
        if error as i32 == 0 { Ok(()) } else { Err(error as i32) }
    }

    /// Sends at once what lingers and serves delivery reports until nothing is outstanding or the time is up: whether
    /// everything is reported on.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        // SAFETY: the client is alive.
        unsafe { rs::rd_kafka_flush(self.0.native_ptr(), millis(timeout)) as i32 == 0 }
    }

    /// Drops what is queued or under way, so that closing does not wait for it.
    pub(crate) fn purge(&self) {
        // SAFETY: the client is alive.
        unsafe { rs::rd_kafka_purge(self.0.native_ptr(), rs::RD_KAFKA_PURGE_F_QUEUE | rs::RD_KAFKA_PURGE_F_INFLIGHT) };
    }
}

fn raw(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((ptr::null_mut(), 0), |b| (b.as_ptr().cast_mut().cast(), b.len()))
}

/// What became of one record; lives for the length of the callback that reports it.
pub(crate) struct Delivered<'a> {
    message: NonNull<rs::rd_kafka_message_t>,
    _callback: PhantomData<&'a ()>,
}

impl<'a> Delivered<'a> {
    pub(super) fn new(message: &'a rs::rd_kafka_message_t) -> Delivered<'a> {
        Delivered { message: NonNull::from(message), _callback: PhantomData }
    }

    fn get(&self) -> &rs::rd_kafka_message_t {
        // SAFETY: valid for `'a`, and only read.
        unsafe { self.message.as_ref() }
    }

    /// Whether anybody wants to know.
    pub(super) fn matters(&self) -> bool {
        !self.get()._private.is_null() || self.error().is_some()
    }

    pub(crate) fn error(&self) -> Option<i32> {
        // SAFETY: read as the number it is: brokers may send codes that the enumeration does not know yet.
        let code = unsafe { ptr::addr_of!((*self.message.as_ptr()).err).cast::<i32>().read() };
        (code != 0).then_some(code)
    }

    pub(crate) fn error_text(&self) -> String {
        // SAFETY: a valid message; the string lives as long as it.
        unsafe { super::text(rs::rd_kafka_message_produce_errstr(self.message.as_ptr())) }
    }

    /// Tells topics apart as long as the producer holds them.
    pub(crate) fn topic_id(&self) -> usize {
        self.get().rkt as usize
    }

    pub(crate) fn topic(&self) -> String {
        // SAFETY: the message keeps its topic alive, and with it its name.
        unsafe { super::text(rs::rd_kafka_topic_name(self.get().rkt)) }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.get().partition
    }

    /// Negative if the broker did not tell.
    pub(crate) fn offset(&self) -> i64 {
        self.get().offset
    }
}
