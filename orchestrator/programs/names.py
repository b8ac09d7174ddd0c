"""What the files of a program declare by name: models, prompts, verifiers and programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..errors import TemplateError
from ..expressions import TEXT, UNKNOWN, Type
from ..primitives.scope import NAME
from ..prompts import Example, Prompt
from ..templates import Template
from .document import MOST_NODES, KeyPath
from .includes import Source, Sources
from .mistakes import Mistakes
from .registries import STRATEGIES, VERIFIERS, Registry
from .spec import ModelSpec, PromptSpec

__all__ = ["FILLED", "Names", "Section", "check_system", "is_template", "make_prompt"]

Section: TypeAlias = Literal["models", "prompts", "verifiers", "programs"]

SECTIONS: tuple[Section, ...] = ("models", "prompts", "verifiers", "programs")

ONE: Mapping[Section, str] = {
    "models": "model",
    "prompts": "prompt",
    "verifiers": "verifier",
    "programs": "program",
}

USED_AS: Mapping[Section, str] = {
    "prompts": "write `prompt: {{use: {name}}}` where it is meant",
    "verifiers": "write `{name}` where a verifier stands",
    "programs": "write `{name}` where a program stands",
}

DEEPEST = 30
"""Programs and verifiers that are used inside each other."""

LONGEST_NAME = 100
"""Characters of a name that is declared."""

FIELD = re.compile(r"\bproblem\.(\w+)")
"""A field of the problem, as steps name it."""

FILLED = re.compile(r"\{\{-?\s*[A-Za-z_][\w.]*\s*(\||-?\}\})|\{%-?\s*(if|for)\b")
"""What a template has filled."""

Build: TypeAlias = Callable[[Registry, Any, KeyPath, Mistakes], Any]
"""Makes a part of what a file says at a place, or notes what is wrong with it."""


@dataclass(slots=True)
class _Entry:
    """A name: where it is declared, what it stands for once that is made, and how many values that is written with.

    `made` is a list of one, or empty until then.
    """

    source: Source
    path: KeyPath
    made: list[Any] = field(default_factory=list)
    size: int = 0
    used: bool = False


class Names:
    """The names of a program's files, by section; what they stand for is made when it is first used.

    Args:
        sources: The files.
        reserved: Names of verifiers and programs that are built in, and what they are.
        build: Makes them.

    Attributes:
        fields: What each problem has beside its text, as the file that runs says it, even where that is wrong.
    """

    def __init__(self, sources: Sources, *, reserved: Mapping[str, str], build: Build) -> None:
        self._sources, self._build = sources, build
        declared = sources.top.document.at(("problem", "fields"))
        self.fields: Mapping[str, Any] = declared if isinstance(declared, dict) else {}
        self._entries: dict[Section, dict[str, _Entry]] = {section: {} for section in SECTIONS}
        self._open: list[tuple[Section, str]] = []
        self._size = [0]
        for source in sources:
            source.mistakes.names, source.mistakes.incomplete = self, sources.incomplete
            for section in SECTIONS:
                for name in source.section(section):
                    self._declare(section, name, source, reserved)
        for source in sources:
            source.mistakes.models = () if sources.incomplete else self.of("models")

    def _declare(self, section: Section, name: str, source: Source, reserved: Mapping[str, str]) -> None:
        path = (section, name)
        if section != "models":
            if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
                source.mistakes.add(
                    path, f"a {ONE[section]}'s name must be letters, digits and underscores", key=True
                )
                return
            if section != "prompts" and name in reserved:
                source.mistakes.add(
                    path, f"`{name}` is {reserved[name]} already", hint="choose another name", key=True
                )
                return
        others: tuple[Section, ...] = (
            ("verifiers", "programs") if section in ("verifiers", "programs") else (section,)
        )
        first = next((self._entries[other][name] for other in others if name in self._entries[other]), None)
        if first is not None:
            place = first.source.document.place(first.path, key=True)
            where = first.source.document.file + ("" if place is None else f":{place.line}:{place.column}")
            source.mistakes.add(
                path, f"`{name}` is declared twice: here and at {where}", hint="rename one of them", key=True
            )
            return
        self._entries[section][name] = _Entry(source, path)

    def of(self, section: Section) -> list[str]:
        """The names that a section has."""
        return list(self._entries[section])

    def has(self, section: Section, name: str) -> bool:
        """Whether `name` is declared."""
        return name in self._entries[section]

    def models(self) -> Iterator[tuple[str, ModelSpec, Source]]:
        """The models, with the files they come from; those whose description is wrong are left out."""
        for name, entry in self._entries["models"].items():
            spec = entry.source.spec
            if spec is not None and name in spec.models:
                yield name, spec.models[name], entry.source

    def get(self, section: Section, name: str, at: KeyPath, mistakes: Mistakes, *, key: bool = False) -> Any:
        """What a declared name stands for; None when that is wrong, which is noted.

        Args:
            section: Which space the name is of.
            name: One that it has.
            at: Where it is used.
            mistakes: Receives what is wrong with that use.
            key: Whether it stands there as a key.
        """
        entry = self._entries[section][name]
        entry.used = True
        which = (section, name)
        if which in self._open:
            circle = [one for _, one in self._open[self._open.index(which) :]]
            mistakes.add(
                at,
                f"{section} use each other in a circle: {' -> '.join([*circle, name])}",
                hint="a loop inside a program is a `repeat`" if section == "programs" else None,
                key=key,
            )
            return None
        if not entry.made:
            if len(self._open) >= DEEPEST:
                said = f"{section} are used inside each other more than {DEEPEST} deep"
                mistakes.add(at, said, key=key)
                return None
            self._make(which, entry)
        self._size[-1] += entry.size
        if self._size[-1] > MOST_NODES:
            if self._size[-1] - entry.size <= MOST_NODES:
                said = f"with all that its names stand for, this is more than {MOST_NODES:,} values"
                mistakes.add(at, said, key=key)
            return None
        return entry.made[0]

    def _make(self, which: tuple[Section, str], entry: _Entry) -> None:
        self._open.append(which)
        self._size.append(_values_in(entry.source.document.at(entry.path)))
        try:
            entry.made = [self._made(which[0], entry.source, entry.path)]
        finally:
            self._open.pop()
            entry.size = self._size.pop()

    def _made(self, section: Section, source: Source, path: KeyPath) -> Any:
        if section == "prompts":
            if source.spec is None:
                return None
            prompt = make_prompt(source.spec.prompts[str(path[1])])
            plain = check_system(prompt.system, path, source.mistakes)
            return (
                prompt
                if is_template(prompt.template, (*path, "template"), source.mistakes) and plain
                else None
            )
        registry = VERIFIERS if section == "verifiers" else STRATEGIES
        return self._build(registry, source.document.at(path), path, source.mistakes)

    def prompt(self, value: Any, at: KeyPath, mistakes: Mistakes) -> Prompt | None:
        """The prompt that `{use: NAME}` names; None when there is none, which is noted."""
        name = value.get("use") if isinstance(value, dict) else None
        if not isinstance(name, str) or len(value) != 1:
            mistakes.add(at, "expected `{use: NAME}` with the name of one of the file's `prompts`")
            return None
        if not self.has("prompts", name):
            known = self.of("prompts")
            hint = mistakes.closest(name, known)
            others = (
                "" if hint else f"; there are: {', '.join(known)}" if known else "; the file has no `prompts`"
            )
            mistakes.add_unknown((*at, "use"), f"no prompt `{name}`{others}", hint=hint)
            return None
        made: Prompt | None = self.get("prompts", name, at, mistakes)
        return made

    def finish(self) -> None:
        """Make what nothing has used, to find what is wrong with it, and note the names of the file that runs that
        nothing uses: unless something is wrong, which may be what was to use them. A file that is included may bring
        more than is needed.
        """
        for section in USED_AS:
            for name, entry in self._entries[section].items():
                if not entry.used and not entry.made:
                    self._make((section, name), entry)
        if self._sources.top.mistakes.found:
            return
        for section, used_as in USED_AS.items():
            for name, entry in self._entries[section].items():
                if not entry.used and entry.source is self._sources.top:
                    entry.source.mistakes.add(
                        entry.path,
                        f"nothing uses the {ONE[section]} `{name}`",
                        hint=f"{used_as.format(name=name)}, or take it out",
                        key=True,
                    )


def _values_in(value: Any) -> int:
    below: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return 1 + sum(_values_in(one) for one in below)


def is_template(text: str, at: KeyPath, mistakes: Mistakes, types: Mapping[str, Type] | None = None) -> bool:
    """Whether a text is a template, and names only what there is; what is wrong is noted.

    Args:
        text: The text.
        at: Where it stands.
        mistakes: Receives what is wrong.
        types: What it may name; None when that is not known, but for the problem's text.
    """
    try:
        template = Template.of(text)
        if types is None:
            named = [*template.names, *FIELD.findall(text)]
            types = {**dict.fromkeys(named, UNKNOWN), "problem": TEXT}
        template.check(types)
    except TemplateError as error:
        offset = error.offset if mistakes.document.at(at) == text else None
        mistakes.add(at, error.message, hint=error.hint, offset=offset)
        return False
    return True


def check_system(text: str | None, at: KeyPath, mistakes: Mistakes) -> bool:
    """Whether the system message of the prompt at `at` is none that looks like a template; one is noted."""
    found = None if text is None else FILLED.search(text)
    if found is not None:
        mistakes.add(
            (*at, "system"),
            "the `system` of a prompt is sent as it is, and nothing is filled in",
            hint="put what depends on the problem into `template`, or give a step a `system`, which is a template",
            offset=found.start(),
        )
    return found is None


def make_prompt(spec: PromptSpec) -> Prompt:
    """A prompt as a file describes it."""
    given = dict(spec)
    given["examples"] = tuple(Example(question=e.question, answer=e.answer) for e in given["examples"])
    return Prompt(**given)
