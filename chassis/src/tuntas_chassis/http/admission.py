"""How many requests are answered at once, and how much of their bodies is held: more are refused with 503."""

from typing import Final

from tuntas_chassis.http.problems import Overloaded

BODY_BYTES: Final = 33_554_432
"""Of all requests under way, together."""
SMALL_BODY: Final = 16_384
"""A body up to so many bytes is taken whatever others hold; larger ones are refused while `BODY_BYTES` are held."""


class Admission:
    """Counts what is under way in one process."""

    def __init__(self, requests: int, body_bytes: int = BODY_BYTES) -> None:
        self._requests = requests
        self._body_bytes = body_bytes
        self._answering = 0
        self._held_bytes = 0

    def turn(self) -> "Turn":
        """Of one request; to be ended with it."""
        return Turn(self)

    def begin(self) -> None:
        """One more is answered; raises Overloaded where too many are."""
        if self._answering >= self._requests:
            raise Overloaded(f"The service answers {self._requests:,} requests at once; send this one again in a second.")
        self._answering += 1

    def hold(self, more: int, of_one: int) -> None:
        """`more` bytes of a body that has `of_one` so far; raises Overloaded where all together are too many."""
        self._held_bytes += more
        if of_one > SMALL_BODY and self._held_bytes > self._body_bytes:
            raise Overloaded("Too many large requests are being sent; send this one again in a second, or shorten it.")

    def end(self, *, answered: bool, held: int) -> None:
        """A request is over."""
        self._answering -= answered
        self._held_bytes -= held


class Turn:
    """One request's part. It counts as being answered only once its body is here: a slow sender takes no place."""

    __slots__ = ("_admission", "_answered", "_held")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._answered = False
        self._held = 0

    def begin(self) -> None:
        """The request is here whole."""
        if not self._answered:
            self._admission.begin()
            self._answered = True

    def received(self, size: int) -> None:
        """So many bytes more of its body."""
        self._held += size
        self._admission.hold(size, self._held)

    def end(self) -> None:
        """It is answered, or given up."""
        self._admission.end(answered=self._answered, held=self._held)
