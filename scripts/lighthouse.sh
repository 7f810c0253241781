#!/bin/sh
# Lighthouse's figures of the sign-in page and the upload page, behind nginx: 95 at least, performance as well. On a quiet
# machine: LEAST_PERFORMANCE sets another bar.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
scripts/build-page.sh
(cd web/lighthouse && npm ci --no-audit --no-fund --loglevel=error)
cargo build --workspace --bins --locked
LEAST_PERFORMANCE=${LEAST_PERFORMANCE:-95}
export LEAST_PERFORMANCE
exec cargo test --locked -p e2e --test it the_pages_that_stand_first -- --nocapture
