"""How many mails may go out: a token bucket."""


class TokenBucket:
    """Lets `rate` per second pass on average and at most `burst` at once. Times are seconds of any monotonic clock."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def available(self, now: float) -> int:
        """How many may go now."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        return int(self._tokens)

    def take(self, count: int) -> None:
        """Count them as gone."""
        self._tokens -= count

    def wait_for(self, count: int) -> float:
        """Seconds until `count` may go, as of the last `available`."""
        return max(0.0, (min(count, self._burst) - self._tokens) / self._rate)
