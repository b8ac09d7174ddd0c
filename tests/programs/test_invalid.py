"""Files that are refused, each with the whole message a user sees.

After a change to messages: `python tests/programs/test_invalid.py` writes them anew; read what `git diff` shows.
"""

import os
from pathlib import Path

import pytest

from orchestrator.errors import ProgramFileError
from orchestrator.programs import load

FOLDER = Path(__file__).parent / "invalid"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


def message_of(name):
    """What is said of a file, which is named as from its own folder."""
    try:
        load(name)
    except ProgramFileError as error:
        return f"{error}\n"
    return None


@pytest.mark.parametrize("name", FILES)
def test_an_invalid_file_is_refused_with_its_message(name, monkeypatch):
    monkeypatch.chdir(FOLDER)
    assert message_of(name) == (FOLDER / name).with_suffix(".txt").read_text()


def test_every_invalid_file_has_a_message_and_every_message_a_file():
    assert [f"{path.stem}.yaml" for path in sorted(FOLDER.glob("*.txt"))] == FILES
    assert len(FILES) >= 60


def test_every_message_says_where_and_none_shows_the_inside():
    for name in FILES:
        said = (FOLDER / name).with_suffix(".txt").read_text()
        assert said.startswith(f"{name}:"), name
        for inside in ("Traceback", "pydantic", "Spec", "NoneType", "<class"):
            assert inside not in said, name


if __name__ == "__main__":
    os.chdir(FOLDER)
    for name in FILES:
        said = message_of(name)
        if said is None:
            print(f"{name} loads")
        else:
            Path(name).with_suffix(".txt").write_text(said)
