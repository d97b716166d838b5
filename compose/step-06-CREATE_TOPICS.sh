#!/usr/bin/env bash
# Creates the topic inside the virtual cluster.
. "$(dirname "$0")/settings.sh"
"kafka-topics$SUFFIX" \
    --bootstrap-server "$BOOTSTRAP" \
    --command-config "$PROPERTIES" \
    --replication-factor 1 --partitions 1 \
    --create --if-not-exists \
    --topic "$TOPIC"
