"""The files below `deploy/k8s` that follow from the topology and the register, and whether they still do."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from tuntas_contracts.topology import TOPICS
from tuntas_operations.rights import agency_users, platform_users
from tuntas_operations.topics import TopicSpec, register_codes, topics_for
from tuntas_tools.k8s.kafka_objects import Manifest, topic_objects, user_objects

COMMAND = "python -m tuntas_tools.k8s generate"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the same text in a tenth of the time
_HEAD = f"# Made from the topology and the agency register by `{COMMAND}`: change those, not this.\n"


def generated_files(k8s: Path) -> dict[Path, str]:
    """Every generated file below the folder `deploy/k8s`, with its text."""
    codes = register_codes()
    shared = [TopicSpec(topic.name, topic.partitions, topic.config) for topic in TOPICS if not topic.per_agency]
    names = {topic.name for topic in shared}
    objects = {
        "platform/kafka/generated/topics.yaml": topic_objects(shared),
        "platform/kafka/generated/users.yaml": user_objects(platform_users()),
        "platform/agencies/generated/topics.yaml": topic_objects([topic for topic in topics_for(codes) if topic.name not in names]),
        "platform/agencies/generated/users.yaml": user_objects(agency_users(codes)),
    }
    return {k8s / name: _text(manifests) for name, manifests in objects.items()}


def generate(k8s: Path) -> list[Path]:
    """Write what differs; gives the files written."""
    written = []
    for path, text in generated_files(k8s).items():
        if _there(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def differences(k8s: Path) -> list[str]:
    """A sentence for each file that is not what the topology and the register make of it."""
    return [
        f"{path.relative_to(k8s)} {'is missing' if not path.exists() else 'is out of date'}: run `{COMMAND}`"
        for path, text in generated_files(k8s).items()
        if _there(path) != text
    ]


def _text(manifests: Sequence[Manifest]) -> str:
    return _HEAD + str(yaml.dump_all(manifests, Dumper=_DUMPER, sort_keys=False, default_flow_style=None, width=160))


def _there(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
