use std::ffi::{CStr, c_void};
use std::ptr;
use std::slice;

use rdkafka_sys as rs;

use super::text;

/// Messages taken out of queues and not yet handed over.
#[derive(Default)]
pub(super) struct Taken(Vec<*mut rs::rd_kafka_message_t>);

// SAFETY: messages may be looked at and freed on any thread.
unsafe impl Send for Taken {}

impl Taken {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what `take` writes into an array of so many, of which it answers how many there are. Answers that.
    pub(super) fn extend(&mut self, max: usize, take: impl FnOnce(*mut *mut rs::rd_kafka_message_t) -> isize) -> usize {
        let had = self.0.len();
        self.0.resize(had + max, ptr::null_mut());
        let got = usize::try_from(take(self.0[had..].as_mut_ptr())).unwrap_or(0);
        self.0.truncate(had + got);
        got
    }

    pub(super) fn clear(&mut self) {
        for message in self.0.drain(..) {
            // SAFETY: taken from a queue and freed once.
            unsafe { rs::rd_kafka_message_destroy(message) };
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Shows all of them to `f` and frees them.
pub(super) fn show<T>(taken: &mut Taken, f: impl FnOnce(&[Message<'_>]) -> T) -> T {
    let free = Free(taken);
    let all = &free.0.0;
    // SAFETY: the pointers are valid messages until `free` is dropped, after `f`. `Message` is a transparent wrapper
    // around such a pointer, and the lifetime it gets ends with this call.
    let messages = unsafe { slice::from_raw_parts(all.as_ptr().cast::<Message<'_>>(), all.len()) };
    f(messages)
}

/// Frees the messages, also when what looks at them panics.
struct Free<'a>(&'a mut Taken);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// A record, or word of a partition's end or failure; lives while it is shown.
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
