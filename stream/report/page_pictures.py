"""Pictures of the page, as SVG of our own: columns, bars, funnels, and the flow between stages."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from stream.report.tables import Bars, Flow, Grid, Picture, Steps, Value
from stream.report.wording import brief, worded_value

_WIDTH: Final = 960
_COLUMNS_HEIGHT: Final = 190
_ROW: Final = 30
_LABEL: Final = 230
_MAX_LABEL: Final = 30


def drawn(picture: Picture, title: str) -> str:
    """A picture as a figure."""
    if isinstance(picture, Grid):
        raise TypeError("a grid is a table with colours")
    if isinstance(picture, Bars):
        return _columns(picture, title) if picture.marked is not None else _bars(picture, title)
    return _funnel(picture, title) if isinstance(picture, Steps) else _flow(picture, title)


def _figure(title: str, height: float, parts: Iterator[str], key: Sequence[tuple[str, str]] = ()) -> str:
    legend = "".join(f'<span class="key {name}"></span> {escape(said)}&ensp; ' for name, said in key)
    caption = f'<figcaption class="quiet">{legend}</figcaption>' if key else ""
    return (
        f'<figure tabindex="0" aria-label="{escape(title)}">{caption}'
        f'<svg class="wide" role="img" aria-label="{escape(title)}" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="{_WIDTH}" height="{height:.0f}">{"".join(parts)}</svg></figure>'
    )


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 1]}…"


def _text(x: float, y: float, text: str, classes: str = "") -> str:
    kind = f' class="{classes}"' if classes else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}>{escape(text)}</text>'


def _rect(x: float, y: float, width: float, height: float, classes: str, said: str = "") -> str:
    title = f"<title>{escape(said)}</title>" if said else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" rx="2" '
        f'class="{classes}">{title}</rect>'
    )


def _numbers(values: Sequence[Value | None]) -> list[float]:
    return [0.0 if each is None else max(each.number, 0.0) for each in values]


def _columns(picture: Bars, title: str) -> str:
    def parts() -> Iterator[str]:
        numbers = _numbers(picture.values)
        most = max(numbers, default=0.0) or 1.0
        step = _WIDTH / max(len(numbers), 1)
        width = min(step * 0.62, 70)
        bottom = _COLUMNS_HEIGHT + 24
        yield f'<line x1="0" x2="{_WIDTH}" y1="{bottom}" y2="{bottom}" class="line"/>'
        for place, (label, number, value) in enumerate(zip(picture.labels, numbers, picture.values, strict=True)):
            middle, height = step * (place + 0.5), number / most * _COLUMNS_HEIGHT
            kind = "now" if place == picture.marked else "was"
            said = f"{label}: {worded_value(value)}" if value is not None else label
            yield _rect(middle - width / 2, bottom - height, width, height, kind, said)
            if value is not None:
                yield _text(middle, bottom - height - 6, brief(value), "m")
            yield _text(middle, bottom + 18, label, "m q")

    return _figure(title, _COLUMNS_HEIGHT + 50, parts())


def _bars(picture: Bars, title: str) -> str:
    both = bool(picture.before)
    row = _ROW + (10 if both else 0)

    def parts() -> Iterator[str]:
        now, before = _numbers(picture.values), _numbers(picture.before)
        most = max([*now, *before], default=0.0) or 1.0
        room = _WIDTH - _LABEL - 90
        for place, label in enumerate(picture.labels):
            y = place * row
            yield _text(_LABEL - 12, y + 19, _short(label), "r")
            width = now[place] / most * room
            height = 16 if both else 18
            yield _rect(_LABEL, y + 5, width, height, "now")
            value = picture.values[place]
            if value is not None:
                yield _text(_LABEL + width + 8, y + 19, brief(value))
            if both:
                yield _rect(_LABEL, y + 23, before[place] / most * room, 8, "was")

    key = (("now", picture.key[0]), ("was", picture.key[1])) if both else ()
    return _figure(title, row * len(picture.labels) + 8, parts(), key)


def _funnel(picture: Steps, title: str) -> str:
    row = 52

    def parts() -> Iterator[str]:
        most = max(picture.counts, default=0) or 1
        room = _WIDTH - _LABEL - 150
        for place, (label, number) in enumerate(zip(picture.labels, picture.counts, strict=True)):
            y, width = place * row, number / most * room
            yield _text(_LABEL - 12, y + 24, _short(label), "r")
            yield _rect(_LABEL, y + 6, width, 28, "now")
            last = f"{number:,}"
            if place:
                before = picture.counts[place - 1]
                lost = before - number
                yield _rect(_LABEL + width, y + 6, lost / most * room, 28, "loss")
                if before:
                    last += f" · {number / before * 100:.0f} %"
                    yield _text(_LABEL, y + 48, f"{lost:,} lost on the way here", "q") if lost > 0 else ""
            yield _text(
                _LABEL + max(width, (picture.counts[place - 1] if place else 0) / most * room) + 8, y + 25, last
            )

    key = (("now", "got this far (and the share of the step before)"), ("loss", "lost on the way here"))
    return _figure(title, row * len(picture.labels) + 4, parts(), key)


_NODE: Final = 12
_GAP: Final = 14
_FLOW_HEIGHT: Final = 400
_FLOW_LABEL: Final = 275
"""Room for a label and a number on each side."""


def _flow(picture: Flow, title: str) -> str:
    total = sum(number for _source, _target, number in picture.links)
    if not total:
        return ""
    sources = [each for each in picture.sources if any(link[0] == each for link in picture.links)]
    targets = [each for each in picture.targets if any(link[1] == each for link in picture.links)]
    scale = (_FLOW_HEIGHT - _GAP * max(len(sources), len(targets))) / total

    def parts() -> Iterator[str]:
        left, right = _places(picture, sources, 0, scale), _places(picture, targets, 1, scale)
        from_x, to_x = _FLOW_LABEL, _WIDTH - _FLOW_LABEL - _NODE
        order = {each: place for place, each in enumerate(picture.sources)}
        used_left, used_right = dict.fromkeys(sources, 0.0), dict.fromkeys(targets, 0.0)
        for source in sources:
            for target in targets:
                number = sum(link[2] for link in picture.links if link[:2] == (source, target))
                if not number:
                    continue
                thick = number * scale
                y1 = left[source][0] + used_left[source]
                y2 = right[target][0] + used_right[target]
                used_left[source] += thick
                used_right[target] += thick
                kind = "band out" if target not in order else "band"
                if target in order and order[target] < order[source]:
                    kind = "band back"
                yield _band(from_x + _NODE, y1, to_x, y2, thick, kind, f"{source} → {target}: {number:,}")
        for names, found, x in ((sources, left, from_x), (targets, right, to_x)):
            for name in names:
                y, height, number = found[name]
                yield _rect(x, y, _NODE, height, "node")
                said = f"{_short(name)} {number:,}"
                at = x - 10 if x == from_x else x + _NODE + 10
                yield _text(at, y + height / 2 + 4, said, "r" if x == from_x else "")

    key = (("other", "onwards"), ("back", "back"), ("out", "forgotten"))
    return _figure(title, _FLOW_HEIGHT + 10, parts(), key)


def _places(picture: Flow, names: Sequence[str], side: int, scale: float) -> dict[str, tuple[float, float, int]]:
    """By name the top, the height and the number."""
    found: dict[str, tuple[float, float, int]] = {}
    y = 4.0
    for name in names:
        number = sum(link[2] for link in picture.links if link[side] == name)
        found[name] = y, number * scale, number
        y += number * scale + _GAP
    return found


def _band(x1: float, y1: float, x2: float, y2: float, thick: float, classes: str, said: str) -> str:
    middle = (x1 + x2) / 2
    path = (
        f"M{x1:.1f},{y1:.1f}C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
        f"V{y2 + thick:.1f}C{middle:.1f},{y2 + thick:.1f} {middle:.1f},{y1 + thick:.1f} {x1:.1f},{y1 + thick:.1f}Z"
    )
    return f'<path d="{path}" class="{classes}"><title>{escape(said)}</title></path>'
