"""What is to be said about a worst case: how prompts were counted, and what it does not cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..backends import Model, RetryPolicy
from ..backends.base import InProcess
from ..backends.local import LocalBackend
from ..budget import Budget
from ..programs.explaining import Explanation

__all__ = ["beyond", "counting", "uncounted"]

BOUNDED = (
    "prompts are bounded by their bytes: --exact-prompts starts the models on this machine, and asks servers, to "
    "count them"
)


def uncounted(models: Mapping[str, Model]) -> list[str]:
    """Those of `models`, which have been prepared, whose servers count no prompts."""
    return [
        name
        for name, model in models.items()
        if not isinstance(model.backend, InProcess) and not getattr(model.backend, "counts_prompts", False)
    ]


def counting(models: Mapping[str, Model], bounded: Sequence[str] | None) -> list[str]:
    """How prompts were counted.

    Args:
        models: The models.
        bounded: Those whose servers count no prompts; None where they were not asked.
    """
    if bounded is None:
        return [] if all(isinstance(model.backend, InProcess) for model in models.values()) else [BOUNDED]
    if not bounded:
        return ["prompts are counted exactly"]
    return [f"prompts of {', '.join(bounded)} are bounded by their bytes: the server does not count them"]


def beyond(found: Explanation, models: Mapping[str, Model], bounded: Sequence[str] | None) -> list[str]:
    """What the worst case does not cover, where it can happen; arguments as `counting`'s."""
    return [*_cut_short(found, models, bounded), *_sent_again(found, models)]


def _cut_short(found: Explanation, models: Mapping[str, Model], bounded: Sequence[str] | None) -> list[str]:
    quoting = [name for name in _served(models) if name in found.asked.quoting]
    if bounded is not None:
        quoting = [name for name in quoting if name in bounded]
    if not quoting or not (_limits_prompts(found.budget) or _limits_prompts(found.per_problem)):
        return []
    where = "where its server counts none" if bounded is None else "whose server counts none"
    return [
        "a run may be cut short by its budget though the worst case fits: texts that models write count by their "
        f"tokens here, but by their bytes in prompts of {', '.join(quoting)}, {where}"
    ]


def _sent_again(found: Explanation, models: Mapping[str, Model]) -> list[str]:
    attempts = {
        name: (model.retry or RetryPolicy()).attempts
        for name, model in models.items()
        if name in found.asked.models
    }
    several = {name: number for name, number in attempts.items() if number > 1}
    again = []
    if several and len(set(attempts.values())) == 1:
        again.append(f"after failures, up to {max(several.values())} attempts each")
    elif several:
        each = ", ".join(f"{number} attempts of {name}" for name, number in several.items())
        again.append(f"after failures, up to {each}")
    if pressed := [name for name in _served(models) if name in found.asked.pressed]:
        again.append(
            f"by judges, where the server of {', '.join(pressed)} refuses a schema or log-probabilities"
        )
    return [f"not in these figures: requests that are sent again {'; and '.join(again)}"] if again else []


def _served(models: Mapping[str, Model]) -> list[str]:
    """Models of servers elsewhere, of which it is not known what they can do; one on this machine can do all."""
    return [name for name, model in models.items() if not isinstance(model.backend, InProcess | LocalBackend)]


def _limits_prompts(budget: Budget) -> bool:
    return not (budget.usd is None and budget.prompt_tokens is None and budget.total_tokens is None)
