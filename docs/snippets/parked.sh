TOKEN=$(curl -s "$ISSUER/token" -d grant_type=client_credentials -d client_id=operator -d client_secret="$SECRET" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s "$DISPATCH/v1/parked" -H "Authorization: Bearer $TOKEN"
