use std::collections::HashMap;
use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use headwater_core::port::TopicId;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as rs;

use super::assignment::code;
use super::{Client, millis, text};

/// The topics' ids by name, none where the cluster does not know any. Topics that do not exist are left out.
///
/// The answer comes through a queue of its own, so that nothing else of the client is touched.
pub(crate) fn topic_ids(
    client: &Client,
    topics: &[&str],
    timeout: Duration,
) -> Result<HashMap<String, Option<TopicId>>, RDKafkaErrorCode> {
    // Topic names are ASCII letters, digits and three signs: no NUL.
    let names: Vec<CString> = topics.iter().filter_map(|topic| CString::new(*topic).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let rk = client.native_ptr();
    // SAFETY: the client is alive; names and pointers live until after the call that copies them. What is made here is destroyed
    // here, once, the event after the last look at what it owns. The option call writes no more than the size it is told.
    unsafe {
        let collection = rs::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let queue = rs::rd_kafka_queue_new(rk);
        let options = rs::rd_kafka_AdminOptions_new(rk, rs::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        let mut complaint = [0 as c_char; 256];
        rs::rd_kafka_AdminOptions_set_request_timeout(options, millis(timeout), complaint.as_mut_ptr(), complaint.len());
        rs::rd_kafka_DescribeTopics(rk, collection, options, queue);
        // The request ends by itself when its time is up, so this is only for a client that is being torn down.
        let event = rs::rd_kafka_queue_poll(queue, millis(timeout + Duration::from_secs(5)));
        rs::rd_kafka_AdminOptions_destroy(options);
        rs::rd_kafka_TopicCollection_destroy(collection);
        let answer = match NonNull::new(event) {
            None => Err(RDKafkaErrorCode::OperationTimedOut),
            Some(event) => {
                let answer = read(event);
                rs::rd_kafka_event_destroy(event.as_ptr());
                answer
            }
        };
        rs::rd_kafka_queue_destroy(queue);
        answer
    }
}

/// # Safety
/// `event` is alive.
unsafe fn read(event: NonNull<rs::rd_kafka_event_t>) -> Result<HashMap<String, Option<TopicId>>, RDKafkaErrorCode> {
    let mut found = HashMap::new();
    // SAFETY: the event owns its result and that its descriptions, which are read while it is alive.
    unsafe {
        code(rs::rd_kafka_event_error(event.as_ptr()))?;
        let result = rs::rd_kafka_event_DescribeTopics_result(event.as_ptr());
        if result.is_null() {
            return Err(RDKafkaErrorCode::BadMessage);
        }
        let mut count = 0;
        let descriptions: *mut *const rs::rd_kafka_TopicDescription_t =
            rs::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if descriptions.is_null() || count == 0 {
            return Ok(found);
        }
        for description in slice::from_raw_parts(descriptions, count) {
            let error = rs::rd_kafka_TopicDescription_error(*description);
            if !error.is_null() {
                match RDKafkaErrorCode::from(rs::rd_kafka_error_code(error)) {
                    RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => continue,
                    // There, but its id is none of this client's business.
                    RDKafkaErrorCode::TopicAuthorizationFailed => {}
                    other => return Err(other),
                }
            }
            let id = if error.is_null() { rs::rd_kafka_TopicDescription_topic_id(*description) } else { ptr::null() };
            let id = (!id.is_null()).then(|| {
                let halves = [rs::rd_kafka_Uuid_most_significant_bits(id), rs::rd_kafka_Uuid_least_significant_bits(id)];
                (halves[0] as u64 as u128) << 64 | halves[1] as u64 as u128
            });
            // Zero is how brokers without ids say that there is none.
            let id = id.filter(|id| *id != 0).map(|id| TopicId(id.to_be_bytes()));
            found.insert(text(rs::rd_kafka_TopicDescription_name(*description)), id);
        }
    }
    Ok(found)
}
