"""The register: what is taken over from its topic, and what it suggests to a verifier."""

from datetime import timedelta

import pytest

from tests.unit.triage.builders import NOON, FakeRegister, a_register, an_agency, an_id, handlers
from triage.adapters.register import RegisterCopy
from triage.domain.register import Agency, candidates
from tuntas_chassis.messaging.messages import Incoming
from tuntas_contracts.agencies import AgencyRegistered
from tuntas_contracts.envelope import Envelope
from tuntas_contracts.topology import AGENCIES


def entry(name: str, *, days: int = 0, enabled: bool = True) -> Incoming:
    """A register entry for one agency, as of some days later."""
    at = NOON + timedelta(days=days)
    body = AgencyRegistered(
        code="kota-bandung", name=name, kind="city", time_zone="Asia/Jakarta", email="a@example.id", enabled=enabled, occurred_at=at
    )
    envelope = Envelope(an_id(f"{name}-{days}"), "dispatch", "AgencyRegistered", body.code, at)
    return Incoming(envelope, body.code, body, AGENCIES.name, 0, 0, at)


def test_the_newer_entry_counts_whatever_the_order() -> None:
    made = handlers()
    old, new = entry("Kota Bandung"), entry("Pemerintah Kota Bandung", days=1, enabled=False)
    first = made.apply_agency(None, new).state
    assert first is not None
    assert (first.name, first.enabled) == ("Pemerintah Kota Bandung", False)
    assert made.apply_agency(first, old).state is None


def test_a_copy_never_goes_back() -> None:
    copy = RegisterCopy()
    copy.put([an_agency("kota-bandung", enabled=False, as_of=NOON)])
    copy.put([an_agency("kota-bandung", as_of=NOON - timedelta(days=1)), an_agency("kemenkes")])
    found = copy.get("kota-bandung")
    assert found is not None
    assert not found.enabled
    assert [agency.code for agency in copy.enabled()] == ["kemenkes"]
    assert len(copy) == 2


@pytest.mark.parametrize(
    ("suggested", "category", "region", "expected"),
    [
        (None, None, None, []),
        ("kemenhub", None, None, [("kemenhub", "suggested_by_reporter")]),
        ("kemen-lama", None, None, []),
        ("tidak-ada", "health.hospitals", "32.73", [("kota-bandung", "region"), ("kemenkes", "sector")]),
        ("kota-bandung", "health", "32.73", [("kota-bandung", "suggested_by_reporter"), ("kemenkes", "sector")]),
        (None, "transport", "32", [("kemenhub", "sector")]),
    ],
)
def test_candidates_name_who_may_be_competent(
    suggested: str | None, category: str | None, region: str | None, expected: list[tuple[str, str]]
) -> None:
    found = candidates(a_register(), suggested=suggested, category=category, region_code=region)
    assert [(candidate.agency.code, candidate.because) for candidate in found] == expected


def test_the_nearest_government_comes_before_its_province() -> None:
    agencies: list[Agency] = [an_agency("prov-jabar", region_code="32"), an_agency("kota-bandung", region_code="32.73")]
    found = candidates(FakeRegister.of(*agencies), suggested=None, category=None, region_code="32.73")
    assert [candidate.agency.code for candidate in found] == ["kota-bandung", "prov-jabar"]
