"""Where everything in a picture stands: sizes from the inside out, then places from the outside in."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from .picture import Box, Group, Lane, Part, clean, ends, shortened

__all__ = ["CHARACTER", "LINE", "PADDING", "Arrow", "Frame", "Label", "Shape", "laid_out"]

CHARACTER = 7.25  # pixels: how wide a character of the fixed-width type is
LINE = 17.0  # pixels from one line of text to the next
PADDING = 10.0
GAP = 28.0  # between the parts of a lane: room for an arrow
BETWEEN = 22.0  # between lanes
RAIL = 26.0  # beside a lane, for a line that goes back up or past what follows
STACKED = 5.0  # how far the second sheet behind a step that is made for each item looks out
MOST_LINES = 3  # of one title or note
WIDEST_TEXT = (44, 44, 40, 32, 26)  # characters, by how many lanes stand side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A box or the frame of a group, with its lines of text; `full` is what was shortened."""

    part: Part
    x: float
    y: float
    width: float
    height: float
    title: tuple[str, ...]
    notes: tuple[str, ...]
    full: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Lines of text centred at `x`, the first one's top at `y`."""

    x: float
    y: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A line through points; `head` says whether it ends in an arrowhead, `dashed` that it goes back."""

    points: tuple[tuple[float, float], ...]
    head: bool = True
    dashed: bool = False


Shape: TypeAlias = Frame | Label | Arrow


def laid_out(picture: Part) -> tuple[float, float, list[Shape]]:
    """Width and height of `picture` in pixels, and its shapes, those behind others first."""
    placed = _measured(picture, WIDEST_TEXT[0])
    shapes: list[Shape] = []
    _place(placed, 0.0, 0.0, shapes)
    return placed.width, placed.height, shapes


# Sizes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lane:
    lane: Lane
    parts: tuple[_Sized, ...]
    label: tuple[str, ...]
    width: float
    height: float
    rail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sized:
    """A part with its size and its texts as they are broken into lines."""

    part: Part
    width: float
    height: float
    title: tuple[str, ...]
    notes: tuple[str, ...]
    full: str
    lanes: tuple[_Lane, ...] = ()

    @property
    def header(self) -> float:
        return 2 * PADDING + LINE * (len(self.title) + len(self.notes)) - 4


def _measured(part: Part, widest: int) -> _Sized:
    title = tuple(_lines(part.title, widest))
    notes = tuple(line for note in part.notes for line in _lines(note, widest))
    whole = [clean(text) for text in (part.title, *part.notes)]
    cut = any(line.endswith("\u2026") for line in (*title, *notes))
    text = max(map(_columns, (*title, *notes)), default=0) * CHARACTER + 2 * PADDING + 6
    sized = _Sized(
        part=part,
        width=max(text, 90.0),
        height=0.0,
        title=title,
        notes=notes,
        full="\n".join(whole) if cut else "",
    )
    if isinstance(part, Box):
        return _grown(sized, sized.width, sized.header)
    inner = min(widest, WIDEST_TEXT[min(len(part.lanes), len(WIDEST_TEXT) - 1)])
    lanes = tuple(_lane(lane, inner) for lane in part.lanes)
    content = sum(lane.width for lane in lanes) + BETWEEN * max(len(lanes) - 1, 0)
    rails = 2 * RAIL if part.kind == "loop" else 0.0
    tallest = max((lane.height for lane in lanes), default=0.0)
    return _grown(sized, max(text, content + rails + 2 * PADDING), sized.header + tallest + PADDING, lanes)


def _grown(sized: _Sized, width: float, height: float, lanes: tuple[_Lane, ...] = ()) -> _Sized:
    return _Sized(
        part=sized.part,
        width=max(sized.width, width),
        height=height,
        title=sized.title,
        notes=sized.notes,
        full=sized.full,
        lanes=lanes,
    )


def _lane(lane: Lane, widest: int) -> _Lane:
    parts = tuple(_measured(part, widest) for part in lane.parts)
    label = tuple(_lines(lane.label, widest)) if lane.label else ()
    rail = any(isinstance(part, Box) and part.kind == "gate" for part in lane.parts)
    widths = [part.width for part in parts] + [_columns(line) * CHARACTER for line in label]
    height = sum(part.height + GAP for part in parts) + len(label) * LINE + GAP / 2
    return _Lane(
        lane=lane,
        parts=parts,
        label=label,
        width=max([*widths, 40.0]) + (2 * RAIL if rail else 0.0),
        height=height,
        rail=rail,
    )


def _lines(text: str, widest: int) -> list[str]:
    """`text` broken at blanks, and where there are none anywhere, into at most `MOST_LINES` lines."""
    lines = [""]
    for word in clean(text).split(" "):
        if lines[-1] and _columns(lines[-1]) + 1 + _columns(word) <= widest:
            lines[-1] += " " + word
            continue
        if lines[-1]:
            lines.append("")
        for one in word:
            if _columns(lines[-1]) + _columns(one) > widest:
                lines.append("")
            lines[-1] += one
    if len(lines) > MOST_LINES:
        lines = [
            *lines[: MOST_LINES - 1],
            shortened(lines[MOST_LINES - 1] + " " + lines[MOST_LINES], widest - 1),
        ]
        lines[-1] = lines[-1].rstrip("\u2026 ") + "\u2026"
    return lines


def _columns(text: str) -> int:
    """How many characters wide `text` is where East Asian ones take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


# Places --------------------------------------------------------------------------------------------------


def _place(sized: _Sized, x: float, y: float, shapes: list[Shape]) -> None:
    shapes.append(
        Frame(
            part=sized.part,
            x=x,
            y=y,
            width=sized.width,
            height=sized.height,
            title=sized.title,
            notes=sized.notes,
            full=sized.full,
        )
    )
    if isinstance(sized.part, Box):
        return
    content = sum(lane.width for lane in sized.lanes) + BETWEEN * max(len(sized.lanes) - 1, 0)
    left, top, bottom = x + (sized.width - content) / 2, y + sized.header, y + sized.height
    for lane in sized.lanes:
        _place_lane(lane, left, top, bottom, sized.part, shapes)
        left += lane.width + BETWEEN
    if sized.part.kind == "loop" and sized.lanes:
        _go_back(sized, x, top, shapes)


def _place_lane(
    lane: _Lane, left: float, top: float, bottom: float, group: Group, shapes: list[Shape]
) -> None:
    """A lane from the header of its group down to the group's lower edge, where it goes on."""
    axis = left + lane.width / 2
    joined = group.kind != "strategy"
    at = top
    if lane.label:
        shapes.append(Label(x=axis, y=at, lines=lane.label))
        at += len(lane.label) * LINE
    for number, sized in enumerate(lane.parts):
        gap = GAP if number else GAP / 2
        if joined and not _begins(sized.part):
            shapes.append(Arrow(points=((axis, at + 1), (axis, at + gap))))
        _place(sized, axis - sized.width / 2, at + gap, shapes)
        at += gap + sized.height
        if isinstance(sized.part, Box) and sized.part.kind == "gate":
            _go_past(sized, axis, left + lane.width - RAIL / 2, at, bottom, shapes)
    if joined and not any(ends(part) and not _exits(part, group) for part in lane.lane.parts):
        shapes.append(Arrow(points=((axis, at + 1), (axis, bottom)), head=False))


def _exits(part: Part, group: Group) -> bool:
    """Whether what ends a lane of `group` leaves that, and no more."""
    if isinstance(part, Group):
        return all(_exits(one, group) for lane in part.lanes for one in lane.parts if ends(one))
    return group.kind == "program" and part.kind == "exit"


def _begins(part: Part) -> bool:
    return isinstance(part, Box) and part.kind == "start"


def _go_past(sized: _Sized, axis: float, rail: float, at: float, bottom: float, shapes: list[Shape]) -> None:
    """The line from a gate, past what follows in its lane, to the group's lower edge."""
    middle = at - sized.height / 2
    shapes.append(
        Arrow(points=((axis + sized.width / 2, middle), (rail, middle), (rail, bottom)), head=False)
    )


def _go_back(sized: _Sized, x: float, top: float, shapes: list[Shape]) -> None:
    """The line from the end of a loop's lane back to its begin."""
    [lane] = sized.lanes
    axis, rail = x + sized.width / 2, x + sized.width - RAIL / 2
    end, begin = top + lane.height - GAP / 4, top + 4
    shapes.append(Arrow(points=((axis, end), (rail, end), (rail, begin), (axis + 1, begin)), dashed=True))
