"""Checks of agencies: each for itself, then the tiers between them."""

import re
from collections.abc import Mapping

from dispatch.domain.register_entries import TIME_ZONES
from dispatch.domain.register_tables import Row
from tuntas_contracts.vocabulary import AgencyKind

PROVINCE_CODE = re.compile(r"\d\d")
LOCAL_CODE = re.compile(r"\d\d\.\d\d")
MAILBOX = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+")
CODE_PREFIX = {AgencyKind.PROVINCE: "prov-", AgencyKind.REGENCY: "kab-", AgencyKind.CITY: "kota-"}
FIRST_CITY_NUMBER = 71  # Kemendagri numbers regencies from 01 and cities from 71

_MUST_BE_SUPERVISED = {*CODE_PREFIX, AgencyKind.STATE_ENTERPRISE, AgencyKind.REGIONAL_ENTERPRISE}


def check_agency(row: Row, kind: AgencyKind) -> None:
    """What one row must hold whatever the others say."""
    cells = row.cells
    if cells["time_zone"] not in TIME_ZONES:
        row.fault(f"time_zone {cells['time_zone']!r} is none of Indonesia's: use one of {', '.join(TIME_ZONES)}")
    if not MAILBOX.fullmatch(cells["email"]):
        row.fault(f"email {cells['email']!r} is no mailbox: give one address")
    if not cells["sectors"]:
        row.fault("sectors is empty: name the sectors that the agency answers for, separated by ;")
    if kind in _MUST_BE_SUPERVISED and not cells["supervised_by"]:
        row.fault(f"supervised_by is empty: every {kind} has a tier above it")
    _check_region(row, kind)


def _check_region(row: Row, kind: AgencyKind) -> None:
    region, prefix = row.cells["region_code"], CODE_PREFIX.get(kind)
    if prefix is None:
        if region and not (PROVINCE_CODE.fullmatch(region) or LOCAL_CODE.fullmatch(region)):
            row.fault(f"region_code {region!r} is no Kemendagri code such as 32 or 32.01")
        return
    form, example = (PROVINCE_CODE, "32") if kind is AgencyKind.PROVINCE else (LOCAL_CODE, "32.01")
    if not form.fullmatch(region):
        row.fault(f"region_code {region!r} of a {kind} must be a Kemendagri code such as {example}")
        return
    if kind is not AgencyKind.PROVINCE and (int(region[3:]) >= FIRST_CITY_NUMBER) != (kind is AgencyKind.CITY):
        row.fault(f"region_code {region!r} is not the code of a {kind}: cities are numbered from {FIRST_CITY_NUMBER}")
    if row.cells["code"] != (wanted := prefix + region.replace(".", "-")):
        row.fault(f"code {row.cells['code']!r} must be {wanted!r}, after its region code")


def check_tiers(agencies: Mapping[str, tuple[Row, AgencyKind | str]]) -> None:
    """Supervisors exist, regencies and cities answer to their own province, and nobody supervises itself."""
    provinces = {row.cells["region_code"] for row, kind in agencies.values() if kind is AgencyKind.PROVINCE}
    in_a_cycle: set[str] = set()
    for code, (row, kind) in agencies.items():
        region, above = row.cells["region_code"], row.cells["supervised_by"]
        if region and region[:2] not in provinces:
            row.fault(f"region_code {region!r}: no province {region[:2]!r} is in the register")
        if not above:
            continue
        if above not in agencies:
            row.fault(f"supervised_by {above!r} is not in the register")
            continue
        if kind in (AgencyKind.REGENCY, AgencyKind.CITY) and above != (own := f"prov-{region[:2]}"):
            row.fault(f"supervised_by {above!r}: a {kind} answers to its own province, {own!r}")
        if code not in in_a_cycle and (cycle := _cycle_from(code, agencies)):
            in_a_cycle.update(cycle)
            row.fault(f"supervision runs in a circle: {' -> '.join([*cycle, code])}")


def _cycle_from(code: str, agencies: Mapping[str, tuple[Row, AgencyKind | str]]) -> list[str]:
    """The agencies on the circle through `code`, from it upwards; none if the chain from it ends or circles above."""
    chain: list[str] = []
    above = code
    while above in agencies and above not in chain:
        chain.append(above)
        above = agencies[above][0].cells["supervised_by"]
    return chain if above == code else []
