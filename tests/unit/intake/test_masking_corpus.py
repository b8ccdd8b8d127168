"""Masking over the demo's corpus, whose reports say letter for letter what in them is personal."""

import json
from datetime import date

from dispatch.domain.register import load_register
from intake.application.commands import SubmitReport
from intake.application.handlers import own_data
from intake.domain.masking import Masker
from tuntas_demo.corpus import GeneratedReport, reports

COUNT = 1_500


def _masked(report: GeneratedReport) -> str:
    payload = report.payload
    masker = Masker(own_data(SubmitReport.model_validate_json(json.dumps(report.request()))))
    texts = (payload.title, payload.body, payload.requested_resolution, payload.place_text)
    return "\n".join(masker.mask(text).text for text in texts if text)


def test_nothing_personal_is_left_in_the_corpus_and_little_else_is_hidden() -> None:
    betrayed, hidden_without_need, disclosing = [], 0, 0
    for report in reports(11, COUNT, load_register(), start=date(2026, 3, 2)):
        expected, text = report.expected, _masked(report)
        personal = [item.text for item in expected.personal if item.in_text] + list(expected.third_parties)
        disclosing += bool(personal)
        betrayed += [(report.number, item) for item in personal if item.lower() in text.lower()]
        hidden_without_need += not personal and "[" in text
    assert betrayed == []
    assert disclosing > COUNT / 50
    assert hidden_without_need < COUNT / 100
