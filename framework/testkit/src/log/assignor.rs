use std::collections::{BTreeMap, BTreeSet};

use headwater_core::{TopicName, TopicPartition};

/// Kafka's range assignor: for each topic a contiguous range per subscriber, the first ones taking one more where it does
/// not divide. Members come in a fixed order, so topics with equal counts are cut at the same places: partition
/// `p` of all of them goes to one member.
pub(super) fn range(subscriptions: &[&[String]], counts: &BTreeMap<TopicName, i32>) -> Vec<BTreeSet<TopicPartition>> {
    let mut shares = vec![BTreeSet::new(); subscriptions.len()];
    for (topic, &count) in counts {
        let subscribed = |index: &usize| subscriptions[*index].iter().any(|name| **name == **topic);
        let subscribers: Vec<usize> = (0..subscriptions.len()).filter(subscribed).collect();
        let members = subscribers.len() as i32;
        let mut next = 0;
        for (index, member) in (0..).zip(subscribers) {
            let share = count / members + i32::from(index < count % members);
            shares[member].extend((next..next + share).map(|partition| TopicPartition::new(topic.clone(), partition)));
            next += share;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(topics: &[(&str, i32)], members: usize, expected: &[&str]) {
        let counts: BTreeMap<TopicName, i32> = topics.iter().map(|(name, count)| ((*name).into(), *count)).collect();
        let names: Vec<String> = topics.iter().map(|(name, _)| (*name).to_owned()).collect();
        let shares = range(&vec![&names[..]; members], &counts);
        let shown: Vec<String> = shares.iter().map(|s| s.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn cuts_every_topic_into_contiguous_ranges() {
        check(&[("a", 4)], 1, &["a-0 a-1 a-2 a-3"]);
        check(&[("a", 3), ("b", 3)], 2, &["a-0 a-1 b-0 b-1", "a-2 b-2"]);
        check(&[("a", 4)], 3, &["a-0 a-1", "a-2", "a-3"]);
        check(&[("a", 1)], 3, &["a-0", "", ""]);
        check(&[], 2, &["", ""]);
    }

    #[test]
    fn a_topic_goes_to_its_subscribers_only() {
        let (both, one) = (["a".to_owned(), "b".to_owned()], ["a".to_owned()]);
        let counts = BTreeMap::from([("a".into(), 2), ("b".into(), 2)]);
        let shares = range(&[&one, &both], &counts);
        assert_eq!(shares[0], BTreeSet::from([TopicPartition::new("a", 0)]));
        assert_eq!(shares[1].len(), 3);
    }
}
