#!/usr/bin/env bash
# Brings what the tests need beside the program: Python's clients and an S3 cluster of theirs into .tools/venv; on Debian as
# root PostgreSQL, a balancer, a browser, a clock that can be moved. Elsewhere, and where it fails, what needs one of those
# is skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="$PWD/.tools"
mkdir -p "$tools"

fresh() { # STAMP-FILE SOURCE: whether what was installed is what SOURCE asks for
  [ -f "$1" ] && cmp -s "$1" "$2"
}

if ! python3 -m venv --help >/dev/null 2>&1; then
  echo "python3 with venv is needed for the tests with boto3 and the AWS CLI" >&2
  exit 1
fi
if ! fresh "$tools/requirements.done" tests/python/requirements.txt; then
  rm -rf "$tools/venv"
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" install --quiet --disable-pip-version-check -r tests/python/requirements.txt
  cp tests/python/requirements.txt "$tools/requirements.done"
fi

install() { # PACKAGE WHAT
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
  (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1") >"$tools/$1.log" 2>&1 ||
    echo "SKIPPED $2: $1 could not be installed"
}
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || install postgresql "what runs on PostgreSQL"
{ command -v haproxy || ls /usr/sbin/haproxy; } >/dev/null 2>&1 || install haproxy "nodes behind HAProxy"
command -v chromium >/dev/null 2>&1 || install chromium "the page in a browser"
ls /usr/lib*/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || install libfaketime "what expires"
