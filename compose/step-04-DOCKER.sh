#!/usr/bin/env bash
# Builds the image, starts every service, and waits until all of them are healthy.
. "$(dirname "$0")/settings.sh"
cd "$HERE"
docker compose up --build --detach --wait
