"""The topology as a Mermaid flowchart."""

from tuntas_contracts.topology import AGENCY, TOPICS, Topic
from tuntas_tools.contracts.flows import PARTIES, SENDING, touches

_FEW = 3


def flowchart() -> str:
    """The diagram's source. Thick lines are written to Kafka, thin ones read from it, dotted ones are HTTP and mail."""
    lines = ["flowchart LR"]
    for party in PARTIES:
        if party.id != AGENCY:
            lines.append(f'  {_id(party.id)}_people(["{party.people}"])')
    lines += [f'  {_id(party.id)}["{_bold(party.title)}{party.about}"]' for party in PARTIES]
    lines += [f'  {_topic_id(topic)}[/"{topic.name}"/]' for topic in TOPICS]
    for party in PARTIES:
        people, service = f"{_id(party.id)}_people", _id(party.id)
        if party.id in SENDING:
            lines.append(f'  {service} -. "{party.by}" .-> {people}')
        elif party.id != AGENCY:
            lines.append(f'  {people} -. "{party.by}" .-> {service}')
    for touch in touches():
        party_id, topic_id = _id(touch.party.id), _topic_id(touch.topic)
        if touch.writes:
            lines.append(f'  {party_id} == "{_label(touch.writes)}" ==> {topic_id}')
        if touch.reads:
            lines.append(f'  {topic_id} -- "{_label(touch.reads)}" --> {party_id}')
    lines += [
        "  classDef service fill:#e6f0fb,stroke:#2563ab,color:#10243e",
        "  classDef topic fill:#fdf3dc,stroke:#b7791f,color:#3b2a06",
        "  classDef agency fill:#eceff3,stroke:#64748b,color:#1f2937",
        f"  class {','.join(_id(p.id) for p in PARTIES if p.id != AGENCY)} service",
        f"  class {','.join(_topic_id(t) for t in TOPICS)} topic",
        f"  class {_id(AGENCY)} agency",
    ]
    return "\n".join(lines)


def _label(kinds: object) -> str:
    names = [str(kind) for kind in kinds] if isinstance(kinds, (list, tuple)) else []
    return "<br/>".join(names) if len(names) <= _FEW else f"{len(names)} types"


def _bold(text: str) -> str:
    return f"<b>{text}</b><br/>"


def _id(name: str) -> str:
    return name.replace("-", "_")


def _topic_id(topic: Topic) -> str:
    return "topic_" + topic.name.split(".")[1].replace("-", "_")
