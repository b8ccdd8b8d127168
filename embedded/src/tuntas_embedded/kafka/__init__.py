"""Apache Kafka itself on this machine: one node, broker and controller in one (KRaft), from Maven Central's jars."""

from tuntas_embedded.kafka.server import KafkaServer

__all__ = ["KafkaServer"]
