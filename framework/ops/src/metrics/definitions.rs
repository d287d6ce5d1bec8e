//! Every metric: names, help, labels. `METRICS.md` is made from this file, and a test keeps it so.

use super::definition::{Definition, Kind, Label};

const TOPIC: Label = Label { name: "topic", meaning: "the topic's name" };
const WORKER: Label = Label { name: "worker", meaning: "the worker's number, from 0" };
const PARTITION: Label = Label { name: "partition", meaning: "the partition's number" };
const STORE: Label = Label { name: "store", meaning: "the store's name" };
const TASK: Label = Label { name: "task", meaning: "the task's name" };

/// Milliseconds on one broker, seconds when something is wrong.
const COMMIT_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From an up-to-date store (nothing to read) to a lost disk.
const RESTORE_BUCKETS: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// Records in.
pub const RECORDS_CONSUMED: Definition = Definition {
    name: "headwater_records_consumed_total",
    kind: Kind::Counter,
    help: "Records taken from a topic and handed to operators.",
    labels: &[TOPIC],
};

/// Bytes in.
pub const BYTES_CONSUMED: Definition = Definition {
    name: "headwater_bytes_consumed_total",
    kind: Kind::Counter,
    help: "Key and value bytes of the records taken from a topic.",
    labels: &[TOPIC],
};

/// Records out.
pub const RECORDS_PRODUCED: Definition = Definition {
    name: "headwater_records_produced_total",
    kind: Kind::Counter,
    help: "Records handed to the producer: outputs, repartition topics and changelogs alike.",
    labels: &[TOPIC],
};

/// Bytes out.
pub const BYTES_PRODUCED: Definition = Definition {
    name: "headwater_bytes_produced_total",
    kind: Kind::Counter,
    help: "Key and value bytes of the records handed to the producer.",
    labels: &[TOPIC],
};

/// Records left out.
pub const RECORDS_DROPPED: Definition = Definition {
    name: "headwater_records_dropped_total",
    kind: Kind::Counter,
    help: "Records left out of the result.",
    labels: &[
        Label { name: "place", meaning: "the node or topic that left them out" },
        Label {
            name: "reason",
            meaning: "late: after the window closed; undecodable, too_far_ahead, failed, timer, unwritable: by policy; null_key, null_value, no_timestamp: it lacks what it needs",
        },
    ],
};

/// Dead letters.
pub const DEAD_LETTERS: Definition = Definition {
    name: "headwater_dead_letters_total",
    kind: Kind::Counter,
    help: "Records written to the dead-letter topic, counted when they are committed.",
    labels: &[
        Label { name: "place", meaning: "the topic they were read from; for timers, the transform" },
        Label { name: "stage", meaning: "decode, process, timer or produce: what was being done when they failed" },
    ],
};

/// Deliveries.
pub const SINK_RECORDS: Definition = Definition {
    name: "headwater_sink_records_total",
    kind: Kind::Counter,
    help: "Records for a system outside of the log, counted when they are committed.",
    labels: &[
        Label { name: "sink", meaning: "the sink's name in the topology" },
        Label { name: "result", meaning: "delivered, or withheld: a replay must not reach it" },
    ],
};

/// Commits.
pub const COMMITS: Definition = Definition {
    name: "headwater_commits_total",
    kind: Kind::Counter,
    help: "Commits that ended.",
    labels: &[Label { name: "result", meaning: "ok or failed" }],
};

/// Time per commit.
pub const COMMIT_DURATION: Definition = Definition {
    name: "headwater_commit_duration_seconds",
    kind: Kind::Histogram(COMMIT_BUCKETS),
    help: "How long commits took, failed ones too.",
    labels: &[],
};

/// Where the time goes.
pub const WORKER_TIME: Definition = Definition {
    name: "headwater_worker_time_seconds_total",
    kind: Kind::Counter,
    help: "What a worker spent its time on; its rate is a share of one core.",
    labels: &[WORKER, Label { name: "state", meaning: "idle, poll, process, commit or restore" }],
};

/// Lag by offset.
pub const INPUT_LAG: Definition = Definition {
    name: "headwater_input_lag_records",
    kind: Kind::Gauge,
    help: "Records of an input partition that are not committed yet. Only the process that owns the partition shows it.",
    labels: &[TOPIC, PARTITION],
};

/// Lag by event time.
pub const WATERMARK_LAG: Definition = Definition {
    name: "headwater_watermark_lag_seconds",
    kind: Kind::Gauge,
    help: "How far a task's event time is behind wall time.",
    labels: &[TASK],
};

/// How far tasks are from each other.
pub const EVENT_TIME_SKEW: Definition = Definition {
    name: "headwater_event_time_skew_seconds",
    kind: Kind::Gauge,
    help: "Event time between this process' task that is furthest and the one that is least far.",
    labels: &[],
};

/// What a backfill reads.
pub const BACKFILL_TOTAL: Definition = Definition {
    name: "headwater_backfill_planned_records",
    kind: Kind::Gauge,
    help: "Offsets of an input partition that a backfill reads, transaction markers included.",
    labels: &[TOPIC, PARTITION],
};

/// What it has read of that.
pub const BACKFILL_DONE: Definition = Definition {
    name: "headwater_backfill_done_records",
    kind: Kind::Gauge,
    help: "Those of them that are processed and committed, by whatever process.",
    labels: &[TOPIC, PARTITION],
};

/// When it will be over.
pub const BACKFILL_LEFT: Definition = Definition {
    name: "headwater_backfill_time_left_seconds",
    kind: Kind::Gauge,
    help: "How long a backfill still takes to read its inputs at its speed since this process began; not there before anything has moved.",
    labels: &[],
};

/// What it is at.
pub const BACKFILL_STAGE: Definition = Definition {
    name: "headwater_backfill_stage",
    kind: Kind::Gauge,
    help: "1 for what a backfill is at, 0 for the rest.",
    labels: &[Label {
        name: "stage",
        meaning: "reading its inputs, finishing what of them is in repartition topics, or complete",
    }],
};

/// Tasks.
pub const TASKS: Definition = Definition {
    name: "headwater_tasks",
    kind: Kind::Gauge,
    help: "Tasks this process has.",
    labels: &[Label { name: "state", meaning: "restoring or running" }],
};

/// What is left to restore.
pub const RESTORE_REMAINING: Definition = Definition {
    name: "headwater_restore_remaining_records",
    kind: Kind::Gauge,
    help: "Changelog records still to read before a store is ready. Gone once there are none.",
    labels: &[STORE, PARTITION],
};

/// What was restored.
pub const RESTORE_RECORDS: Definition = Definition {
    name: "headwater_restore_records_total",
    kind: Kind::Counter,
    help: "Changelog records read back into a store.",
    labels: &[STORE],
};

/// Time per restore.
pub const RESTORE_DURATION: Definition = Definition {
    name: "headwater_restore_duration_seconds",
    kind: Kind::Histogram(RESTORE_BUCKETS),
    help: "How long tasks took to restore.",
    labels: &[],
};

/// Stores that were not simply continued.
pub const STORE_RECOVERIES: Definition = Definition {
    name: "headwater_store_recoveries_total",
    kind: Kind::Counter,
    help: "Stores that could not simply be continued where they were. All but `older_format` are restored in full.",
    labels: &[
        STORE,
        Label {
            name: "reason",
            meaning: "trimmed: the log begins later than the store; truncated: it ends earlier; recreated: the topic was made anew; expired: deletions may be forgotten; overtaken: by the log's beginning while restoring; corrupt: damaged files; older_format",
        },
    ],
};

/// Rebalances.
pub const REBALANCES: Definition = Definition {
    name: "headwater_rebalances_total",
    kind: Kind::Counter,
    help: "How often the group changed this process's partitions.",
    labels: &[],
};

/// Fencing.
pub const FENCED: Definition = Definition {
    name: "headwater_fenced_total",
    kind: Kind::Counter,
    help: "How often another process took over from a producer or member of this one.",
    labels: &[],
};

/// Buffered records.
pub const BUFFERED_RECORDS: Definition = Definition {
    name: "headwater_buffered_records",
    kind: Kind::Gauge,
    help: "Records waiting in memory for their turn.",
    labels: &[WORKER],
};

/// Buffered bytes.
pub const BUFFERED_BYTES: Definition = Definition {
    name: "headwater_buffered_bytes",
    kind: Kind::Gauge,
    help: "Bytes of the records waiting in memory for their turn.",
    labels: &[WORKER],
};

/// The version.
pub const BUILD_INFO: Definition = Definition {
    name: "headwater_build_info",
    kind: Kind::Gauge,
    help: "Always 1; the labels say what is running.",
    labels: &[Label { name: "version", meaning: "Headwater's version" }],
};

/// The phase of life.
pub const PHASE: Definition = Definition {
    name: "headwater_phase",
    kind: Kind::Gauge,
    help: "1 for the phase the process is in, 0 for the others.",
    labels: &[Label { name: "phase", meaning: "starting, joining, restoring, running, stopping, failed or backing_off" }],
};

/// Failures of this process' predecessors.
pub const FAILURES: Definition = Definition {
    name: "headwater_failures_in_a_row",
    kind: Kind::Gauge,
    help: "How often in a row the process has failed without progress; from the second on a start waits.",
    labels: &[],
};

/// Memory, under the name every Prometheus client uses.
pub const PROCESS_MEMORY: Definition = Definition {
    name: "process_resident_memory_bytes",
    kind: Kind::Gauge,
    help: "Resident memory of the process (Linux).",
    labels: &[],
};

/// File descriptors, under the name every Prometheus client uses.
pub const PROCESS_FDS: Definition = Definition {
    name: "process_open_fds",
    kind: Kind::Gauge,
    help: "Open file descriptors of the process (Linux).",
    labels: &[],
};

/// CPU time, under the name every Prometheus client uses.
pub const PROCESS_CPU: Definition = Definition {
    name: "process_cpu_seconds_total",
    kind: Kind::Counter,
    help: "User and system CPU time of the process (Linux).",
    labels: &[],
};

/// All of them, in the order of the reference.
pub const ALL: [&Definition; 32] = [
    &RECORDS_CONSUMED,
    &BYTES_CONSUMED,
    &RECORDS_PRODUCED,
    &BYTES_PRODUCED,
    &RECORDS_DROPPED,
    &DEAD_LETTERS,
    &SINK_RECORDS,
    &INPUT_LAG,
    &WATERMARK_LAG,
    &EVENT_TIME_SKEW,
    &BACKFILL_TOTAL,
    &BACKFILL_DONE,
    &BACKFILL_LEFT,
    &BACKFILL_STAGE,
    &COMMITS,
    &COMMIT_DURATION,
    &WORKER_TIME,
    &BUFFERED_RECORDS,
    &BUFFERED_BYTES,
    &TASKS,
    &RESTORE_REMAINING,
    &RESTORE_RECORDS,
    &RESTORE_DURATION,
    &STORE_RECOVERIES,
    &REBALANCES,
    &FENCED,
    &PHASE,
    &FAILURES,
    &BUILD_INFO,
    &PROCESS_MEMORY,
    &PROCESS_FDS,
    &PROCESS_CPU,
];
