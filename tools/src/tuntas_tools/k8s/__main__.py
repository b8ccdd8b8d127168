"""`python -m tuntas_tools.k8s generate | check | render | secrets | apply | diff | test`; ends with 1 where something is wrong."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from tuntas_operations.errors import StackError
from tuntas_tools.contracts.checkout import Checkout, NotACheckout
from tuntas_tools.k8s import generated
from tuntas_tools.k8s.cluster import Cluster
from tuntas_tools.k8s.kustomize import find_kustomize
from tuntas_tools.k8s.overlays import namespace_of, overlay_names, parts
from tuntas_tools.k8s.secrets import random_secrets
from tuntas_tools.k8s.trial import Trial


def _generate(k8s: Path, _options: argparse.Namespace) -> int:
    written = generated.generate(k8s)
    for path in written:
        print(f"wrote {path.relative_to(k8s)}")
    if not written:
        print("everything generated is up to date")
    return 0


def _check(k8s: Path, _options: argparse.Namespace) -> int:
    faults = generated.differences(k8s)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _render(k8s: Path, options: argparse.Namespace) -> int:
    kustomize = find_kustomize()
    print("---\n".join(kustomize.build(part) for part in parts(k8s, options.overlay)), end="")
    return 0


def _secrets(k8s: Path, options: argparse.Namespace) -> int:
    print(yaml.safe_dump_all(random_secrets(namespace_of(k8s, options.overlay)), sort_keys=False), end="")
    return 0


def _apply(k8s: Path, options: argparse.Namespace) -> int:
    folders = parts(k8s, options.overlay)
    cluster, kustomize = Cluster.at(options.kubeconfig), find_kustomize()
    for part in folders:
        for warning in cluster.apply(kustomize.build(part)):
            print(warning, file=sys.stderr)
        print(f"applied {part.relative_to(k8s)}")
    return 0


def _diff(k8s: Path, options: argparse.Namespace) -> int:
    folders = parts(k8s, options.overlay)
    cluster, kustomize = Cluster.at(options.kubeconfig), find_kustomize()
    changes = "".join(cluster.diff(kustomize.build(part)) for part in folders)
    print(changes, end="")
    return 1 if changes else 0


def _test(k8s: Path, options: argparse.Namespace) -> int:
    trial = Trial(Cluster.at(options.kubeconfig), find_kustomize())
    trial.prepare(options.crds)
    faults = [fault for name in (options.overlays or overlay_names(k8s)) for fault in trial.overlay(k8s, name, keep=options.keep)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


COMMANDS: dict[str, Callable[[Path, argparse.Namespace], int]] = {
    "generate": _generate,
    "check": _check,
    "render": _render,
    "secrets": _secrets,
    "apply": _apply,
    "diff": _diff,
    "test": _test,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](Checkout.around(options.root).root / "deploy" / "k8s", options)
    except (NotACheckout, StackError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tuntas_tools.k8s", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="a folder in the checkout (default: here)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="write the manifests that follow from the topology and the register")
    commands.add_parser("check", help="say which of them are out of date")
    for name, what in (("render", "print an overlay's manifests"), ("secrets", "print its Secrets with random values")):
        commands.add_parser(name, help=what).add_argument("overlay")
    for name, what in (("apply", "apply an overlay server-side"), ("diff", "print what an apply would change; 1 if anything")):
        command = commands.add_parser(name, help=what)
        command.add_argument("overlay")
        command.add_argument("--kubeconfig", type=Path)
    test = commands.add_parser("test", help="try overlays on a cluster that is there to be tried on, and remove them again")
    test.add_argument("overlays", nargs="*", help="all where none is named")
    test.add_argument("--kubeconfig", type=Path)
    test.add_argument("--crds", type=Path, nargs="*", default=[], help="CRDs to apply first: files, or folders of files")
    test.add_argument("--keep", action="store_true", help="leave what was applied")
    return parser


if __name__ == "__main__":
    sys.exit(main())
