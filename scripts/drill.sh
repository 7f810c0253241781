#!/bin/sh
# Backup, wipe, restore of 10,000 images (DRILL_IMAGES) that came through the real intake: every row, every hash and a sample of views
# are compared, and the restore may take a minute (DRILL_SECONDS). Prints the figure. make test does the same with a few hundred.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
cargo build --workspace --bins --locked
export DRILL_IMAGES="${DRILL_IMAGES:-10000}" DRILL_SECONDS="${DRILL_SECONDS:-60}"
exec cargo test --locked -p e2e --test it a_berth_that_was_wiped_is_restored -- --nocapture
