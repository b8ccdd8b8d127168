"""Erasing one reporter among 100,000 reads that reporter's rows and no others."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from intake.adapters import personal_data
from tests.integration.intake.harness import IntakeHarness, bearer

_FILL = (
    "INSERT INTO reporter (reporter_ref, wrapped_key) SELECT gen_random_uuid(), '\\x00' FROM generate_series(1, 100000)",
    "INSERT INTO report (case_id, tracking_id, reporter_ref, classification, channel, language, anonymous, secret, misconduct, title, "
    "submitted_at) SELECT gen_random_uuid(), reporter_ref::text, reporter_ref, 'complaint', 'web', 'id', false, false, false, 'Jalan', "
    "now() FROM reporter WHERE wrapped_key = '\\x00'",
    "INSERT INTO personal_data (reporter_ref, source_id, ciphertext) SELECT reporter_ref, case_id, '\\x00' FROM report "
    "WHERE tracking_id = reporter_ref::text",
    "ANALYZE reporter",
    "ANALYZE report",
    "ANALYZE personal_data",
)


async def test_no_statement_of_an_erasure_scans_a_table(harness: IntakeHarness) -> None:
    receipt = await harness.submit()
    for statement in _FILL:
        await harness.run(statement)
    case_id = UUID(receipt["case_id"])
    [row] = await harness.rows("SELECT reporter_ref FROM report WHERE case_id = :id", id=case_id)
    asked: list[tuple[str, dict[str, Any]]] = [
        (personal_data.CASES_OF.text, {"ref": row.reporter_ref}),
        (personal_data._DESTROY_KEYS.text, {"reporter_ref": [row.reporter_ref], "erased_at": [None]}),
        (personal_data._DROP_CIPHERTEXTS.text, {"refs": [row.reporter_ref]}),
    ]
    for statement, values in asked:
        plan = await harness.rows(f"EXPLAIN (FORMAT JSON) {statement}", **values)
        assert "Seq Scan" not in {node["Node Type"] for node in nodes_of(plan[0][0][0]["Plan"])}, statement

    answer = await harness.http.delete(f"/v1/reporters/{row.reporter_ref}", headers=bearer("operator"))
    assert answer.status_code == 204
    [published] = await harness.rows("SELECT key FROM outbox WHERE type = 'ReporterErased'")
    assert published.key == str(case_id)
    assert not await harness.rows("SELECT 1 FROM personal_data WHERE reporter_ref = :ref", ref=row.reporter_ref)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)
