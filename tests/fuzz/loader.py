"""Feeds the loader with any bytes at all: `python tests/fuzz/loader.py SEEDS -max_total_time=180`.

Needs `pip install atheris` and takes libFuzzer's options; SEEDS is a folder, made and filled with the corpus when it
is empty. Whatever the bytes, they are refused by a `ProgramFileError` that names a place in the file, or are a
program, which can be written, formatted and drawn.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

if __name__ == "__main__":
    import atheris

    # What reads files, and not all that it uses: that would take most of the time.
    instrumented = atheris.instrument_imports(include=["orchestrator.programs", "orchestrator.primitives"])
else:
    instrumented = contextlib.nullcontext()

with instrumented:
    from orchestrator.errors import InvalidInputError, ProgramFileError
    from orchestrator.programs import dump, load, loads
    from orchestrator.programs.document import parse
    from orchestrator.programs.formatting import format_text
    from orchestrator.programs.graph import mermaid, sketch, svg

__all__ = ["CORPUS", "PROGRAMS", "examine", "mutated", "text_of"]

SECONDS = 3.0
"""Processor seconds that one input may take: under a fuzzer's instruments everything takes several times as long."""

HERE = Path(__file__).parent


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.yaml"))]


PROGRAMS = _files(HERE.parents[1] / "examples")
CORPUS = [*PROGRAMS, *_files(HERE.parent / "programs" / "invalid")]

SCALARS: list[Any] = [
    *(None, True, False, 0, -1, 1, 10**9, 2**63, 10**40, 0.5, -0.0, 1e308, 1e-320, "", " ", "~", "n", "y"),
    *("0x10", "0o17", "1_000", "12:30:45", "2024-01-01", "=", "<<", "\u0301", "\u202e", "\ud7ff", "a" * 2000),
    *(
        "{{ problem }}",
        "{{ x.y|join(', ') }}",
        "{% for a in problem %}{{ a }}{% endfor %}",
        "{% if",
        "{{ ''.x }}",
    ),
    *(
        "problem",
        "drafts.best",
        "previous.x",
        "a.b.c > 0 and not d",
        "[1, 2][0]",
        "x" * 999 + "(",
        "answer(x)",
    ),
    *(
        "self_consistency",
        "judge",
        "regex",
        "agreement >= 0.5",
        "first(2)",
        "(",
        "(a+)+$",
        "[",
        "a\0b",
        "\x1b[2J",
    ),
    *([], {}, [[]], [{}], {"": ""}, {"use": "x"}, {"steps": []}, {"steps": [{"return": "problem"}]}),
]
"""Values that are put in the place of others."""

AROUND = ["repeat", "for_each", "parallel", "branch", "steps", "if", "then", "self_consistency"]
NUMBERS = [
    ".inf",
    "-.inf",
    ".nan",
    "1e400",
    "-0",
    "+1",
    "0b11",
    "0x1F",
    "017",
    "0o17",
    "1_0",
    "1e3",
    "9" * 5000,
]
TAGS = [
    "!!str",
    "!!int",
    "!!float",
    "!!null",
    "!!bool",
    "!!binary",
    "!!timestamp",
    "!!set",
    "!!omap",
    "!x",
    "!",
    "!!",
]
PIECES = [
    *(
        "\ufeff",
        "\r\n",
        "\r",
        "\t",
        "\x85",
        "\u2028",
        "%YAML 1.1\n---\n",
        "%YAML 1.2\n---\n",
        "%TAG ! x:\n---\n",
    ),
    *(
        "---\n",
        "...\n",
        "--- ",
        "# comment\n",
        " # comment",
        "&a ",
        "*a",
        "<<: *a\n",
        "? ",
        ": ",
        "- ",
        "| \n",
        ">-\n",
    ),
    *(
        "|2-\n",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        '"',
        '"\\x41\\',
        "@",
        "`",
        "%",
        "!<a> ",
        "x" * 3000,
        "\n" * 300,
        " " * 200,
    ),
]
"""Pieces of text that are put in anywhere."""


def examine(data: bytes) -> bool:
    """Whether these bytes are a program.

    Raises:
        AssertionError: They take too long; their refusal has no place in them; or what they are cannot be written
            so that it is the same again. All else that is raised is a finding too, and so is a warning.
    """
    began = process_time()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder, "hostile.yaml")
        path.write_bytes(data)
        loaded = _examined(path, data)
    assert process_time() - began < SECONDS, f"it took {process_time() - began:.1f} s"
    return loaded


def _examined(path: Path, data: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        _formatted(data.decode())
    try:
        program = load(path)
    except ProgramFileError as error:
        _check_places(error, data)
        return False
    mermaid(sketch(program))
    svg(sketch(program))
    with contextlib.suppress(InvalidInputError):  # a part that another package brings may not be written
        assert loads(dump(program), file=path) == program
    return True


def _formatted(text: str) -> None:
    try:
        formatted = format_text(text)
    except ProgramFileError:
        return
    assert format_text(formatted) == formatted


def _check_places(error: ProgramFileError, data: bytes) -> None:
    assert len(str(error)) < 50_000
    lines = re.split(rb"\r\n?|\n", data)
    for one in (error, *error.others):
        if one.line is not None:
            assert 1 <= one.line <= len(lines) + 1, one.line
            length = len(lines[one.line - 1]) if one.line <= len(lines) else 0
            assert one.column is None or 1 <= one.column <= length + 2, (one.line, one.column)


# Mutations -----------------------------------------------------------------------------------------------


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with parts exchanged, nested, repeated or spoilt, as data or as text."""
    text = data.decode("utf-8", "replace")
    if rng.random() < 0.7:
        with contextlib.suppress(ProgramFileError):
            text = text_of(_changed(_data(text), rng), rng)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        text = _spoilt(text, rng)
    raw = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.05:
        at = rng.randrange(len(raw) + 1)
        raw = raw[:at] + rng.randbytes(rng.randrange(1, 4)) + raw[at:]
    return raw


def _data(text: str) -> Any:
    return parse(text, file="seed").data


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every collection in `data` with each of its keys."""
    for key in list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from _places(data[key])


def _changed(data: Any, rng: random.Random) -> Any:
    """`data` with a few of its parts changed; those of another file are put among them."""
    for _ in range(rng.randint(1, 3)):
        places = list(_places(data))
        if not places:
            return data
        owner, key = rng.choice(places)
        match rng.randrange(8):
            case 0:
                owner[key] = rng.choice(SCALARS)
            case 1:
                other, theirs = rng.choice(places)
                owner[key], other[theirs] = _copied(other[theirs]), _copied(owner[key])
            case 2:
                del owner[key]
            case 3:
                others = list(_places(_data(rng.choice(CORPUS).decode("utf-8", "replace"))))
                if others:
                    other, theirs = rng.choice(others)
                    owner[key] = other[theirs]
            case 4 if isinstance(owner, dict):
                names = [name for one, name in places if isinstance(one, dict)]
                owner[rng.choice([*names, "x", 1, ""])] = _copied(owner[key])
            case 4 | 5 if isinstance(owner, list):
                owner.insert(rng.randrange(len(owner) + 1), _copied(owner[key]))
            case 5:
                owner[key] = [_copied(owner[key])]
            case 6:
                wrap = rng.choice(
                    ["repeat", "for_each", "parallel", "branch", "steps", "if", "then", "self_consistency"]
                )
                owner[key] = {wrap: _copied(owner[key])}
            case 7:
                owner[key] = [_copied(owner[key]) for _ in range(rng.choice([2, 3, 50]))]
    return data


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def text_of(data: Any, rng: random.Random, margin: int = 0) -> str:
    """`data` as YAML, in blocks and braces by turns."""
    if rng.random() < 0.1 or not isinstance(data, dict | list) or not data:
        return _inline(data, rng)
    lines = []
    for item in data.items() if isinstance(data, dict) else data:
        key, value = item if isinstance(data, dict) else (None, item)
        head = " " * margin + ("-" if key is None else f"{_inline(key, rng)}:")
        inside = text_of(value, rng, margin + 2)
        lines.append(f"{head}\n{inside}" if inside.startswith(" ") else f"{head} {inside}")
    return "\n".join(lines) + ("\n" if margin == 0 else "")


def _inline(data: Any, rng: random.Random) -> str:
    if isinstance(data, int | float) and not isinstance(data, bool):
        return rng.choice(NUMBERS) if rng.random() < 0.05 else repr(data)
    tag = f"{rng.choice(TAGS)} " if rng.random() < 0.01 else ""
    return tag + json.dumps(data, ensure_ascii=rng.random() < 0.5, default=str)


def _spoilt(text: str, rng: random.Random) -> str:
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.choice([0, 1, 3, 40]))
    match rng.randrange(6):
        case 0:
            return text[:start] + rng.choice(PIECES) + text[end:]
        case 1:
            return rng.choice(PIECES) + text
        case 2:
            return text.replace("\n", rng.choice(["\r\n", "\r", "\n\n", "\n \n", "\n# c\n"]))
        case 3:
            return text[:start] + text[start:end] * rng.choice([2, 3, 200]) + text[end:]
        case 4:
            places = [match.end() for match in re.finditer(r"(?m)[:-] ", text)] or [0]
            at, back = sorted((rng.choice(places), rng.choice(places)))
            return f"{text[:at]}&a {text[at:back]}*a{text[back:]}"
        case _:
            return text[:start] + text[end:]


def fuzz(data: bytes) -> None:
    """What libFuzzer calls."""
    examine(data)


def main() -> None:
    """What libFuzzer runs."""
    seeds = Path(next((one for one in sys.argv[1:] if not one.startswith("-")), ""))
    if seeds != Path():
        seeds.mkdir(parents=True, exist_ok=True)
        if not any(seeds.iterdir()):
            for number, data in enumerate(CORPUS):
                (seeds / f"{number:03d}").write_bytes(data)

    def change(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.3:
            return bytes(atheris.Mutate(data, most))
        return mutated(data or rng.choice(CORPUS), rng)[:most]

    atheris.Setup([*sys.argv, "-max_len=140000"], fuzz, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
