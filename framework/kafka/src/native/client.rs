use std::ffi::{c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaType;
use rdkafka_sys as rs;

use super::closing::in_background;
use super::produce::Delivered;
use super::{millis, text};
use crate::context::Context;

type Inner = rdkafka::client::Client<Context>;

/// A client made by [`open`]; shared by what works on it, and closed in the background when nothing does.
pub(crate) struct Client(ManuallyDrop<Inner>);

impl Deref for Client {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: taken once, and nothing looks at it afterwards.
        in_background(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// What a client is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Reads, or only asks.
    Consumer,
    /// Writes.
    Producer,
}

/// Starts a client. It connects by itself, in the background.
pub(crate) fn open(config: &ClientConfig, role: Role, context: Context) -> Result<Arc<Client>, KafkaError> {
    let native = config.create_native_config()?;
    // SAFETY: `native` is a valid configuration until `Inner::new` takes it. The callbacks have librdkafka's
    // signatures and rely only on the opaque pointer being a `Context`, which `Inner::new` sets.
    unsafe {
        rs::rd_kafka_conf_set_log_cb(native.ptr(), Some(on_log));
        rs::rd_kafka_conf_set_error_cb(native.ptr(), Some(on_error));
        if role == Role::Producer {
            rs::rd_kafka_conf_set_dr_msg_cb(native.ptr(), Some(on_delivery));
        }
    }
    let kind = match role {
        Role::Consumer => RDKafkaType::RD_KAFKA_CONSUMER,
        Role::Producer => RDKafkaType::RD_KAFKA_PRODUCER,
    };
    let client = Client(ManuallyDrop::new(Inner::new(config, native, kind, context)?));
    if config.get("group.id").is_some() {
        // SAFETY: the client is alive. From here on its logs and errors come through the queue that records come from.
        unsafe { rs::rd_kafka_poll_set_consumer(client.native_ptr()) };
    }
    Ok(Arc::new(client))
}

/// Waits until a client can ask brokers of the cluster something, for so long at most. The addresses it starts from are answered by connections of
/// their own, which are given up once the brokers behind them are known: so it asks twice.
pub(crate) fn connect(client: &Client, timeout: Duration) {
    for _ in 0..2 {
        let mut metadata = std::ptr::null();
        // SAFETY: the client is alive. Asked about no topic, for which null stands, it answers with metadata that are ours to destroy, or with none.
        unsafe {
            rs::rd_kafka_metadata(client.native_ptr(), 0, std::ptr::null_mut(), &mut metadata, millis(timeout));
            if metadata.is_null() {
                return;
            }
            rs::rd_kafka_metadata_destroy(metadata);
        }
    }
}

/// Serves logs, errors and delivery reports, waiting up to `timeout` for the first. Not for clients with a group: theirs
/// are served by fetching.
pub(crate) fn serve(client: &Client, timeout: Duration) {
    // SAFETY: the client is alive.
    unsafe { rs::rd_kafka_poll(client.native_ptr(), millis(timeout)) };
}

unsafe extern "C" fn on_log(client: *const rs::rd_kafka_t, level: c_int, facility: *const c_char, line: *const c_char) {
    if client.is_null() {
        return;
    }
    // SAFETY: `Inner::new` made the opaque pointer that of its `Arc<Context>` and drops that after the client. Strings
    // are librdkafka's, valid during the callback.
    unsafe {
        let context = rs::rd_kafka_opaque(client).cast::<Context>();
        if let Some(context) = context.as_ref() {
            context.note_log(level, text(facility).trim(), text(line).trim());
        }
    }
}

unsafe extern "C" fn on_error(_: *mut rs::rd_kafka_t, code: c_int, reason: *const c_char, context: *mut c_void) {
    // SAFETY: as in `on_log`.
    unsafe {
        if let Some(context) = context.cast::<Context>().as_ref() {
            context.note_error(code, text(reason).trim());
        }
    }
}

unsafe extern "C" fn on_delivery(_: *mut rs::rd_kafka_t, message: *const rs::rd_kafka_message_t, context: *mut c_void) {
    // SAFETY: librdkafka passes a valid message for the length of the callback; the context as in `on_log`.
    unsafe {
        let delivered = Delivered::new(&*message);
        let Some(context) = context.cast::<Context>().as_ref() else { return };
        let tag = delivered.tag();
        if let Some(side) = tag.side {
            context.under_way.arrived(side);
        }
        // Most records are neither refused nor tracked: they cost no lock.
        if tag.tracked || delivered.error().is_some() {
            context.deliveries.lock().unwrap_or_else(PoisonError::into_inner).note(&delivered);
        }
    }
}
