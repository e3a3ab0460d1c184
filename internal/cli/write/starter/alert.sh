#!/bin/sh
# Posts what Alertmanager posts when ShopDown fires for a shop, or is over: alert.sh SHOP [resolved]. SERVER says where.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
ends=0001-01-01T00:00:00Z
status=${2:-firing}
[ "$status" = firing ] || ends=$now
mark=$(printf %s "$1" | cksum | cut -d' ' -f1)
curl -sS -H "Authorization: Bearer $(cat "$here/secrets/hook_alertmanager")" -H 'Content-Type: application/json' -d @- \
  "${SERVER:-http://127.0.0.1:8420}/hooks/alertmanager" <<EOF
{"version": "4", "status": "$status", "receiver": "tend", "groupKey": "{}:{alertname=\"ShopDown\"}", "externalURL": "",
 "alerts": [{"status": "$status", "fingerprint": "$mark", "startsAt": "$now", "endsAt": "$ends",
   "labels": {"alertname": "ShopDown", "shop": "$1", "severity": "major"},
   "annotations": {"summary": "$1 does not answer"}, "generatorURL": ""}]}
EOF
