use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::Random;

use super::frame::Request;
use super::rule::{Often, Rule};
use super::{Api, Fault};

/// A request that something happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) fault: Fault,
    pub(super) api: Api,
    /// Of `EndTxn`: whether it commits.
    pub(super) commits: Option<bool>,
}

/// The rules in force, and what came of them.
#[derive(Debug)]
pub(super) struct Rules {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    rules: Vec<Rule>,
    random: Random,
    done: BTreeMap<(Api, Option<bool>), u64>,
}

impl Rules {
    pub(super) fn new(seed: u64) -> Rules {
        Rules { inner: Mutex::new(Inner { rules: Vec::new(), random: Random::new(seed), done: BTreeMap::new() }) }
    }

    pub(super) fn add(&self, rule: Rule) {
        self.lock().rules.push(rule);
    }

    pub(super) fn clear(&self) {
        self.lock().rules.clear();
    }

    /// What happens to a request: the first rule that fits and whose turn it is.
    pub(super) fn judge(&self, request: &Request<'_>) -> Option<Verdict> {
        let Inner { rules, random, .. } = &mut *self.lock();
        let place = rules.iter_mut().position(|rule| {
            rule.fits(request)
                && match &mut rule.often {
                    Often::Next(left) => {
                        *left -= 1;
                        true
                    }
                    Often::OneIn(many) => random.one_in(*many),
                }
        })?;
        let fault = rules[place].fault;
        rules.retain(|rule| rule.often != Often::Next(0));
        Some(Verdict { fault, api: request.api, commits: request.commits() })
    }

    /// It has happened.
    pub(super) fn done(&self, verdict: &Verdict) {
        *self.lock().done.entry((verdict.api, verdict.commits)).or_default() += 1;
    }

    /// What has happened so far.
    pub(super) fn counts(&self) -> BTreeMap<(Api, Option<bool>), u64> {
        self.lock().done.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that holds the lock can leave it half-changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
