#!/usr/bin/env bash
# Adds the interceptor that answers a share of the produce requests with NOT_LEADER_OR_FOLLOWER.
. "$(dirname "$0")/settings.sh"
cat "$INTERCEPTOR_FILE"
curl --request POST "$ADMIN_URL/admin/interceptors/v1/vcluster/$VCLUSTER/interceptor/$INTERCEPTOR" \
    --header 'Content-Type: application/json' --user "$ADMIN_USER" "${CURL_FLAGS[@]}" \
    --data "@$INTERCEPTOR_FILE"
