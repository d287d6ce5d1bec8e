use std::time::{Duration, Instant};

use ledger::Random;

use super::Action;
use super::diary::Diary;
use crate::cluster::{Cluster, Condition, Node};

/// After a broker is back: time to take part in replication again, so that its going did cost the cluster one replica and no more.
const SETTLE: Duration = Duration::from_secs(8);
/// From the start of the process to its serving.
const START: Duration = Duration::from_secs(90);
/// For a clean stop.
const STOP: Duration = Duration::from_secs(20);

/// What happens to the brokers, to one at a time.
pub(super) struct Brokers {
    cluster: Cluster,
    trouble: Option<Trouble>,
    calm_since: Instant,
}

/// Which broker, and until when it is down or paused; none once it was started again.
struct Trouble {
    index: usize,
    until: Option<Instant>,
    began: Instant,
}

impl Brokers {
    pub(super) fn new(cluster: Cluster) -> Brokers {
        Brokers { cluster, trouble: None, calm_since: Instant::now() }
    }

    /// Does it to one of them; false if the cluster cannot bear it just now.
    pub(super) fn act(&mut self, action: Action, random: &mut Random, diary: &Diary) -> bool {
        let nodes = self.cluster.nodes();
        if nodes.len() < 3 || self.trouble.is_some() || self.calm_since.elapsed() < SETTLE {
            return false;
        }
        let index = random.below(nodes.len() as u64) as usize;
        let node = &mut nodes[index];
        let lasts = Duration::from_millis(random.between(1_000, 12_000));
        diary.action(action, format_args!("broker-{} for {:.1} s", node.id(), lasts.as_secs_f64()));
        match action {
            Action::KillBroker => node.kill(),
            Action::StopBroker => node.stop(STOP),
            _ => node.pause(),
        }
        self.trouble = Some(Trouble { index, until: Some(Instant::now() + lasts), began: Instant::now() });
        true
    }

    /// Looks after every broker.
    pub(super) fn look_after(&mut self, diary: &Diary) {
        let Some(trouble) = &mut self.trouble else { return self.find_dead(diary) };
        let node = &mut self.cluster.nodes()[trouble.index];
        if trouble.until.is_some_and(|until| Instant::now() >= until) {
            bring_back(node);
            trouble.until = None;
            trouble.began = Instant::now();
        }
        if trouble.until.is_none() && (node.is_started() || trouble.began.elapsed() > START) {
            diary.note(format_args!("  broker-{} is back", node.id()));
            self.trouble = None;
            self.calm_since = Instant::now();
        }
    }

    /// A broker that ended by itself is no finding about the application, but the run is worth less.
    fn find_dead(&mut self, diary: &Diary) {
        for (index, node) in self.cluster.nodes().iter_mut().enumerate() {
            if node.condition() == Condition::Down {
                diary.note(format_args!("  broker-{} ended by itself, and starts again: {}", node.id(), node.log_end()));
                self.trouble = Some(Trouble { index, until: Some(Instant::now()), began: Instant::now() });
                return;
            }
        }
    }

    /// Brings back what is away.
    pub(super) fn calm(&mut self) {
        if let Some(until) = self.trouble.as_mut().and_then(|trouble| trouble.until.as_mut()) {
            *until = Instant::now();
        }
    }

    /// Whether all of them run.
    pub(super) fn are_calm(&self) -> bool {
        self.trouble.is_none()
    }
}

fn bring_back(node: &mut Node) {
    match node.condition() {
        Condition::Paused => node.resume(),
        Condition::Down => node.start(),
        Condition::Up => {}
    }
}
