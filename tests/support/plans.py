"""What a statement costs by PostgreSQL's own account: the plan's scans, and the pages that it touched."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


@dataclass(frozen=True)
class Plan:
    """The answer to a statement behind EXPLAIN."""

    root: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Any) -> "Plan":
        """From what the server gave, parsed or not."""
        found = json.loads(answer) if isinstance(answer, str) else answer
        return cls(found[0]["Plan"])

    def _nodes(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield node
        for child in node.get("Plans", ()):
            yield from self._nodes(child)

    @property
    def nodes(self) -> list[Mapping[str, Any]]:
        """Every step."""
        return list(self._nodes(self.root))

    @property
    def pages(self) -> int:
        """How many pages of 8 KiB were touched."""
        return int(self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"])

    def scans_whole(self, *tables: str) -> bool:
        """Whether one of these tables is gone through from its first row to its last."""
        return any(node["Node Type"] == "Seq Scan" and node["Relation Name"] in tables for node in self.nodes)

    def rows_of(self, table: str) -> int:
        """How many rows of a table were looked at."""
        return sum(
            int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
            for node in self.nodes
            if node.get("Relation Name") == table and node["Node Type"] != "ModifyTable"
        )

    @property
    def tables(self) -> set[str]:
        """Every table that is read."""
        return {node["Relation Name"] for node in self.nodes if "Relation Name" in node}
