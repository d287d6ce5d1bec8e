#!/bin/sh
# Resolves the jars of Apache Kafka 4.3.0 (broker, tools, streams) by Maven into
# ${HW_BUILD_CACHE:-$HOME/.cache/headwater}/kafka-4.3.0 and prints that directory.
# Idempotent: does nothing when they are there. Needs Java 17 or newer and Maven once.
set -eu

version=4.3.0
cache=${HW_BUILD_CACHE:-$HOME/.cache/headwater}
dir=$cache/kafka-$version
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

fail() { echo "kafka-jars: $*" >&2; exit 1; }

command -v java >/dev/null 2>&1 || fail "java is missing: install a Java runtime, version 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"
major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${major:-0}" -ge 17 ] || fail "Java ${major:-of unknown version} is too old: Apache Kafka $version needs 17 or newer"

# The marker is written last and names the pom it was made by: an interrupted or older download is done again.
wanted=$(cksum < "$here/kafka/pom.xml")
if [ "$(cat "$dir/.complete" 2>/dev/null || true)" = "$wanted" ]; then
    echo "$dir"
    exit 0
fi
command -v mvn >/dev/null 2>&1 || fail "mvn is missing: install Maven (Debian: apt-get install maven); it is needed once, to fetch the jars"

mkdir -p "$dir/libs"
echo "kafka-jars: fetching Apache Kafka $version into $dir" >&2
mvn --batch-mode --quiet -f "$here/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$dir/libs" >&2 \
    || fail "Maven could not resolve the jars: see above; behind a mirror or proxy, set it in ~/.m2/settings.xml"
[ -f "$dir/libs/kafka_2.13-$version.jar" ] || fail "Maven said nothing, but $dir/libs/kafka_2.13-$version.jar is missing"
echo "$wanted" > "$dir/.complete"
echo "$dir"
