use std::io::{Read, Write};
use std::net::TcpStream;

use headwater_core::describe::Description;
use headwater_runtime::{Observer, Phase};

use super::*;
use crate::admin::{Health, StatePages, Status, WorkerPulse};
use crate::metrics::PrometheusObserver;

struct Running {
    server: AdminServer,
    status: Arc<Status>,
    health: Health,
}

fn start() -> Running {
    let (status, health) = (Arc::new(Status::default()), Health::new());
    let site = Site {
        description: Description { app: "flights".into(), subtopologies: Vec::new() },
        metrics: Arc::new(PrometheusObserver::new("flights").unwrap()),
        status: Arc::clone(&status),
        health: health.clone(),
        state: Some(StatePages::new()),
    };
    Running { server: AdminServer::start("127.0.0.1:0", site).unwrap(), status, health }
}

/// Status line's code, headers and body.
fn get(server: &AdminServer, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn readyz_follows_the_phase_and_shows_what_is_waited_for() {
    let running = start();
    let (code, head, body) = get(&running.server, "/readyz");
    assert_eq!(code, 503);
    assert!(head.contains("content-type: application/json"));
    assert_eq!(body, r#"{"ready":false,"phase":"starting","running_tasks":0,"restoring_tasks":0,"restore":[]}"#);

    running.status.phase(&Phase::Restoring);
    running.status.tasks(1, 1);
    running.status.restoring("delays", 3, 10, 90);
    let (code, _, body) = get(&running.server, "/readyz");
    assert_eq!(code, 503);
    assert!(body.contains(r#""waiting":"restoring: 1 tasks, 90 records left""#), "{body}");
    assert!(body.contains(r#""restore":[{"store":"delays","partition":3,"remaining_records":90}]"#), "{body}");

    running.status.tasks(0, 2);
    running.status.phase(&Phase::Running);
    let (code, _, body) = get(&running.server, "/readyz");
    assert_eq!(code, 200);
    assert_eq!(body, r#"{"ready":true,"phase":"running","running_tasks":2,"restoring_tasks":0,"restore":[]}"#);

    running.status.phase(&Phase::Failed("HW0008".into()));
    let (code, _, body) = get(&running.server, "/readyz");
    assert_eq!(code, 503);
    assert!(body.contains(r#""phase":"failed","error":"HW0008""#), "{body}");
}

#[test]
fn a_process_that_backs_off_is_alive_and_says_why_it_is_not_ready() {
    let running = start();
    running.status.phase(&Phase::BackingOff("backing off after 3 failures: no disk".into()));
    assert_eq!(get(&running.server, "/healthz").0, 200);
    let (code, _, body) = get(&running.server, "/readyz");
    assert_eq!(code, 503);
    assert!(body.contains(r#""phase":"backing_off","error":"backing off after 3 failures: no disk""#), "{body}");
}

#[test]
fn readyz_names_tasks_that_lack_partitions() {
    let running = start();
    running.status.phase(&Phase::Running);
    running.status.incomplete(&["events-0 lacks more-0".into()]);
    let (code, _, body) = get(&running.server, "/readyz");
    assert_eq!(code, 200, "others have the partitions: waiting for them would keep a rollout from ending");
    assert!(body.contains(r#""incomplete":["events-0 lacks more-0"]"#), "{body}");
}

#[test]
fn state_is_not_shown_before_there_are_workers_or_when_it_must_not_be() {
    let running = start();
    let (code, _, body) = get(&running.server, "/state");
    assert_eq!((code, body.as_str()), (503, r#"{"error":"the application has not started yet"}"#));
    assert_eq!(get(&running.server, "/state/store/key").0, 503);
    let site = Site {
        description: Description { app: "other".into(), subtopologies: Vec::new() },
        metrics: Arc::new(PrometheusObserver::new("other").unwrap()),
        status: Arc::new(Status::default()),
        health: Health::new(),
        state: None,
    };
    let closed = AdminServer::start("127.0.0.1:0", site).unwrap();
    assert_eq!(get(&closed, "/state/store?limit=1").0, 403);
}

#[test]
fn healthz_complains_of_workers_and_of_failure() {
    let running = start();
    assert_eq!(get(&running.server, "/healthz").0, 200);
    running.health.watch(|| vec![WorkerPulse { worker: 1, age: Duration::from_secs(3600), failed: None }]);
    let (code, _, body) = get(&running.server, "/healthz");
    assert_eq!((code, body.as_str()), (503, "worker 1 is stuck: nothing for 3600 s\n"));
    running.health.watch(Vec::new);
    assert_eq!(get(&running.server, "/healthz").0, 200);
    running.status.phase(&Phase::Failed("no disk".into()));
    let (code, _, body) = get(&running.server, "/healthz");
    assert_eq!((code, body.as_str()), (503, "failed: no disk\n"));
}

#[test]
fn serves_metrics_topology_and_a_front_page() {
    let running = start();
    let (code, head, body) = get(&running.server, "/metrics");
    assert_eq!(code, 200);
    assert!(head.contains("version=0.0.4"));
    assert!(body.contains(r#"headwater_phase{phase="starting",app="flights"} 1"#), "{body}");

    assert_eq!(get(&running.server, "/topology").2, "Topologies:\n ");
    assert_eq!(get(&running.server, "/topology?format=kafka-streams").2, "Topologies:\n ");
    assert_eq!(get(&running.server, "/topology?format=mermaid").2, "flowchart LR\n");
    assert!(get(&running.server, "/topology?format=json").1.contains("content-type: application/json"));
    let (code, _, body) = get(&running.server, "/topology?format=svg");
    assert_eq!((code, body.as_str()), (400, "unknown format \"svg\": expected kafka-streams, mermaid or json\n"));

    assert!(get(&running.server, "/").2.contains("<a href=\"/metrics\">"));
    assert_eq!(get(&running.server, "/nowhere").0, 404);
}

#[test]
fn a_second_server_on_the_same_address_is_told_what_to_do() {
    let running = start();
    let address = running.server.address().to_string();
    let site = Site {
        description: Description { app: "other".into(), subtopologies: Vec::new() },
        metrics: Arc::new(PrometheusObserver::new("other").unwrap()),
        status: Arc::new(Status::default()),
        health: Health::new(),
        state: None,
    };
    let error = AdminServer::start(&address, site).err().unwrap();
    assert!(error.message.contains(&address) && error.message.contains("--admin"), "{}", error.message);
    assert_eq!(error.exit, 1);
}

#[test]
fn stops_when_dropped_even_with_a_client_in_the_middle_of_a_request() {
    let running = start();
    let address = running.server.address();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    drop(running);
    assert!(TcpStream::connect(address).is_err());
}
