//! The member's protocol with its workers, against a group that says what the test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_core::engine::{Answer, Member, Order};
use headwater_core::port::{GroupMetadata, LogError, Membership, MembershipEvent};
use headwater_core::{Blueprint, Plan, TaskId, TopicPartition};
use headwater_testkit::{MemoryLog, prepare};

#[derive(Clone, Default)]
struct Group {
    events: Arc<Mutex<VecDeque<MembershipEvent>>>,
    given_back: Arc<Mutex<Vec<TopicPartition>>>,
}

impl Membership for Group {
    fn poll(&mut self, _timeout: Duration) -> Result<Vec<MembershipEvent>, LogError> {
        Ok(self.events.lock().unwrap().drain(..).collect())
    }

    fn assign(&mut self, _partitions: &[TopicPartition]) -> Result<(), LogError> {
        Ok(())
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.given_back.lock().unwrap().extend_from_slice(partitions);
        Ok(())
    }

    fn metadata(&self) -> Option<GroupMetadata> {
        Some(GroupMetadata { group: "app".into(), generation: 1, handle: Arc::new(()) })
    }

    fn leave(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}

fn plan() -> Arc<Plan> {
    let log = MemoryLog::new();
    log.create_topic("events", 2);
    let blueprint = Blueprint::of("app", |t| t.input::<String, i64>("events").count("counts").to("totals")).unwrap();
    prepare(&blueprint, &log).unwrap()
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("events", number)
}

/// Orders as text: `start 0`, `stop 0 clean`.
fn show(orders: Vec<(usize, Order)>) -> Vec<String> {
    let show = |(_, order)| match order {
        Order::Start(task) => format!("start {}", task.partition),
        Order::Stop { tasks, clean } => {
            let tasks: Vec<String> = tasks.iter().map(|task: &TaskId| task.partition.to_string()).collect();
            format!("stop {} {}", tasks.join(" "), if clean { "clean" } else { "at once" })
        }
    };
    orders.into_iter().map(show).collect()
}

struct Scene {
    group: Group,
    member: Member,
}

impl Scene {
    /// A member that has both partitions.
    fn new() -> Scene {
        let group = Group::default();
        let mut scene = Scene { member: Member::new(plan(), Box::new(group.clone()), 2), group };
        assert_eq!(scene.hears(MembershipEvent::Assigned(vec![partition(0), partition(1)])), ["start 0", "start 1"]);
        scene
    }

    fn hears(&mut self, event: MembershipEvent) -> Vec<String> {
        self.group.events.lock().unwrap().push_back(event);
        show(self.member.poll(Duration::ZERO).unwrap())
    }

    fn stopped(&mut self, number: i32) -> Vec<String> {
        let task = TaskId { subtopology: "events".into(), partition: number };
        show(self.member.answered(Answer::Stopped(vec![task])).unwrap())
    }
}

#[test]
fn a_task_lost_while_it_closes_is_ordered_to_close_once_and_its_partition_is_no_longer_claimed() {
    let mut scene = Scene::new();
    assert_eq!(scene.hears(MembershipEvent::Revoked(vec![partition(0)])), ["stop 0 clean"]);
    assert!(scene.member.view().unwrap().owned.contains(&partition(0)), "it may still be committed");
    assert_eq!(scene.hears(MembershipEvent::Lost(vec![partition(0), partition(1)])), ["stop 1 at once"]);
    assert!(scene.member.view().unwrap().owned.is_empty());
    assert_eq!(scene.stopped(0), [""; 0]);
    assert_eq!(scene.stopped(1), [""; 0]);
    assert!(!scene.member.is_giving_up());
    assert_eq!(scene.hears(MembershipEvent::Assigned(vec![partition(0)])), ["start 0"]);
    assert!(!scene.member.is_empty());
}

#[test]
fn a_stop_does_not_repeat_orders() {
    let mut scene = Scene::new();
    assert_eq!(scene.hears(MembershipEvent::Revoked(vec![partition(0)])), ["stop 0 clean"]);
    assert_eq!(show(scene.member.stop_all()), ["stop 1 clean"]);
}

#[test]
fn a_partition_is_given_back_when_its_task_is_closed_and_not_before() {
    let mut scene = Scene::new();
    scene.hears(MembershipEvent::Revoked(vec![partition(0)]));
    assert!(scene.group.given_back.lock().unwrap().is_empty());
    scene.stopped(0);
    assert_eq!(*scene.group.given_back.lock().unwrap(), [partition(0)]);
    assert!(!scene.member.view().unwrap().owned.contains(&partition(0)));
}
