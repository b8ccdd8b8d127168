curl -s "${INTAKE:-http://127.0.0.1:8080}/v1/reports/$TRACKING_ID" -H "X-Access-Code: $ACCESS_CODE"
