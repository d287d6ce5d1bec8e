use std::time::Duration;

use super::Api;
use super::frame::Request;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The broker acts, its reply is lost, the connection ends.
    LoseReply,
    /// The reply, and what follows it on its connection, comes this much later.
    DelayReply(Duration),
    /// The connection ends before the broker has seen the request.
    LoseRequest,
}

/// How often a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Often {
    /// To the next so many.
    Next(u64),
    /// To one in so many, at random.
    OneIn(u64),
}

/// Which requests a fault happens to.
#[derive(Clone, Debug)]
pub struct Rule {
    api: Api,
    client: Option<String>,
    commits: Option<bool>,
    pub(super) fault: Fault,
    pub(super) often: Often,
}

impl Rule {
    /// The next request of this kind.
    pub fn next(api: Api, fault: Fault) -> Rule {
        Rule::times(1, api, fault)
    }

    /// The next so many requests of this kind.
    pub fn times(times: u64, api: Api, fault: Fault) -> Rule {
        Rule { api, client: None, commits: None, fault, often: Often::Next(times) }
    }

    /// One in so many requests of this kind, at random, until the rules are cleared.
    pub fn one_in(many: u64, api: Api, fault: Fault) -> Rule {
        Rule { often: Often::OneIn(many), ..Rule::next(api, fault) }
    }

    /// Only those of clients with this `client.id`.
    pub fn of(self, client: &str) -> Rule {
        Rule { client: Some(client.to_owned()), ..self }
    }

    /// Of `EndTxn`: only those that commit, or only those that abort.
    pub fn that_commits(self, commits: bool) -> Rule {
        Rule { commits: Some(commits), ..self }
    }

    pub(super) fn fits(&self, request: &Request<'_>) -> bool {
        self.api == request.api
            && self.client.as_ref().is_none_or(|client| client == request.client)
            && self.commits.is_none_or(|commits| request.commits() == Some(commits))
    }
}
