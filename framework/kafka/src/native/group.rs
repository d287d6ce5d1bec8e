use std::ptr::NonNull;

use rdkafka::client::ClientContext;
use rdkafka_sys as rs;

/// A member's identity at one moment, as a transaction needs it.
pub(crate) struct Metadata(NonNull<rs::rd_kafka_consumer_group_metadata_t>);

// SAFETY: never changed after it was made; librdkafka only reads it.
unsafe impl Send for Metadata {}
// SAFETY: as above.
unsafe impl Sync for Metadata {}

impl Metadata {
    /// What `consumer` is in its group now; none if it has no group.
    pub(crate) fn of<C: ClientContext>(consumer: &rdkafka::client::Client<C>) -> Option<Metadata> {
        // SAFETY: the consumer is alive; the answer is null or ours.
        NonNull::new(unsafe { rs::rd_kafka_consumer_group_metadata(consumer.native_ptr()) }).map(Metadata)
    }

    /// Generation or member epoch; negative while not a member.
    pub(crate) fn generation(&self) -> i32 {
        // SAFETY: alive.
        unsafe { rs::rd_kafka_consumer_group_metadata_generation_id(self.0.as_ptr()) }
    }

    /// Whether the group knows this member. A consumer that left because it polled too seldom, or was put out, has no
    /// member id (classic) or an epoch of 0 or less (KIP-848) until it has rejoined; both protocols count from 1.
    pub(crate) fn is_member(&self) -> bool {
        // SAFETY: alive, and with it the string.
        let named = unsafe { !super::text(rs::rd_kafka_consumer_group_metadata_member_id(self.0.as_ptr())).is_empty() };
        named && self.generation() > 0
    }

    pub(super) fn ptr(&self) -> *const rs::rd_kafka_consumer_group_metadata_t {
        self.0.as_ptr()
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { rs::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) };
    }
}
