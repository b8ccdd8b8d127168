"""The dead letters of the services: found, looked at, replayed and discarded by the services themselves, over HTTP."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from tuntas_contracts.vocabulary import Service
from tuntas_operations.errors import StackError
from tuntas_operations.services_http import Json, Refused, ServicesHttp

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which parked messages; what is left out filters nothing. `error` is part of the reason's type or text."""

    key: str | None = None
    topic: str | None = None
    error: str | None = None

    def let(self, message: Json) -> bool:
        """Whether this message is one of them."""
        reason = f"{message['error_type']}: {message['error']}"
        return (self.topic in (None, message["topic"])) and (self.error is None or self.error.lower() in reason.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What came of a replay or discard of messages of one key, or of one without a key.

    `replayed` took effect, `waiting` still wait, because of `error`.
    """

    service: Service
    key: str | None
    ids: tuple[UUID, ...]
    replayed: int = 0
    waiting: int = 0
    error: str | None = None


class ParkedMessages:
    """The parked messages of some services."""

    def __init__(self, http: ServicesHttp, services: Sequence[Service]) -> None:
        self._http = http
        self._services = services

    def find(self, filters: Filters, limit: int, *, resolved: bool = False) -> list[Json]:
        """At most `limit` of each service, oldest first; what waits, or what was resolved by whom and why.

        Raises:
            StackError: a service can't be asked.
        """
        found: list[Json] = []
        for service in self._services:
            number = 0
            for message in self._pages(service, filters.key, resolved=resolved):
                if number == limit:
                    break
                if filters.let(message):
                    found.append({"service": service.value, **message})
                    number += 1
        return found

    def _pages(self, service: Service, key: str | None, *, resolved: bool) -> Iterator[Json]:
        query = {"limit": str(_PAGE), "resolved": str(resolved).lower()} | ({"key": key} if key else {})
        while True:
            page = self._http.call(service, "GET", "/v1/parked", query=query)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def show(self, message_id: UUID) -> Json:
        """One message, masked. Raises StackError."""
        service, message = self._find(message_id)
        return {"service": service.value, **message}

    def replay(self, ids: Sequence[UUID], reason: str | None) -> Iterator[Resolution]:
        """Apply each with everything of its key that waits with it, in the order of the topic. Raises StackError."""
        for service, key, together in self._by_key(ids):
            answer = self._http.call(service, "POST", f"/v1/parked/{together[0]}/replay", body={"reason": reason})
            yield Resolution(service=service, key=key, ids=together, **answer)

    def discard(self, ids: Sequence[UUID], reason: str) -> Iterator[Resolution]:
        """Give each up for good; what then waits on their keys is replayed. Raises StackError."""
        for service, key, together in self._by_key(ids):
            body = {"reason": reason, "also": [str(other) for other in together[1:]]}
            answer = self._http.call(service, "POST", f"/v1/parked/{together[0]}/discard", body=body)
            yield Resolution(service=service, key=key, ids=together, **answer)

    def _by_key(self, ids: Sequence[UUID]) -> list[tuple[Service, str | None, tuple[UUID, ...]]]:
        """The messages that go together. All are looked at before anything is done: a wrong id changes nothing."""
        groups: dict[tuple[Service, str, str | UUID], list[Json]] = {}
        for message_id in dict.fromkeys(ids):
            service, message = self._find(message_id)
            if message["state"] not in ("parked", "waiting"):
                who, when = message["resolved_by"], message["resolved_at"]
                raise StackError(f"{message_id} was {message['state']} at {when} by {who}: nothing was done")
            groups.setdefault((service, message["consumer"], message["key"] or message_id), []).append(message)
        return [
            (service, messages[0]["key"], tuple(UUID(message["id"]) for message in messages))
            for (service, _, _), messages in groups.items()
        ]

    def _find(self, message_id: UUID) -> tuple[Service, Json]:
        for service in self._services:
            try:
                return service, self._http.call(service, "GET", f"/v1/parked/{message_id}")
            except Refused as error:
                if error.status != 404:
                    raise
        raise StackError(f"{' and '.join(self._services)} have no parked message {message_id}: list them with `tuntas ops parked list`")
