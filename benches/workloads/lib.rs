//! What the contenders of the macro bench share with what starts and checks them: the records, their types, and what a contender is told.
#![warn(missing_docs)]

mod answers;
mod binary;
mod data;
mod expected;
mod job;
mod pulse;
mod quantiles;
mod workload;

pub mod model;

pub use answers::Answers;
pub use binary::Binary;
pub use data::{Data, key_of, region_of, row_of, tier_of};
pub use expected::Expected;
pub use job::{INPUT, Job, PLAIN, TABLE};
pub use pulse::{Pulse, Slowness};
pub use quantiles::Quantiles;
pub use workload::{GRACE, REPARTITION, STORE, WINDOW, Workload};
