use std::fmt;

/// A request's api key (<https://kafka.apache.org/protocol#protocol_api_keys>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Api(pub i16);

impl Api {
    /// Writes records.
    pub const PRODUCE: Api = Api(0);
    /// Reads records.
    pub const FETCH: Api = Api(1);
    /// Looks up logs' bounds.
    pub const LIST_OFFSETS: Api = Api(2);
    /// Looks up brokers, topics and partitions' leaders.
    pub const METADATA: Api = Api(3);
    /// Looks up a group's committed positions.
    pub const OFFSET_FETCH: Api = Api(9);
    /// Asks which broker looks after a group or a transactional id.
    pub const FIND_COORDINATOR: Api = Api(10);
    /// A member of a classic group is there.
    pub const HEARTBEAT: Api = Api(12);
    /// Registers a producer.
    pub const INIT_PRODUCER_ID: Api = Api(22);
    /// Adds partitions to a transaction.
    pub const ADD_PARTITIONS_TO_TXN: Api = Api(24);
    /// Adds a group's positions to a transaction.
    pub const ADD_OFFSETS_TO_TXN: Api = Api(25);
    /// Commits or aborts a transaction.
    pub const END_TXN: Api = Api(26);
    /// Writes positions within a transaction.
    pub const TXN_OFFSET_COMMIT: Api = Api(28);
    /// A member of a KIP-848 group is there.
    pub const CONSUMER_GROUP_HEARTBEAT: Api = Api(68);
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match *self {
            Api::PRODUCE => "Produce",
            Api::FETCH => "Fetch",
            Api::LIST_OFFSETS => "ListOffsets",
            Api::METADATA => "Metadata",
            Api::OFFSET_FETCH => "OffsetFetch",
            Api::FIND_COORDINATOR => "FindCoordinator",
            Api::HEARTBEAT => "Heartbeat",
            Api::INIT_PRODUCER_ID => "InitProducerId",
            Api::ADD_PARTITIONS_TO_TXN => "AddPartitionsToTxn",
            Api::ADD_OFFSETS_TO_TXN => "AddOffsetsToTxn",
            Api::END_TXN => "EndTxn",
            Api::TXN_OFFSET_COMMIT => "TxnOffsetCommit",
            Api::CONSUMER_GROUP_HEARTBEAT => "ConsumerGroupHeartbeat",
            Api(key) => return write!(f, "api {key}"),
        })
    }
}
