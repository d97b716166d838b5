#!/usr/bin/env bash
# Removes the interceptor: nothing is refused any more.
. "$(dirname "$0")/settings.sh"
curl --request DELETE "$ADMIN_URL/admin/interceptors/v1/vcluster/$VCLUSTER/interceptor/$INTERCEPTOR" \
    --header 'Content-Type: application/json' --user "$ADMIN_USER" "${CURL_FLAGS[@]}"
