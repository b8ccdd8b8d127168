"""The topology as an SVG: a column for each party, a lane for each topic, a badge where they meet."""

from collections.abc import Iterator, Sequence
from html import escape

from tuntas_contracts.topology import AGENCY, TOPICS, Topic
from tuntas_tools.contracts.flows import PARTIES, SENDING, Party, Touch, touches

_WIDTH, _MARGIN, _LABELS, _COLUMN = 1280, 24, 316, 154
_PEOPLE_Y, _SERVICE_Y, _LANES_Y = 86, 168, 266
_LANE, _BAR = 84, 60
_COLOURS = ("#0f766e", "#1d4ed8", "#6d28d9", "#b45309", "#be185d", "#475569")
_SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
_STYLE = f"""
    text {{ font-family: {_SANS}; fill: #1e293b; }}
    .mono {{ font-family: {_MONO}; }}
    .title {{ font-size: 22px; font-weight: 700; }}
    .party {{ font-size: 16px; font-weight: 650; fill: #ffffff; }}
    .about {{ font-size: 12px; fill: #ffffff; opacity: 0.92; }}
    .people {{ font-size: 12.5px; font-weight: 600; }}
    .topic {{ font-size: 13.5px; font-weight: 600; }}
    .small {{ font-size: 11.5px; fill: #526077; }}
    .badge {{ font-size: 12.5px; font-weight: 700; }}
"""


def svg() -> str:
    """The whole diagram."""
    height = _LANES_Y + _LANE * len(TOPICS) + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title description">',
        '  <title id="title">Tuntas: five services, and the topics between them</title>',
        f'  <desc id="description">{escape(_description())}</desc>',
        f"  <style>{_STYLE}  </style>",
        f'  <rect width="{_WIDTH}" height="{height}" rx="14" fill="#ffffff" stroke="#d6dde7"/>',
        f'  <text class="title" x="{_MARGIN + 8}" y="50">Tuntas</text>',
        f'  <text class="small" x="{_MARGIN + 8}" y="72">five services, and the topics between them</text>',
        *_lanes(),
        *(line for number, party in enumerate(PARTIES) for line in _column(number, party)),
        *(line for touch in touches() for line in _badges(touch)),
        *_legend(height - 30),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _description() -> str:
    said = []
    for touch in touches():
        for verb, kinds in (("writes", touch.writes), ("reads", touch.reads)):
            if kinds:
                said.append(f"{touch.party.title} {verb} {touch.topic.name}: {', '.join(kinds)}.")
    return " ".join(said)


def _centre(number: int) -> int:
    return _MARGIN + _LABELS + _COLUMN * number + _COLUMN // 2


def _lane_y(topic: Topic) -> int:
    return _LANES_Y + _LANE * TOPICS.index(topic)


def _lanes() -> Iterator[str]:
    width = _WIDTH - 2 * _MARGIN
    for topic in TOPICS:
        y = _lane_y(topic)
        behind = (8, 4) if topic.per_agency else ()
        for shift in behind:
            yield (
                f'  <rect x="{_MARGIN + shift}" y="{y + shift}" width="{width - shift}" height="{_BAR}" rx="9" '
                'fill="#fffaf0" stroke="#e7d3a8"/>'
            )
        narrower = 8 if behind else 0
        yield (f'  <rect x="{_MARGIN}" y="{y}" width="{width - narrower}" height="{_BAR}" rx="9" fill="#fdf6e5" stroke="#dfc68e"/>')
        kept = "newest of each key" if topic.compacted else "kept for ever" if topic.retention_ms < 0 else _days(topic)
        spread = "one per agency" if topic.per_agency else f"{topic.partitions} partition{'s' if topic.partitions > 1 else ''}"
        x = _MARGIN + 16
        yield f'  <text class="topic mono" x="{x}" y="{y + 20}">{escape(topic.name)}</text>'
        yield f'  <text class="small" x="{x}" y="{y + 36}">{escape(topic.purpose)}</text>'
        yield f'  <text class="small" x="{x}" y="{y + 51}">key: {escape(topic.key)} · {spread} · {kept}</text>'


def _days(topic: Topic) -> str:
    return f"{topic.retention_ms // 86_400_000} days"


def _column(number: int, party: Party) -> Iterator[str]:
    x, colour = _centre(number), _COLOURS[number]
    last = max(TOPICS.index(touch.topic) for touch in touches() if touch.party is party)
    end = _LANES_Y + _LANE * last + _BAR // 2
    yield f'  <line x1="{x}" y1="{_SERVICE_Y + 54}" x2="{x}" y2="{end}" stroke="{colour}" stroke-width="2" opacity="0.55"/>'
    yield from _people(x, party, colour)
    dashed = ' stroke="#94a3b8" stroke-dasharray="5 4"' if party.id == AGENCY else ""
    yield f'  <rect x="{x - 69}" y="{_SERVICE_Y}" width="138" height="54" rx="10" fill="{colour}"{dashed}/>'
    yield f'  <text class="party" x="{x}" y="{_SERVICE_Y + 24}" text-anchor="middle">{escape(party.title)}</text>'
    yield f'  <text class="about" x="{x}" y="{_SERVICE_Y + 42}" text-anchor="middle">{escape(party.about)}</text>'


def _people(x: int, party: Party, colour: str) -> Iterator[str]:
    yield f'  <text class="people" x="{x}" y="{_PEOPLE_Y + 12}" text-anchor="middle">{escape(party.people)}</text>'
    if party.id == AGENCY:
        return
    top, bottom = _PEOPLE_Y + 24, _SERVICE_Y - 4
    start, tip = (bottom, top) if party.id in SENDING else (top, bottom)
    back = 8 if party.id in SENDING else -8
    yield f'  <line x1="{x}" y1="{start}" x2="{x}" y2="{tip + back}" stroke="{colour}" stroke-width="2" stroke-dasharray="4 4"/>'
    yield f'  <path d="M{x - 6} {tip + back} L{x + 6} {tip + back} L{x} {tip} Z" fill="{colour}"/>'
    yield f'  <text class="small" x="{x + 11}" y="{(top + bottom) // 2 + 4}">{escape(party.by)}</text>'


def _badges(touch: Touch) -> Iterator[str]:
    number = PARTIES.index(touch.party)
    x, y, colour = _centre(number), _lane_y(touch.topic) + _BAR // 2, _COLOURS[number]
    both = bool(touch.writes and touch.reads)
    if touch.writes:
        yield from _badge(x - (29 if both else 0), y, colour, touch.writes, down=True)
    if touch.reads:
        yield from _badge(x + (29 if both else 0), y, colour, touch.reads, down=False)


def _badge(x: int, y: int, colour: str, kinds: Sequence[str], *, down: bool) -> Iterator[str]:
    verb = "writes" if down else "reads"
    fill, ink = (colour, "#ffffff") if down else ("#ffffff", colour)
    arrow = f"M{x - 17} {y - 3} h10 l-5 7 z" if down else f"M{x - 17} {y + 4} h10 l-5 -7 z"
    yield f"  <g><title>{verb}: {escape(', '.join(kinds))}</title>"
    yield f'    <rect x="{x - 26}" y="{y - 13}" width="52" height="26" rx="13" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
    yield f'    <path d="{arrow}" fill="{ink}"/>'
    yield f'    <text class="badge" x="{x + 7}" y="{y + 4.5}" text-anchor="middle" style="fill:{ink}">{len(kinds)}</text>'
    yield "  </g>"


def _legend(y: int) -> Iterator[str]:
    grey = _COLOURS[-1]
    entries = ((_MARGIN + 42, "writes that many message types", True), (_MARGIN + 330, "acts upon that many of them", False))
    for x, text, down in entries:
        yield from _badge(x, y, grey, ("n",) * 3, down=down)
        yield f'  <text class="small" x="{x + 36}" y="{y + 4}">{text}</text>'
    yield (
        f'  <text class="small" x="{_WIDTH - _MARGIN - 8}" y="{y + 4}" text-anchor="end">'
        "drawn from contracts/src/tuntas_contracts/topology.py</text>"
    )
