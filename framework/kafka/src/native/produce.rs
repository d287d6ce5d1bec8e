use std::ffi::{CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use headwater_core::port::Entry;
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

impl Topic {
    /// Queues records of one partition with one tag and the time of day; never blocks.
    pub(crate) fn send_all(&self, partition: i32, entries: &[Entry<'_>], tag: Tag) -> Taken {
        let message = |(key, value): &Entry<'_>| {
            let ((key, key_len), (payload, len)) = (raw(Some(key)), raw(*value));
            rs::rd_kafka_message_t {
                err: rs::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR,
                rkt: ptr::null_mut(),
                partition,
                payload,
                len,
                key,
                key_len,
                offset: 0,
                _private: ptr::without_provenance_mut::<c_void>(tag.pack()),
            }
        };
        let mut messages: Vec<rs::rd_kafka_message_t> = entries.iter().map(message).collect();
        let count = c_int::try_from(messages.len()).unwrap_or(c_int::MAX);
        // SAFETY: the topic is alive; there are at least `count` messages, and MSG_F_COPY makes librdkafka copy their keys and values. It writes nothing
        // but their errors.
        let taken = unsafe {
            rs::rd_kafka_produce_batch(self.topic.as_ptr(), partition, rs::RD_KAFKA_MSG_F_COPY, messages.as_mut_ptr(), count)
        };
        let taken = usize::try_from(taken).unwrap_or(0);
        if taken == messages.len() {
            return Taken { taken, refused: None };
        }
        let refused = messages.iter().map(code).position(|code| code != 0);
        Taken { taken, refused: refused.map(|number| (number, code(&messages[number]))) }
    }
}

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
    /// Names and values, copied too.
    pub(crate) headers: &'a [(&'a str, Option<&'a [u8]>)],
    pub(crate) tag: Tag,
}

/// What comes back in a record's delivery report.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    /// Whether its offset is asked for.
    pub(crate) tracked: bool,
    /// On which side of the newest mark it was sent; none where nobody sets marks.
    pub(crate) side: Option<bool>,
}

impl Tag {
    fn pack(self) -> usize {
        let side = self.side.map_or(0, |side| 2 | (usize::from(side) << 2));
        usize::from(self.tracked) | side
    }

    fn unpack(packed: usize) -> Tag {
        Tag { tracked: packed & 1 == 1, side: (packed & 2 == 2).then_some(packed & 4 == 4) }
    }
}

/// Headers for one record, in librdkafka's form; null if there are none.
struct Headers(*mut rs::rd_kafka_headers_t);

impl Headers {
    fn of(headers: &[(&str, Option<&[u8]>)]) -> Result<Headers, i32> {
        if headers.is_empty() {
            return Ok(Headers(ptr::null_mut()));
        }
        // SAFETY: no preconditions; the list is ours.
        let list = Headers(unsafe { rs::rd_kafka_headers_new(headers.len()) });
        for (name, value) in headers {
            let (value, length) = raw(*value);
            // SAFETY: the list is alive, and name and value are copied; their lengths are those of slices, which fit.
            let error = unsafe {
                rs::rd_kafka_header_add(list.0, name.as_ptr().cast(), name.len().cast_signed(), value, length.cast_signed())
            };
            if error as i32 != 0 {
                return Err(error as i32);
            }
        }
        Ok(list)
    }

    /// The record that was queued owns them now.
    fn given_away(mut self) {
        self.0 = ptr::null_mut();
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: ours as long as they are not given away, and freed once.
            unsafe { rs::rd_kafka_headers_destroy(self.0) };
        }
    }
}

/// What became of several records.
pub(crate) struct Taken {
    /// How many were queued.
    pub(crate) taken: usize,
    /// The first that was not, and librdkafka's code for why. Those behind it may have been queued, unless the queue is full.
    pub(crate) refused: Option<(usize, i32)>,
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
        let headers = Headers::of(payload.headers)?;
        // Comes back in the delivery report.
        let opaque = ptr::without_provenance_mut::<c_void>(payload.tag.pack());
        // SAFETY: client, topic and headers are alive. Each tag is followed by the arguments that librdkafka reads for it, in
        // their C types; MSG_F_COPY makes it copy key and value. No headers are a null pointer.
        let error = unsafe {
            rs::rd_kafka_producev(
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
                tag::RD_KAFKA_VTYPE_HEADERS,
                headers.0,
                tag::RD_KAFKA_VTYPE_END,
            )
        };
        if error as i32 != 0 {
            return Err(error as i32);
        }
        headers.given_away();
        Ok(())
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

/// A message's error, 0 for none: read as the number it is, for brokers may send codes that the enumeration does not know yet.
fn code(message: &rs::rd_kafka_message_t) -> i32 {
    // SAFETY: C has an `int` there, which is always initialised.
    unsafe { ptr::addr_of!(message.err).cast::<i32>().read() }
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

    /// As it was sent with.
    pub(super) fn tag(&self) -> Tag {
        Tag::unpack(self.get()._private.addr())
    }

    pub(crate) fn error(&self) -> Option<i32> {
        let code = code(self.get());
        (code != 0).then_some(code)
    }

    /// The error in words. `rd_kafka_message_produce_errstr` would have the broker's own for some codes, but for others it points to memory
    /// that is not a string any more.
    pub(crate) fn error_text(&self) -> String {
        type Describe = unsafe extern "C" fn(c_int) -> *const c_char;
        // SAFETY: C passes an enumeration as the integer it is; so declared, the function also takes codes that Rust's enumeration
        // does not know. It answers a constant, or a buffer of this thread for unknown codes, whose text is copied at once.
        unsafe {
            let describe = std::mem::transmute::<unsafe extern "C" fn(rs::rd_kafka_resp_err_t) -> *const c_char, Describe>(
                rs::rd_kafka_err2str,
            );
            super::text(describe(self.error().unwrap_or_default()))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back_as_they_were() {
        for tracked in [false, true] {
            for side in [None, Some(false), Some(true)] {
                let back = Tag::unpack(Tag { tracked, side }.pack());
                assert_eq!((back.tracked, back.side), (tracked, side));
            }
        }
        assert_eq!(Tag { tracked: false, side: None }.pack(), 0);
    }
}
