"""By which user a client of the broker connects."""

from dataclasses import dataclass, field

MECHANISM = "SCRAM-SHA-512"
PROTOCOL = "SASL_PLAINTEXT"
ITERATIONS = 4096
"""The least that Kafka takes. A password here is long and random: more iterations would add nothing to it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user of the broker and its password."""

    username: str
    password: str = field(repr=False)

    def librdkafka(self) -> dict[str, str]:
        """Settings for a client of `confluent_kafka`."""
        return {
            "security.protocol": PROTOCOL,
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.username,
            "sasl.password": self.password,
        }

    def aiokafka(self) -> dict[str, str]:
        """Keyword arguments for a client of `aiokafka`."""
        return {
            "security_protocol": PROTOCOL,
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }
