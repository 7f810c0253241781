#!/bin/sh
# Replaces services of docker-compose.yml one after the other, without a request that fails: the next container takes the socket of
# the one before when it is ready (BERTH_TAKE_OVER), and the one before ends when all that it had begun is done.
#
#     docker compose build && docker compose run --rm migrate
#     scripts/replace.sh                     upload-svc, then serve-svc
#     scripts/replace.sh serve-svc
set -eu
cd "$(dirname "$0")/.."
[ "$#" -gt 0 ] || set -- upload-svc serve-svc

for service; do
    before=$(docker compose ps --quiet "$service")
    case $before in
    "")
        echo "$service does not run: docker compose up -d (未运行)" >&2
        exit 1
        ;;
    *[!0-9a-f]*)
        echo "$service runs more than once: end all but one first (存在多个实例)" >&2
        exit 1
        ;;
    esac
    if ! docker compose up --detach --no-deps --no-recreate --scale "$service=2" --wait --wait-timeout 120 "$service"; then
        echo "The next $service is not ready; the one before goes on (新实例未就绪，旧实例继续运行)" >&2
        for next in $(docker compose ps --all --quiet "$service"); do
            [ "$next" = "$before" ] || docker rm --force "$next" >/dev/null
        done
        exit 1
    fi
    # A large upload may take its time.
    docker stop --time 3600 "$before" >/dev/null
    docker rm "$before" >/dev/null
    echo "$service is replaced (已替换)"
done
