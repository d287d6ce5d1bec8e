use serde::{Deserialize, Serialize};

use crate::replay::ReplayEffect;

/// How a run stands to a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkStanding {
    /// It is delivered to.
    Connected,
    /// The same although it declares [`ReplayEffect::Forbidden`]: whoever planned the run named it.
    Allowed,
    /// It would be delivered to, but declares [`ReplayEffect::Forbidden`]: what is for it is counted and left out.
    Withheld,
    /// The run does not say anything to it.
    Silent,
}

/// A sink as a run was planned with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkUse {
    /// What it declared then.
    pub replay: ReplayEffect,
    /// What follows.
    pub standing: SinkStanding,
}

impl SinkUse {
    /// Of a run that writes results or not, of which this one is wanted or not, and which was told to reach it whatever it declares or not.
    pub fn of(replay: ReplayEffect, is_wanted: bool, is_allowed: bool) -> SinkUse {
        let standing = match (is_wanted, replay, is_allowed) {
            (false, _, _) => SinkStanding::Silent,
            (true, ReplayEffect::Forbidden, true) => SinkStanding::Allowed,
            (true, ReplayEffect::Forbidden, false) => SinkStanding::Withheld,
            (true, ReplayEffect::Transactional | ReplayEffect::Idempotent, _) => SinkStanding::Connected,
        };
        SinkUse { replay, standing }
    }
}
