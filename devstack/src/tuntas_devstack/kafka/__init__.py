"""Apache Kafka itself on this machine: one node, broker and controller in one (KRaft), from Maven Central's jars."""

from tuntas_devstack.kafka.server import KafkaServer, server_answers

__all__ = ["KafkaServer", "server_answers"]
