#!/bin/sh
# Views through nginx while serve-svc and Postgres are killed with SIGKILL, against the clients' own ledger. make test does
# ten kills; this does a hundred, or KILLS of them.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
cargo build --workspace --bins --locked
KILLS=${KILLS:-100}
export KILLS
exec cargo test --locked -p e2e --test it no_kill_loses_or_doubles_a_view -- --nocapture
