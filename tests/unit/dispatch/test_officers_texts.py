"""What officers write leaves dispatch readable and without anybody's identifiers."""

from uuid import UUID

import pytest

from dispatch.domain.officers_texts import readable
from tuntas_contracts.agencies import AcceptCase, AgencyCommand, AnswerCase, RecordFollowUp, ReturnCase
from tuntas_contracts.refusal import Refusal

CASE = UUID(int=1)


def nameless(text: str, _longest: int) -> str:
    """A reporter without a name."""
    return text


@pytest.mark.parametrize(
    ("command", "field", "left"),
    [
        (AnswerCase(case_id=CASE, answer="Pelapor 0812-3456-7890 sudah dihubungi"), "answer", "Pelapor [telepon] sudah dihubungi"),
        (RecordFollowUp(case_id=CASE, note="Surel siti＠contoh．id"), "note", "Surel [email]"),
        (
            ReturnCase(case_id=CASE, reason="NIK 3201\u200b0145\u200b0190\u200b0001 bukan warga kami"),
            "reason",
            "NIK [NIK] bukan warga kami",
        ),
        (AcceptCase(case_id=CASE, unit="dinas", title="Rekening BCA 1234567890"), "title", "Rekening BCA [rekening]"),
    ],
)
def test_identifiers_are_masked_in_every_text(command: AgencyCommand, field: str, left: str) -> None:
    assert getattr(readable(command, nameless), field) == left


def test_an_address_of_a_document_stays_and_other_evidence_is_masked() -> None:
    address = "https://berkas.example/0812345678901.pdf"
    command = readable(AnswerCase(case_id=CASE, answer="Selesai", evidence=(address, "foto dari 0812-3456-7890")), nameless)
    assert isinstance(command, AnswerCase)
    assert command.evidence == (address, "foto dari [telepon]")


def test_a_text_without_identifiers_is_the_same_command() -> None:
    command = AnswerCase(case_id=CASE, answer="Jalan diperbaiki 12-05-2026, anggaran Rp 150.000.000")
    assert readable(command, nameless) is command


@pytest.mark.parametrize("text", ["\u200b", "\u2800\u2800", "\u3164", "   ", "\x00"])
def test_a_text_that_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        readable(ReturnCase.model_construct(case_id=CASE, reason=text), nameless)
    assert refused.value.code == "unreadable_text"


def test_a_text_that_masks_make_too_long_is_refused() -> None:
    with pytest.raises(Refusal, match="too long"):
        readable(
            AnswerCase(case_id=CASE, answer=("a@bc.de " * 2_500)[:20_000].replace("a@bc.de", "a@b.d", 2_500).ljust(20_000, "x")), nameless
        )
