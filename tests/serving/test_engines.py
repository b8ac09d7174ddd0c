"""llama.cpp is started with what was asked for, and with defaults that fit the machine."""

import importlib.util
import json

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.serving import engines
from orchestrator.serving.engines import llama_cpp
from orchestrator.serving.engines.llama_cpp import LlamaCpp, cgroup_cores, threads_per_core, usable_cores


@pytest.fixture
def installed(monkeypatch):
    """As if xllamacpp were there, whether or not it is."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def settings(launch):
    return json.loads(launch.command[-1])


def test_every_slot_gets_the_whole_context(installed, model):
    launch = LlamaCpp(threads=3).launch(model, port=0, parallel=4, context_length=100)
    assert settings(launch)["n_parallel"] == 4
    assert settings(launch)["n_ctx"] == 400
    assert settings(launch)["cpuparams.n_threads"] == 3
    assert settings(launch)["hostnames"] == ["127.0.0.1"]
    assert launch.capabilities.parallel == 4
    assert launch.capabilities.context_length == 100
    assert launch.capabilities.chat is False


def test_the_default_context_is_no_longer_than_the_model_was_trained_on(installed, model):
    assert model.context_length == 128
    launch = LlamaCpp().launch(model, port=0, parallel=2, context_length=None)
    assert launch.capabilities.context_length == 128


def test_the_default_slots_follow_the_cores(installed, model, monkeypatch):
    monkeypatch.setattr(llama_cpp, "usable_cores", lambda: 2)
    launch = LlamaCpp().launch(model, port=0, parallel=None, context_length=64)
    assert launch.capabilities.parallel == 8
    assert settings(launch)["cpuparams.n_threads"] == 1


def test_without_xllamacpp_the_error_says_how_to_install_it(model, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidInputError, match=r'pip install "orchestrator\[local\]"'):
        LlamaCpp().launch(model, port=0, parallel=1, context_length=64)


def test_no_threads_are_refused():
    with pytest.raises(InvalidInputError, match="threads must be at least 1"):
        LlamaCpp(threads=0)


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000", None), ("150000 100000", 2), ("50000 100000", 1), ("nonsense", None)]
)
def test_a_control_groups_quota_counts_in_whole_cores(tmp_path, text, cores):
    (tmp_path / "cpu.max").write_text(text)
    assert cgroup_cores(tmp_path) == cores


def test_no_control_group_is_no_limit(tmp_path):
    assert cgroup_cores(tmp_path) is None


@pytest.mark.parametrize(("text", "threads"), [("0", 1), ("0,32", 2), ("0-1", 2)])
def test_threads_that_share_a_core_are_counted(tmp_path, text, threads):
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology/thread_siblings_list").write_text(text)
    assert threads_per_core(tmp_path) == threads


def test_there_is_always_a_core():
    assert usable_cores() >= 1


def test_engines_are_found_by_name():
    assert engines.named("llama.cpp") == LlamaCpp()
    with pytest.raises(InvalidInputError, match=r"'llama\.cpp'"):
        engines.named("llama")
