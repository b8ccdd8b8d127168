"""The compose file as an engine reads it: merged, with every variable at its default."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tuntas_contracts.vocabulary import Service

ROOT = Path(__file__).parents[2]
SERVICES = tuple(str(service) for service in Service)
_VARIABLE = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")


@lru_cache
def compose() -> dict[str, Any]:
    """The whole file."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return document


def containers() -> dict[str, Any]:
    """Every container by its name."""
    found: dict[str, Any] = compose()["services"]
    return found


def environment(container: dict[str, Any]) -> dict[str, str]:
    """A container's variables with nothing set outside."""
    return {name: _VARIABLE.sub(r"\1", value) for name, value in container.get("environment", {}).items()}


def started_unasked() -> dict[str, Any]:
    """The containers that run without a profile."""
    return {name: container for name, container in containers().items() if "profiles" not in container}


def jobs() -> dict[str, Any]:
    """The containers that run once."""
    return {name: container for name, container in containers().items() if container.get("restart") == "no"}


def module_of(service: str) -> str:
    """A service's import name, its role and its database."""
    return service.replace("-", "_")
