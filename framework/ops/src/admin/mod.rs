//! The admin HTTP server: what probes, Prometheus and people ask a running application.

mod health;
mod page;
mod routes;
mod server;
mod state;
mod status;

pub use health::{Health, MAX_LOOP_AGE, WorkerPulse};
pub use routes::Site;
pub use server::AdminServer;
pub use state::StatePages;
pub use status::{Readiness, RestoreProgress, Status};
