//! The codes, one for each page in `docs/errors`.

/// A configuration key that does not exist.
pub const UNKNOWN_KEY: &str = "HW0001";
/// A configuration value that its key cannot take.
pub const BAD_VALUE: &str = "HW0002";
/// No broker answered.
pub const NO_BROKER: &str = "HW0003";
/// An input topic does not exist.
pub const MISSING_INPUT_TOPIC: &str = "HW0004";
/// Inputs that are used together have different numbers of partitions.
pub const NOT_COPARTITIONED: &str = "HW0005";
/// A topic the application made for itself is not as it made it.
pub const INTERNAL_TOPIC: &str = "HW0006";
/// A record could not be decoded and the input's policy is to fail.
pub const UNDECODABLE_RECORD: &str = "HW0007";
/// The application's code failed or panicked on a record.
pub const USER_CODE: &str = "HW0008";
/// Another process uses the state directory.
pub const STATE_IN_USE: &str = "HW0009";
/// The state directory is another application's or of another format.
pub const STATE_FOREIGN: &str = "HW0010";
/// Another process took over.
pub const FENCED: &str = "HW0011";
/// The topology does not fit together.
pub const INVALID_TOPOLOGY: &str = "HW0012";
/// A topic deletes records sooner than its history needs.
pub const RETENTION_TOO_SHORT: &str = "HW0013";
/// Topics would have one copy although there are several brokers.
pub const SINGLE_REPLICA: &str = "HW0014";
/// The topology would misread the state there is.
pub const TOPOLOGY_CHANGED: &str = "HW0020";
/// Another version of the topology has taken over.
pub const SUPERSEDED: &str = "HW0021";
/// A reset was begun and has not ended.
pub const UNFINISHED_RESET: &str = "HW0022";
/// Something needs a group without members.
pub const GROUP_IN_USE: &str = "HW0023";
/// The control topic cannot be read.
pub const CONTROL_TOPIC: &str = "HW0024";
/// An input's log does not have the committed position.
pub const INPUT_OUT_OF_RANGE: &str = "HW0030";
/// A backfill computed other values than there are.
pub const DIFFERENT: &str = "HW0050";
/// Another generation of the application is in force.
pub const NOT_IN_FORCE: &str = "HW0051";
/// A new generation reads what the old one does not.
pub const NO_COMMON_CUT: &str = "HW0052";
/// The memory limit is too small for the number of workers.
pub const MEMORY_TOO_SMALL: &str = "HW0031";
/// What a record leads to cannot be written.
pub const REFUSED_RECORD: &str = "HW0041";
/// A system outside of the log does not take what it is handed.
pub const SINK_FAILED: &str = "HW0043";
/// A record's event time is too far ahead of the time it was appended.
pub const TOO_FAR_AHEAD: &str = "HW0042";
