use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use headwater::port::{Log, LogError, NewTopic, ProducerConfig};
use headwater::{Outgoing, Timestamp, TopicName, partition_for};

use super::{Kind, ORDERS, Order};

/// Customers take turns.
const CUSTOMERS: u64 = 97;

/// A record as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Its number, in order of writing.
    pub number: u64,
    /// What it says.
    pub order: Order,
    /// Its key.
    pub key: String,
    /// Its value's bytes.
    pub value: Vec<u8>,
}

/// Orders without end: about one in a hundred undecodable, as many that panic on either side of the rekey, a few for the other kinds.
#[derive(Clone, Debug)]
pub struct Orders {
    next: u64,
    now: i64,
}

impl Orders {
    /// From number 0, dated now.
    #[expect(clippy::disallowed_methods, reason = "brokers compare what is written with the time of day")]
    pub fn new() -> Orders {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Orders { next: 0, now: now.as_millis() as i64 }
    }
}

impl Default for Orders {
    fn default() -> Orders {
        Orders::new()
    }
}

impl Iterator for Orders {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        let number = self.next;
        self.next += 1;
        let kind = match number % 10_000 {
            1_234 | 7_001 => Kind::Large,
            2_345 => Kind::Future,
            3_456 | 8_888 => Kind::Refused,
            rest => match rest % 100 {
                17 => Kind::Undecodable,
                53 => Kind::Panic,
                71 => Kind::PanicBehind,
                _ => Kind::Fine,
            },
        };
        let ahead = match kind {
            Kind::Future => 5 * 365 * 86_400_000,
            Kind::Refused => 5 * 3_600_000,
            _ => 0,
        };
        let group = format!("group-{}", number % 13);
        let order = Order { kind, group, amount: number % 1000, at: self.now + (number / 10) as i64 + ahead };
        let mut value = serde_json::to_vec(&order).unwrap_or_default();
        if kind == Kind::Undecodable {
            value.pop();
        }
        Some(Sent { number, key: format!("customer-{}", number % CUSTOMERS), order, value })
    }
}

/// Creates the input if it is missing, and writes these records, each with its number in the header `number`.
///
/// # Errors
/// The log refuses.
pub fn write(log: &dyn Log, partitions: i32, orders: &[Sent]) -> Result<(), LogError> {
    let config = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
    log.admin()?.create(&[NewTopic { name: ORDERS.to_owned(), partitions, replication: None, config }])?;
    let mut producer = log.producer(&ProducerConfig { transactional_id: None })?;
    producer.init()?;
    let topic = TopicName::from(ORDERS);
    for sent in orders {
        let number = sent.number.to_string();
        producer.send(Outgoing {
            topic: &topic,
            partition: partition_for(Some(sent.key.as_bytes()), partitions, 0),
            key: Some(sent.key.as_bytes()),
            value: Some(&sent.value),
            timestamp: Timestamp::from_millis(orders[0].order.at),
            headers: &[("number", Some(number.as_bytes()))],
            track_offset: false,
        })?;
    }
    producer.flush()
}
