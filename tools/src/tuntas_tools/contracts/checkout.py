"""Where the contracts' files lie in a checkout."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


class NotACheckout(Exception):
    """No folder from here upwards is a checkout of this repository."""

    def __init__(self, start: Path) -> None:
        super().__init__(f"{start} is not in a checkout of Tuntas: run this where contracts/pyproject.toml is below you, or give --root")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout, by its root folder."""

    root: Path

    @classmethod
    def around(cls, start: Path) -> "Checkout":
        """The checkout that holds `start`; raises NotACheckout."""
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / "contracts" / "pyproject.toml").is_file():
                return cls(folder)
        raise NotACheckout(start)

    @property
    def contracts(self) -> Path:
        """The distribution that agencies install."""
        return self.root / "contracts"

    @property
    def schemas(self) -> Path:
        """One JSON Schema per message type."""
        return self.contracts / "schemas"

    @property
    def asyncapi(self) -> Path:
        """One AsyncAPI document per service, and one for agencies."""
        return self.contracts / "asyncapi"

    @property
    def examples(self) -> Path:
        """The golden examples, a folder per message type; they are kept for ever."""
        return self.contracts / "examples"

    @property
    def profiles(self) -> Path:
        """The regulation profiles; a released one never changes."""
        return self.root / "reference" / "src" / "tuntas_reference" / "data" / "profiles"

    @property
    def released(self) -> Path:
        """Schemas, examples and profiles of the last release."""
        return self.contracts / "released"

    @property
    def readme(self) -> Path:
        """Holds generated parts between markers."""
        return self.root / "README.md"

    @property
    def topology_diagram(self) -> Path:
        """The diagram as SVG."""
        return self.root / "docs" / "images" / "topology.svg"

    @property
    def lifecycle(self) -> Path:
        """The page of states, transitions and clocks."""
        return self.root / "docs" / "lifecycle.md"

    def contracts_version(self) -> str:
        """The present version of the contracts."""
        with (self.contracts / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
