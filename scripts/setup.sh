#!/usr/bin/env bash
# setup.sh [build|all]: installs what is missing, and only that.
#   build   what compiling needs: a C++ toolchain and the libraries RocksDB and librdkafka are built against
#   all     (default) also Java and Maven for a real Kafka in the tests, its jars, and helm for the chart
# Packages are installed on Debian and Ubuntu; elsewhere they are listed.
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-all}
cache=${HW_BUILD_CACHE:-$HOME/.cache/headwater}
helm_version=v3.22.0
java_needed=17
rust_needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
# make and CI may not have read the shell's profile.
export PATH="$HOME/.cargo/bin:$cache/bin:$PATH"

case $what in build | all) ;; *)
    echo "usage: setup.sh [build|all]" >&2
    exit 2
    ;;
esac

say() { echo "setup: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

require_rust() {
    if ! have cargo; then
        say "Rust is missing: install it from https://rustup.rs (version $rust_needed or newer), then run this again"
        exit 1
    fi
    local found
    found=$(rustc --version | cut -d' ' -f2)
    if older "$found" "$rust_needed"; then
        say "Rust $found is too old, $rust_needed or newer is needed: rustup update stable"
        exit 1
    fi
}

# Where bindgen finds libclang. libclang-cpp, which comes with LLVM, is another library.
have_libclang() {
    local directory name
    [ -z "${LIBCLANG_PATH:-}" ] || return 0
    for directory in '/usr/lib/llvm-*/lib' '/usr/lib*' '/usr/lib/*'; do
        for name in 'libclang.so*' 'libclang-[0-9]*.so*'; do
            compgen -G "$directory/$name" >/dev/null && return 0
        done
    done
    return 1
}

have_java() {
    have java && [ "$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)" -ge "$java_needed" ]
}

# The packages that are missing, by what they are needed for rather than by name: another source of the same is fine.
missing_packages() {
    have make || echo make
    have g++ || echo g++
    have pkg-config || echo pkg-config
    have_libclang || echo libclang-dev
    { have pkg-config && pkg-config --exists openssl; } || echo libssl-dev
    { have pkg-config && pkg-config --exists libcurl; } || echo libcurl4-openssl-dev
    { have pkg-config && pkg-config --exists zlib; } || echo zlib1g-dev
    [ "$what" = all ] || return 0
    have_java || echo "openjdk-$java_needed-jre-headless"
    have mvn || echo maven
}

# A release that no longer has this Java has newer ones, and one of them as its default.
with_available_java() {
    local package
    for package in "$@"; do
        case $package in
        openjdk-*) apt-cache show "$package" >/dev/null 2>&1 || package=default-jre-headless ;;
        esac
        echo "$package"
    done
}

install_packages() {
    local as_root=()
    if ! { have apt-get && [ -e /etc/debian_version ]; }; then
        say "this is not Debian or Ubuntu; install what these Debian packages contain, then run this again:"
        say "  $*"
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! have sudo; then
            say "sudo is missing; as root, run: apt-get install $*"
            exit 1
        fi
        as_root=(sudo)
    fi
    say "installing: $*"
    "${as_root[@]}" apt-get update -q >&2
    local packages
    mapfile -t packages < <(with_available_java "$@")
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}" >&2
}

install_helm() {
    have helm && return
    if ! have go; then
        say "helm is missing and so is Go, which it would be built with: the chart cannot be checked. Put helm 3 on the PATH"
        return
    fi
    say "building helm $helm_version into $cache/bin"
    mkdir -p "$cache/bin"
    # Outside this directory: the settings of a Go project, should there be one above it, do not concern helm.
    if ! (cd "$cache/bin" && GOBIN="$cache/bin" GOFLAGS=-mod=mod go install "helm.sh/helm/v3/cmd/helm@$helm_version" >&2); then
        say "helm could not be built (see above; $(go version | cut -d' ' -f3) may be too old): the chart cannot be checked. Put helm 3 on the PATH"
    fi
}

require_rust
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
    install_packages "${missing[@]}"
fi
if [ "$what" = all ]; then
    if [ -x scripts/kafka-jars.sh ]; then
        scripts/kafka-jars.sh >/dev/null
    fi
    install_helm
fi
say "ready ($what)"
