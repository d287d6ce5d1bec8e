use super::*;
use crate::Timeouts;

const SESSION: Duration = Duration::from_secs(45);

fn two_partitions() -> MemoryLog {
    let log = MemoryLog::with_timeouts(Timeouts { session: SESSION, ..Timeouts::default() });
    log.create_topic("a", 2);
    log
}

#[test]
fn a_dropped_member_keeps_its_partitions_until_its_session_ends() {
    let log = two_partitions();
    let mut crashed = member(&log, None, &["a"]);
    step(&mut *crashed);
    drop(crashed);
    let mut next = member(&log, None, &["a"]);
    assert_eq!(step(&mut *next), "");
    log.advance(SESSION - Duration::from_secs(1));
    assert_eq!(step(&mut *next), "");
    log.advance(Duration::from_secs(1));
    assert_eq!(step(&mut *next), "+a-0 +a-1");
    log.advance(SESSION * 10);
    assert_eq!(step(&mut *next), "", "a living handle sends its heartbeats by itself");
}

#[test]
fn a_paused_member_loses_everything_and_joins_again() {
    let log = two_partitions();
    let mut paused = member(&log, None, &["a"]);
    step(&mut *paused);
    let id = log.members("g")[0].id.clone();
    assert!(log.crash_member("g", &id));
    log.advance(SESSION / 2);
    assert_eq!(step(&mut *paused), "", "a sign of life in time");
    log.advance(SESSION);
    assert_eq!(log.members("g").len(), 1);

    assert!(log.crash_member("g", &id));
    log.advance(SESSION);
    assert!(!log.crash_member("g", &id), "it is no member any more");
    assert!(paused.metadata().is_none());
    let lost = hear(&mut *paused);
    assert_eq!(show_events(&lost), "!a-0 !a-1");
    assert_eq!(step(&mut *paused), "", "it stays outside until it has let go");
    assert_eq!(log.members("g"), []);
    answer(&mut *paused, &lost[0]);
    assert_eq!(step(&mut *paused), "+a-0 +a-1");
}

#[test]
fn expiring_a_member_frees_its_partitions_at_once() {
    let log = two_partitions();
    let (mut first, mut second) = (member(&log, None, &["a"]), member(&log, None, &["a"]));
    step(&mut *first);
    assert!(log.expire_member("g", &log.members("g")[0].id));
    assert!(!log.expire_member("g", "nobody"));
    assert_eq!(step(&mut *second), "+a-0 +a-1");
    assert_eq!(step(&mut *first), "!a-0 !a-1");
}

#[test]
fn a_static_member_comes_back_to_its_partitions_without_a_rebalance() {
    for leaves in [true, false] {
        let log = two_partitions();
        let (mut one, mut two) = (member(&log, Some("one"), &["a"]), member(&log, Some("two"), &["a"]));
        step(&mut *one);
        step(&mut *two);
        step(&mut *one);
        assert_eq!((step(&mut *one), step(&mut *two)), (String::new(), "+a-1".to_owned()));
        let generation = two.metadata().unwrap().generation;
        if leaves {
            one.leave().unwrap();
            assert!(one.poll(NOW).is_err());
        }
        drop(one);
        let mut back = member(&log, Some("one"), &["a"]);
        assert_eq!((step(&mut *back), step(&mut *two)), ("+a-0".to_owned(), String::new()));
        assert_eq!(back.metadata().unwrap().generation, generation);
        log.advance(SESSION);
        assert_eq!(log.members("g").len(), 2);
    }
}

#[test]
fn the_same_instance_twice_fences_the_older() {
    let log = two_partitions();
    let mut old = member(&log, Some("one"), &["a"]);
    step(&mut *old);
    let group = old.metadata().unwrap();
    let mut new = member(&log, Some("one"), &["a"]);
    assert_eq!(step(&mut *new), "+a-0 +a-1");
    assert!(matches!(old.poll(NOW), Err(LogError::Fenced(_))));
    assert!(old.metadata().is_none());
    let result = producer(&log, None).commit(&[(tp("a", 0), at(1))], &group);
    assert!(matches!(result, Err(LogError::Fenced(_))), "{result:?}");
    drop(old);
    log.advance(SESSION);
    assert_eq!(log.members("g").len(), 1, "the older handle no longer counts");
}

#[test]
fn a_static_member_that_stays_away_is_removed() {
    let log = two_partitions();
    let (mut gone, mut stays) = (member(&log, Some("one"), &["a"]), member(&log, None, &["a"]));
    step(&mut *gone);
    gone.leave().unwrap();
    assert_eq!(step(&mut *stays), "");
    log.advance(SESSION);
    assert_eq!(step(&mut *stays), "+a-0 +a-1");
}

#[test]
fn static_members_come_first_whenever_they_joined() {
    let log = two_partitions();
    let (mut dynamic, mut fixed) = (member(&log, None, &["a"]), member(&log, Some("z"), &["a"]));
    assert_eq!(step(&mut *dynamic), "+a-0 +a-1");
    assert_eq!(step(&mut *fixed), "");
    assert_eq!(step(&mut *dynamic), "-a-0");
    assert_eq!(step(&mut *fixed), "+a-0");
}
