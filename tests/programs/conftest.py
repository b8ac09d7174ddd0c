import textwrap

import pytest

from orchestrator import load
from orchestrator.errors import ProgramFileError


@pytest.fixture
def write(tmp_path):
    """Writes files into one folder."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def refusal(write, tmp_path):
    """What loading a program says that is refused, with paths from its folder."""

    def refusal(text, **options):
        path = write("program.yaml", text)
        with pytest.raises(ProgramFileError) as caught:
            load(path, **options)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return refusal
