#!/usr/bin/env bash
# Ratios against a peer or a bound that is measured in the same run. The client has one core; the servers have all.
# Words pick measurements: bench/run.sh items nodes. FULL=1 fills with a million of each, in place of a hundred thousand.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p homeport -p homeport-bench
# What loads DynamoDB and its peer.
if ! command -v wrk >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  (apt-get update -q && apt-get install -y -q wrk) >/dev/null 2>&1 || true
fi
# The peer of DynamoDB; where npm can't bring it, that measurement is skipped.
if [ ! -d .tools/dynalite/node_modules/dynalite ] && command -v npm >/dev/null 2>&1; then
  npm install --prefix .tools/dynalite --no-audit --no-fund --loglevel=error dynalite@4.0.0 >/dev/null 2>&1 || true
fi
cores=$(taskset -pc $$ | sed 's/.*: //')
exec taskset -c "${cores%%[-,]*}" target/release/homeport-bench "${HOMEPORT:-$PWD/target/release/homeport}" "$cores" ${FULL:+full} "$@"
