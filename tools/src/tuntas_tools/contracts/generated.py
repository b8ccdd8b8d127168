"""The files that are made from the contracts: written again, or compared with what is committed."""

from pathlib import Path

from tuntas_tools.contracts import asyncapi, lifecycle_page, topology_diagram
from tuntas_tools.contracts.checkout import Checkout
from tuntas_tools.contracts.examples import read_examples
from tuntas_tools.contracts.readme import NoPlaceInReadme, readme_text
from tuntas_tools.contracts.schemas import as_json, current_schemas

COMMAND = "python -m tuntas_tools.contracts generate"


def generated_files(checkout: Checkout) -> dict[Path, str]:
    """The text of every generated file by its path; the README is not among them."""
    files = {checkout.schemas / f"{name}.json": as_json(schema) for name, schema in current_schemas().items()}
    documents = asyncapi.documents(checkout.contracts_version(), read_examples(checkout.examples))
    files |= {checkout.asyncapi / f"{name}.yaml": asyncapi.as_yaml(document, COMMAND) for name, document in documents.items()}
    files[checkout.topology_diagram] = topology_diagram.svg()
    files[checkout.lifecycle] = lifecycle_page.page()
    return files


def generate(checkout: Checkout) -> list[Path]:
    """Write what differs and remove what is no longer generated; gives the paths touched.

    Raises:
        NoPlaceInReadme: all but the README is written.
    """
    files = generated_files(checkout)
    touched = [path for path, text in files.items() if _text(path) != text]
    for path in touched:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    for path in _left_over(checkout, files):
        path.unlink()
        touched.append(path)
    readme = readme_text(checkout.readme)
    if readme != _text(checkout.readme):
        checkout.readme.write_text(readme, encoding="utf-8")
        touched.append(checkout.readme)
    return touched


def differences(checkout: Checkout) -> list[str]:
    """A sentence for each file that is not what the contracts make of it."""
    files = generated_files(checkout)
    found = []
    for path, text in files.items():
        if (there := _text(path)) != text:
            found.append(f"{path.relative_to(checkout.root)} {'is missing' if there is None else 'is out of date'}: run `{COMMAND}`")
    found += [
        f"{path.relative_to(checkout.root)} belongs to no message or service: run `{COMMAND}`" for path in _left_over(checkout, files)
    ]
    try:
        if readme_text(checkout.readme) != _text(checkout.readme):
            found.append(f"README.md is out of date: run `{COMMAND}`")
    except NoPlaceInReadme as error:
        found.append(str(error))
    return found


def _left_over(checkout: Checkout, files: dict[Path, str]) -> list[Path]:
    there = [*checkout.schemas.glob("*.json"), *checkout.asyncapi.glob("*.yaml")]
    return sorted(path for path in there if path not in files)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
