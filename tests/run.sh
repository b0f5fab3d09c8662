#!/usr/bin/env bash
# The real clients against the release binary: boto3 and the AWS CLI (tests/python), Amplify and the SDK for
# JavaScript (tests/node). Installs what they need into .tools/ once; a machine without Node or Python says so.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="$PWD/.tools"
mkdir -p "$tools"
export HOMEPORT="${HOMEPORT:-$PWD/target/release/homeport}"

fresh() { # STAMP-FILE SOURCE: whether what was installed is what SOURCE asks for
  [ -f "$1" ] && cmp -s "$1" "$2"
}

bash tests/install.sh
if ! command -v npm >/dev/null 2>&1; then
  echo "npm is needed for the tests with Amplify and the SDK for JavaScript" >&2
  exit 1
fi
if ! fresh "$tools/node.done" tests/node/package-lock.json; then
  (cd tests/node && npm ci --no-audit --no-fund --loglevel=error)
  cp tests/node/package-lock.json "$tools/node.done"
fi

"$HOMEPORT" runtimes install >/dev/null

status=0
outside() { # ARGUMENTS: both harnesses; ARGUMENTS are pytest's
  PYTHONDONTWRITEBYTECODE=1 "${on[@]}" "$tools/venv/bin/python" -m pytest -q -rs -p no:cacheprovider tests/python "$@" || status=1
  (cd tests/node && "${on[@]}" bash -c 'node --test --test-concurrency=1 $(node files.js)') || status=1
}

on=()
outside "$@"
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  echo "The same on two nodes with PostgreSQL:"
  on=("$tools/venv/bin/python" "$PWD/tests/python/nodes.py" run)
  outside "$@"
else
  echo "SKIPPED the same on two nodes: PostgreSQL is not installed"
fi
exit $status
