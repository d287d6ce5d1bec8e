use std::time::Duration;

use headwater_tests::{get, until};

use super::stage::{LONG, Stage};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn one_worker_gives_the_expected_results_and_its_admin_pages_tell_about_it() {
    let stage = Stage::loaded();
    let mut app = stage.run("one", &["--admin", "127.0.0.1:0", "--set", "run.trim_interval=1s"]);
    let address = app.wait_for("admin pages at http://", SOON);
    let address = address.split('/').next().expect("an address");
    until("it is ready", SOON, || (get(address, "/readyz").0 == 200).then_some(()));
    stage.wait_for_backlog(0, &mut [&mut app]);

    assert_eq!(get(address, "/healthz").0, 200);
    let (status, topology) = get(address, "/topology");
    assert_eq!(status, 200);
    assert!(topology.starts_with("Topologies:\n   Sub-topology: 0\n    Source: flights (topics: [flights])"), "{topology}");
    // The last commit's lag is told right after the commit the backlog saw.
    until("the metrics show everything consumed and no lag", SOON, || {
        let metrics = get(address, "/metrics").1;
        let sum = |name: &str, label: &str| sum(&metrics, name, label);
        let consumed = sum("headwater_records_consumed_total", "topic=\"flights\"") == 336_776.0;
        let lag = sum("headwater_input_lag_records", "") == 0.0;
        let committed = sum("headwater_commits_total", "result=\"ok\"") > 0.0;
        let restore =
            metrics.contains("headwater_restore_records_total") || metrics.contains("headwater_restore_duration_seconds");
        (consumed && lag && committed && restore).then_some(())
    });
    for topic in ["flights-by-origin-repartition", "flights-by-carrier-repartition"] {
        until(&format!("what was used of {topic} is gone"), SOON, || {
            let ends = stage.ends(topic);
            // The last commit's marker stays.
            let used = ends.iter().all(|ends| ends.end - ends.start <= 1) && ends.iter().any(|ends| ends.end > 100_000);
            used.then_some(())
        });
    }
    app.terminate();
    assert!(app.wait(SOON).success());
    stage.check();
}

#[test]
fn four_workers_give_the_same() {
    let stage = Stage::loaded();
    let mut app = stage.run("four", &["--workers", "4", "--admin", "off"]);
    stage.wait_for_backlog(0, &mut [&mut app]);
    app.terminate();
    assert!(app.wait(SOON).success());
    stage.check();
}

#[test]
fn at_least_once_gives_the_same_as_long_as_nothing_crashes() {
    let stage = Stage::loaded();
    let mut app = stage.run("state", &["--at-least-once", "--admin", "off"]);
    stage.wait_for_backlog(150_000, &mut [&mut app]);
    app.terminate();
    assert!(app.wait(SOON).success());
    let mut app = stage.run("state", &["--at-least-once", "--admin", "off"]);
    stage.wait_for_backlog(0, &mut [&mut app]);
    app.terminate();
    assert!(app.wait(SOON).success());
    stage.check();
}

#[test]
fn two_processes_in_the_group_give_the_same() {
    let stage = Stage::loaded();
    let mut first = stage.run("first", &["--workers", "2", "--admin", "off"]);
    first.wait_for("task is processing", SOON);
    let mut second = stage.run("second", &["--admin", "off"]);
    second.wait_for("task is processing", SOON);
    stage.wait_for_backlog(0, &mut [&mut first, &mut second]);
    first.terminate();
    second.terminate();
    assert!(first.wait(SOON).success());
    assert!(second.wait(SOON).success());
    stage.check();
}

#[test]
fn a_stop_in_the_middle_and_a_restart_give_the_same_with_and_without_the_disk() {
    let stage = Stage::loaded();
    let mut app = stage.run("state", &["--admin", "off"]);
    app.wait_for("task is processing", SOON);
    stage.wait_for_backlog(280_000, &mut [&mut app]);
    app.terminate();
    assert!(app.wait(SOON).success());

    let mut app = stage.run("state", &["--workers", "2", "--admin", "off"]);
    stage.wait_for_backlog(180_000, &mut [&mut app]);
    app.terminate();
    assert!(app.wait(SOON).success());

    let mut app = stage.run("another-state", &["--admin", "off"]);
    stage.wait_for_backlog(80_000, &mut [&mut app]);
    app.kill();
    let _ = app.wait(LONG);
    drop(app);

    let mut app = stage.run("another-state", &["--admin", "off"]);
    stage.wait_for_backlog(0, &mut [&mut app]);
    app.terminate();
    assert!(app.wait(SOON).success());
    stage.check();
}

/// Adds up the samples of a metric whose labels contain `label`.
fn sum(metrics: &str, name: &str, label: &str) -> f64 {
    let samples = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
