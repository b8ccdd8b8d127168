"""The overlays of `deploy/k8s`, and the folders that each is applied from."""

from pathlib import Path

import yaml

from tuntas_operations.errors import StackError

KUSTOMIZATION = "kustomization.yaml"


class UnknownOverlay(StackError):
    """There is no overlay of that name."""


def overlay_names(k8s: Path) -> list[str]:
    """Every overlay, by the name of its folder."""
    return sorted(folder.parent.name for folder in (k8s / "overlays").glob(f"*/{KUSTOMIZATION}"))


def parts(k8s: Path, overlay: str) -> list[Path]:
    """The folders to apply, in order: the overlay's own, then those in it that are applied by themselves. Raises UnknownOverlay."""
    names = overlay_names(k8s)
    if overlay not in names:
        raise UnknownOverlay(f"there is no overlay {overlay!r}: choose one of {', '.join(names)}")
    folder = k8s / "overlays" / overlay
    return [folder, *sorted(inner.parent for inner in folder.glob(f"*/{KUSTOMIZATION}"))]


def namespace_of(k8s: Path, overlay: str) -> str:
    """The namespace that an overlay is applied to. Raises UnknownOverlay."""
    first = parts(k8s, overlay)[0]
    return str(yaml.safe_load((first / KUSTOMIZATION).read_text(encoding="utf-8"))["namespace"])
