"""Refusal codes: one enumeration, in which nothing is missing and nothing stands that nobody gives."""

import re

import pytest

from tests.architecture.sources import SERVICES, files
from tuntas_contracts.agencies import ActionRefused
from tuntas_contracts.cases import InputRefused
from tuntas_contracts.refusal import Refusal, RefusalCode

USED = re.compile(r"\bRefusalCode\.([A-Z_]+)\b")


def test_every_code_is_given_by_some_service() -> None:
    given = {name for path in files(*SERVICES.values()) for name in USED.findall(path.read_text("utf-8"))}
    assert given == set(RefusalCode.__members__)


@pytest.mark.parametrize("code", RefusalCode)
def test_a_code_is_its_name_and_says_what_it_means(code: RefusalCode) -> None:
    assert code == code.name.lower()
    assert code.meaning.endswith(".")
    assert str(Refusal(code, "why")) == f"{code.value}: why"


@pytest.mark.parametrize("message", [ActionRefused, InputRefused])
def test_a_reader_takes_a_code_that_it_does_not_know(message: type[ActionRefused] | type[InputRefused]) -> None:
    assert message.model_fields["code"].annotation is str
