"""`orchestrator check`: whether a program file, and the files it names, can be run."""

from __future__ import annotations

from pathlib import Path

from ..programs import load
from ..programs.models import make_model
from ..programs.spec import ReplaySpec
from ..programs.writing import dump

__all__ = ["check_file"]


def check_file(file: Path, *, allow_outside: bool = False) -> None:
    """Print what a program file says, with all defaults left out.

    Args:
        file: The program file.
        allow_outside: Whether it may include files from outside of its folder.

    Raises:
        InvalidInputError: It, a problem or a recorded sample is wrong.
    """
    program = load(file, allow_outside=allow_outside, local_models=True)
    for name, spec in program.specs.items():
        if isinstance(spec, ReplaySpec):
            make_model(spec, folder=program.folders.get(name, file.parent), keyed=False)
    problems = program.problems
    count = 0 if problems is None else problems.count()
    print(f"{file}: no mistakes")
    print(f"models: {', '.join(program.specs)}")
    if problems is not None:
        print(f"problems: {count} in {problems.path}")
    print(dump(program.strategy).removeprefix("version: 1\n"), end="")
