"""The demo corpus: Indonesian reports as citizens write them, and how verifiers, officers and reporters behave."""

from tuntas_demo.corpus.catalogue import Catalogue, Situation, load_catalogue
from tuntas_demo.corpus.generator import reports
from tuntas_demo.corpus.model import (
    CorpusError,
    Expected,
    GeneratedReport,
    Hint,
    Payload,
    PersonalKind,
    PersonalString,
    RegisteredAgency,
    Reporter,
)

__all__ = [
    "Catalogue",
    "CorpusError",
    "Expected",
    "GeneratedReport",
    "Hint",
    "Payload",
    "PersonalKind",
    "PersonalString",
    "RegisteredAgency",
    "Reporter",
    "Situation",
    "load_catalogue",
    "reports",
]
