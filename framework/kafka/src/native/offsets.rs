use std::ffi::CString;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka_sys as rs;

use super::assignment::code;
use super::{Client, millis};

/// Replaces each offset in the list by what it means: `Beginning` by the log's first offset, `End` by the one after its
/// last, by the client's isolation level. One request per broker, where asking for watermarks takes two per partition.
pub(crate) fn list_offsets(client: &Client, list: &mut TopicPartitionList, timeout: Duration) -> Result<(), RDKafkaErrorCode> {
    // SAFETY: client and list are alive and the list is not used by anybody else. The call reads the offset fields as
    // timestamps, of which Kafka's protocol defines -1 (latest) and -2 (earliest), the values of `End` and `Beginning`.
    code(unsafe { rs::rd_kafka_offsets_for_times(client.native_ptr(), list.ptr(), millis(timeout)) })
}

/// Fills in the offsets and metadata the client's group has committed; waits for open transactions on them if the
/// client reads committed.
pub(crate) fn committed(client: &Client, list: &mut TopicPartitionList, timeout: Duration) -> Result<(), RDKafkaErrorCode> {
    // SAFETY: client and list are alive and the list is not used by anybody else.
    code(unsafe { rs::rd_kafka_committed(client.native_ptr(), list.ptr(), millis(timeout)) })
}

/// The high watermark that came with the newest fetch of a partition; none before the first.
pub(crate) fn cached_high_watermark(client: &Client, topic: &str, partition: i32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: client and name are alive, and there are places for both answers.
    let error =
        unsafe { rs::rd_kafka_get_watermark_offsets(client.native_ptr(), topic.as_ptr(), partition, &mut low, &mut high) };
    (error as i32 == 0 && high >= 0).then_some(high)
}
