//! The one place with `unsafe`: the parts of librdkafka that `rdkafka` does not offer or offers too slowly. Everything
//! that leaves this module is a safe type that keeps the client it needs alive.
//!
//! - [`client`]: clients whose logs, errors and delivery reports come through callbacks, so that they are served by the
//!   same call that fetches or flushes (`rdkafka` turns them into events, which cost a 100 ms quantum per flush).
//! - [`closing`]: what librdkafka takes its time with, in the background.
//! - [`consume`]: records in batches instead of one call each.
//! - [`assignment`], [`offsets`]: what a consumer without a group does with partitions and their bounds.
//! - [`produce`], [`transaction`]: sending without an allocation of ours, flushing and committing without quanta.
//! - [`group`]: the generation in a group's metadata.
//! - [`member_commit`]: positions committed without waiting for the answer.
//! - [`topics`]: topics' ids.
//! - [`groups`]: a group's members and positions, from outside.

mod assignment;
mod client;
mod closing;
mod consume;
mod detached;
mod group;
mod groups;
mod member_commit;
mod offsets;
mod produce;
mod topics;
mod transaction;

pub(crate) use assignment::Assignment;
pub(crate) use client::{Client, Role, connect, open, serve};
pub(crate) use closing::wait_until_closed;
pub(crate) use consume::{ConsumerQueue, Message};
pub(crate) use group::Metadata;
pub(crate) use groups::{AdminError, delete_positions, members, set_positions};
pub(crate) use member_commit::MemberCommit;
pub(crate) use offsets::{cached_high_watermark, committed, list_offsets};
pub(crate) use produce::{Delivered, Payload, Sender, Tag, Taken, Topic};
pub(crate) use topics::topic_ids;
pub(crate) use transaction::{Transactions, TxnError};

use std::ffi::{CStr, c_char};
use std::time::Duration;

/// Text from librdkafka, which is ASCII but for what came over the wire.
///
/// # Safety
/// `text` is null or a NUL-terminated string that outlives this call.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null; the rest is the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The code of this number; none for one that `rdkafka` does not know.
pub(crate) fn code_of(number: i32) -> Option<rdkafka::error::RDKafkaErrorCode> {
    rdkafka::types::RDKafkaRespErr::try_from(number).ok().map(Into::into)
}

/// librdkafka's timeouts: milliseconds, where a negative number would mean for ever. Rounds up: a wait of less than a
/// millisecond must not become a busy loop.
fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
}
