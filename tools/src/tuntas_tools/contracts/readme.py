"""What is made from the contracts in the README, each part between two markers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tuntas_tools.contracts.lifecycle_page import planned
from tuntas_tools.contracts.mermaid import flowchart

PARTS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {"planned": planned, "topology": lambda: f"```mermaid\n{flowchart()}\n```"}
)
"""The generated parts by name."""


class NoPlaceInReadme(Exception):
    """The README lacks one of the two markers of a part, or has them in the wrong order."""

    def __init__(self, readme: Path, part: str) -> None:
        begin, end = markers(part)
        super().__init__(f"{readme.name} has no place for the {part}: write the lines {begin} and {end} where it belongs")


def markers(part: str) -> tuple[str, str]:
    """The lines before and after a part."""
    return f"<!-- {part}:begin -->", f"<!-- {part}:end -->"


def readme_text(readme: Path) -> str:
    """The README's text with its parts as they are made today; raises NoPlaceInReadme."""
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    for part, make in PARTS.items():
        begin, end = markers(part)
        head, begins, rest = text.partition(begin)
        _, ends, tail = rest.partition(end)
        if not begins or not ends:
            raise NoPlaceInReadme(readme, part)
        text = f"{head}{begin}\n{make()}\n{end}{tail}"
    return text
