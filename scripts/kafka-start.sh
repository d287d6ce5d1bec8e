#!/bin/sh
# kafka-start.sh DIR [PORT]: starts a single-node Apache Kafka (KRaft) for trying things out and prints its address.
# Data, log, pid and port are kept under DIR; started again with the same DIR it goes on with the same data.
# PORT is 9092 by default; the controller takes the port after it. Stop it with kafka-stop.sh DIR.
set -eu

[ $# -ge 1 ] || { echo "usage: kafka-start.sh DIR [PORT]" >&2; exit 2; }
fail() { echo "kafka-start: $*" >&2; exit 1; }

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1"
dir=$(CDPATH= cd -- "$1" && pwd)
port=${2:-$(cat "$dir/port" 2>/dev/null || echo 9092)}
deadline=60

if [ -f "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
    echo "127.0.0.1:$(cat "$dir/port")"
    exit 0
fi
libs=$("$here/kafka-jars.sh")/libs

sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER_PORT@|$((port + 1))|g" -e "s|@DATA@|$dir/data|g" \
    "$here/kafka/server.properties" > "$dir/server.properties"
if [ ! -f "$dir/data/meta.properties" ]; then
    java -cp "$libs/*" -Dlog4j2.configurationFile="$here/kafka/log4j2.yaml" kafka.tools.StorageTool \
        format -t aGVhZHdhdGVyLWRlbW8tMQ -c "$dir/server.properties" > "$dir/format.log" 2>&1 \
        || fail "formatting $dir/data failed: $(cat "$dir/format.log")"
fi
echo "$port" > "$dir/port"
: > "$dir/broker.log"
# A session of its own where there is setsid: the broker outlives the terminal and its Ctrl-C.
$(command -v setsid || true) nohup java -Xmx512m -XX:+UseSerialGC -cp "$libs/*" -Dlog4j2.configurationFile="$here/kafka/log4j2.yaml" \
    kafka.Kafka "$dir/server.properties" > "$dir/broker.log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$dir/pid"

waited=0
until grep -q "Kafka Server started" "$dir/broker.log"; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$dir/pid"; fail "the broker ended at once; the end of $dir/broker.log: $(tail -n 5 "$dir/broker.log")"; }
    [ "$waited" -lt $((deadline * 5)) ] || fail "the broker is not up after $deadline s; see $dir/broker.log"
    waited=$((waited + 1))
    sleep 0.2
done
echo "127.0.0.1:$port"
