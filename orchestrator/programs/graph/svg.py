"""A picture as an SVG file: nested boxes, read from top to bottom."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from .layout import LINE, PADDING, STACKED, Arrow, Frame, Label, Shape, laid_out
from .picture import Box, Part, clean

__all__ = ["svg"]

MARGIN = 16.0

STYLE = """\
text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#0f172a;white-space:pre}
.title{font-weight:bold}.note,.label{fill:#475569}.label{font-style:italic}
.ground{fill:#fff}.frame{fill:#94a3b8;fill-opacity:.07;stroke:#94a3b8}
.line{fill:none;stroke:#64748b;stroke-width:1.4}.back{stroke-dasharray:4 3}.head{fill:#64748b}
.call{fill:#dbeafe;stroke:#2563eb}.check{fill:#ede9fe;stroke:#7c3aed}.plain{fill:#f1f5f9;stroke:#64748b}
.start,.end{fill:#dcfce7;stroke:#16a34a}.exit{fill:#f0fdf4;stroke:#16a34a}.gate{fill:#fef3c7;stroke:#d97706}
.loop{stroke:#d97706}.choice{stroke:#d97706;stroke-dasharray:2 2}.strategy{stroke:#2563eb}
.branch{stroke:#dc2626;stroke-dasharray:6 3}
.parallel,.each{stroke:#0d9488}
@media (prefers-color-scheme:dark){
text{fill:#e2e8f0}.note,.label{fill:#a8b3c4}.ground{fill:#0f172a}.line{stroke:#94a3b8}
.head{fill:#94a3b8}.call{fill:#1e3a6e}.check{fill:#43307a}.plain{fill:#273449}.start,.end{fill:#14502b}.exit{fill:#0d2a1a}.gate{fill:#5c3a0a}}"""


def svg(picture: Part) -> str:
    """`picture` as a file of its own: nothing in it is fetched or run, and every text of the program is escaped.

    The same picture is the same text. Colours follow the reader's light or dark scheme; what was shortened is shown
    whole where the pointer rests on it.
    """
    width, height, shapes = laid_out(picture)
    wide, high = _number(width + 2 * MARGIN), _number(height + 2 * MARGIN)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}">',
        f"<title>{_text(picture.title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="ground" width="{wide}" height="{high}"/>',
        f'<g transform="translate({_number(MARGIN)} {_number(MARGIN)})">',
        *(line for shape in shapes for line in _drawn(shape)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _drawn(shape: Shape) -> list[str]:
    match shape:
        case Frame():
            return _frame(shape)
        case Label():
            return [
                _line_of_text(line, shape.x, shape.y + 13 + number * LINE, "label", middle=True)
                for number, line in enumerate(shape.lines)
            ]
        case Arrow():
            return _arrow(shape)


def _frame(frame: Frame) -> list[str]:
    part = frame.part
    box = isinstance(part, Box)
    kind = part.kind if box else f"frame {part.kind}"
    round_ends = box and part.kind in ("start", "end", "exit", "gate")
    radius = min(frame.height / 2, 14.0) if round_ends else 5.0
    lines = ["<g>"]
    if frame.full:
        lines.append(f"<title>{_text(frame.full)}</title>")
    if not box and part.kind == "each":
        lines += [_rectangle(frame, kind, radius, STACKED), _rectangle(frame, "ground", radius, 0.0)]
    lines.append(_rectangle(frame, kind, radius, 0.0))
    middle, at = frame.x + frame.width / 2, frame.y + PADDING + 10
    for number, line in enumerate((*frame.title, *frame.notes)):
        style = "title" if number < len(frame.title) else "note"
        x = middle if box else frame.x + PADDING
        lines.append(_line_of_text(line, x, at + number * LINE, style, middle=box))
    return [*lines, "</g>"]


def _rectangle(frame: Frame, kind: str, radius: float, offset: float) -> str:
    return (
        f'<rect class="{kind}" x="{_number(frame.x + offset)}" y="{_number(frame.y + offset)}" '
        f'width="{_number(frame.width)}" height="{_number(frame.height)}" rx="{_number(radius)}"/>'
    )


def _line_of_text(text: str, x: float, y: float, style: str, *, middle: bool) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text class={quoteattr(style)} x="{_number(x)}" y="{_number(y)}"{anchor}>{_text(text)}</text>'


def _arrow(arrow: Arrow) -> list[str]:
    (first, *rest) = arrow.points
    path = f"M{_number(first[0])} {_number(first[1])}" + "".join(
        f"L{_number(x)} {_number(y)}" for x, y in rest
    )
    style = "line back" if arrow.dashed else "line"
    lines = [f'<path class="{style}" d="{path}"/>']
    if arrow.head:
        lines.append(f'<path class="head" d="{_head(arrow.points[-2], arrow.points[-1])}"/>')
    return lines


def _head(before: tuple[float, float], tip: tuple[float, float]) -> str:
    """A triangle at `tip`, for lines along one of the axes."""
    (x, y), long, wide = tip, 7.0, 4.0
    if before[0] == x:
        back = y - long if before[1] < y else y + long
        corners = ((x - wide, back), (x + wide, back))
    else:
        back = x - long if before[0] < x else x + long
        corners = ((back, y - wide), (back, y + wide))
    return f"M{_number(x)} {_number(y)}" + "".join(f"L{_number(a)} {_number(b)}" for a, b in corners) + "Z"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return "\n".join(escape(clean(line)) for line in text.split("\n"))
