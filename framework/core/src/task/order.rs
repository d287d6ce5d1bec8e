//! Which record is next: the total order (timestamp, input, offset), so that a replay chooses as the live run did.

use super::queue::InputQueue;
use crate::topology::SourceRole;

/// The input whose first record is next; none if it cannot be known yet or there is nothing.
///
/// An empty queue may still get a record that comes first, so it is waited for until its partition is known to be read to the end
/// (KIP-695's reasoning, without its time limit). Until every table has been read to the end it had at the start, only
/// tables proceed.
pub(super) fn choose(inputs: &[InputQueue]) -> Option<usize> {
    let gated = inputs.iter().any(|input| input.role == SourceRole::Table && !input.is_past_gate());
    let eligible = |input: &&InputQueue| !gated || input.role == SourceRole::Table;
    if inputs.iter().filter(eligible).any(|input| input.head.is_none() && !input.has_nothing_for_now()) {
        return None;
    }
    let heads = inputs.iter().enumerate().filter(|(_, input)| eligible(input));
    heads
        .filter_map(|(number, input)| Some((input.head?, number)))
        .min_by_key(|(head, number)| (head.timestamp, *number))
        .map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::Failure;
    use crate::operators::{Refusal, Source, Step};
    use crate::policy::Policy;
    use crate::port::{Appended, Batch};
    use crate::record::{Record, TopicPartition};
    use crate::task::clock::Clock;
    use crate::task::queue::Head;
    use crate::time::Timestamp;

    struct Nothing;

    impl Source for Nothing {
        fn load(&mut self, record: &Record) -> Result<Timestamp, Refusal> {
            Ok(record.timestamp)
        }
        fn emit(&mut self, _step: &mut Step<'_>) -> Result<(), Failure> {
            Ok(())
        }
    }

    /// An input in words: `s` stream or `t` table, the first record's time or `-`, `$` when read to the end, `<` when a table is still before its gate, `|`
    /// when it is fenced, `*` when it has been read before.
    fn input(words: &str) -> InputQueue {
        let role = if words.starts_with('t') { SourceRole::Table } else { SourceRole::Stream };
        let gate = if words.contains('<') { 100 } else { 0 };
        let clock = Clock::new(role, Duration::ZERO, 0);
        let partition = TopicPartition::new("topic", 0);
        let mut queue = InputQueue::new(partition.clone(), role, Policy::Fail, 0, Box::new(Nothing), clock, 0, gate);
        let time = words[1..].trim_end_matches(['$', '<', '|', '*']).parse().ok().map(Timestamp::from_millis);
        let record = time.map(|timestamp| Record { offset: 0, timestamp, key: None, value: None, headers: Vec::new() });
        let position = i64::from(record.is_some());
        let (records, at_end) = (record.into_iter().collect(), words.contains('$'));
        queue.receive(Batch { partition, records, position, at_end, appended: Appended::Unknown });
        queue.head = time.map(|timestamp| Head { timestamp, offset: 0, header: None });
        queue.has_been_read = words.contains('*');
        queue.set_fence(words.contains('|').then_some(0));
        queue
    }

    #[track_caller]
    fn check(inputs: &str, chosen: Option<usize>) {
        let inputs: Vec<InputQueue> = inputs.split(' ').map(input).collect();
        assert_eq!(choose(&inputs), chosen);
    }

    #[test]
    fn the_earliest_record_is_next_and_ties_go_to_the_first_input() {
        check("s7 s5 s6", Some(1));
        check("s5 s5", Some(0));
    }

    #[test]
    fn an_empty_input_is_waited_for_until_it_is_known_to_be_read() {
        check("s7 s-", None);
        check("s7 s-$", Some(0));
        check("s-$ s-$", None);
    }

    #[test]
    fn streams_wait_for_tables_at_the_start() {
        check("s1 t9<", Some(1));
        check("s1 t-<", None);
        check("s- t9<", Some(1));
        check("s1 t9", Some(0));
        check("s1 t-$", Some(0));
    }

    #[test]
    fn streams_wait_for_a_fenced_table_only_if_it_was_never_read() {
        check("s1 t9|", Some(0));
        check("s1 t9<|*", Some(0));
        check("s1 t9<|", None);
    }
}
