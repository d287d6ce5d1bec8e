use std::sync::Arc;
use std::time::Duration;

use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka_sys as rs;

use super::detached::detached;
use super::group::Metadata;
use super::{Client, millis, text};

/// An error with librdkafka's advice on what to do about it.
#[derive(Debug, Clone)]
pub(crate) struct TxnError {
    pub(crate) code: i32,
    pub(crate) text: String,
    /// The client is of no use any more.
    pub(crate) fatal: bool,
    /// The same call may be made again, and goes on where it was.
    pub(crate) retriable: bool,
    /// The transaction can only be aborted.
    pub(crate) abort: bool,
}

impl TxnError {
    /// # Safety
    /// `error` is null or an error object of which the caller has the ownership.
    pub(super) unsafe fn check(error: *mut rs::rd_kafka_error_t) -> Result<(), TxnError> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: valid by the caller's promise, and freed once, after the last look at it.
        unsafe {
            let checked = TxnError {
                code: rs::rd_kafka_error_code(error) as i32,
                text: text(rs::rd_kafka_error_string(error)),
                fatal: rs::rd_kafka_error_is_fatal(error) != 0,
                retriable: rs::rd_kafka_error_is_retriable(error) != 0,
                abort: rs::rd_kafka_error_txn_requires_abort(error) != 0,
            };
            rs::rd_kafka_error_destroy(error);
            Err(checked)
        }
    }
}

/// The transaction calls of a producer. `rdkafka` has them too, but its commit flushes in quanta of 100 ms; with
/// delivery reports by callback librdkafka's own flush inside the commit returns with the last acknowledgement.
pub(crate) struct Transactions(pub(crate) Arc<Client>);

impl Transactions {
    pub(crate) fn init(&self, timeout: Duration) -> Result<(), TxnError> {
        // SAFETY: the client is alive; the error is ours.
        unsafe { TxnError::check(rs::rd_kafka_init_transactions(self.0.native_ptr(), millis(timeout))) }
    }

    pub(crate) fn begin(&self) -> Result<(), TxnError> {
        // SAFETY: as in `init`.
        unsafe { TxnError::check(rs::rd_kafka_begin_transaction(self.0.native_ptr())) }
    }

    /// None if the call is lost: librdkafka does not keep its timeout where the group's coordinator changes hands (confluentinc/librdkafka#5456,
    /// #5511), and then this client cannot be used for anything any more.
    pub(crate) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        group: &Arc<Metadata>,
        timeout: Duration,
        limit: Duration,
    ) -> Option<Result<(), TxnError>> {
        let (client, offsets, group) = (Arc::clone(&self.0), offsets.clone(), Arc::clone(group));
        detached(limit, move || {
            // SAFETY: as in `init`; offsets and metadata are alive and copied by librdkafka.
            unsafe {
                TxnError::check(rs::rd_kafka_send_offsets_to_transaction(
                    client.native_ptr(),
                    offsets.ptr(),
                    group.ptr(),
                    millis(timeout),
                ))
            }
        })
    }

    pub(crate) fn commit(&self, timeout: Duration) -> Result<(), TxnError> {
        // SAFETY: as in `init`.
        unsafe { TxnError::check(rs::rd_kafka_commit_transaction(self.0.native_ptr(), millis(timeout))) }
    }

    pub(crate) fn abort(&self, timeout: Duration) -> Result<(), TxnError> {
        // SAFETY: as in `init`.
        unsafe { TxnError::check(rs::rd_kafka_abort_transaction(self.0.native_ptr(), millis(timeout))) }
    }
}
