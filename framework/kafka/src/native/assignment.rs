use std::sync::Arc;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka_sys as rs;

use super::Client;
use super::transaction::TxnError;

/// Which partitions a consumer reads; librdkafka's group code without a group.
pub(crate) struct Assignment(pub(crate) Arc<Client>);

impl Assignment {
    /// Starts reading partitions that are not read yet, at the offsets in the list.
    pub(crate) fn add(&self, list: &TopicPartitionList) -> Result<(), TxnError> {
        // SAFETY: client and list are alive; librdkafka copies the list. The error, if any, is ours.
        unsafe { TxnError::check(rs::rd_kafka_incremental_assign(self.0.native_ptr(), list.ptr())) }
    }

    /// Stops reading partitions. When this returns nothing fetched of them before can come out of the queue any more.
    pub(crate) fn remove(&self, list: &TopicPartitionList) -> Result<(), TxnError> {
        // SAFETY: as in `add`.
        unsafe { TxnError::check(rs::rd_kafka_incremental_unassign(self.0.native_ptr(), list.ptr())) }
    }

    pub(crate) fn pause(&self, list: &TopicPartitionList) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: as in `add`.
        code(unsafe { rs::rd_kafka_pause_partitions(self.0.native_ptr(), list.ptr()) })
    }

    pub(crate) fn resume(&self, list: &TopicPartitionList) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: as in `add`.
        code(unsafe { rs::rd_kafka_resume_partitions(self.0.native_ptr(), list.ptr()) })
    }
}

pub(super) fn code(error: rs::rd_kafka_resp_err_t) -> Result<(), RDKafkaErrorCode> {
    if error as i32 == 0 { Ok(()) } else { Err(error.into()) }
}
