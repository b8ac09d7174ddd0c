"""Every part that the package has can be named by files: none was left out of its registry."""

import dataclasses
import importlib
import pkgutil

import pytest

import orchestrator
from orchestrator import monitors, primitives, stopping, strategies, verifiers, voting
from orchestrator.primitives import PRIMITIVES, Primitive
from orchestrator.primitives.base import Unmade
from orchestrator.programs.registries import (
    ACCEPTANCES,
    MONITORS,
    SCORERS,
    STOPPING_RULES,
    STRATEGIES,
    VERIFIERS,
    WEIGHTINGS,
)
from orchestrator.strategies import FunctionScorer, Strategy
from orchestrator.strategies.attempts import Attempts
from orchestrator.verifiers import Predicate


def classes_of(folder):
    """The public dataclasses that are written in the modules of a folder."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}.")
    ]
    return {
        one
        for module in modules
        for name, one in vars(module).items()
        if dataclasses.is_dataclass(one) and one.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_step_can_be_written_under_its_key():
    steps = {one for one in classes_of(primitives) if issubclass(one, Primitive) and hasattr(one, "key")}
    assert {step.key: step for step in steps - {Unmade}} == PRIMITIVES
    assert len(steps) == len(PRIMITIVES) + 1


def test_every_strategy_can_be_named_in_files_and_imported_from_the_package():
    found = {one for one in classes_of(strategies) if issubclass(one, Strategy) and hasattr(one, "cost")}
    assert found == set(STRATEGIES.parts.values())
    for strategy in found:
        assert getattr(orchestrator, strategy.__name__) is strategy
        assert strategy.__name__ in orchestrator.__all__


def test_every_verifier_can_be_named_in_files_and_imported_from_its_folder():
    found = {one for one in classes_of(verifiers) if isinstance(getattr(one, "name", None), str)}
    assert found - {Predicate} == set(VERIFIERS.parts.values())
    assert {one.__name__ for one in found} <= set(verifiers.__all__)


@pytest.mark.parametrize(
    ("registry", "folder", "method", "others"),
    [
        (STOPPING_RULES, stopping, "should_stop", set()),
        (MONITORS, monitors, "watch", set()),
        (WEIGHTINGS, voting, "weights", set()),
        (ACCEPTANCES, strategies, "confidence", set()),
        (SCORERS, strategies, "score", {FunctionScorer, Attempts}),
    ],
    ids=lambda value: getattr(value, "what", None),
)
def test_every_part_of_the_other_kinds_can_be_named_in_files(registry, folder, method, others):
    found = {one for one in classes_of(folder) if callable(getattr(one, method, None))}
    assert found - others == set(registry.parts.values())
    assert all(registry.key_of(part) == key for key, part in registry.parts.items())
