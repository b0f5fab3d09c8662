#!/usr/bin/env bash
# Ratios against a peer or a bound that is measured in the same run. The client has one core; the servers have all.
# A first word picks measurements: bench/run.sh items
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p homeport -p homeport-bench
cores=$(taskset -pc $$ | sed 's/.*: //')
exec taskset -c "${cores%%[-,]*}" target/release/homeport-bench "${HOMEPORT:-$PWD/target/release/homeport}" "$cores" "$@"
