"""An operator at a terminal: `tuntas ops …` with the settings of a cluster in the environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner, Result

from tuntas_operations.cli import app


@dataclass
class Operator:
    """Runs commands with these `TUNTAS_*` variables and no others."""

    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, status: int | None = 0, changes: Mapping[str, str] | None = None) -> Result:
        """One command, which must end with that status (None: any) and never with a traceback."""
        others = {name: None for name in os.environ if name.startswith("TUNTAS_")}
        environment: dict[str, str | None] = {**others, **self.environment, **(changes or {})}
        result = CliRunner().invoke(app, ["ops", *arguments], env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert status is None or result.exit_code == status, result.output
        return result

    def json(self, *arguments: str, status: int = 0, changes: Mapping[str, str] | None = None) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.run(*arguments, "--json", status=status, changes=changes).stdout)

    def refused(self, *arguments: str, changes: Mapping[str, str] | None = None) -> str:
        """The one sentence of a command that can't be done."""
        result = self.run(*arguments, status=1, changes=changes)
        (sentence,) = result.stderr.strip().splitlines()
        return sentence
