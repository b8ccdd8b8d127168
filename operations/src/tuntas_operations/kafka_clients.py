"""The one place where the commands' Kafka clients are made, and where their faults become sentences."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]  # it is there, its stubs are not

from tuntas_operations.errors import Unreachable
from tuntas_operations.installation import Installation

REQUEST_S = 20.0
ANSWER_S = 8.0
_LOOK_S = 1.5
T = TypeVar("T")


def server_answers(bootstrap: str, within_s: float = 1.0, client: Mapping[str, str] | None = None) -> bool:
    """Whether a Kafka broker at `bootstrap` (host:port[,host:port…]) answers with a list of brokers.

    `client` holds further settings of the Kafka client (security); one that is refused gets no answer.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200, **(client or {})})
    try:
        return bool(admin.list_topics(timeout=within_s).brokers)
    except KafkaException:
        return False


class BrokerRefuses(Unreachable):
    """The broker answers and does not take the credentials."""


class NoRight(Unreachable):
    """The broker takes the user, who may not do what was asked."""


def options(installation: Installation) -> dict[str, Any]:
    """librdkafka's settings of every client: servers, credentials, silence on stderr. Raises NotSet."""
    return {"bootstrap.servers": installation.needs_kafka(), "log_level": 0, **installation.kafka_client}


class Administration:
    """An administrating client that knows what its connections failed of: librdkafka itself only says that time ran out."""

    def __init__(self, installation: Installation) -> None:
        self.servers = installation.needs_kafka()
        self.user = str(installation.kafka_client.get("sasl.username", "")) or None
        self._errors: list[KafkaError] = []
        settings: dict[str, Any] = {**options(installation), "error_cb": self._errors.append, "reconnect.backoff.max.ms": 500}
        self.client = AdminClient(settings)

    def metadata(self, within_s: float = ANSWER_S) -> ClusterMetadata:
        """Brokers and topics, once one of the brokers answers.

        Raises:
            BrokerRefuses: the credentials are wrong.
            Unreachable: none answers in time.
        """
        deadline = time.monotonic() + within_s
        while True:
            try:
                return self.client.list_topics(timeout=min(_LOOK_S, within_s))
            except KafkaException as error:
                self.client.poll(0)
                if self._refused() or time.monotonic() > deadline:
                    raise self.explained(error) from error

    def ask(self, question: Callable[[AdminClient], T]) -> T:
        """Ask what may fail. Raises Unreachable, or NoRight where the user may not."""
        try:
            return question(self.client)
        except KafkaException as error:
            raise self.explained(error) from error

    def explained(self, error: KafkaException) -> Unreachable:
        """A sentence for a failure, from what the connections said meanwhile."""
        reason: KafkaError = error.args[0]
        if reason.code() in _NO_RIGHT:
            return NoRight(f"Kafka at {self.servers} does not let {self.user or 'a client without a user'}: {reason.str()}")
        if self._refused():
            return BrokerRefuses(f"Kafka at {self.servers} refuses the user {self.user} or the password")
        causes = [error for error in self._errors if error.code() in (KafkaError._SSL, KafkaError._TRANSPORT, KafkaError._RESOLVE)]
        return Unreachable(f"Kafka at {self.servers} does not answer: {_plain(causes[-1] if causes else reason)}")

    def _refused(self) -> bool:
        return any(error.code() == KafkaError._AUTHENTICATION for error in self._errors)


_NO_RIGHT = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
)


def _plain(error: KafkaError) -> str:
    """What librdkafka says, without the name of its own connection in front."""
    return error.str().rpartition("]: ")[2] or error.str()
