use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use headwater_core::Plan;
use headwater_core::port::{Log, LogError, Membership, MembershipConfig};

/// A group's member to be, made on a thread of its own while the rest of a start goes on: which protocol the brokers speak and who coordinates the
/// group takes several answers. It joins when it is polled first, so nothing of it shows before.
pub(crate) struct Joining {
    made: Receiver<Result<Box<dyn Membership>, LogError>>,
}

impl Joining {
    /// Begins with it, for the process of this plan.
    pub(crate) fn start(plan: &Plan, log: &Arc<dyn Log>, instance: Option<String>) -> Result<Joining, LogError> {
        let config = MembershipConfig { group: plan.blueprint().app().to_owned(), instance, topics: plan.subscription() };
        let (log, (tell, made)) = (Arc::clone(log), channel());
        // Where a start fails nobody waits for it any more.
        let work = move || drop(tell.send(log.membership(&config)));
        let thread = std::thread::Builder::new().name("joining".into()).spawn(work);
        thread.map_err(|error| LogError::Fatal(format!("no thread to join the group on: {error}")))?;
        Ok(Joining { made })
    }

    /// Waits until it is made.
    pub(crate) fn wait(&self) -> Result<Box<dyn Membership>, LogError> {
        self.made
            .recv()
            .unwrap_or_else(|_| Err(LogError::Fatal("the thread to join the group on is gone; see the log above".into())))
    }
}
