#!/usr/bin/env bash
# Ratios against a peer or a bound that is measured in the same run. The client has one core; the servers have all.
# Words pick measurements: bench/run.sh items nodes. FULL=1 fills with a million of each, in place of a hundred thousand.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p homeport -p homeport-bench
cores=$(taskset -pc $$ | sed 's/.*: //')
exec taskset -c "${cores%%[-,]*}" target/release/homeport-bench "${HOMEPORT:-$PWD/target/release/homeport}" "$cores" ${FULL:+full} "$@"
