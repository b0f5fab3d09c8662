#!/usr/bin/env bash
# The sample backend. `--check` walks it in a temporary folder and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
homeport="${HOMEPORT:-$PWD/target/release/homeport}"
missing=()
command -v python3 >/dev/null 2>&1 || missing+=("python3 (the sample's function runs on it)")
python3 -m venv --help >/dev/null 2>&1 || missing+=("python3 with venv (it brings boto3 for functions)")
command -v npm >/dev/null 2>&1 || missing+=("npm (it brings @aws-sdk/* for functions)")
if [ "${#missing[@]}" -gt 0 ]; then
  echo "The demo needs what this machine has not:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi
"$homeport" runtimes install
exec "$homeport" demo "$@"
