# What the steps work with. Every value can be set in the environment; demo.sh does so from its flags.
# shellcheck shell=bash
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${ADMIN_URL:=http://localhost:8888}" "${ADMIN_USER:=admin:conduktor}"
: "${BOOTSTRAP:=localhost:6969}" "${VCLUSTER:=teamA}" "${ACCOUNT:=sa}" "${TOPIC:=my-topic}"
: "${INTERCEPTOR:=simulate-leader-elections-errors}" "${LIFETIME:=7776000}"
: "${INTERCEPTOR_FILE:=$HERE/step-07-simulate-leader-elections-errors.json}"
: "${PROPERTIES:=$VCLUSTER-$ACCOUNT.properties}"
: "${RECORDS:=10}" "${THROUGHPUT:=1}" "${RETRIES:=5}" "${PAYLOAD:=--record-size 10}"
# Apache's archive names the tools kafka-topics.sh, Confluent's packages kafka-topics.
: "${SUFFIX=$(command -v kafka-topics >/dev/null || echo .sh)}"
# Every reply's status goes to stderr; from here on bash prints each command before it runs it.
# shellcheck disable=SC2034 # the steps use it
CURL_FLAGS=(--silent --show-error --max-time 30 --write-out '%{stderr}\nHTTP %{http_code}\n')
PS4='$ '
set -euo pipefail -x
