#!/usr/bin/env bash
# Runs every fuzz target for SECONDS_EACH (60 unless told, 600 with FULL=1), on what the corpora hold and what libFuzzer makes of it. New
# inputs go to target/fuzz; what breaks a target is printed with the file that holds it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${SECONDS_EACH:-$([ -n "${FULL:-}" ] && echo 600 || echo 60)}"
command -v g++ >/dev/null 2>&1 || { echo "SKIPPED fuzzing: g++ is not installed"; exit 0; }
# libFuzzer's coverage on the stable compiler, as `cargo fuzz --sanitizer none` sets it.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1"
export CARGO_TARGET_DIR="$PWD/target/fuzz"
cargo build --manifest-path fuzz/Cargo.toml --release --locked --target "$(rustc -vV | sed -n 's/^host: //p')"
bin="$CARGO_TARGET_DIR/$(rustc -vV | sed -n 's/^host: //p')/release"
# The stack of the program's own threads, and the longest of what targets read: a statement.
ulimit -s 2048
status=0
for target in fuzz/targets/*.rs; do
  name="$(basename "$target" .rs)"
  mkdir -p "$CARGO_TARGET_DIR/found/$name"
  echo "fuzzing $name for $seconds s"
  "$bin/$name" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$CARGO_TARGET_DIR/$name-" -verbosity=0 \
    "$CARGO_TARGET_DIR/found/$name" "fuzz/corpus/$name" || status=1
done
exit $status
