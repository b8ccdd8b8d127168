"""`tuntas ops agencies import | add | disable`: dispatch's register of agencies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tuntas_operations.agencies import Imported, RegisterRefused, add, disable_agency, import_file
from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.ops_choices import AsJson, OpsFolder, aligned, say_all
from tuntas_operations.installation import Installation, find_installation
from tuntas_operations.rights import BrokerUser

Code = Annotated[str, typer.Argument(metavar="CODE", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, for the audit.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    agencies = typer.Typer(name="agencies", help="The register of agencies: who may be sent cases.", no_args_is_help=True)
    agencies.command(name="import")(said_in_one_sentence(import_))
    agencies.command(name="add")(said_in_one_sentence(add_))
    agencies.command(name="disable")(said_in_one_sentence(disable))
    app.add_typer(agencies)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    reason: Reason,
    folder: OpsFolder = None,
    units: Annotated[
        Path | None,
        typer.Option(help="CSV of what single agencies have beside the units of their kind: agency_code,code,parent,name,kind,sectors"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring agencies from a CSV into the register: code,name,kind,region_code,time_zone,supervised_by,email,sectors.

    Those that are there are changed, disabled ones enabled again; nobody is taken out. All rows or none: every fault is named by
    its line. The topics of new agencies are made first.
    """
    _change(lambda installation: import_file(installation, file, units, reason), folder, as_json=as_json)


def add_(
    code: Code,
    name: Annotated[str, typer.Option(help="Its full name.", show_default=False)],
    kind: Annotated[str, typer.Option(help="ministry, body, province, regency, city, state_enterprise, …", show_default=False)],
    email: Annotated[str, typer.Option(help="The mailbox of its complaint desk.", show_default=False)],
    sectors: Annotated[str, typer.Option(help="What it answers for, separated by ;", show_default=False)],
    reason: Reason,
    time_zone: Annotated[str, typer.Option(help="Asia/Jakarta, Asia/Makassar or Asia/Jayapura.")] = "Asia/Jakarta",
    region_code: Annotated[str, typer.Option(help="Kemendagri's code, such as 32 or 32.01.")] = "",
    supervised_by: Annotated[str, typer.Option(help="Code of the agency above it.")] = "",
    folder: OpsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Bring one agency into the register, or change it, with the units of its kind; its topics are made first."""
    cells = {
        "code": code,
        "name": name,
        "kind": kind,
        "email": email,
        "sectors": sectors,
        "time_zone": time_zone,
        "region_code": region_code,
        "supervised_by": supervised_by,
    }
    _change(lambda installation: add(installation, cells, reason), folder, as_json=as_json)


def disable(code: Code, reason: Reason, folder: OpsFolder = None, as_json: AsJson = False) -> None:
    """Let an agency get no more cases. Those it has stay with it; its topics and its broker user stay."""
    done = disable_agency(find_installation(folder), code, reason)
    if as_json:
        typer.echo(json.dumps({"code": code, "disabled_before": not done}))
    elif done:
        say_all(
            [
                f"{code} is disabled: a report that names it now waits for a verifier.",
                "Its open cases stay with it until they are finished; then take its broker user's rights away.",
            ]
        )
    else:
        typer.echo(f"{code} was disabled before: nothing to change")


def _change(change: Callable[[Installation], Imported], folder: Path | None, *, as_json: bool) -> None:
    installation = find_installation(folder)
    try:
        imported = change(installation)
    except RegisterRefused as error:
        say_all([f"tuntas: {fault}" for fault in error.faults], err=True)
        say_all([f"tuntas: {len(error.faults)} fault(s): nothing was changed"], err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(_as_json(imported)))
        return
    say_all(aligned((agency.outcome, agency.code, agency.name) for agency in imported.agencies))
    typer.echo(f"{imported.topics_made} topics made")
    users = [agency.user for agency in imported.agencies if agency.outcome == "added"]
    if users:
        if imported.rights_given:
            typer.echo("Each new agency's own system connects by a broker user (SCRAM-SHA-512), whose rights were given:")
        else:
            typer.echo("Each new agency's own system needs a broker user (SCRAM-SHA-512) with these rights and no others:")
        say_all(aligned((user.name, right) for user in users for right in _rights(user)))


def _as_json(imported: Imported) -> dict[str, object]:
    agencies = [
        {
            "code": agency.code,
            "outcome": agency.outcome,
            "topics": list(agency.topics),
            "user": agency.user.name,
            "rights": _rights(agency.user),
        }
        for agency in imported.agencies
    ]
    return {"agencies": agencies, "topics_made": imported.topics_made, "rights_given": imported.rights_given}


def _rights(user: BrokerUser) -> list[str]:
    return [f"{' and '.join(grant.operations)} on {grant.resource} {grant.name}{'*' if grant.prefix else ''}" for grant in user.grants]
