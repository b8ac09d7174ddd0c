"""What outcome and process reward models share: a number becomes a reward, a failed call an abstention."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from ..backends.rewards import places_in
from ..errors import BackendError, BudgetExceededError, DeadlineExceededError, InvalidInputError
from ..templates import Template
from ..types import Message, Problem, Rating, Score
from .judging import because

__all__ = [
    "Activation",
    "about",
    "as_conversation",
    "check_activation",
    "check_asking",
    "in_one_order",
    "reward",
    "scores_of",
]

Activation = Literal["identity", "sigmoid", "softmax"]
"""How what a model gives becomes a reward in [0, 1]: as it is, 1 / (1 + exp(-x)), or exp(x_label) / sum exp(x_i)."""

ROUNDING = 1e-6
"""How far outside [0, 1] a probability may be by rounding."""


def check_activation(activation: str, label: int | None) -> None:
    """Raise `InvalidInputError` for an activation that there is not, or a label below 0."""
    if activation not in get_args(Activation):
        names = ", ".join(get_args(Activation))
        raise InvalidInputError(f"activation must be one of {names}, not {activation!r}")
    if label is not None and label < 0:
        raise InvalidInputError(f"label must be at least 0, not {label}")


def check_asking(template: str, *, batch: int) -> None:
    """Raise `InvalidInputError` for a template without the solution or with an unknown place, or a batch below 1."""
    if batch < 1:
        raise InvalidInputError(f"batch must be at least 1, not {batch}")
    if not {"solution"} <= Template.of(template).names <= {"problem", "solution"}:
        raise InvalidInputError(
            f"template needs the place {{{{ solution }}}} and may have {{{{ problem }}}}, not {template!r}"
        )


def as_conversation(rating: Rating, *, only: str) -> Rating:
    """`rating` asked about a conversation, for the server's own chat template, instead of texts.

    Raises:
        InvalidInputError: Its body is not vLLM's; says that chat is for `only`.
    """
    if "input" not in rating.body:
        raise InvalidInputError(f"chat is for {only}; a mapping says it by {{{{ messages }}}}")
    body = {name: value for name, value in rating.body.items() if name != "input"}
    return replace(rating, body={**body, "messages": "{{ messages }}"})


def about(rating: Rating, problem: Problem, question: str, *, system: str | None = None) -> Rating:
    """`rating` with the problem in the places its body has for it.

    Args:
        rating: How the model is asked.
        problem: What the solutions answer.
        question: The problem in words, as the model that wrote them was asked.
        system: System message where the problem has none of its own.
    """
    places = places_in(rating.body)
    if "messages" in places:
        rating = replace(rating, messages=_conversation(problem, question, system))
    return replace(rating, query=question) if "query" in places else rating


def reward(numbers: Sequence[float], *, activation: Activation, label: int | None) -> float:
    """The reward in [0, 1] of what a model gave for one text or step.

    Args:
        numbers: One number, or one a class.
        activation: How they become a reward.
        label: Which class is the reward, from 0; None where there is one number.

    Raises:
        InvalidInputError: The label does not fit the numbers, or the reward is outside [0, 1]: says what to set.
    """
    count = len(numbers)
    if label is None and count > 1:
        raise InvalidInputError(
            f"the reward model gives {count} numbers: set label to the one that is the reward (0 to {count - 1})"
        )
    at = label or 0
    if at >= count:
        raise InvalidInputError(f"label is {label}, but the reward model gives {count} number(s)")
    if activation == "softmax":
        if count == 1:
            raise InvalidInputError(
                "activation softmax needs several classes, and the reward model gives one number"
            )
        return _softmax(numbers, at)
    if activation == "sigmoid":
        return _sigmoid(numbers[at])
    value = numbers[at]
    if not -ROUNDING <= value <= 1.0 + ROUNDING:
        raise InvalidInputError(
            f"the reward model gives {value:g}, which is no reward in [0, 1]: set activation to sigmoid for raw "
            "scores, or to softmax for raw scores of several classes"
        )
    return min(max(value, 0.0), 1.0)


def _sigmoid(value: float) -> float:
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    small = math.exp(value)
    return small / (1.0 + small)


def _softmax(numbers: Sequence[float], at: int) -> float:
    most = max(numbers)
    weights = [math.exp(number - most) for number in numbers]
    return weights[at] / math.fsum(weights)


def in_one_order(texts: Iterable[str]) -> list[str]:
    """The different texts, in an order that is not that of the candidates, who come as they arrive: which texts share
    a call decides whether a resumed program meets it again.
    """
    return sorted(set(texts))


def scores_of(results: Sequence[Score | Exception]) -> list[Score]:
    """Scores, with abstentions in place of the errors.

    Raises:
        BudgetExceededError, DeadlineExceededError: It kept every text from being scored.
    """
    if not any(isinstance(result, Score) and result.value is not None for result in results):
        for result in results:
            if isinstance(result, BudgetExceededError | DeadlineExceededError):
                raise result
    return [result if isinstance(result, Score) else _abstention(result) for result in results]


def _abstention(error: Exception) -> Score:
    what = "the reward model failed" if isinstance(error, BackendError) else "not judged"
    return Score(value=None, reason=because(what, error))


def _conversation(problem: Problem, question: str, system: str | None) -> tuple[Message, ...]:
    """The problem as the turns before the answer, after a system message where it has none of its own."""
    turns: tuple[Message, ...] = problem.messages or ({"role": "user", "content": question},)
    if system is None or turns[0].get("role") == "system":
        return turns
    return ({"role": "system", "content": system}, *turns)
