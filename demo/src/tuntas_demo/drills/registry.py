"""Every drill by its name: the table from which the fault matrix is written."""

from collections.abc import Mapping, Sequence

from tuntas_demo.drills import agencies, brokers, hanging, killed, outages, replicas
from tuntas_demo.drills.model import Drill
from tuntas_operations.errors import StackError

DRILLS: Mapping[str, Drill] = {
    drill.name: drill for family in (killed, hanging, agencies, outages, replicas, brokers) for drill in family.DRILLS
}


def drills_named(names: Sequence[str]) -> list[Drill]:
    """These drills, all of them where none is named; in the order of the table.

    Raises:
        StackError: there is no drill of that name.
    """
    unknown = [name for name in names if name not in DRILLS]
    if unknown:
        raise StackError(f"there is no drill {unknown[0]}: `tuntas drill --list` shows them")
    return [drill for drill in DRILLS.values() if not names or drill.name in names]
