use std::collections::BTreeSet;

use super::*;

/// Lets everybody join, then steps all members until nobody is told anything more; returns what was said, in order.
fn settle(members: &mut [Box<dyn Membership>]) -> Vec<String> {
    let mut said = Vec::new();
    let mut quiet_rounds = 0;
    while quiet_rounds < 2 {
        quiet_rounds += 1;
        for (index, member) in members.iter_mut().enumerate() {
            let heard = step(&mut **member);
            if !heard.is_empty() {
                quiet_rounds = 0;
                said.push(format!("{index}: {heard}"));
            }
        }
    }
    said
}

fn owned(log: &MemoryLog) -> Vec<String> {
    let show = |partitions: Vec<TopicPartition>| partitions.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(" ");
    log.members("g").into_iter().map(|member| show(member.partitions)).collect()
}

fn generations(log: &MemoryLog) -> BTreeSet<i32> {
    log.members("g").iter().map(|member| member.generation).collect()
}

#[test]
fn co_partitioned_topics_move_together_from_one_to_three_members_and_back() {
    let log = log(&[("a", 4), ("b", 4)]);
    let topics = ["a", "b"];
    let mut members = vec![member(&log, None, &topics)];
    assert_eq!(settle(&mut members), ["0: +a-0 +a-1 +a-2 +a-3 +b-0 +b-1 +b-2 +b-3"]);
    assert_eq!(generations(&log), [1].into());

    members.push(member(&log, None, &topics));
    assert_eq!(settle(&mut members), ["0: -a-2 -a-3 -b-2 -b-3", "1: +a-2 +a-3 +b-2 +b-3"]);
    assert_eq!(generations(&log), [2].into());

    members.push(member(&log, None, &topics));
    assert_eq!(settle(&mut members), ["1: -a-3 -b-3", "2: +a-3 +b-3"]);
    assert_eq!(owned(&log), ["a-0 a-1 b-0 b-1", "a-2 b-2", "a-3 b-3"]);
    assert_eq!(generations(&log), [3].into());

    members.remove(0).leave().unwrap();
    assert_eq!(settle(&mut members), ["0: -a-2 -b-2", "1: +a-2 +b-2", "0: +a-0 +a-1 +b-0 +b-1"]);
    assert_eq!(owned(&log), ["a-0 a-1 b-0 b-1", "a-2 a-3 b-2 b-3"]);
    assert_eq!(generations(&log), [4].into());
}

#[test]
fn a_partition_moves_only_after_its_owner_has_given_it_up() {
    let log = log(&[("a", 2)]);
    let mut old = member(&log, None, &["a"]);
    step(&mut *old);
    let mut new = member(&log, None, &["a"]);
    assert_eq!(step(&mut *new), "");
    let revoked = hear(&mut *old);
    assert_eq!(show_events(&revoked), "-a-1");
    assert_eq!((step(&mut *new), step(&mut *old)), (String::new(), String::new()), "it waits as long as it takes");
    assert_eq!(owned(&log), ["a-0 a-1", ""]);
    answer(&mut *old, &revoked[0]);
    assert_eq!(step(&mut *new), "+a-1");
}

#[test]
fn nothing_new_is_said_before_the_last_word_was_answered() {
    let log = log(&[("a", 2)]);
    let mut first = member(&log, None, &["a"]);
    let assigned = hear(&mut *first);
    let mut second = member(&log, None, &["a"]);
    step(&mut *second);
    assert_eq!(step(&mut *first), "");
    answer(&mut *first, &assigned[0]);
    let revoked = hear(&mut *first);
    assert_eq!(show_events(&revoked), "-a-1");
    second.leave().unwrap();
    assert_eq!(step(&mut *first), "");
    answer(&mut *first, &revoked[0]);
    assert_eq!(step(&mut *first), "+a-1", "it comes back only once it was given up");
}

#[test]
fn giving_up_what_was_not_revoked_gives_nothing_away() {
    let log = log(&[("a", 1)]);
    let mut first = member(&log, None, &["a"]);
    step(&mut *first);
    first.unassign(&[tp("a", 0)]).unwrap();
    assert_eq!(owned(&log), ["a-0"]);
}

#[test]
fn a_topic_created_later_is_shared_out() {
    let log = log(&[]);
    let mut first = member(&log, None, &["a"]);
    assert_eq!(step(&mut *first), "");
    log.create_topic("other", 1);
    log.create_topic("a", 1);
    assert_eq!(step(&mut *first), "+a-0");
}
