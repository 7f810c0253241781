#!/bin/sh
# Schemathesis against /openapi.json of a berthd of its own: requests that nobody has thought of, good ones and bad ones, alone and in chains along
# the document's links. No answer may be a 5xx, and each must be as the document says. Not part of `make test`: it needs PyPI once, and minutes.
#
#   BERTH_SCHEMATHESIS_SECONDS  for how long (600)
#   BERTH_SCHEMATHESIS_SEED     the seed of a run that is to be had again
#
# Anything else on the command line goes to schemathesis: `scripts/schemathesis.sh --include-operation-id makeToken`.
set -eu
cd "$(dirname "$0")/.."

version=4.32.5
seconds=${BERTH_SCHEMATHESIS_SECONDS:-600}
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
venv=$target/schemathesis-$version

if [ ! -x "$venv/bin/schemathesis" ]; then
    echo "berth: installing schemathesis $version into $venv, once"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi
scripts/install.sh run
cargo build --locked -p berthd

# As root, Postgres runs as another user, who must be able to enter.
folder=$(mktemp -d /tmp/berth-schemathesis.XXXXXX)
chmod 755 "$folder"
berthd=
end() {
    [ -z "$berthd" ] || { kill -TERM "$berthd" 2>/dev/null || true; wait "$berthd" 2>/dev/null || true; }
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

# No limit may stand between schemathesis and an answer.
env -i PATH="$PATH" HOME="$folder" BERTH_RATE_LIMIT=0 BERTH_ACCOUNT_RATE_LIMIT=0 BERTH_SIGN_IN_PER_ACCOUNT=0 BERTH_SIGN_IN_PER_ADDRESS=0 BERTH_LOG=warn \
    "$target/debug/berthd" --data "$folder/data" --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 >"$folder/log" 2>&1 &
berthd=$!
tries=0
until grep -q 'berth is running' "$folder/log"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$berthd" 2>/dev/null; then
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done
said() {
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$folder/data/first-run.json"
}
url=$(said url)
token=$(said token)

failed=0
# No folder of its own may be left behind, so it works in ours.
(
    cd "$folder"
    PYTHONPATH=$OLDPWD/scripts/schemathesis SCHEMATHESIS_HOOKS=hooks BERTH_TOKEN=$token BERTH_URL=$url \
        "$venv/bin/schemathesis" --config-file "$OLDPWD/scripts/schemathesis/schemathesis.toml" run "$url/openapi.json" \
        --header "Authorization: Bearer $token" --max-time "$seconds" --continue-on-failure --no-color \
        ${BERTH_SCHEMATHESIS_SEED:+--seed "$BERTH_SCHEMATHESIS_SEED"} "$@"
) || failed=$?

# A 5xx is said in the log with its cause; so is a panic that was caught.
if grep -E '"?(ERROR|panicked)' "$folder/log"; then
    echo "berth: the log of berthd tells of errors of its own" >&2
    failed=1
fi
exit "$failed"
