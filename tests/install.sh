#!/usr/bin/env bash
# Brings what the tests need beside the program: PostgreSQL, a browser, a clock that can be moved. On Debian as root;
# elsewhere, and where it fails, what needs it is skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="$PWD/.tools"
mkdir -p "$tools"

install() { # PACKAGE WHAT
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
  (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1") >"$tools/$1.log" 2>&1 ||
    echo "SKIPPED $2: $1 could not be installed"
}
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || install postgresql "what runs on PostgreSQL"
{ command -v haproxy || ls /usr/sbin/haproxy; } >/dev/null 2>&1 || install haproxy "nodes behind HAProxy"
command -v chromium >/dev/null 2>&1 || install chromium "the page in a browser"
ls /usr/lib*/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || install libfaketime "what expires"
