#!/bin/sh
# kafka-stop.sh DIR: stops the broker that kafka-start.sh DIR started, and keeps its data. Does nothing if it is down.
set -eu

[ $# -eq 1 ] || { echo "usage: kafka-stop.sh DIR" >&2; exit 2; }
[ -f "$1/pid" ] || exit 0
pid=$(cat "$1/pid")

# The number may be another process's by now.
if ! ps -p "$pid" -o args= 2>/dev/null | grep -q "kafka.Kafka"; then
    rm -f "$1/pid"
    exit 0
fi
kill "$pid"
waited=0
while kill -0 "$pid" 2>/dev/null; do
    if [ "$waited" -ge 150 ]; then
        echo "kafka-stop: the broker did not stop within 30 s; killing it" >&2
        kill -9 "$pid"
        break
    fi
    waited=$((waited + 1))
    sleep 0.2
done
rm -f "$1/pid"
