"""A run as a tree: what each part of a program called, paid, scored and decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .events import (
    BranchOpened,
    CallFailed,
    CallReplayed,
    CallSettled,
    CandidatesScored,
    Event,
    ProblemFinished,
    StepTaken,
)
from .types import CallId, Outcome, Usage

__all__ = ["Trace", "TraceNode"]


@dataclass(slots=True, kw_only=True)
class TraceNode:
    """A part of a program: the problem itself, or a branch.

    Attributes:
        label: The branch's own step in the path; the problem's id at the top.
        path: Branch labels from the problem down, joined by `/`; "" at the top.
        usage: What its own calls were charged, without those of its branches.
        models: Calls by model that came back with samples, replayed ones included.
        samples: Samples they gave.
        failed: Calls that were given up.
        cancelled: Calls that were cancelled when a loop was left or a race was lost; none of them is `failed`.
        notes: Scores and decisions in the order they were made, in words.
        branches: Its parts, in the order they were opened.
        outcome: The problem's outcome once there is one; None for branches.
    """

    label: str
    path: str
    usage: Usage = field(default_factory=Usage)
    models: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    failed: int = 0
    cancelled: int = 0
    notes: list[str] = field(default_factory=list)
    branches: list[TraceNode] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def total(self) -> Usage:
        """What it and its branches were charged."""
        return sum((branch.total for branch in self.branches), self.usage)

    def walk(self) -> Iterator[TraceNode]:
        """It and its branches, depth first."""
        yield self
        for branch in self.branches:
            yield from branch.walk()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def headline(self) -> str:
        """The node on one line."""
        parts = [self.label]
        if self.outcome is not None:
            answer = "no answer" if self.outcome.answer is None else self.outcome.answer.text
            parts.append(f"{answer} ({self.outcome.confidence:.2f}, {self.outcome.stop_reason.value})")
        if self.models or self.failed or self.cancelled:
            parts.append(self._calls())
        if self.branches:
            parts.append(f"{self.total.total_tokens:,} tokens in all")
        return "  ".join(parts)

    def _calls(self) -> str:
        calls = [f"{model}: {number} call{'s' * (number > 1)}" for model, number in self.models.items()]
        lost = [
            f"{number} {what}"
            for number, what in ((self.failed, "failed"), (self.cancelled, "cancelled"))
            if number
        ]
        spent = [f"{self.usage.total_tokens:,} tokens"] if self.usage.total_tokens else []
        return ", ".join(calls + lost + spent)

    def _lines(self) -> Iterator[str]:
        yield self.headline()
        for note in self.notes:
            yield f"  - {note}"
        for branch in self.branches:
            for line in branch._lines():
                yield f"  {line}"


class Trace:
    """A recorder that keeps a tree for each problem.

        trace = Trace()
        async with Controller(models=..., recorders=[trace]) as controller:
            outcome = await controller.run(program, problem)
        print(trace.take(outcome.problem))

    It keeps every problem's tree until it is taken.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, TraceNode]] = {}

    def __repr__(self) -> str:
        return f"Trace(problems={len(self._nodes)})"

    def take(self, problem: str) -> TraceNode:
        """The tree of the problem with this id, which is then forgotten.

        Raises:
            KeyError: Nothing happened to a problem of this id.
        """
        return self._nodes.pop(problem)[""]

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case BranchOpened():
                self._node(event.problem, event.path)
            case CallSettled() | CallReplayed() | CallFailed():
                self._call(event)
            case StepTaken():
                note = f"{event.step}: {event.reason}" if event.reason else event.step
                self._node(event.problem, event.path).notes.append(note)
            case CandidatesScored():
                self._node(event.problem, event.path).notes.append(_scores(event))
            case ProblemFinished():
                self._node(event.problem, "").outcome = event.outcome

    def _call(self, event: CallSettled | CallReplayed | CallFailed) -> None:
        call = event.call
        if call is None:
            return
        node = self._node(call.problem, _path_of(call))
        if isinstance(event, CallFailed) and event.error == "cancelled":
            node.cancelled += 1
        elif isinstance(event, CallFailed):
            node.failed += 1
        else:
            node.models[event.model] = node.models.get(event.model, 0) + 1
            node.samples += len(event.samples)
        if not isinstance(event, CallReplayed):
            node.usage += event.usage

    def _node(self, problem: str, path: str) -> TraceNode:
        nodes = self._nodes.setdefault(problem, {"": TraceNode(label=problem, path="")})
        if path not in nodes:
            above, _, label = path.rpartition("/")
            nodes[path] = TraceNode(label=label, path=path)
            self._node(problem, above).branches.append(nodes[path])
        return nodes[path]


def _path_of(call: CallId) -> str:
    """The branch a call was made on; what it was asked again for counts there too."""
    return call.path.partition("#")[0]


def _scores(event: CandidatesScored) -> str:
    shown = ["abstains" if score.value is None else f"{score.value:.3g}" for score in event.scores]
    alone = len(event.scores) == 1
    told = [score.reason for score in event.scores if score.reason and (alone or score.value is None)]
    reasons = "; ".join(dict.fromkeys(told))
    return f"{event.verifier}: {', '.join(shown)}" + (f" ({reasons})" if reasons else "")
