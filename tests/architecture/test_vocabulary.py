"""Words that were given up for the field's terms do not come back (docs/glossary.md has the terms)."""

import re
import subprocess

import pytest

from tests.architecture.sources import ROOT

REPLACED = {
    "parking lot": "dead-letter queue",
    "parkings": "dead letters",
    "ParkingLot": "DeadLetterQueue",
    "FiringLoop": "CheckpointScheduler",
    "upkeep": "maintenance",
    "resting": "idle",
    "Clockwork": "ClockMachine",
    "KeyTaken": "IdempotencyConflict",
    "AccessGate": "AccessCodeVerifier",
    "Stationery": "TemplateRenderer",
    "possible_verbs": "allowed_actions",
    "give_back": "return_case",
    "agency_view": "agency_messages",
    "rewrapping": "key_rotation",
    "handed_on": "republished",
    "mothers": "builders",
    "Plugs": "FaultInjector",
    "PATIENCE_S": "TIMEOUT_S",
    "scrawl": "text_noise",
    "casebook": "case_log",
    "timetable": "office_hours",
    "deeds": "agency_commands",
    "last_words": "log_tail",
    "until_told": "until_published",
    "told_at": "occurred_at",
    "told_of": "event_of",
    "_told": "the name of its content",
    "settle_late": "await_late_outcome",
    "obeyed": "accepted",
    "begin_anew": "reset",
}
HISTORY = ("CHANGELOG.md", "docs/adr/", "tests/architecture/test_vocabulary.py")
"""What was, or names it to keep it out."""


def _texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    ours = [name for name in listed if name.endswith((".py", ".md", ".yaml", ".toml")) and not name.startswith(HISTORY)]
    kept = [name for name in ours if "/migrations/" not in name and "/vendor/" not in name and "/corpus/situations/" not in name]
    return {name: (ROOT / name).read_text("utf-8") for name in kept if (ROOT / name).is_file()}


TEXTS = _texts()


@pytest.mark.parametrize(("word", "term"), REPLACED.items(), ids=list(REPLACED))
def test_a_word_that_was_replaced_does_not_come_back(word: str, term: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", re.IGNORECASE if word.islower() else 0)
    found = [f"{name}:{text.count(chr(10), 0, hit.start()) + 1}" for name, text in TEXTS.items() for hit in pattern.finditer(text)]
    assert found == [], f"write {term}, not {word}"


@pytest.mark.parametrize("heading", ["## The domain", "## The platform"])
def test_the_glossary_has_each_term_once(heading: str) -> None:
    section = (ROOT / "docs/glossary.md").read_text("utf-8").split(f"{heading}\n")[1].split("\n## ")[0]
    terms = [row.split("|")[1].strip() for row in section.splitlines()[2:] if row.startswith("|")]
    assert len(terms) == len(set(terms)) > 15
