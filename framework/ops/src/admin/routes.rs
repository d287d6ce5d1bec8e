use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use headwater_core::describe::Description;
use headwater_runtime::Phase;
use serde::Deserialize;

use super::health::Health;
use super::state::StatePages;
use super::status::Status;
use super::{page, state};
use crate::metrics::PrometheusObserver;
use crate::topology::{Format, render};

/// The version is Prometheus' name for the text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// What the pages are made of.
pub struct Site {
    /// The topology; its application's name is the title.
    pub description: Description,
    /// For `/metrics`.
    pub metrics: Arc<PrometheusObserver>,
    /// For `/readyz`.
    pub status: Arc<Status>,
    /// For `/healthz`.
    pub health: Health,
    /// For `/state`; none where it is not to be shown.
    pub state: Option<StatePages>,
}

pub(super) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/topology", get(topology))
        .route("/state", get(state::list))
        .route("/state/{store}", get(state::range))
        .route("/state/{store}/{key}", get(state::get))
        .with_state(site)
}

async fn front(State(site): State<Arc<Site>>) -> Html<String> {
    Html(page::front(&site.description.app, site.status.readiness().phase))
}

async fn healthz(State(site): State<Arc<Site>>) -> Response {
    let check = match site.status.current_phase() {
        Phase::Failed(reason) => Err(format!("failed: {reason}")),
        _ => site.health.check(),
    };
    match check {
        Ok(()) => text(StatusCode::OK, PLAIN_TEXT, String::from("ok\n")),
        Err(complaint) => text(StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, complaint + "\n"),
    }
}

async fn readyz(State(site): State<Arc<Site>>) -> Response {
    let readiness = site.status.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    match site.metrics.render() {
        Ok(metrics) => text(StatusCode::OK, PROMETHEUS_TEXT, metrics),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, PLAIN_TEXT, error.message + "\n"),
    }
}

#[derive(Deserialize)]
struct TopologyQuery {
    #[serde(default = "TopologyQuery::default_format")]
    format: String,
}

impl TopologyQuery {
    fn default_format() -> String {
        String::from("kafka-streams")
    }
}

async fn topology(State(site): State<Arc<Site>>, Query(query): Query<TopologyQuery>) -> Response {
    match Format::named(&query.format) {
        Some(format) => {
            let content_type = if format == Format::Json { JSON } else { PLAIN_TEXT };
            text(StatusCode::OK, content_type, render(&site.description, format))
        }
        None => {
            let complaint = format!("unknown format {:?}: expected kafka-streams, mermaid or json\n", query.format);
            text(StatusCode::BAD_REQUEST, PLAIN_TEXT, complaint)
        }
    }
}

fn text(status: StatusCode, content_type: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
