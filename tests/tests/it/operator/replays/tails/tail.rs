//! What the tail of a partition can look like. A record is written `a1`: key `a`, value 1; keys are told apart by partition.

use std::time::Duration;

use headwater::TopicPartition;
use headwater::port::{GroupMetadata, Log, Producer};
use headwater_tests::until;

use crate::bounded::shapes::Writer;

/// Longer than any of these tests.
const LONG: Duration = Duration::from_secs(300);
const LIMIT: Duration = Duration::from_secs(30);

pub struct Tail {
    pub what: &'static str,
    /// Writes it. Answers what is to stay open.
    pub write: fn(&mut Writer) -> Option<Box<dyn Producer>>,
    /// What is visible of all of it.
    pub all: &'static str,
    /// Offsets `[start, end)`.
    pub part: (i64, i64),
    /// What is visible of these.
    pub within: &'static str,
}

/// A transaction that is not over.
pub struct Open {
    pub producer: Box<dyn Producer>,
    pub metadata: GroupMetadata,
}

pub fn prefix(partition: i32) -> String {
    format!("{partition}:")
}

/// `a1 b2` as keys and values.
pub fn records(partition: i32, text: &str) -> Vec<(String, String)> {
    let record = |word: &str| (format!("{}{}", prefix(partition), &word[..1]), word[1..].to_owned());
    text.split_whitespace().map(record).collect()
}

fn with<T>(writer: &mut Writer, text: &str, write: impl FnOnce(&mut Writer, &[(&str, &str)]) -> T) -> T {
    let records = records(writer.partition, text);
    let records: Vec<(&str, &str)> = records.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    write(writer, &records)
}

/// A transaction, and its marker.
fn commit(writer: &mut Writer, text: &str) {
    with(writer, text, Writer::commit);
}

fn abort(writer: &mut Writer, text: &str) {
    with(writer, text, Writer::abort);
}

fn open(writer: &mut Writer, text: &str) -> Box<dyn Producer> {
    with(writer, text, |writer, records| writer.open(records, LONG))
}

fn delete(writer: &Writer, before: i64) {
    let partition = TopicPartition::new(writer.topic.clone(), writer.partition);
    // A transaction is told to be over before its marker is in the log.
    until("the log is as long", LIMIT, || {
        match writer.log.admin().and_then(|mut admin| admin.delete_records(&[(partition.clone(), before)])) {
            Err(error) if error.to_string().contains("OffsetOutOfRange") => None,
            deleted => {
                deleted.expect("records can be deleted");
                Some(())
            }
        }
    });
}

/// An aborted transaction that begins before a committed one and ends after it.
fn within_an_aborted_one(writer: &mut Writer) -> Option<Box<dyn Producer>> {
    let mut other = open(writer, "x1");
    commit(writer, "a1");
    other.abort().expect("the transaction aborts");
    None
}

/// Offsets 1 and 2 are compacted away.
fn gap_in_the_middle(writer: &mut Writer) -> Option<Box<dyn Producer>> {
    commit(writer, "a1 b1 b2 b3");
    commit(writer, "c1");
    writer.wait_until_gone(&[1, 2]);
    None
}

pub static TRANSACTIONS: [Tail; 12] = [
    Tail { what: "an empty partition", write: |_| None, all: "", part: (0, 0), within: "" },
    Tail {
        what: "two aborted transactions at the end; or the end within one of them",
        write: |writer| {
            commit(writer, "a1 b1");
            abort(writer, "b2");
            abort(writer, "c1");
            None
        },
        all: "a1 b1",
        part: (1, 6),
        within: "b1",
    },
    Tail {
        what: "a commit marker last; or first, and the end before one",
        write: |writer| {
            commit(writer, "a1");
            commit(writer, "b1 a2");
            None
        },
        all: "a1 b1 a2",
        part: (1, 4),
        within: "b1 a2",
    },
    Tail {
        what: "nothing but what was aborted; or a part of that",
        write: |writer| {
            abort(writer, "a1 a2");
            None
        },
        all: "",
        part: (1, 2),
        within: "",
    },
    Tail {
        what: "an aborted transaction in the middle; or its marker alone",
        write: |writer| {
            commit(writer, "a1");
            abort(writer, "b1");
            commit(writer, "c1");
            None
        },
        all: "a1 c1",
        part: (3, 4),
        within: "",
    },
    Tail {
        what: "everything deleted",
        write: |writer| {
            commit(writer, "a1 a2");
            delete(writer, 3);
            None
        },
        all: "",
        part: (3, 3),
        within: "",
    },
    Tail {
        what: "everything visible deleted, an aborted transaction left",
        write: |writer| {
            commit(writer, "a1");
            abort(writer, "b1");
            delete(writer, 2);
            None
        },
        all: "",
        part: (2, 4),
        within: "",
    },
    Tail {
        what: "deleted to the middle of a transaction; or one record of it",
        write: |writer| {
            commit(writer, "a1 b1 c1");
            delete(writer, 1);
            None
        },
        all: "b1 c1",
        part: (1, 2),
        within: "b1",
    },
    Tail {
        what: "a transaction around another one, aborted; or the end before its marker",
        write: within_an_aborted_one,
        all: "a1",
        part: (0, 3),
        within: "a1",
    },
    Tail { what: "the same; or its record alone", write: within_an_aborted_one, all: "a1", part: (0, 1), within: "" },
    Tail {
        what: "the same, committed; or its record alone",
        write: |writer| {
            let mut other = open(writer, "x1");
            commit(writer, "a1");
            other.commit(&[], &writer.metadata).expect("the transaction commits");
            None
        },
        all: "x1 a1",
        part: (0, 1),
        within: "x1",
    },
    Tail {
        what: "a transaction; or the middle of it",
        write: |writer| {
            commit(writer, "a1 b1 c1");
            None
        },
        all: "a1 b1 c1",
        part: (1, 2),
        within: "b1",
    },
];

pub static COMPACTED: [Tail; 4] = [
    Tail {
        what: "a gap at the head; or the start within it",
        write: |writer| {
            // Offsets 0 and 1 go, because 3 is newer.
            commit(writer, "a1 a2");
            commit(writer, "a3 b1");
            writer.wait_until_gone(&[0, 1]);
            None
        },
        all: "a3 b1",
        part: (1, 4),
        within: "a3",
    },
    Tail {
        what: "a gap in the middle; or the end within it",
        write: gap_in_the_middle,
        all: "a1 b3 c1",
        part: (0, 2),
        within: "a1",
    },
    Tail { what: "the same; or nothing but the gap", write: gap_in_the_middle, all: "a1 b3 c1", part: (1, 3), within: "" },
    Tail {
        what: "a gap at the end; or the end within it",
        write: |writer| {
            commit(writer, "a1 b1");
            abort(writer, "b2");
            abort(writer, "c1");
            writer.wait_until_gone(&[3]);
            None
        },
        all: "a1 b1",
        part: (0, 4),
        within: "a1 b1",
    },
];

/// Their parts end where reading has to wait.
pub static OPEN: [Tail; 3] = [
    Tail {
        what: "an open transaction that commits, and others behind it",
        write: |writer| {
            commit(writer, "a1");
            let other = open(writer, "x1 y1");
            commit(writer, "b1");
            abort(writer, "c1");
            Some(other)
        },
        all: "a1 x1 y1 b1",
        part: (0, 2),
        within: "a1",
    },
    Tail {
        what: "an open transaction that aborts, and another one behind it",
        write: |writer| {
            commit(writer, "a1");
            let other = open(writer, "x1 y1");
            commit(writer, "b1");
            Some(other)
        },
        all: "a1 b1",
        part: (0, 2),
        within: "a1",
    },
    Tail {
        what: "nothing open",
        write: |writer| {
            commit(writer, "a1");
            abort(writer, "b1");
            None
        },
        all: "a1",
        part: (0, 4),
        within: "a1",
    },
];
