#!/usr/bin/env bash
# Produces: the second --producer-prop replaces the first, the address comes from the file.
. "$(dirname "$0")/settings.sh"
# shellcheck disable=SC2086 # PAYLOAD holds an option with its value
"kafka-producer-perf-test$SUFFIX" \
    --producer-props "bootstrap.servers=$BOOTSTRAP" --producer.config "$PROPERTIES" \
    $PAYLOAD --throughput "$THROUGHPUT" \
    --producer-prop "retries=$RETRIES" \
    --num-records "$RECORDS" --topic "$TOPIC"
