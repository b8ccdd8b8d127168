"""What is committed is what the contracts make of it, and a file that is not is named with what to run."""

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.contracts.checkout import CHECKOUT
from tuntas_contracts.topology import TOPICS, message_types
from tuntas_contracts.vocabulary import Service
from tuntas_tools.contracts import generated, topology_diagram
from tuntas_tools.contracts.__main__ import main
from tuntas_tools.contracts.checkout import Checkout, NotACheckout
from tuntas_tools.contracts.flows import touches
from tuntas_tools.contracts.mermaid import flowchart
from tuntas_tools.contracts.readme import PARTS, markers
from tuntas_tools.contracts.schemas import current_schemas


@pytest.fixture
def copy(tmp_path: Path) -> Checkout:
    """A checkout with only the contracts and a README, freshly generated."""
    shutil.copytree(CHECKOUT.examples, tmp_path / "contracts" / "examples")
    shutil.copy(CHECKOUT.contracts / "pyproject.toml", tmp_path / "contracts")
    places = "\n\n".join("\n".join(markers(part)) for part in PARTS)
    (tmp_path / "README.md").write_text(f"# Tuntas\n\n{places}\n\nEnd.\n", encoding="utf-8")
    checkout = Checkout(tmp_path)
    generated.generate(checkout)
    return checkout


def test_committed_files_are_up_to_date() -> None:
    assert generated.differences(CHECKOUT) == []


def test_generating_twice_changes_nothing(copy: Checkout) -> None:
    assert generated.generate(copy) == []
    assert generated.differences(copy) == []


def test_a_changed_file_is_named_with_the_command(copy: Checkout) -> None:
    (copy.schemas / "CaseClosed.json").write_text("{}\n", encoding="utf-8")
    (copy.asyncapi / "triage.yaml").unlink()
    (copy.schemas / "CaseForgotten.json").write_text("{}\n", encoding="utf-8")
    copy.readme.write_text(copy.readme.read_text(encoding="utf-8").replace("notifier", "informer"), encoding="utf-8")
    assert generated.differences(copy) == [
        f"contracts/schemas/CaseClosed.json is out of date: run `{generated.COMMAND}`",
        f"contracts/asyncapi/triage.yaml is missing: run `{generated.COMMAND}`",
        f"contracts/schemas/CaseForgotten.json belongs to no message or service: run `{generated.COMMAND}`",
        f"README.md is out of date: run `{generated.COMMAND}`",
    ]
    generated.generate(copy)
    assert generated.differences(copy) == []


def test_the_readme_keeps_its_own_text(copy: Checkout) -> None:
    text = copy.readme.read_text(encoding="utf-8")
    assert text.startswith("# Tuntas\n")
    assert text.endswith("\nEnd.\n")
    assert text.count("```mermaid") == 1


@pytest.mark.parametrize("part", PARTS)
def test_a_readme_without_markers_is_told(copy: Checkout, capsys: pytest.CaptureFixture[str], part: str) -> None:
    copy.readme.write_text(copy.readme.read_text(encoding="utf-8").replace(markers(part)[1], ""), encoding="utf-8")
    assert main(["generate", "--root", str(copy.root)]) == 1
    assert f"README.md has no place for the {part}" in capsys.readouterr().err


def test_outside_a_checkout_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotACheckout):
        Checkout.around(tmp_path)
    assert main(["check", "--root", str(tmp_path)]) == 1
    assert "is not in a checkout of Tuntas" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(message_types()))
def test_schemas_are_valid_and_name_themselves(name: str) -> None:
    schema = current_schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/{name}.json")
    assert schema["description"]


def test_the_diagram_shows_every_service_topic_and_meeting() -> None:
    root = ET.fromstring(topology_diagram.svg())
    space = {"s": "http://www.w3.org/2000/svg"}
    texts = {element.text for element in root.iterfind(".//s:text", space)}
    assert {str(service) for service in Service} | {topic.name for topic in TOPICS} <= texts
    badges = root.findall(".//s:g/s:title", space)
    legend = 2
    assert len(badges) == sum(bool(t.writes) + bool(t.reads) for t in touches()) + legend
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for element in root.iterfind(".//s:rect", space):
        assert 0 <= float(element.get("x", 0)) <= width - float(element.attrib["width"])
        assert 0 <= float(element.get("y", 0)) <= height - float(element.attrib["height"])


def test_the_flowchart_names_each_node_before_it_is_joined() -> None:
    lines = flowchart().splitlines()
    nodes = {found[1] for line in lines if (found := re.match(r"  (\w+)(?:\[|\(\[)", line))}
    edges = [found.groups() for line in lines if (found := re.match(r"  (\w+) (?:==|--|-\.) .* (?:==>|-->|\.->) (\w+)$", line))]
    assert {end for edge in edges for end in edge} <= nodes
    assert len(edges) == sum(bool(t.writes) + bool(t.reads) for t in touches()) + len(Service)
