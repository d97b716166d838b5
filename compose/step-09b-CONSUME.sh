#!/usr/bin/env bash
# Reads the topic from its beginning. MESSAGES ends it sooner than ten seconds of silence.
. "$(dirname "$0")/settings.sh"
"kafka-console-consumer$SUFFIX" \
    --bootstrap-server "$BOOTSTRAP" \
    --consumer.config "$PROPERTIES" \
    --topic "$TOPIC" --from-beginning \
    --timeout-ms "${TIMEOUT_MS:-10000}" ${MESSAGES:+--max-messages "$MESSAGES"}
