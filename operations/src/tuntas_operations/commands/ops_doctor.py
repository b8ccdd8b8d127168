"""`tuntas ops doctor`: what is wrong with an installation, and what to do."""

import json
from typing import TYPE_CHECKING

import typer

from tuntas_operations.commands.failure import said_in_one_sentence
from tuntas_operations.commands.ops_choices import AsJson, OpsFolder, aligned, say_all
from tuntas_operations.installation import find_installation
from tuntas_operations.settings import UnusableSettings

if TYPE_CHECKING:
    from tuntas_operations.doctor import Finding

_WORDS = {"ok": "ok", "wrong": "WRONG", "not checked": "-"}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="doctor")(said_in_one_sentence(doctor))


def doctor(folder: OpsFolder = None, as_json: AsJson = False) -> None:
    """Look at settings, brokers, rights, topics, databases, schemas, clocks, services, issuer, mail and collector.

    Each line is ok, or says what is wrong and what to do; what is not named in the settings is skipped (-).
    Exit status 1 if anything is wrong. It changes nothing but for a topic of its own, made to see the brokers' clock and deleted.
    """
    # Imported here, with all its clients: `tuntas --help` does without.
    from tuntas_operations.doctor import Finding, examine

    try:
        installation = find_installation(folder)
    except UnusableSettings as error:
        findings = [Finding("settings", "wrong", fault, "correct it") for fault in error.faults]
    else:
        findings = [Finding("settings", "ok", f"looking at {installation.name}"), *examine(installation)]
    _report(findings, as_json=as_json)
    if any(finding.status == "wrong" for finding in findings):
        raise typer.Exit(1)


def _report(findings: "list[Finding]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_fields(finding) for finding in findings]))
        return
    say_all(aligned((_WORDS[finding.status], finding.about, finding.line) for finding in findings))
    faults = sum(1 for finding in findings if finding.status == "wrong")
    typer.echo(f"{faults} to be put right" if faults else "all is well")


def _fields(finding: "Finding") -> dict[str, str]:
    """As published: what was found is `told` there."""
    return {"about": finding.about, "status": finding.status, "told": finding.found, "todo": finding.todo}
