"""Messages of Kafka: consumers, inbox, outbox and its relay, dead letters, watermarks."""
