//! Requests about consumer groups that `rdkafka` has no calls for: who is in one, and its positions set or removed from outside.

use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka_sys as rs;

use super::{Client, millis, text};

/// A code of librdkafka's with what it said.
#[derive(Debug, Clone)]
pub(crate) struct AdminError {
    pub(crate) code: i32,
    pub(crate) text: String,
}

/// One member, as the group's coordinator describes it.
#[derive(Debug, Clone)]
pub(crate) struct MemberDescription {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) host: String,
}

/// The queue of one request; freed with it.
pub(super) struct Queue(pub(super) NonNull<rs::rd_kafka_queue_t>);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { rs::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

struct Options(NonNull<rs::rd_kafka_AdminOptions_t>);

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { rs::rd_kafka_AdminOptions_destroy(self.0.as_ptr()) };
    }
}

/// The answer; what is read from it lives as long.
pub(super) struct Event(pub(super) NonNull<rs::rd_kafka_event_t>);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours, freed once.
        unsafe { rs::rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}

fn refused(text: &str) -> AdminError {
    AdminError { code: rs::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__INVALID_ARG as i32, text: text.to_owned() }
}

fn name(group: &str) -> Result<CString, AdminError> {
    CString::new(group).map_err(|_| refused("the group's name has a zero byte"))
}

/// Makes a request and waits for its answer.
fn request(
    client: &Client,
    api: rs::rd_kafka_admin_op_t,
    timeout: Duration,
    send: impl FnOnce(*mut rs::rd_kafka_t, *const rs::rd_kafka_AdminOptions_t, *mut rs::rd_kafka_queue_t),
) -> Result<Event, AdminError> {
    let rk = client.native_ptr();
    // SAFETY: the client is alive; both are ours, or null.
    let (queue, options) = unsafe { (rs::rd_kafka_queue_new(rk), rs::rd_kafka_AdminOptions_new(rk, api)) };
    let queue = NonNull::new(queue).map(Queue).ok_or_else(|| refused("no queue"))?;
    let options = NonNull::new(options).map(Options).ok_or_else(|| refused("no options"))?;
    let mut reason: [c_char; 256] = [0; 256];
    // SAFETY: the options are alive and there is room for the reason and its end.
    unsafe {
        rs::rd_kafka_AdminOptions_set_request_timeout(options.0.as_ptr(), millis(timeout), reason.as_mut_ptr(), reason.len());
    }
    send(rk, options.0.as_ptr(), queue.0.as_ptr());
    // A little longer than the request itself, which ends by its own timeout.
    let wait = millis(timeout + Duration::from_secs(5));
    // SAFETY: the queue is alive; the event, if there is one, is ours.
    let event = NonNull::new(unsafe { rs::rd_kafka_queue_poll(queue.0.as_ptr(), wait) }).map(Event);
    let timed_out = rs::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__TIMED_OUT as i32;
    let event = event.ok_or_else(|| AdminError { code: timed_out, text: String::from("no answer") })?;
    // SAFETY: the event is alive; its string lives as long.
    let (code, said) = unsafe {
        let code = rs::rd_kafka_event_error(event.0.as_ptr()) as i32;
        (code, text(rs::rd_kafka_event_error_string(event.0.as_ptr())))
    };
    if code == 0 { Ok(event) } else { Err(AdminError { code, text: said }) }
}

/// # Safety
/// `error` is null or valid; it stays its owner's.
unsafe fn check(error: *const rs::rd_kafka_error_t) -> Result<(), AdminError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: valid by the caller's promise.
    let (code, said) = unsafe { (rs::rd_kafka_error_code(error) as i32, text(rs::rd_kafka_error_string(error))) };
    if code == 0 { Ok(()) } else { Err(AdminError { code, text: said }) }
}

/// Who is in the group; empty if it does not exist.
pub(crate) fn members(client: &Client, group: &str, timeout: Duration) -> Result<Vec<MemberDescription>, AdminError> {
    let group = name(group)?;
    let api = rs::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let event = request(client, api, timeout, |rk, options, queue| {
        let mut groups = [group.as_ptr()];
        // SAFETY: all are alive; librdkafka copies the names.
        unsafe { rs::rd_kafka_DescribeConsumerGroups(rk, groups.as_mut_ptr(), groups.len(), options, queue) };
    })?;
    let mut found = Vec::new();
    // SAFETY: everything reached from here belongs to the event, which outlives this block; indices are below the counts.
    unsafe {
        let result = rs::rd_kafka_event_DescribeConsumerGroups_result(event.0.as_ptr());
        if result.is_null() {
            return Err(refused("the answer is none to the request"));
        }
        let mut count = 0;
        let groups = rs::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        for number in 0..count {
            let description = *groups.add(number);
            match check(rs::rd_kafka_ConsumerGroupDescription_error(description)) {
                Err(error) if error.code == rs::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND as i32 => continue,
                checked => checked?,
            }
            for index in 0..rs::rd_kafka_ConsumerGroupDescription_member_count(description) {
                let member = rs::rd_kafka_ConsumerGroupDescription_member(description, index);
                let instance = rs::rd_kafka_MemberDescription_group_instance_id(member);
                found.push(MemberDescription {
                    id: text(rs::rd_kafka_MemberDescription_consumer_id(member)),
                    instance: (!instance.is_null()).then(|| CStr::from_ptr(instance).to_string_lossy().into_owned()),
                    host: text(rs::rd_kafka_MemberDescription_host(member)),
                });
            }
        }
    }
    Ok(found)
}

/// Sets the group's positions to those of the list.
pub(crate) fn set_positions(
    client: &Client,
    group: &str,
    list: &TopicPartitionList,
    timeout: Duration,
) -> Result<(), AdminError> {
    let group = name(group)?;
    // SAFETY: name and list are alive and copied; the request is ours.
    let alter = unsafe { rs::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), list.ptr()) };
    let api = rs::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS;
    let event = request(client, api, timeout, |rk, options, queue| {
        let mut requests = [alter];
        // SAFETY: all are alive; librdkafka copies the request.
        unsafe { rs::rd_kafka_AlterConsumerGroupOffsets(rk, requests.as_mut_ptr(), requests.len(), options, queue) };
    });
    // SAFETY: ours, freed once, used by nobody any more.
    unsafe { rs::rd_kafka_AlterConsumerGroupOffsets_destroy(alter) };
    let event = event?;
    // SAFETY: what is reached from the event is checked while it is alive.
    unsafe {
        let result = rs::rd_kafka_event_AlterConsumerGroupOffsets_result(event.0.as_ptr());
        let mut count = 0;
        let groups = rs::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &mut count);
        (0..count).try_for_each(|number| check_group(*groups.add(number)))
    }
}

/// Removes the group's positions of the list's partitions.
pub(crate) fn delete_positions(
    client: &Client,
    group: &str,
    list: &TopicPartitionList,
    timeout: Duration,
) -> Result<(), AdminError> {
    let group = name(group)?;
    // SAFETY: name and list are alive and copied; the request is ours.
    let delete = unsafe { rs::rd_kafka_DeleteConsumerGroupOffsets_new(group.as_ptr(), list.ptr()) };
    let api = rs::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS;
    let event = request(client, api, timeout, |rk, options, queue| {
        let mut requests = [delete];
        // SAFETY: all are alive; librdkafka copies the request.
        unsafe { rs::rd_kafka_DeleteConsumerGroupOffsets(rk, requests.as_mut_ptr(), requests.len(), options, queue) };
    });
    // SAFETY: ours, freed once, used by nobody any more.
    unsafe { rs::rd_kafka_DeleteConsumerGroupOffsets_destroy(delete) };
    let event = event?;
    // SAFETY: what is reached from the event is checked while it is alive.
    unsafe {
        let result = rs::rd_kafka_event_DeleteConsumerGroupOffsets_result(event.0.as_ptr());
        let mut count = 0;
        let groups = rs::rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &mut count);
        (0..count).try_for_each(|number| check_group(*groups.add(number)))
    }
}

/// # Safety
/// `group` is valid during the call.
unsafe fn check_group(group: *const rs::rd_kafka_group_result_t) -> Result<(), AdminError> {
    // SAFETY: valid by the caller's promise, and with it the list and its elements.
    unsafe {
        check(rs::rd_kafka_group_result_error(group))?;
        let list = rs::rd_kafka_group_result_partitions(group);
        if list.is_null() {
            return Ok(());
        }
        for index in 0..usize::try_from((*list).cnt).unwrap_or(0) {
            let element = &*(*list).elems.add(index);
            if element.err as i32 != 0 {
                let what = format!("{}-{}: {}", text(element.topic), element.partition, text(rs::rd_kafka_err2str(element.err)));
                return Err(AdminError { code: element.err as i32, text: what });
            }
        }
    }
    Ok(())
}
