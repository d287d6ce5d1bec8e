use std::time::SystemTime;

use headwater_core::Timestamp;

/// The time of day. Everything inwards of this crate is told it.
#[expect(clippy::disallowed_methods, reason = "the shell is where the clock is asked")]
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}
