"""Masking measured on sentences in which a person marked what identifies somebody, look-alikes among them (docs/masking.md)."""

import re
from pathlib import Path

from intake.domain.masking import Masker, OwnData
from tuntas_contracts.texts.normalisation import normalised

SENTENCES = Path(__file__).parent / "data" / "masking_sentences.tsv"
MARKED = re.compile("«(.+?)»")


def measured() -> tuple[int, int, int, int]:
    """Sentences, marked identifiers, those of them that were masked, and all masks that were set."""
    sentences = wanted = masked = masks = 0
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, text = line.split("\t")
        identifiers = [normalised(found) for found in MARKED.findall(text)]
        result = Masker(OwnData(name=name or None)).mask(MARKED.sub(r"\1", text))
        sentences += 1
        wanted += len(identifiers)
        masked += sum(found not in result.text for found in identifiers)
        masks += len(result.found)
    return sentences, wanted, masked, masks


def test_hardly_an_identifier_is_missed_and_hardly_anything_else_is_hidden() -> None:
    sentences, wanted, masked, masks = measured()
    assert sentences >= 300
    assert wanted > 200
    assert masked / wanted >= 0.98
    assert min(masked, masks) / masks >= 0.98


def test_the_document_tells_what_is_measured() -> None:
    sentences, wanted, masked, masks = measured()
    document = (Path(__file__).parents[3] / "docs" / "masking.md").read_text(encoding="utf-8")
    assert f"{sentences} sentences with {wanted} identifiers" in document
    assert f"recall {masked / wanted:.3f}, precision {min(masked, masks) / masks:.3f}" in document
