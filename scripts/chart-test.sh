#!/usr/bin/env bash
# Checks helm/headwater-app without a cluster: lints and renders it with every ci/*-values.yaml, and makes sure that wrong
# values are refused. Fails where helm is missing: a check that did not run is not a check that passed.
set -euo pipefail
cd "$(dirname "$0")/.."

chart=helm/headwater-app
# A helm built from source does not know which Kubernetes it is for; any the chart supports will do.
kubernetes=1.33.0
export PATH="${HW_BUILD_CACHE:-$HOME/.cache/headwater}/bin:$PATH"

if ! command -v helm >/dev/null; then
    echo "chart: helm is not installed: run 'make setup' (it needs Go), or put helm 3 on the PATH" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "chart: FAILED: $*" >&2
    failed=1
}

render() { # values-file arguments...
    local values=$1
    shift
    helm template release "$chart" --namespace test --kube-version "$kubernetes" --values "$values" "$@"
}

# expect FILE TEXT...: the rendering has these lines, at whatever depth.
expect() {
    local file=$1 text
    shift
    for text in "$@"; do
        grep -qxF -- "$text" "$work/$file.lines" || fail "$file: no line '$text'"
    done
}

# reject TEXT ARGUMENTS...: rendering fails and says why.
reject() {
    local text=$1
    shift
    if render "$chart/ci/minimal-values.yaml" "$@" >"$work/out" 2>&1; then
        fail "accepted: $*"
    elif ! grep -qF -- "$text" "$work/out"; then
        fail "$*: expected '$text', got: $(cat "$work/out")"
    fi
}

for values in "$chart"/ci/*-values.yaml; do
    name=$(basename "$values" -values.yaml)
    # The schema is checked by both.
    helm lint "$chart" --strict --quiet --kube-version "$kubernetes" --values "$values" || fail "lint with $values"
    render "$values" >"$work/$name" || fail "rendering with $values"
    sed 's/^[ -]*//' "$work/$name" >"$work/$name.lines"
    helm template release "$chart" --kube-version 1.27.0 --values "$values" >/dev/null || fail "rendering for Kubernetes 1.27 with $values"
done

expect minimal 'kind: StatefulSet' 'podManagementPolicy: Parallel' 'replicas: 1' 'value: $(POD_NAME)' 'clusterIP: None' \
    'readOnlyRootFilesystem: true' 'runAsNonRoot: true' 'fsGroupChangePolicy: OnRootMismatch' 'terminationGracePeriodSeconds: 60' \
    'whenScaled: Retain' 'maxUnavailable: 1' 'path: /readyz' '"kafka:9092"' '0.0.0.0:8080'
expect full 'kind: ServiceMonitor' "name: 'flights-live-extra'" 'name: release-text' 'storageClassName: fast' 'value: "2Gi"' \
    'name: flights-kafka-credentials' 'topologyKey: topology.kubernetes.io/zone'
expect ephemeral 'sizeLimit: 2Gi' 'serviceAccountName: default' 'maxUnavailable: 50%'
if grep -qE 'replicas:|volumeClaimTemplates:|HEADWATER_INSTANCE' "$work/ephemeral"; then
    fail "ephemeral: replicas, volumes or a member's name although switched off"
fi
render "$chart/ci/minimal-values.yaml" --set-string config='a = 1' >"$work/changed"
if [ "$(grep checksum/config "$work/minimal")" = "$(grep checksum/config "$work/changed")" ]; then
    fail "a changed configuration does not restart the pods"
fi

reject 'kafka.bootstrap is required' --set kafka.bootstrap=
reject 'image.repository is required' --set image.repository=
reject 'image.tag (or image.digest) is required' --set image.tag=
reject 'replica' --set replica=3
reject 'bootstrap' --set kafka.bootstrap=kafka
reject 'replicas' --set replicas=-1
reject 'whenDeleted' --set state.persistence.retention.whenDeleted=retain
reject 'memory' --set state.memory=1.5Gi
reject 'format' --set log.format=yaml

# Every value is in the schema and every property of the schema is a value: neither list may go stale.
cut -d: -f1 "$chart/values.yaml" | grep -E '^[a-zA-Z]+$' | sort >"$work/values"
sed -n 's/^    "\([a-zA-Z]*\)": {$/\1/p' "$chart/values.schema.json" | grep -v '^global$' | sort >"$work/schema"
diff "$work/values" "$work/schema" >&2 || fail "values.yaml (<) and values.schema.json (>) differ"

[ "$failed" = 0 ] && echo "chart: ok"
exit "$failed"
