"""Working out what a program costs at most on one problem, with nothing sent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..answers import AnswerReader
from ..asking import Ask
from ..backends.base import Backend, InProcess, Wrapper, upper_bound_prompt_tokens
from ..backends.rewards import places_in, rating_request
from ..budget import Budget, Ledger
from ..context import Context, Run
from ..contracts import ControlProgram, Verifier, key_of, name_of
from ..errors import InvalidInputError
from ..expressions import Size
from ..monitors import Monitor
from ..prompts import Prompt, Rendered
from ..sampling import Scope
from ..templates.unwritten import counting
from ..types import Candidate, Problem, Rating, Request, Sample
from .asked import Asked
from .cost import FREE, UNKNOWN, Cost, priced
from .marks import Marks
from .spending import Spending, without_candidates

__all__ = ["Costing", "costing_of"]

LINE_END = "\n"
"""Stands for a text that is not written yet where a prompt is counted by words or bytes."""

SEAM = "\x01"
"""The same where a tokenizer counts: no vocabulary joins it to what stands beside it, as it joins several ends of
lines, so that the parts around it count as much as they can.
"""

SHORTEST_SHOWN = 16
"""Tokens that what is shown for an answer without text can have: `(no answer)`."""


class Costing:
    """Works out what a program costs at most on one problem.

    What models will write is not known: in a prompt that is only counted a mark stands for it (`unknown`), wherever
    the program's own templates put it, and counts as the tokens it can have at most, each time it occurs. Such a
    text is taken to be read as at most as many tokens as it was written with.

    Attributes:
        ctx: Knows the models, their settings and the prompt; nothing is sent.
        problem: The problem.
        sizes: How long the values of names are that prompts insert.
        rounds: Rounds of loops gone through so far.
        asked: The models that were met so far, and how they are asked.
        returned: Candidates that a value which is returned brings beside those that calls have drawn, at most, and
            how long they can be.
        inside: Tokens of the longest text of a candidate that a program inside brings, so far.
        branched: Whether the program is made on a branch, as a part of another.
    """

    def __init__(self, ctx: Context, problem: Problem, sizes: Mapping[str, Size] | None = None) -> None:
        self.ctx, self.problem = ctx, problem
        self.sizes: dict[str, Size] = dict(sizes or {})
        self.rounds = 0
        self.asked = Asked()
        self.returned = Size(count=0.0)
        self.inside = 0.0
        self._marks = Marks()
        self._monitors: tuple[Monitor, ...] = ()
        self.branched = False
        self._depth = 0  # programs that this one is inside of, itself included

    # Asking ----------------------------------------------------------------------------------------------

    def ask(self, model: str | None = None, problem: Problem | None = None) -> Rendered:
        """The problem, or another one, through the prompt, as the model takes it."""
        return self.ctx.ask(self.problem if problem is None else problem, model=model)

    @property
    def question(self) -> str:
        """The problem in words, as prompts about it quote it."""
        return self.ctx.prompt.question(self.problem)

    async def draw(
        self,
        ask: Ask,
        *,
        model: str | None = None,
        n: int = 1,
        per_call: int = 1,
        inserted: float = 0.0,
        monitors: Sequence[Monitor] = (),
        alike: bool = False,
        **sampling: Any,
    ) -> Cost:
        """What `n` samples cost at most, drawn as `Context.sample` draws them.

        Where it is not known that a model gives several choices a request, each sample is a request.

        Args:
            ask: As `Context.sample` takes it; texts of `unknown` in it count as what they stand for.
            model: Name of the model; None for the first.
            n: Samples, at least 1.
            per_call: Samples of one request.
            inserted: Tokens that each prompt has beyond `ask`.
            monitors: What watches the samples: one that lets a cut sample go on makes further calls.
            alike: Whether this bounds each of the requests, and not only all together, as where `ask` has as much of
                what is written on the way as prompts have on average: fewer of them then cost as much less.
            sampling: As `Context.sample` takes it.
        """
        backend, request = self.ctx.request(ask, model=model, **sampling)
        known = backend.capabilities
        each = 1 if known.n is not True else min(per_call, known.parallel or per_call)
        prompt = await self._prompt_tokens(backend, request, model=model, inserted=inserted)
        cap, calls = request.max_tokens or 0, -(-n // each)
        going_on = _going_on(self._watching(monitors))
        one_by_one = alike and not going_on
        drawn = priced(
            backend.price,
            calls=calls,
            prompt=prompt,
            completion=n * cap,
            candidates=n,
            most_prompt=prompt if one_by_one else math.inf,
            # A model may turn out to give several choices a request where that was not known.
            most_completion=min(per_call, n) * cap if one_by_one else math.inf,
        )
        if not going_on:
            return drawn
        if going_on == math.inf:
            return UNKNOWN
        # A choice that was not alone in its request is charged what was written after its cut as well.
        rest, further = (0 if each == 1 else cap), len(self._watching(monitors)) * n
        longer = prompt + cap + going_on
        self.asked.add(self._name(model), quoting=True)
        return drawn + priced(backend.price, calls=further, prompt=longer, completion=further * rest)

    async def rate(
        self, text: str, rating: Rating, *, model: str | None = None, batch: int = 1, count: float = 1.0
    ) -> Cost:
        """What a reward model's word on so many texts costs at most, as `Context.rate` asks for it."""
        if count == math.inf:
            return UNKNOWN
        backend, _ = self.ctx.request("", model=model)
        prompt = await self._prompt_tokens(backend, rating_request([text], rating), model=model)
        calls = math.ceil(count / (batch if "texts" in places_in(rating.body) else 1))
        drawn = priced(backend.price, calls=calls, prompt=0.0, completion=count * rating.writes)
        return drawn + priced(backend.price, calls=count, prompt=prompt, completion=0.0, of_calls=False)

    def pressed(self, model: str | None) -> None:
        """Note that a model is asked once more, which no cost covers, where its server refuses a part."""
        self.asked.add(self._name(model), pressed=True)

    async def _prompt_tokens(
        self, backend: Backend, request: Request, *, model: str | None, inserted: float = 0.0
    ) -> float:
        """Tokens of a prompt, what is not written yet counting as much as it can have."""
        seam = getattr(backend, "seam", LINE_END)
        counted, held = self._marks.taken_out(request, seam=seam)
        self.asked.add(self._name(model), quoting=held + inserted > 0)
        return await backend.count_prompt_tokens(counted) + held + inserted

    def _name(self, model: str | None) -> str:
        return next(iter(self.ctx.models)) if model is None else model

    def answer_tokens(self, model: str | None = None, max_tokens: int | None = None, **sampling: Any) -> int:
        """Tokens that an answer has at most, what monitors put into it included."""
        _, request = self.ctx.request("", model=model, max_tokens=max_tokens, **sampling)
        going_on = _going_on(self._watching(()))
        return (request.max_tokens or 0) + (0 if going_on == math.inf else int(going_on))

    def tokenizes(self, model: str | None = None) -> bool:
        """Whether a tokenizer counts the model's prompts, so that how many tokens a text has depends on what stands
        in it; words and bytes are counted otherwise.
        """
        backend, _ = self.ctx.request("", model=model)
        return getattr(backend, "seam", LINE_END) == SEAM

    # What is not known yet ---------------------------------------------------------------------------------

    def unknown(self, tokens: float) -> str:
        """A text that stands for one of at most so many tokens, which is not written yet."""
        return self._marks.new(max(tokens, 1.0))

    def knows(self, text: str) -> bool:
        """Whether all of a text is written."""
        return self._marks.tokens(text) is None

    def candidate(self, tokens: float) -> Candidate:
        """A candidate whose text is not written yet; a prompt that shows it may say that it has none."""
        text = self.unknown(max(tokens, SHORTEST_SHOWN))
        return Candidate(sample=Sample(text=text), answer=None)

    # Parts -----------------------------------------------------------------------------------------------

    async def program(
        self,
        program: ControlProgram,
        problem: Problem | None = None,
        inserted: float = 0.0,
        *,
        on_branch: bool = True,
    ) -> Spending:
        """What a program costs at most, `UNKNOWN` where it does not say.

        One that has an `inside` is asked for what it costs in the context this makes where it is a part of another.

        Args:
            program: A control program.
            problem: What it is given; None for this one's.
            inserted: Tokens that the problem's text has beyond `problem`.
            on_branch: Whether the program that has it inside makes it on a branch.
        """
        label = key_of(program)
        worst_case = getattr(program, "worst_case", None)
        if worst_case is None:
            return Spending(label=label, kind=label, worst=UNKNOWN, note="it does not say what it costs")
        other = self.with_problem(problem or self.problem, inserted)
        inside = getattr(program, "inside", None)
        other.branched |= self._depth > 0 and on_branch
        other._depth += 1
        if other.branched and inside is not None:
            other.ctx = inside(other.ctx)
        with counting(self._marks):
            found: Spending = await worst_case(other)
        return found

    async def scoring(self, verifier: Verifier, count: float, size: Size) -> Spending:
        """What scoring so many candidates costs at most, each of this size; `UNKNOWN` where it does not say."""
        name = name_of(verifier)
        if not count:
            return Spending(label=name, kind=name, worst=FREE)
        worst_case = getattr(verifier, "worst_case", None)
        if worst_case is None:
            return Spending(label=name, kind=name, worst=UNKNOWN, note="it does not say what it costs")
        with counting(self._marks):
            found: Spending = await worst_case(self.using(aside=True), count, size)
        return without_candidates(found)

    def with_problem(self, problem: Problem, inserted: float = 0.0) -> Costing:
        """The same on another problem, whose text has so many tokens beyond it; no names have sizes."""
        if inserted:
            mark = self.unknown(inserted)
            if problem.prompt is not None:
                problem = replace(problem, prompt=problem.prompt + mark)
            else:
                turn = {"role": "user", "content": mark}
                problem = replace(problem, messages=(*(problem.messages or ()), turn))
        return self._other(self.ctx, problem, self._monitors)

    def using(
        self,
        *,
        sampling: Mapping[str, Any] | None = None,
        monitors: Sequence[Monitor] = (),
        aside: bool = False,
        prompt: Prompt | None = None,
    ) -> Costing:
        """The same with other settings, as `Context.using` has them; monitors watch nothing that is drawn aside."""
        ctx = self.ctx.using(sampling=sampling, prompt=prompt)
        return self._other(ctx, self.problem, () if aside else (*self._monitors, *monitors))

    def _other(self, ctx: Context, problem: Problem, monitors: tuple[Monitor, ...]) -> Costing:
        other = Costing(ctx, problem)
        other._marks, other._monitors, other.rounds = self._marks, monitors, self.rounds
        other._depth, other.branched = self._depth, self.branched
        other.asked = self.asked
        return other

    def _watching(self, monitors: Sequence[Monitor]) -> list[Monitor]:
        """Monitors that let a sample they have cut go on."""
        return [one for one in (*self._monitors, *monitors) if hasattr(one, "resumption")]


def _going_on(monitors: Sequence[Monitor]) -> float:
    """Tokens that `monitors` put into a sample to let it go on; infinite where one does not say."""
    texts = [getattr(one, "inserts", None) for one in monitors]
    return sum(math.inf if text is None else len(text.encode()) for text in texts)


class _Silent(Wrapper):
    """A model of which costs are worked out: nothing is generated.

    Prompts are counted by what runs in this process, and elsewhere by their bytes, which are an upper bound and
    start nothing; or with `exact` by the model's server, which has been prepared, as far as it can.
    """

    def __init__(self, inner: Backend, *, exact: bool) -> None:
        super().__init__(inner)
        in_process = isinstance(self._source, InProcess)
        self._counts = exact or in_process
        self.seam = LINE_END if in_process or not exact else SEAM

    async def count_prompt_tokens(self, request: Request) -> int:
        """Prompt tokens of `request`, or an upper bound."""
        return (
            await self.inner.count_prompt_tokens(request)
            if self._counts
            else upper_bound_prompt_tokens(request)
        )

    async def complete(self, request: Request) -> list[Sample]:
        """Refuses."""
        raise InvalidInputError("costs are worked out before anything is sent: nothing is to be asked here")


def costing_of(
    problem: Problem,
    *,
    models: Mapping[str, Backend],
    sampling: Mapping[str, Mapping[str, Any]] | None = None,
    prompt: Prompt | None = None,
    answers: AnswerReader | None = None,
    exact: bool = False,
) -> Costing:
    """A costing over models that need not be started; nothing is sent.

    Args:
        problem: The problem.
        models: Backends by name; the first is the default.
        sampling: Default sampling fields by model.
        prompt: How problems are put to models.
        answers: How answers are read.
        exact: Whether prompts are counted by the models' servers, which have been prepared, where they can; else by
            their bytes, and nothing is asked.
    """
    ledger = Ledger(Budget(), label="costs")
    tasks: Any = None  # samples are drawn in it, and none are
    run = Run(
        models={name: _Silent(backend, exact=exact) for name, backend in models.items()},
        sampling=sampling or {},
        seed=0,
        emit=lambda event: None,
    )
    scope = Scope(problem=problem, account=ledger, tasks=tasks, recorded=None)
    ctx = Context(
        run, scope, ledger=ledger, path="", answers=answers or AnswerReader(), prompt=prompt or Prompt()
    )
    return Costing(ctx, problem)
