//! `/state`: what the stores of a running process hold, asked of the workers that have them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_core::{QueryError, StateQuery};
use headwater_runtime::{NoAnswer, StateDesk};
use serde::Deserialize;
use serde_json::json;

use super::routes::Site;

/// Entries shown unless told otherwise, and the most that can be asked for.
const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;

/// Where the workers are asked, once there are any.
#[derive(Clone, Default)]
pub struct StatePages {
    desk: Arc<Mutex<Option<StateDesk>>>,
}

impl StatePages {
    /// No workers yet.
    pub fn new() -> StatePages {
        StatePages::default()
    }

    /// From now on questions go to `desk`.
    pub fn serve(&self, desk: StateDesk) {
        *self.desk.lock().unwrap_or_else(PoisonError::into_inner) = Some(desk);
    }

    fn desk(&self) -> Option<StateDesk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Deserialize)]
pub(super) struct Bounds {
    from: Option<String>,
    to: Option<String>,
    limit: Option<usize>,
}

impl Bounds {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST)
    }
}

pub(super) async fn list(State(site): State<Arc<Site>>) -> Response {
    ask(&site, |desk| Ok(json!({ "stores": desk.list()? }))).await
}

pub(super) async fn range(State(site): State<Arc<Site>>, Path(store): Path<String>, Query(bounds): Query<Bounds>) -> Response {
    ask(&site, move |desk| {
        let query = desk.blueprint().state_range(&store, bounds.from.as_deref(), bounds.to.as_deref(), bounds.limit())?;
        entries(&desk, &query)
    })
    .await
}

pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Path((store, key)): Path<(String, String)>,
    Query(bounds): Query<Bounds>,
) -> Response {
    ask(&site, move |desk| {
        let query = desk.blueprint().state_of_key(&store, &key, bounds.limit())?;
        entries(&desk, &query)
    })
    .await
}

fn entries(desk: &StateDesk, query: &StateQuery) -> Result<serde_json::Value, NoAnswer> {
    let page = desk.entries(query)?;
    Ok(json!({ "entries": page.entries, "truncated": page.truncated }))
}

/// Asks on a thread that may wait.
async fn ask(site: &Site, question: impl FnOnce(StateDesk) -> Result<serde_json::Value, NoAnswer> + Send + 'static) -> Response {
    let Some(pages) = &site.state else {
        return refuse(StatusCode::FORBIDDEN, "state is not shown here: admin.show_state is false");
    };
    let Some(desk) = pages.desk() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the application has not started yet");
    };
    match tokio::task::spawn_blocking(move || question(desk)).await {
        Ok(Ok(answer)) => ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response(),
        Ok(Err(error)) => refuse(status(&error), &error.to_string()),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn status(error: &NoAnswer) -> StatusCode {
    match error {
        NoAnswer::Query(QueryError::UnknownStore { .. }) | NoAnswer::Elsewhere { .. } | NoAnswer::NotFound { .. } => {
            StatusCode::NOT_FOUND
        }
        NoAnswer::Query(QueryError::BadKey { .. }) => StatusCode::BAD_REQUEST,
        NoAnswer::Query(QueryError::Undecodable { .. } | QueryError::Store(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        NoAnswer::Restoring { .. } | NoAnswer::Late => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json!({ "error": why }).to_string()).into_response()
}
