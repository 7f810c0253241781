#!/bin/sh
# Builds berthd and becomes it, so that Ctrl-C reaches it. Settings: BERTH_DATA, BERTH_LISTEN and all the others of
# docs/CONFIGURATION.md, from the environment, .env or berth.toml.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh run
scripts/build-page.sh
cargo build --release --locked -p berthd
# CARGO_TARGET_DIR and cargo's own configuration may put it anywhere.
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# As root, Postgres runs as another user, who may not enter a private home such as /root.
if [ "$(id -u)" -eq 0 ] && [ -z "${BERTH_DATA:-}" ] && [ ! -d berth-data ] \
    && ! grep -qs '^BERTH_DATA=' .env && ! grep -qs '^ *data *=' berth.toml \
    && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$PWD"; then
    echo "berth: only root may enter $PWD, so the data goes to /var/lib/berth (仅 root 可进入此目录，数据改存 /var/lib/berth)"
    export BERTH_DATA=/var/lib/berth
fi

exec "$target/release/berthd"
