"""A picture as a Mermaid flowchart, to stand in Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field

from .picture import Box, Group, Lane, Part, clean, shortened

__all__ = ["mermaid"]

LONGEST_LINE = 70  # characters of one line of a label
UNESCAPED = frozenset(" _.,/=+-()'?!")

SHAPES = {
    "start": ("([", "])"),
    "end": ("([", "])"),
    "exit": ("([", "])"),
    "gate": ("{", "}"),
    "check": ("{{", "}}"),
}

CLASSES = """\
  classDef kind_call fill:#dbeafe,stroke:#2563eb,color:#0f172a
  classDef kind_check fill:#ede9fe,stroke:#7c3aed,color:#0f172a
  classDef kind_plain fill:#f1f5f9,stroke:#64748b,color:#0f172a
  classDef kind_start fill:#dcfce7,stroke:#16a34a,color:#0f172a
  classDef kind_end fill:#dcfce7,stroke:#16a34a,color:#0f172a
  classDef kind_exit fill:#f0fdf4,stroke:#16a34a,color:#0f172a
  classDef kind_gate fill:#fef3c7,stroke:#d97706,color:#0f172a"""


def mermaid(picture: Part) -> str:
    """`picture` as a flowchart.

    No text of the program is markup: whatever is no letter, digit or one of a few marks is written as its code, and
    names of nodes are numbers.
    """
    writer = _Writer()
    writer.part(picture)
    return "\n".join(["flowchart TD", *writer.lines, CLASSES]) + "\n"


def _quoted(lines: tuple[str, ...]) -> str:
    return '"' + "<br/>".join(_escaped(shortened(clean(line), LONGEST_LINE)) for line in lines) + '"'


def _escaped(text: str) -> str:
    return "".join(one if one.isalnum() or one in UNESCAPED else f"#{ord(one)};" for one in text)


@dataclass(frozen=True, slots=True)
class _Exit:
    """A node that something follows, and what is said on the way."""

    node: str
    label: str = ""


@dataclass(slots=True)
class _Writer:
    """Writes parts, giving out the numbers of nodes; `left` are, for each program it is in, the exits of that."""

    lines: list[str] = field(default_factory=list)
    left: list[list[_Exit]] = field(default_factory=lambda: [[]])
    numbers: int = 0
    depth: int = 1

    def part(self, part: Part) -> tuple[str, list[_Exit]]:
        """The node that a part begins with, and those it can be left from."""
        return self._box(part) if isinstance(part, Box) else self._group(part)

    def _line(self, text: str) -> None:
        self.lines.append("  " * self.depth + text)

    def _number(self) -> str:
        self.numbers += 1
        return f"n{self.numbers}"

    def _box(self, box: Box) -> tuple[str, list[_Exit]]:
        node = self._number()
        begin, end = SHAPES.get(box.kind, ("[", "]"))
        self._line(f"{node}{begin}{_quoted((box.title, *box.notes))}{end}:::kind_{box.kind}")
        if box.kind == "exit":
            self.left[-1].append(_Exit(node))
        return node, [] if box.kind in ("end", "exit") else [_Exit(node)]

    def _edge(self, exits: list[_Exit], to: str, label: str = "", *, dotted: bool = False) -> None:
        for exit in exits:
            said = " and ".join(text for text in (exit.label, label) if text)
            arrow = "-.->" if dotted else "-->"
            self._line(f"{exit.node} {arrow}{f'|{_quoted((said,))}|' if said else ''} {to}")

    def _group(self, group: Group) -> tuple[str, list[_Exit]]:
        if group.kind == "choice":
            return self._choice(group)
        self._line(f"subgraph {self._number()}[{_quoted((group.title, *group.notes))}]")
        self.depth += 1
        made = {
            "loop": self._loop,
            "parallel": self._parallel,
            "program": self._program,
            "strategy": self._strategy,
        }.get(group.kind, self._sequence)(group)
        self.depth -= 1
        self._line("end")
        return made

    def _lane(self, lane: Lane) -> tuple[str, list[_Exit]]:
        """A lane's parts, joined; gates lead to the end of it."""
        first, exits, gates = "", list[_Exit](), list[_Exit]()
        for part in lane.parts:
            entry, leaving = self.part(part)
            if first:
                self._edge(exits, entry)
            first, exits = first or entry, leaving
            if isinstance(part, Box) and part.kind == "gate":
                gates.append(_Exit(entry, "yes"))
                exits = [_Exit(entry, "no")]
        return first, exits + gates

    def _sequence(self, group: Group) -> tuple[str, list[_Exit]]:
        [lane] = group.lanes
        return self._lane(lane) if lane.parts else self._box(Box(title="nothing"))

    def _program(self, group: Group) -> tuple[str, list[_Exit]]:
        self.left.append([])
        entry, exits = self._sequence(group)
        return entry, exits + self.left.pop()

    def _choice(self, group: Group) -> tuple[str, list[_Exit]]:
        entry, _ = self._box(Box(title=group.title, notes=group.notes, kind="gate"))
        exits = []
        for lane in group.lanes:
            if lane.parts:
                first, leaving = self._lane(lane)
                self._edge([_Exit(entry, lane.label)], first)
                exits += leaving
            else:
                exits.append(_Exit(entry, lane.label))
        return entry, exits

    def _loop(self, group: Group) -> tuple[str, list[_Exit]]:
        entry, exits = self._sequence(group)
        self._edge(exits, entry, "again", dotted=True)
        return entry, [_Exit(exit.node, group.leaves or exit.label or "at last") for exit in exits]

    def _parallel(self, group: Group) -> tuple[str, list[_Exit]]:
        entry, _ = self._box(Box(title="side by side", kind="plain"))
        exits = []
        for lane in group.lanes:
            first, leaving = self._lane(lane)
            if first:
                self._edge([_Exit(entry, lane.label)], first)
            exits += leaving if first else [_Exit(entry, lane.label)]
        return entry, exits

    def _strategy(self, group: Group) -> tuple[str, list[_Exit]]:
        """A strategy with the parts it uses beside it."""
        entry, exits = self._box(Box(title=group.title.split(": ")[-1], kind="call"))
        for lane in group.lanes:
            first, _ = self._lane(lane)
            if first:
                self._edge([_Exit(entry, lane.label)], first, dotted=True)
        return entry, exits
