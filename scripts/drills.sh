#!/bin/sh
# Faults on purpose, each until a number says how it went; docs/RELIABILITY.md has the last ones. make test does a short one of each.
#
#     make drills                      all of them, one after the other
#     make drills NAME=outage          one of scrub, faults, full, outage, leaders
#
# DAMAGES (1200), FAULT_STEP (1: every call), OUTAGE_SECONDS (60), LEADER_KILLS (100) make them longer or shorter.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
case ${NAME:-all} in
scrub) ;;
all | faults | full | outage | leaders) cargo build --workspace --bins --locked ;;
*)
    echo "No drill is called $NAME: scrub, faults, full, outage, leaders (没有这个演练)" >&2
    exit 2
    ;;
esac

drill() {
    package=$1
    shift
    cargo test --quiet --locked -p "$package" --test it "$@" -- --nocapture
}

for name in ${NAME:-scrub faults full outage leaders}; do
    printf '\n== %s\n' "$name"
    case $name in
    scrub) DAMAGES=${DAMAGES:-1200} drill janitor every_damage_is_found ;;
    faults) FAULT_STEP=${FAULT_STEP:-1} drill e2e no_failing_call ;;
    full) drill e2e a_disk_without_room ;;
    outage) OUTAGE_SECONDS=${OUTAGE_SECONDS:-60} drill e2e known_pictures_are_shown ;;
    leaders) LEADER_KILLS=${LEADER_KILLS:-100} drill e2e three_janitors ;;
    esac
done
