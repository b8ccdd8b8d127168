"""What officers send over HTTP is bounded as the contracts are: what is taken here can be published."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from dispatch.entrypoints.schemas import AcceptRequest, AnswerRequest, FollowUpRequest, ReturnRequest

CASE_ID = UUID(int=1)
REQUESTS: list[tuple[Any, dict[str, Any]]] = [
    (AnswerRequest, {"answer": "Sudah{}selesai"}),
    (FollowUpRequest, {"note": "Ke{}lokasi"}),
    (ReturnRequest, {"reason": "Bukan{}kami"}),
    (AcceptRequest, {"unit": "bina{}marga"}),
]


@pytest.mark.parametrize(("kind", "fields"), REQUESTS)
@pytest.mark.parametrize("letter", [chr(code) for code in (*range(9), 11, 12, *range(14, 32))])
def test_control_characters_are_refused_with_the_field(kind: Any, fields: dict[str, Any], letter: str) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate({name: text.format(letter) for name, text in fields.items()})


@pytest.mark.parametrize(("kind", "fields"), REQUESTS)
def test_what_is_taken_becomes_a_command(kind: Any, fields: dict[str, Any]) -> None:
    assert kind.model_validate({name: text.format("\n\t\U0001f600") for name, text in fields.items()}).command(CASE_ID)
