"""`python -m tuntas_tools.contracts generate | check | release`; ends with 1 where something is to be done."""

import argparse
import sys
from pathlib import Path

from tuntas_tools.contracts import generated, released
from tuntas_tools.contracts.checkout import Checkout, NotACheckout
from tuntas_tools.contracts.examples import UnreadableExample
from tuntas_tools.contracts.readme import NoPlaceInReadme


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="tuntas_tools.contracts", description=__doc__)
    parser.add_argument("command", choices=("generate", "check", "release"))
    parser.add_argument("--root", type=Path, default=Path(), help="a folder in the checkout (default: here)")
    options = parser.parse_args(arguments)
    commands = {"generate": _generate, "check": _check, "release": _release}
    try:
        return commands[options.command](Checkout.around(options.root))
    except (NotACheckout, UnreadableExample, NoPlaceInReadme, released.NotReleasable) as error:
        print(error, file=sys.stderr)
        return 1


def _generate(checkout: Checkout) -> int:
    touched = generated.generate(checkout)
    for path in touched:
        print(f"{'wrote' if path.exists() else 'removed'} {path.relative_to(checkout.root)}")
    if not touched:
        print("everything generated is up to date")
    return 0


def _check(checkout: Checkout) -> int:
    for name, differences in released.schema_differences(checkout).items():
        for difference in differences:
            print(f"since the last release: {name} {difference}")
    faults = [*generated.differences(checkout), *released.obstacles(checkout)]
    if released.last_release(checkout) is None:
        faults.append(f"contracts/released holds no release to compare with: run `{released.COMMAND}`")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _release(checkout: Checkout) -> int:
    written = released.release(checkout)
    print(f"released {checkout.contracts_version()}: {len(written)} files written below contracts/released")
    return 0


if __name__ == "__main__":
    sys.exit(main())
