use proptest::prelude::*;

use super::*;

const PARTITIONS: i32 = 2;

#[derive(Debug, Clone)]
enum Op {
    Send { producer: usize, partition: i32 },
    Commit { producer: usize },
    Abort { producer: usize },
    Crash { producer: usize },
    Poll { max: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let producer = 0..3_usize;
    prop_oneof![
        6 => (producer.clone(), 0..PARTITIONS).prop_map(|(producer, partition)| Op::Send { producer, partition }),
        2 => producer.clone().prop_map(|producer| Op::Commit { producer }),
        1 => producer.clone().prop_map(|producer| Op::Abort { producer }),
        1 => producer.prop_map(|producer| Op::Crash { producer }),
        3 => (1..5_usize).prop_map(|max| Op::Poll { max }),
    ]
}

/// What a record's transaction came to; indexed by the number that is the record's value.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Open(usize),
    Committed,
    Aborted,
}

struct World {
    log: MemoryLog,
    producers: Vec<Box<dyn Producer>>,
    reader: Box<dyn Reader>,
    /// Every record sent: its partition and its fate.
    sent: Vec<(i32, Fate)>,
    read: Vec<Vec<usize>>,
    positions: Vec<i64>,
}

impl World {
    fn new() -> World {
        let log = log(&[("t", PARTITIONS)]);
        let producers = (0..3).map(|index| World::producer(&log, index)).collect();
        let from: Vec<_> = (0..PARTITIONS).map(|partition| (tp("t", partition), 0)).collect();
        let (read, positions) = (vec![Vec::new(); PARTITIONS as usize], vec![0; PARTITIONS as usize]);
        World { producers, reader: reader(&log, false, &from), log, sent: Vec::new(), read, positions }
    }

    fn producer(log: &MemoryLog, index: usize) -> Box<dyn Producer> {
        let mut producer = producer(log, Some(&format!("x{index}")));
        producer.begin().unwrap();
        producer
    }

    fn close(&mut self, producer: usize, fate: Fate) {
        let open = self.sent.iter_mut().filter(|(_, f)| *f == Fate::Open(producer));
        open.for_each(|(_, f)| *f = fate);
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Send { producer, partition } => {
                let value = self.sent.len().to_string();
                send(&mut *self.producers[producer], "t", partition, &value).unwrap();
                self.sent.push((partition, Fate::Open(producer)));
            }
            Op::Commit { producer } => {
                commit(&mut *self.producers[producer]).unwrap();
                self.producers[producer].begin().unwrap();
                self.close(producer, Fate::Committed);
            }
            Op::Abort { producer } => {
                self.producers[producer].abort().unwrap();
                self.producers[producer].begin().unwrap();
                self.close(producer, Fate::Aborted);
            }
            Op::Crash { producer } => {
                self.producers[producer] = World::producer(&self.log, producer);
                self.close(producer, Fate::Aborted);
            }
            Op::Poll { max } => drop(self.poll(max)),
        }
    }

    fn poll(&mut self, max: usize) -> Vec<Batch> {
        let batches = self.reader.poll(max, NOW).unwrap();
        assert!(batches.iter().map(|batch| batch.records.len()).sum::<usize>() <= max);
        for batch in &batches {
            let partition = batch.partition.partition as usize;
            for record in &batch.records {
                let number: usize = std::str::from_utf8(record.value.as_ref().unwrap()).unwrap().parse().unwrap();
                assert_eq!(self.sent[number].1, Fate::Committed, "record {number} was shown too early");
                assert!(record.offset >= self.positions[partition] && record.offset < batch.position);
                self.read[partition].push(number);
            }
            self.positions[partition] = batch.position;
        }
        batches
    }

    fn committed(&self, partition: i32) -> Vec<usize> {
        let shown = |(_, (of, fate)): &(usize, &(i32, Fate))| *of == partition && *fate == Fate::Committed;
        self.sent.iter().enumerate().filter(shown).map(|(number, _)| number).collect()
    }
}

proptest! {
    #[test]
    fn a_committed_reader_sees_exactly_what_was_committed(ops in proptest::collection::vec(op(), 0..200), commits in [any::<bool>(); 3]) {
        let mut world = World::new();
        ops.iter().for_each(|op| world.run(op));
        for (producer, commits) in commits.into_iter().enumerate() {
            world.run(&if commits { Op::Commit { producer } } else { Op::Abort { producer } });
        }
        let limit = world.sent.len() + 2;
        let polls = (0..=limit).take_while(|_| !world.poll(1).is_empty()).count();
        prop_assert!(polls <= limit, "polling does not come to an end");
        for partition in 0..PARTITIONS {
            prop_assert_eq!(&world.read[partition as usize], &world.committed(partition));
            prop_assert!(world.positions[partition as usize] >= world.log.high_watermark("t", partition));
        }
    }
}
