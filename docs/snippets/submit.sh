curl -s "${INTAKE:-http://127.0.0.1:8080}/v1/reports" -H 'Content-Type: application/json' -d '{
  "classification": "complaint",
  "title": "Lampu jalan padam di depan Pasar Kosambi",
  "body": "Sudah dua minggu lampu jalan padam dan rawan kecelakaan. Hubungi saya di 0812-3456-7890.",
  "addressed_agency": "kota-32-73",
  "reporter": {"name": "Sekar Ayu", "email": "sekar.ayu@surel.example"}
}'
