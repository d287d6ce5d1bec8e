//! What `/metrics` shows. No globals: an observer owns its registry, so two applications in one process do not mix.

mod definition;
pub mod definitions;
mod families;
mod observer;
mod process;
mod reference;

pub use definition::{Definition, Kind, Label};
pub use observer::PrometheusObserver;
pub(crate) use observer::phase_name;
pub use reference::reference;
