# Everything is built in the release profile and in one target directory: RocksDB and librdkafka are compiled from source,
# which takes ten minutes or more, and so happens once. Both can be overridden from the environment. Its name must not begin with HEADWATER_:
# an application would take it for a setting it does not know.
HW_BUILD_CACHE ?= $(HOME)/.cache/headwater
CARGO_TARGET_DIR ?= $(HW_BUILD_CACHE)/target
export HW_BUILD_CACHE CARGO_TARGET_DIR
export PATH := $(HOME)/.cargo/bin:$(HW_BUILD_CACHE)/bin:$(PATH)

KAFKA_DIR = .dev/kafka

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-kafka test dist simulate chaos prove-kills prove-rolling prove-restore prove-backfill prove-handover bench bench-micro bench-memory bench-macro bench-skewed bench-large bench-latency bench-beside bench-restart bench-quick bench-guard bench-plots lint

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1|\2/p' Makefile | while IFS='|' read -r target text; do printf '  make %-12s %s\n' "$$target" "$$text"; done

setup: ## installs what is missing: C++ toolchain, Java and Kafka's jars, helm
	@scripts/setup.sh all

demo: ## runs the flights application in one process, with nothing else installed
	@scripts/setup.sh build
	cargo run --release -p flights -- demo --log-filter warn

demo-kafka: ## the same on a real Kafka, started under .dev/kafka
	@scripts/setup.sh all
	@address=$$(scripts/kafka-start.sh $(KAFKA_DIR)) || exit; echo "Kafka is at $$address"; \
	cargo run --release -p flights -- demo --log-filter warn --state-dir .dev/state --bootstrap "$$address"; result=$$?; \
	echo "Kafka goes on at $$address; stop it with: scripts/kafka-stop.sh $(KAFKA_DIR)"; exit $$result

dist: ## APP=flights: its binary for production, optimised as one unit (docs/decisions/link-time.md); compiles the C++ once more
	@[ -n "$(APP)" ] || { echo "APP=name of an application's package is missing" >&2; exit 2; }
	@scripts/setup.sh build
	cargo build --profile dist -p "$(APP)"
	@echo "$(CARGO_TARGET_DIR)/dist/$(APP)"

test: setup ## all tests: formatting, Rust (with a real Kafka), the chart
	cargo fmt --all --check
	cargo test --release --workspace
	cargo test --release -p headwater-files --features parquet
	scripts/chart-test.sh

simulate: ## whole applications in memory under faults: SEEDS=1000, or one SEED, MUTATE=defect (docs/testing/simulator.md)
	@scripts/setup.sh build
	@cargo build --release --quiet -p headwater-simulator --bin simulate
	@SEEDS="$(SEEDS)" SEED="$(SEED)" FROM="$(FROM)" MUTATE="$(MUTATE)" WITHOUT="$(WITHOUT)" FAULTS="$(FAULTS)" ACTS="$(ACTS)" TRACE="$(TRACE)" \
	"$(CARGO_TARGET_DIR)/release/simulate"

chaos: ## kills, pauses and fills for MINUTES=5 from SEED=...; needs root for a small tmpfs (docs/operating/chaos.md)
	@scripts/setup.sh all
	cargo build --release -p ledger -p headwater-tests --bin ledger --bin chaos
	@MINUTES="$(MINUTES)" SEED="$(SEED)" "$(CARGO_TARGET_DIR)/release/chaos"

prove-kills: ## KILLS=200 times kill -9 under load: no wipe, no difference, little read again (docs/operating/proofs.md)
prove-rolling: ## members stop, leave and are killed under load: the longest gap in an output, against its bound
prove-restore: ## KEYS=5000000 keys restored from a changelog, beside Kafka Streams
prove-backfill: ## ranges of the flights computed again by processes that are killed, against the live run
prove-handover: ## REPETITIONS=50 generations take over one after the other under load, while processes are killed
prove-kills prove-rolling prove-restore prove-backfill prove-handover: prove-%:
	@scripts/setup.sh all
	cargo build --release -p ledger -p flights -p headwater-tests --bin ledger --bin flights --bin prove
	@PEER="$${PEER-benches/peer/Restore.java}" "$(CARGO_TARGET_DIR)/release/prove" $*

BENCH = cargo bench --profile release -p headwater-benches --bench
# Contenders are measured as they go into production, by `make dist`; BENCH_PROFILE=release spares compiling the C++ once more.
BENCH_PROFILE ?= dist
MACRO = cargo bench --profile $(BENCH_PROFILE) -p headwater-benches --bench macro
WORKLOADS ?= W6 W2 W1 W3 W4 W7
ALONE = WORKERS=$${WORKERS:-1} PROCESSES=$${PROCESSES:-1} GUARANTEE=$${GUARANTEE:-exactly-once}
BENCH_SKEWED = SKEW=$${SKEW:-1.1} $(ALONE) $(MACRO) -- $(WORKLOADS)
BENCH_LARGE = RECORDS=$${RECORDS:-20000000} KEYS=$${KEYS:-10000000} ROUNDS=$${ROUNDS:-1} $(ALONE) $(MACRO) -- $(WORKLOADS)

bench: ## everything that is measured: micro, memory, macro with all workloads, latency, beside a backfill, and restarts; hours (docs/performance.md)
	@scripts/setup.sh all
	$(BENCH) micro
	$(BENCH) memory
	$(MACRO) -- $(WORKLOADS) W5 latency beside restart
	$(BENCH_SKEWED)
	$(BENCH_LARGE)

bench-micro: ## what single steps cost
	@scripts/setup.sh build
	$(BENCH) micro

bench-memory: ## resident memory of 64 tasks with 3 stores each, under load and in a full restore, against memory.limit
	@scripts/setup.sh all
	$(BENCH) memory

bench-macro: ## whole applications beside Kafka Streams and a bare loop: WORKLOADS="W6 W2" RECORDS=2000000 ROUNDS=3 (docs/performance.md)
	@scripts/setup.sh all
	$(MACRO) -- $(WORKLOADS)

bench-skewed: ## the same with keys as often as Zipf's law has them: SKEW=1.1
	@scripts/setup.sh all
	$(BENCH_SKEWED)

bench-large: ## the same once with state well past every cache: KEYS=10000000 RECORDS=20000000
	@scripts/setup.sh all
	$(BENCH_LARGE)

bench-latency: ## end-to-end latency beside them: LATENCY=W2,W1 RATE=20000 SECONDS=30
	@scripts/setup.sh all
	$(MACRO) -- latency

bench-beside: ## what a throttled backfill adds to the latency of the live application: RATE=20000 SECONDS=30 BESIDE_RATE=5000
	@scripts/setup.sh all
	$(MACRO) -- beside

bench-restart: ## a clean stop and the next start under a steady input, beside Kafka Streams: STEADY=1000
	@scripts/setup.sh all
	$(MACRO) -- restart

bench-quick: ## bench-macro once with 300,000 records, some 5 minutes: whether all results are right; figures mean little
	@scripts/setup.sh all
	RECORDS=$${RECORDS:-300000} KEYS=$${KEYS:-30000} ROUNDS=$${ROUNDS:-1} $(ALONE) \
	$(BENCH) macro -- $(WORKLOADS)

GUARDED = $(CARGO_TARGET_DIR)/bench-guard.jsonl
RESULTS_COMMAND = cargo run --release --quiet -p headwater-benches --bin bench-results --
bench-guard: ## counts and ratios against the committed ones; RESULTS=file of a run that is there, UPDATE=1 commits to what is found
	@scripts/setup.sh all
	UPDATE="$(UPDATE)" $(BENCH) guard
	@[ -n "$(RESULTS)" ] || { rm -f "$(GUARDED)"; RESULTS="$(GUARDED)" $(MACRO) -- $(WORKLOADS); }
	$(RESULTS_COMMAND) ratios "$(or $(RESULTS),$(GUARDED))" benches/guard/ratios.json $(if $(filter 1,$(UPDATE)),--update)

bench-plots: ## draws RESULTS=file, lines that bench-macro has written, into docs/performance
	@[ -n "$(RESULTS)" ] || { echo "RESULTS=file is missing: what bench-macro was told with RESULTS" >&2; exit 2; }
	$(RESULTS_COMMAND) plots "$(RESULTS)" docs/performance

lint: ## formatting, clippy, dependencies and the chart
	@scripts/setup.sh build
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo clippy --release -p headwater-files --features parquet --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check bans licenses sources; \
	else echo "cargo-deny is not installed: licences and sources of dependencies were NOT checked (cargo install cargo-deny)" >&2; fi
	scripts/chart-test.sh
