"""A GGUF header says what serving needs, and a damaged one is an error."""

import contextlib

import pytest

from orchestrator.errors import ModelFetchError
from orchestrator.serving.gguf import Header, read_header

from .wheelhouse import gguf


def test_a_header_with_a_template_is_a_chat_model(tmp_path):
    (tmp_path / "m").write_bytes(gguf(template="{{ messages }}"))
    assert read_header(tmp_path / "m") == Header(
        architecture="llama", name="Tiny", context_length=512, has_chat_template=True
    )


def test_a_header_without_a_template_is_a_base_model(tmp_path):
    (tmp_path / "m").write_bytes(gguf())
    assert not read_header(tmp_path / "m").has_chat_template


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not a GGUF model"),
        (b"PK\x03\x04 a zip file", "does not start with the letters GGUF"),
        (gguf(version=1), "format version is 1"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, data, message):
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ModelFetchError, match=message):
        read_header(tmp_path / "m")


def test_a_header_cut_short_anywhere_is_refused(tmp_path):
    for length in range(4, len(gguf())):
        (tmp_path / "m").write_bytes(gguf()[:length])
        with pytest.raises(ModelFetchError, match="ends too early"):
            read_header(tmp_path / "m")


def test_no_single_wrong_byte_makes_anything_but_a_header_or_a_refusal(tmp_path):
    for position in range(4, len(gguf())):
        data = bytearray(gguf(template="t"))
        data[position] = 0xFF
        (tmp_path / "m").write_bytes(data)
        with contextlib.suppress(ModelFetchError):
            assert read_header(tmp_path / "m").context_length >= 0


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelFetchError, match=r"cannot read .*nowhere"):
        read_header(tmp_path / "nowhere")
