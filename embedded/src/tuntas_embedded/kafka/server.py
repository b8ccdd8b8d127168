"""One Kafka node in a folder: prepared (jars, settings, formatted storage), then run as a supervised process."""

import base64
import os
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tuntas_embedded.folder import write_private
from tuntas_embedded.kafka.jars import class_path
from tuntas_embedded.kafka.java import Java, find_java
from tuntas_embedded.kafka.settings import LOG_SETTINGS, Node, server_properties
from tuntas_embedded.log_tail import last_log_line
from tuntas_embedded.ports import LOOPBACK, accepts
from tuntas_embedded.processes import ProcessSpec
from tuntas_operations.credentials import ITERATIONS, MECHANISM, Credentials
from tuntas_operations.errors import PartFailed, StackError
from tuntas_operations.kafka_clients import server_answers

_FORMAT_WITHIN_S = 60
_HEAP_MB = 512
_HEAP_OF_SEVERAL_MB = 320


class KafkaServer:
    """Kafka with its data in `folder`; what was written before survives any end and start.

    With an operator it is secured: nobody else may do anything until the operator makes users and gives them rights.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        log: Path,
        operator: Credentials | None = None,
        *,
        node: Node | None = None,
        cluster_id: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`node` says which of several brokers it is, and `cluster_id` of which cluster; a new cluster of its own without them.

        `environment` adds variables to the process's.
        """
        self.name = broker_name(1 if node is None else node.number)
        self._node = node
        self._cluster_id = cluster_id or new_cluster_id()
        self._environment = dict(environment or {})
        self.bootstrap = f"{LOOPBACK}:{port}"
        self._operator = operator
        self._folder = folder
        self._port = port
        self._controller_port = controller_port
        self._log = log
        self._settings = folder / "server.properties"
        self._log_settings = folder / "log4j2.properties"
        self._data = folder / "data"
        self._secured = folder / "secured"

    def prepare(self, on_fetch: Callable[[int], None] | None = None, cancelled: Callable[[], bool] = lambda: False) -> ProcessSpec:
        """Fetch the jars that lack, write the settings, format the storage at the first start; gives what to run.

        Raises:
            StackError: no Java, no jars, the storage can't be formatted, or it was made for a broker that was not secured.
        """
        java = find_java()
        jars = class_path(on_fetch=on_fetch, cancelled=cancelled)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._log_settings.write_text(LOG_SETTINGS, encoding="utf-8")
        write_private(self._settings, server_properties(self._data, self._port, self._controller_port, self._operator, self._node))
        if not (self._data / "meta.properties").exists():
            self._format(java, jars)
        elif self._operator is not None and not self._secured.exists():
            raise StackError(
                f"the broker's data in {self._folder} were written before it had users, so nobody could connect to it: "
                "remove the stack's folder to start again, or name another with --folder"
            )
        several = self._node is not None and self._node.replicas > 1
        client = {} if self._operator is None else self._operator.librdkafka()
        return ProcessSpec(
            name=self.name,
            command=java.command(
                jars, self._log_settings, "kafka.Kafka", str(self._settings), heap_mb=_HEAP_OF_SEVERAL_MB if several else _HEAP_MB
            ),
            log=self._log,
            environment={**os.environ, **self._environment},
            folder=self._folder,
            # A bare connection first: a client thread for every poll is dear while the server is still down.
            ready=lambda: accepts(self._port, within_s=0.2) and server_answers(self.bootstrap, within_s=5, client=client),
            ready_within_s=240 if several else 120,
            stop_within_s=30,
        )

    def format_arguments(self) -> Sequence[str]:
        """Arguments of the storage tool; the operator must exist before the first start, or nobody could ever connect."""
        arguments = ["format", "--cluster-id", self._cluster_id, "--config", str(self._settings)]
        if (operator := self._operator) is not None:
            user = f"name={operator.username},iterations={ITERATIONS},password={operator.password}"
            arguments += ["--add-scram", f"{MECHANISM}=[{user}]"]
        return arguments

    def _format(self, java: Java, jars: str) -> None:
        # A command line can be read by everyone on the machine; the tool takes its arguments from a file too, one a line.
        if self._operator is not None:
            self._secured.touch()
        arguments = self._folder / "format-arguments"
        write_private(arguments, "\n".join(self.format_arguments()))
        command = java.command(jars, self._log_settings, "kafka.tools.StorageTool", f"@{arguments}")
        with self._log.open("ab") as log:
            try:
                result = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=_FORMAT_WITHIN_S, check=False)
            except subprocess.TimeoutExpired:
                raise PartFailed(
                    self.name, f"{self.name}'s storage was not formatted within {_FORMAT_WITHIN_S} s (see {self._log})"
                ) from None
            finally:
                arguments.unlink()
        if result.returncode:
            raise PartFailed(self.name, f"{self.name}'s storage can't be formatted{last_log_line(self._log)}")


def broker_name(number: int) -> str:
    """The part's name of a broker, of which the first is `kafka`."""
    return "kafka" if number == 1 else f"kafka-{number}"


def new_cluster_id() -> str:
    """An id for a cluster that is to be."""
    # Kafka's own form: 16 bytes in URL-safe base64; one that begins with a dash would be read as an option.
    while True:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster.startswith("-"):
            return cluster
