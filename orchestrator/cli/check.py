"""`orchestrator check`: whether a program file, and the files it names, can be run."""

from __future__ import annotations

from pathlib import Path

from ..programs import load
from ..programs.models import make_model
from ..programs.spec import ReplaySpec
from ..programs.writing import dump
from .job import count_problems, problem_file

__all__ = ["check_file"]


def check_file(file: Path, problems: Path | None = None, *, allow_outside: bool = False) -> None:
    """Print what a program file says, with all defaults left out.

    Args:
        file: The program file.
        problems: A file of problems in place of the one that it names; `-` is standard input.
        allow_outside: Whether it may include files from outside of its folder.

    Raises:
        InvalidInputError: It, a problem or a recorded sample is wrong.
    """
    program = load(file, allow_outside=allow_outside, local_models=True)
    for name, spec in program.specs.items():
        if isinstance(spec, ReplaySpec):
            make_model(spec, folder=program.folders.get(name, file.parent), keyed=False)
    source = problem_file(problems, program)
    count = 0 if source is None else count_problems(source, program)
    print(f"{file}: no mistakes")
    print(f"models: {', '.join(program.specs)}")
    if source is not None:
        print(f"problems: {count} in {source.name}")
    print(dump(program.strategy).removeprefix("version: 1\n"), end="")
