"""What topics cost a broker that is never restarted: two files mapped for each segment that it keeps (Linux allows 65,530 maps)."""

from math import ceil

from dispatch.domain.register import load_register
from tuntas_contracts.topology import DAY_MS, TOPICS, concrete_topics

MAPS = 65_530


def _segments(retention_ms: int, segment_ms: int) -> int:
    return ceil(retention_ms / segment_ms) + 2  # the one that is written to, and the one that is due to go


def test_all_topics_that_expire_map_less_than_a_third_of_what_linux_allows() -> None:
    expiring = [topic for _, topic in concrete_topics(agency.code for agency in load_register()) if topic.retention_ms > 0]
    maps = sum(2 * t.partitions * _segments(t.retention_ms, int(t.config["segment.ms"])) for t in expiring)
    assert maps < MAPS / 3, f"{maps} maps"


def test_what_expires_is_gone_within_half_as_long_again() -> None:
    for topic in TOPICS:
        if topic.retention_ms > 0:
            assert topic.segment_days * DAY_MS <= topic.retention_ms / 2, topic.name
