#!/usr/bin/env bash
# Lists the interceptors of the virtual cluster.
. "$(dirname "$0")/settings.sh"
curl --request GET "$ADMIN_URL/admin/interceptors/v1/vcluster/$VCLUSTER" \
    --header 'Content-Type: application/json' --user "$ADMIN_USER" "${CURL_FLAGS[@]}"
