#!/usr/bin/env bash
# Creates the virtual cluster with a service account, and the file with which clients use it.
. "$(dirname "$0")/settings.sh"
curl --request POST "$ADMIN_URL/admin/vclusters/v1/vcluster/$VCLUSTER/username/$ACCOUNT" \
    --header 'Content-Type: application/json' --user "$ADMIN_USER" "${CURL_FLAGS[@]}" \
    --data-raw "{\"lifeTimeSeconds\": $LIFETIME}" --output "$PROPERTIES.json"
token=$(sed -n 's/.*"token" *: *"\([^"]*\)".*/\1/p' "$PROPERTIES.json")
printf '%s\n' "bootstrap.servers=$BOOTSTRAP" security.protocol=SASL_PLAINTEXT sasl.mechanism=PLAIN "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='$ACCOUNT' password='$token';" > "$PROPERTIES"
cat "$PROPERTIES"
