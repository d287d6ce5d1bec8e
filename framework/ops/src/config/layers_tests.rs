use std::fs;

use expect_test::{Expect, expect};
use headwater_runtime::Guarantee;
use tempfile::TempDir;

use super::super::ByteSize;
use super::super::report::{to_json, to_text};
use super::*;

struct Case {
    directory: TempDir,
    sources: Sources,
}

/// An application called `flights` whose working directory has this `flights.toml`.
fn case(file: &str, environment: &[(&str, &str)], flags: &[Entry]) -> Case {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("flights.toml"), file).unwrap();
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let sources =
        Sources { app: "flights".into(), file: None, directory: directory.path().to_owned(), environment, flags: flags.to_vec() };
    Case { directory, sources }
}

/// Each case is refused with this code in one line.
fn refuses(code: &str, cases: Vec<Case>, messages: Expect) {
    let mut lines = String::new();
    for case in cases {
        let error = load(&case.sources).unwrap_err();
        assert_eq!((error.code, error.exit), (Some(code), 2));
        lines += &format!("{}\n", error.message);
    }
    messages.assert_eq(&lines);
}

fn flag(name: &str, key: &str, value: &str) -> Case {
    case("", &[], &[Entry::flag(name, key, value)])
}

fn variable(name: &str, value: &str) -> Case {
    case("", &[(name, value)], &[])
}

fn file(text: &str) -> Case {
    case(text, &[], &[])
}

#[test]
fn later_layers_win_and_each_value_knows_its_origin() {
    let file = "[kafka]\nbootstrap = 'file:1'\n[kafka.rdkafka]\n'security.protocol' = 'SASL_SSL'\n'sasl.password' = 'hush'\n\
                'socket.keepalive.enable' = true\n[run]\nworkers = 2\ncommit_interval = '1s'\n";
    let environment = [
        ("HEADWATER_KAFKA__BOOTSTRAP", "env:2"),
        ("HEADWATER_RUN__WORKERS", "3"),
        ("HEADWATER_KAFKA__RDKAFKA__CLIENT_ID", "me"),
        ("HEADWATER_INSTANCE", "pod-0"),
    ];
    let flags = [
        Entry::flag("--set", "kafka.rdkafka.client.rack", "a"),
        Entry::flag("--workers", "run.workers", "4"),
        Entry::flag("--at-least-once", "run.guarantee", "at-least-once"),
    ];
    let case = case(file, &environment, &flags);
    let effective = load(&case.sources).unwrap();
    assert_eq!(effective.settings.run.workers, 4);
    assert_eq!(effective.settings.run.guarantee, Guarantee::AtLeastOnce);
    assert_eq!(effective.settings.kafka.rdkafka["sasl.password"], "hush");
    assert_eq!(effective.settings.kafka.rdkafka["client.rack"], "a");
    assert_eq!(effective.settings.kafka.rdkafka["socket.keepalive.enable"], "true");
    expect![[r#"
        admin.listen                           127.0.0.1:8080  default
        admin.show_state                       true            default
        kafka.bootstrap                        env:2           env HEADWATER_KAFKA__BOOTSTRAP
        kafka.group_protocol                   auto            default
        kafka.rdkafka.client.id                me              env HEADWATER_KAFKA__RDKAFKA__CLIENT_ID
        kafka.rdkafka.client.rack              a               flag --set
        kafka.rdkafka.sasl.password            ********        file flights.toml
        kafka.rdkafka.security.protocol        SASL_SSL        file flights.toml
        kafka.rdkafka.socket.keepalive.enable  true            file flights.toml
        log.filter                             info            default
        log.format                             text            default
        memory.limit                           -               default
        run.accept_topology_change             -               default
        run.buffer                             16MiB           default
        run.commit_interval                    1s              file flights.toml
        run.crash_backoff                      true            default
        run.crash_backoff_after                2               default
        run.crash_backoff_max                  1m              default
        run.create_outputs                     true            default
        run.generation                         -               default
        run.guarantee                          at-least-once   flag --at-least-once
        run.idle_timeout                       30s             default
        run.instance                           pod-0           env HEADWATER_INSTANCE
        run.replication                        -               default
        run.trim_interval                      30s             default
        run.workers                            4               flag --workers
        state.dir                              ./state         default
        state.keep_open                        5s              default
        state.memory                           -               default
        state.open_files                       -               default
    "#]]
    .assert_eq(&to_text(&effective.values));
    let json = to_json(&effective.values).to_string();
    assert!(json.contains(r#"{"from":"default","key":"run.replication","value":null}"#), "{json}");
    assert!(!json.contains("hush"));
    assert!(!format!("{effective:?}").contains("hush"));
}

#[test]
fn a_dotted_name_means_the_same_quoted_and_unquoted() {
    for file in ["[kafka.rdkafka]\n'a.b.c' = 1", "[kafka.rdkafka]\na.b.c = 1", "kafka.rdkafka.a.b.c = 1"] {
        let case = case(file, &[], &[]);
        assert_eq!(load(&case.sources).unwrap().settings.kafka.rdkafka["a.b.c"], "1");
    }
}

#[test]
fn the_file_is_the_one_asked_for() {
    let mut case = case("run.workers = 2", &[("HEADWATER_CONFIG", "other.toml")], &[]);
    fs::write(case.directory.path().join("other.toml"), "run.workers = 3").unwrap();
    fs::write(case.directory.path().join("third.toml"), "").unwrap();
    assert_eq!(load(&case.sources).unwrap().settings.run.workers, 3);
    case.sources.file = Some("third.toml".into());
    assert_eq!(load(&case.sources).unwrap().settings.run.workers, 1);
    case.sources.file = None;
    case.sources.environment.clear();
    assert_eq!(load(&case.sources).unwrap().settings.run.workers, 2);
    case.sources.app = "other-app".into();
    assert_eq!(load(&case.sources).unwrap().settings, Settings::default());
}

#[test]
fn refuses_a_file_that_is_missing_or_broken() {
    let mut missing = file("");
    missing.sources.file = Some("nowhere.toml".into());
    refuses(
        codes::BAD_VALUE,
        vec![missing, file("[run\nworkers = 2"), file("run.workers = 1\nrun.workers = 2")],
        expect![[r#"
        cannot read the configuration file nowhere.toml (--config): No such file or directory (os error 2)
        flights.toml is not valid TOML: TOML parse error at line 1, column 5: unclosed table, expected `]`
        flights.toml is not valid TOML: TOML parse error at line 2, column 5: duplicate key
    "#]],
    );
}

#[test]
fn refuses_unknown_keys_wherever_they_are() {
    let cases = vec![
        file("[kafka]\nbootstap = 'x:1'"),
        variable("HEADWATER_RUN__WORKER", "2"),
        variable("HEADWATER_INSTANZ", "2"),
        flag("--set", "state.directory", "x"),
        flag("--set", "run.comit_interval", "1s"),
        file("workers = 2"),
        file("run = 2"),
        file("[kafka]\nsecurity.protocol = 'SSL'"),
        variable("HEADWATER_KAFKA__RDKAKFA__CLIENT_ID", "x"),
    ];
    refuses(
        codes::UNKNOWN_KEY,
        cases,
        expect![[r#"
        unknown setting kafka.bootstap (file flights.toml); did you mean kafka.bootstrap?
        unknown setting run.worker (env HEADWATER_RUN__WORKER); did you mean HEADWATER_RUN__WORKERS?
        unknown setting instanz (env HEADWATER_INSTANZ); did you mean HEADWATER_INSTANCE?
        unknown setting state.directory (flag --set); did you mean state.dir?
        unknown setting run.comit_interval (flag --set); did you mean run.commit_interval?
        unknown setting workers (file flights.toml); did you mean run.workers?
        unknown setting run (file flights.toml); did you mean run.accept_topology_change?
        unknown setting kafka.security.protocol (file flights.toml); did you mean kafka.rdkafka.security.protocol?
        unknown setting kafka.rdkakfa.client_id (env HEADWATER_KAFKA__RDKAKFA__CLIENT_ID); did you mean HEADWATER_KAFKA__RDKAFKA__CLIENT_ID?
    "#]],
    );
}

#[test]
fn refuses_values_that_do_not_fit_wherever_they_are() {
    let cases = vec![
        file("[run]\ncommit_interval = 100"),
        file("[run]\nworkers = [1, 2]"),
        variable("HEADWATER_STATE__MEMORY", "lots"),
        variable("HEADWATER_LOG__FILTER", "headwater=noisy"),
        flag("--workers", "run.workers", "four"),
        flag("--set", "run.guarantee", "maybe"),
        flag("--set", "run.create_outputs", "yes"),
        flag("--set", "run.replication", "0"),
        flag("--set", "kafka.group_protocol", "streams"),
        flag("--admin", "admin.listen", "8080"),
        file("[kafka.rdkafka]\n'sasl.password' = ['hush']"),
    ];
    refuses(
        codes::BAD_VALUE,
        cases,
        expect![[r#"
        bad value run.commit_interval = 100 (file flights.toml): expected a duration with a unit, such as 100ms, 30s, 2m or 1h
        bad value run.workers = [1,2] (file flights.toml): invalid type: sequence, expected a single value
        bad value state.memory = "lots" (env HEADWATER_STATE__MEMORY): expected a size such as 256MiB, 1GB or a number of bytes
        bad value log.filter = "headwater=noisy" (env HEADWATER_LOG__FILTER): expected error, warn, info, debug or trace, or levels per module such as info,headwater_kafka=debug
        bad value run.workers = "four" (flag --workers): expected a whole number of at least 1
        bad value run.guarantee = "maybe" (flag --set): expected exactly-once or at-least-once
        bad value run.create_outputs = "yes" (flag --set): expected true or false
        bad value run.replication = "0" (flag --set): expected a whole number of at least 1
        bad value kafka.group_protocol = "streams" (flag --set): expected auto or consumer or classic
        bad value admin.listen = "8080" (flag --admin): expected host:port, such as 127.0.0.1:8080 or 0.0.0.0:8080, or off
        bad value kafka.rdkafka.sasl.password = ******** (file flights.toml): invalid type: sequence, expected a single value
    "#]],
    );
}

#[test]
fn a_mistake_shows_even_where_a_later_layer_replaces_it() {
    let hidden = case("run.workers = 'x'", &[("HEADWATER_RUN__WORKERS", "2")], &[]);
    refuses(
        codes::BAD_VALUE,
        vec![hidden],
        expect![[r#"
        bad value run.workers = "x" (file flights.toml): expected a whole number of at least 1
    "#]],
    );
}

#[test]
fn an_empty_variable_unsets_an_optional_value() {
    let case = case("run.instance = 'a'", &[("HEADWATER_INSTANCE", "")], &[]);
    assert_eq!(load(&case.sources).unwrap().settings.run.instance, None);
}

#[test]
fn settings_become_options_of_the_engine() {
    let mut settings = Settings::default();
    assert_eq!(settings.run_options("id").process_id, "id");
    settings.run.instance = Some("pod-0".into());
    assert_eq!(settings.run_options("id").process_id, "pod-0");
    assert_eq!(settings.run_options("id").buffer_bytes, 16 << 20);
    settings.memory.limit = Some(ByteSize::of(1 << 30));
    assert_eq!(settings.run_options("id").memory_limit, Some(1 << 30));
    settings.state.memory = Some(ByteSize::of(64 << 20));
    assert_eq!(settings.run_options("id").memory_limit, None, "the stores have what was set, and no more");
}
