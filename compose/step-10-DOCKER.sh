#!/usr/bin/env bash
# Removes every container and its data.
. "$(dirname "$0")/settings.sh"
cd "$HERE"
docker compose down --volumes
