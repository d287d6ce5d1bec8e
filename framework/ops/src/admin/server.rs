use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

use super::routes::{Site, router};
use crate::error::CliError;

/// How long a stop waits for answers under way: a client that reads slowly must not keep the process alive.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// A running server, on a thread and a runtime of its own: the engine's threads block and must not share it. Stops when dropped.
pub struct AdminServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl AdminServer {
    /// Binds `listen` (`host:port`) and serves `site`. When this returns, connections are accepted.
    pub fn start(listen: &str, site: Site) -> Result<AdminServer, CliError> {
        let failed = |error| cannot_listen(listen, error);
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || serve(&runtime, listener, router(Arc::new(site)), stopped);
        let thread = thread::Builder::new().name(String::from("admin")).spawn(serve).map_err(failed)?;
        tracing::info!("admin pages at http://{address}/");
        Ok(AdminServer { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address bound: with port 0, the port that was free.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        // An error means that the thread has ended already, which is what is wanted.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(runtime: &Runtime, listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let result = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stopping, deadline) = oneshot::channel();
        let signal = async move {
            // A dropped sender means stop as well.
            let _ = stopped.await;
            let _ = stopping.send(());
        };
        let deadline = async move {
            let _ = deadline.await;
            tokio::time::sleep(STOP_WITHIN).await;
        };
        tokio::select! {
            result = axum::serve(listener, router).with_graceful_shutdown(signal) => result,
            () = deadline => Ok(()),
        }
    });
    if let Err(error) = result {
        tracing::error!(%error, "the admin server stopped");
    }
}

fn cannot_listen(listen: &str, error: std::io::Error) -> CliError {
    CliError::failed(format!(
        "cannot serve the admin pages at {listen}: {error}; choose another address with --admin HOST:PORT (port 0 takes a \
         free one), or --admin off"
    ))
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
