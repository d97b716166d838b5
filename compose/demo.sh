#!/usr/bin/env bash
# The whole demo against sidecars that run already, with a check after every step.
set -euo pipefail

usage() {
    cat <<'END'
Usage: compose/demo.sh [options]

Runs the demo against running sidecars, in Docker or not, shows each command with its output,
and checks what the demo promises: a share of the produce requests is answered with
NOT_LEADER_OR_FOLLOWER, the producer retries, and every acknowledged record is in the topic
exactly once. Needs bash, curl and Kafka's command line tools on PATH; no root.

  --admin URL          the sidecar's admin API       (ADMIN_URL,   http://localhost:8888)
  --bootstrap H:P      the sidecar's first port      (BOOTSTRAP,   localhost:6969)
  --user NAME:PASSWORD of the admin API              (ADMIN_USER,  admin:conduktor)
  --vcluster NAME      the virtual cluster           (VCLUSTER,    teamA)
  --topic NAME         must not exist yet            (TOPIC,       my-topic)
  --rate PERCENT       requests to refuse            (RATE,        50)
  --seed N             makes the draws repeatable    (SEED,        unset: random)
  --records N          how many records              (RECORDS,     10)
  --throughput N       records per second            (THROUGHPUT,  1)
  --retries N          the producer's retries        (RETRIES,     5)
  --monotonic          records "0", "1", ... instead of the demo's ten random letters each:
                       only so is the order checked, if all are acknowledged (MONOTONIC=1)
  --direct H:P[,H:P]   the real brokers: look at the physical topic too  (DIRECT)
  --help               this text

Examples:
  docker compose -f compose/docker-compose.yaml up --build --detach --wait && compose/demo.sh
  compose/demo.sh --seed 7 --throughput 50 --monotonic --direct localhost:19092

At rate 50 a record runs out of 5 retries once in 64. The producer then reports it as failed;
such a record was never acknowledged, so it is counted apart and is not a loss.
Ends with 0 if every check passed, 1 if one failed, 2 if the command line is wrong.
END
}

say() { printf '\n## %s\n' "$*"; }
pass() { printf 'ok: %s\n' "$*"; }
fail() {
    printf '\nFAILED: %s\n' "$*" >&2
    exit 1
}
wrong() {
    printf 'demo.sh: %s (try --help)\n' "$*" >&2
    exit 2
}

ADMIN_URL=${ADMIN_URL:-http://localhost:8888} ADMIN_USER=${ADMIN_USER:-admin:conduktor}
BOOTSTRAP=${BOOTSTRAP:-localhost:6969} VCLUSTER=${VCLUSTER:-teamA} TOPIC=${TOPIC:-my-topic}
RATE=${RATE:-50} SEED=${SEED:-} RECORDS=${RECORDS:-10} THROUGHPUT=${THROUGHPUT:-1}
RETRIES=${RETRIES:-5} MONOTONIC=${MONOTONIC:-} DIRECT=${DIRECT:-}
ACCOUNT=sa INTERCEPTOR=simulate-leader-elections-errors LIFETIME=7776000

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --monotonic) MONOTONIC=1 && shift && continue ;;
    --*) [ $# -ge 2 ] || wrong "$1 needs a value, or is unknown" ;;
    *) wrong "unexpected argument: $1" ;;
    esac
    case $1 in
    --admin) ADMIN_URL=${2%/} ;;
    --bootstrap) BOOTSTRAP=$2 ;;
    --user) ADMIN_USER=$2 ;;
    --vcluster) VCLUSTER=$2 ;;
    --topic) TOPIC=$2 ;;
    --rate) RATE=$2 ;;
    --seed) SEED=$2 ;;
    --records) RECORDS=$2 ;;
    --throughput) THROUGHPUT=$2 ;;
    --retries) RETRIES=$2 ;;
    --direct) DIRECT=$2 ;;
    *) wrong "unknown option: $1" ;;
    esac
    shift 2
done
number() { [[ $2 =~ ^[0-9]+$ ]] || wrong "$1 must be a whole number, not '$2'"; }
number --rate "$RATE" && number --records "$RECORDS" && number --retries "$RETRIES"
[ -z "$SEED" ] || number --seed "$SEED"
[ "$RATE" -le 100 ] || wrong "--rate is a percentage, not $RATE"
[[ $THROUGHPUT =~ ^-?[0-9]+$ ]] || wrong "--throughput must be a whole number, not '$THROUGHPUT'"

command -v curl >/dev/null || fail "curl is not on PATH"
SUFFIX=
command -v kafka-topics >/dev/null || SUFFIX=.sh
for tool in kafka-topics kafka-producer-perf-test kafka-console-consumer; do
    command -v "$tool$SUFFIX" >/dev/null ||
        fail "neither $tool nor $tool.sh is on PATH: put the bin folder of Apache Kafka there"
done

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
PROPERTIES=$WORK/$VCLUSTER-$ACCOUNT.properties
INTERCEPTOR_FILE=$WORK/step-07-$INTERCEPTOR.json
CONFIG="\"rateInPercent\":$RATE${SEED:+,\"seed\":$SEED}"
sed "s/\"rateInPercent\" *: *50/$CONFIG/" "$HERE/step-07-$INTERCEPTOR.json" >"$INTERCEPTOR_FILE"
PAYLOAD="--record-size 10"
[ -z "$MONOTONIC" ] || PAYLOAD=--payload-monotonic
export ADMIN_URL ADMIN_USER BOOTSTRAP VCLUSTER TOPIC RECORDS THROUGHPUT RETRIES ACCOUNT
export INTERCEPTOR LIFETIME PROPERTIES INTERCEPTOR_FILE PAYLOAD SUFFIX

# Runs a step; its commands, replies and errors are shown and kept in $OUT.
OUT=$WORK/output
step() { bash "$HERE/$1" 2>&1 | tee "$OUT" || fail "$1 ended with an error, see above"; }
# What a step printed, without the commands ("$ ...") and without white space.
reply() { grep -v -e '^\$' -e '^HTTP ' "$OUT" | tr -d ' \n\r\t'; }
status() { sed -n 's/^HTTP //p' "$OUT"; }
expect_status() { [ "$(status)" = "$1" ] || fail "$2: HTTP $1 expected, got $(status)"; }
count() { grep -cE -- "$1" "$2" || true; }
part() { # the JSON text in one part of the token
    local text
    text=$(cut -d. -f"$1" <<<"$TOKEN" | tr '_-' '/+')
    while [ $((${#text} % 4)) -ne 0 ]; do text+='='; done
    base64 -d <<<"$text"
}
end_offset() { # of topic $1, with the remaining arguments as address
    local topic=$1
    shift
    "kafka-get-offsets$SUFFIX" "$@" --topic "$topic" | sed -n "s/^$topic:0://p"
}

say "Is a sidecar there?"
curl --silent --fail --max-time 10 --output /dev/null "$ADMIN_URL/health" ||
    fail "no healthy sidecar at $ADMIN_URL: start it first, or say where it is with --admin"
pass "$ADMIN_URL/health"

say "Creating virtual cluster $VCLUSTER"
step step-05-CREATE_VIRTUAL_CLUSTER.sh
expect_status 201 "token"
TOKEN=$(sed -n "s/.*password='\([^']*\)'.*/\1/p" "$PROPERTIES")
[ "$(part 1)" = '{"alg":"HS256"}' ] || fail "token header is $(part 1)"
claims="^\{\"username\":\"$ACCOUNT\",\"vcluster\":\"$VCLUSTER\",\"exp\":([0-9]+)\}\$"
[[ $(part 2) =~ $claims ]] || fail "token claims are $(part 2)"
left=$((BASH_REMATCH[1] - $(date +%s)))
((left > LIFETIME - 60 && left < LIFETIME + 60)) || fail "token expires in $left s, not $LIFETIME"
pass "the token is for $ACCOUNT in $VCLUSTER"

say "Creating topic $TOPIC on $VCLUSTER"
step step-06-CREATE_TOPICS.sh
grep -qx "Created topic $TOPIC\." "$OUT" ||
    fail "'Created topic $TOPIC.' not shown: if it exists already, choose another with --topic"
pass "Created topic $TOPIC."

say "Adding interceptor $INTERCEPTOR"
step step-07-ADD_INTERCEPTOR.sh
[ "$(status)" != 409 ] ||
    fail "the interceptor exists: remove it with curl --user $ADMIN_USER --request DELETE" \
        "$ADMIN_URL/admin/interceptors/v1/vcluster/$VCLUSTER/interceptor/$INTERCEPTOR"
expect_status 201 "adding the interceptor"
message="{\"message\":\"$INTERCEPTOR is created\"}"
[[ $(reply) == *"${message// /}" ]] || fail "the reply is not $message"
pass "$message"

say "Listing interceptors for $VCLUSTER"
step step-08-LIST_INTERCEPTORS.sh
expect_status 200 "listing the interceptors"
class=io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin
expected="{\"interceptors\":[{\"name\":\"$INTERCEPTOR\",\"pluginClass\":\"$class\",\"priority\":100,"
expected+="\"timeoutMs\":9223372036854775807,\"config\":{$CONFIG}}]}"
[ "$(reply)" = "$expected" ] || fail "the list is $(reply), expected $expected"
pass "the list shows the interceptor as it was sent"

say "Producing $RECORDS records"
step step-09-SH.sh
cp "$OUT" "$WORK/produced"
client='WARN \[Producer clientId=[^]]*\]'
got="$client Got error produce response with correlation id [0-9]+ on topic-partition $TOPIC-0,"
got+=' retrying \([0-9]+ attempts left\)\. Error: NOT_LEADER_OR_FOLLOWER'
invalid="$client Received invalid metadata error in produce request on partition $TOPIC-0 due to"
invalid+=' org\.apache\.kafka\.common\.errors\.NotLeaderOrFollowerException: .*'
invalid+='Going to request metadata update now'
refusals=$(count "$got" "$OUT")
updates=$(count "$invalid" "$OUT")
failed=$(count '^org\.apache\.kafka\.common\.errors\.[A-Za-z]+Exception' "$OUT")
acked=$(sed -nE 's/^([0-9]+) records sent, .*99\.9th\.?$/\1/p' "$OUT" | tail -n 1)
[ -n "$acked" ] || fail "the producer printed no 'N records sent' line at its end"
if [ "$RATE" -eq 0 ]; then
    ((refusals + updates + failed == 0)) || fail "rate 0, but the producer saw errors"
else
    ((refusals > 0)) || fail "no 'Got error produce response' line: no request was refused"
    ((updates > 0)) || fail "no 'Received invalid metadata error' line"
fi
pass "$refusals requests were refused and tried again"
if ((acked < RECORDS)); then
    ((acked + failed == RECORDS)) ||
        fail "$RECORDS records: $acked sent, $failed reported as failed, the rest unaccounted for"
    pass "$failed records ran out of $RETRIES retries: reported as not acknowledged, not lost"
fi
pass "$acked records sent"

say "Consuming $TOPIC from the beginning"
TIMEOUT_MS=10000 MESSAGES=
if command -v "kafka-get-offsets$SUFFIX" >/dev/null; then
    stored=$(end_offset "$TOPIC" --bootstrap-server "$BOOTSTRAP" --command-config "$PROPERTIES")
    [ "$stored" = "$acked" ] || fail "$acked records acknowledged, $stored stored in $TOPIC"
    [ "$stored" = 0 ] || TIMEOUT_MS=30000 MESSAGES=$stored
fi
export TIMEOUT_MS MESSAGES
step step-09b-CONSUME.sh
values=$WORK/values
if [ -n "$MONOTONIC" ]; then
    grep -E '^[0-9]+$' "$OUT" >"$values" || true
    # A Java producer that gives a batch up renumbers those in flight, and may swap them.
    ((acked < RECORDS)) || sort --check=quiet --numeric-sort --unique "$values" ||
        fail "the records are out of order"
else
    grep -E '^[A-Z]{10}$' "$OUT" >"$values" || true
fi
twice=$(sort "$values" | uniq -d | head -n 1)
[ -z "$twice" ] || fail "record $twice is there more than once"
consumed=$(wc -l <"$values" | tr -d ' ')
[ "$consumed" = "$acked" ] || fail "$acked records acknowledged, $consumed consumed"
pass "all $acked acknowledged records are there exactly once"

if [ -n "$DIRECT" ]; then
    say "Looking at the real cluster"
    "kafka-topics$SUFFIX" --bootstrap-server "$DIRECT" --list | tee "$OUT"
    grep -qx "$VCLUSTER$TOPIC" "$OUT" || fail "the real cluster has no topic $VCLUSTER$TOPIC"
    stored=$(end_offset "$VCLUSTER$TOPIC" --bootstrap-server "$DIRECT")
    [ "$stored" = "$acked" ] || fail "$VCLUSTER$TOPIC holds $stored records, not $acked"
    pass "the real topic is $VCLUSTER$TOPIC and holds $stored records"
fi

say "Removing the interceptor"
step step-09c-DELETE_INTERCEPTOR.sh
expect_status 204 "removing the interceptor"
step step-08-LIST_INTERCEPTORS.sh
[ "$(reply)" = '{"interceptors":[]}' ] || fail "the list should be empty, it is $(reply)"
pass "the list is empty again"

printf '\nAll checks passed: %s refused, %s acknowledged, %s not acknowledged, 0 lost.\n' \
    "$refusals" "$acked" "$((RECORDS - acked))"
