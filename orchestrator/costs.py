"""What a program costs at most, and where, before anything is spent.

Worst cases are sums over the calls a program can make, each with its prompt and its cap on the answer. What sampling
again after a failure costs is not in them, nor what a server writes beyond its cap: the ledger holds those to the
budget while the program runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .answers import AnswerReader
from .asking import Ask
from .backends.base import Backend, InProcess, Wrapper, upper_bound_prompt_tokens
from .backends.rewards import places_in, rating_request
from .budget import Budget, Ledger
from .context import Context, Run
from .contracts import ControlProgram, Verifier, name_of
from .errors import InvalidInputError
from .expressions import Size
from .monitors import Monitor
from .prompts import Prompt, Rendered
from .sampling import Scope
from .types import PICODOLLARS_PER_USD, Candidate, Price, Problem, Rating, Request, Sample

__all__ = [
    "FREE",
    "UNKNOWN",
    "Cost",
    "Costing",
    "Size",
    "Spending",
    "costing_of",
    "limited",
    "repeated",
    "total",
]

SHORTEST_SHOWN = 16
"""Tokens that what is shown for an answer without text can have: `(no answer)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Upper bounds on what calls use; `math.inf` where none is known. Adds up with `+`.

    Attributes:
        calls: Requests.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written, over all choices.
        usd: Money, in US dollars; `math.inf` also where a model's price is not known.
        samples: Choices drawn, over all requests.
    """

    calls: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    usd: float = 0.0
    samples: float = 0.0

    @property
    def total_tokens(self) -> float:
        """Prompt plus completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            usd=self.usd + other.usd,
            samples=self.samples + other.samples,
        )

    def times(self, number: float) -> Cost:
        """This cost `number` times; 0 times an unknown one is nothing."""
        if number == 0:
            return FREE
        return Cost(
            calls=_product(self.calls, number),
            prompt_tokens=_product(self.prompt_tokens, number),
            completion_tokens=_product(self.completion_tokens, number),
            usd=_product(self.usd, number),
            samples=_product(self.samples, number),
        )

    def at_most(self, other: Cost) -> Cost:
        """The lesser of two in each kind: what can cost both this and `other` at most."""
        return _each(min, self, other)

    def or_else(self, other: Cost) -> Cost:
        """The greater of two in each kind: what costs either this or `other`."""
        return _each(max, self, other)


def _product(one: float, other: float) -> float:
    """0 times what is not known is nothing."""
    return one * other if one and other else 0.0


def _each(pick: Callable[[float, float], float], one: Cost, other: Cost) -> Cost:
    return Cost(
        calls=pick(one.calls, other.calls),
        prompt_tokens=pick(one.prompt_tokens, other.prompt_tokens),
        completion_tokens=pick(one.completion_tokens, other.completion_tokens),
        usd=pick(one.usd, other.usd),
        samples=pick(one.samples, other.samples),
    )


FREE = Cost()
UNKNOWN = Cost(
    calls=math.inf, prompt_tokens=math.inf, completion_tokens=math.inf, usd=math.inf, samples=math.inf
)


def limited(cost: Cost, budget: Budget | None) -> Cost:
    """What costs `cost` at most, inside `budget`, which is never overspent."""
    if budget is None:
        return cost
    all_tokens = _limit(budget.total_tokens)
    usd = math.inf if budget.picodollars is None else budget.picodollars / PICODOLLARS_PER_USD
    most = Cost(
        calls=_limit(budget.requests),
        prompt_tokens=min(all_tokens, _limit(budget.prompt_tokens)),
        completion_tokens=min(all_tokens, _limit(budget.completion_tokens)),
        usd=usd,
        samples=math.inf,
    )
    return cost.at_most(most)


def _limit(value: int | None) -> float:
    return math.inf if value is None else float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A part of a program with what it costs at most, its parts' costs included.

    Attributes:
        label: Its step in the path of its calls, or what it does where it makes none of its own.
        kind: Its key in files, such as `sample` or `self_consistency`.
        worst: What it costs at most each time it is reached.
        parts: What it consists of, in order.
        note: How `worst` comes from its parts, in a few words: `at most 3 rounds`, `one of these`.
        on_branch: Whether its calls are made on a branch labelled so; else on the branch of what it is part of.
    """

    label: str
    kind: str
    worst: Cost
    parts: tuple[Spending, ...] = ()
    note: str = ""
    on_branch: bool = True


def total(parts: Sequence[Spending]) -> Cost:
    """What parts cost together."""
    return sum((part.worst for part in parts), FREE)


def repeated(spending: Spending, times: float) -> Spending:
    """A part that is reached so many times, with what that costs together; its own parts cost what they cost once."""
    if times == 1:
        return spending
    note = f"{times:g} times" + (f"; {spending.note}" if spending.note else "")
    return replace(spending, worst=spending.worst.times(times), note=note)


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
    """

    def __init__(self, ctx: Context, problem: Problem, sizes: Mapping[str, Size] | None = None) -> None:
        self.ctx, self.problem = ctx, problem
        self.sizes: dict[str, Size] = dict(sizes or {})
        self.rounds = 0
        self._marks = _Marks()
        self._monitors: tuple[Monitor, ...] = ()

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
            sampling: As `Context.sample` takes it.
        """
        backend, request = self.ctx.request(ask, model=model, **sampling)
        known = backend.capabilities
        each = 1 if known.n is not True else min(per_call, known.parallel or per_call)
        counted, held = self._marks.taken_out(request)
        prompt = await backend.count_prompt_tokens(counted) + held + inserted
        cap, calls = request.max_tokens or 0, -(-n // each)
        drawn = _priced(backend.price, calls=calls, prompt=prompt, completion=n * cap, samples=n)
        going_on = _going_on(self._watching(monitors))
        if not going_on:
            return drawn
        if going_on == math.inf:
            return UNKNOWN
        # A choice that was not alone in its request is charged what was written after its cut as well.
        rest, further = (0 if each == 1 else cap), len(self._watching(monitors)) * n
        longer = prompt + cap + going_on
        return drawn + _priced(backend.price, calls=further, prompt=longer, completion=further * rest)

    async def rate(
        self, text: str, rating: Rating, *, model: str | None = None, batch: int = 1, count: float = 1.0
    ) -> Cost:
        """What a reward model's word on so many texts costs at most, as `Context.rate` asks for it."""
        if count == math.inf:
            return UNKNOWN
        backend, _ = self.ctx.request("", model=model)
        counted, held = self._marks.taken_out(rating_request([text], rating))
        prompt = await backend.count_prompt_tokens(counted) + held
        calls = math.ceil(count / (batch if "texts" in places_in(rating.body) else 1))
        drawn = _priced(backend.price, calls=calls, prompt=0.0, completion=count * rating.writes)
        return drawn + _priced(backend.price, calls=count, prompt=prompt, completion=0.0, of_calls=False)

    def answer_tokens(self, model: str | None = None, max_tokens: int | None = None, **sampling: Any) -> int:
        """Tokens that an answer has at most, what monitors put into it included."""
        _, request = self.ctx.request("", model=model, max_tokens=max_tokens, **sampling)
        going_on = _going_on(self._watching(()))
        return (request.max_tokens or 0) + (0 if going_on == math.inf else int(going_on))

    # What is not known yet ---------------------------------------------------------------------------------

    def unknown(self, tokens: float) -> str:
        """A text that stands for one of at most so many tokens, which is not written yet."""
        return self._marks.new(max(tokens, 1.0))

    def candidate(self, tokens: float) -> Candidate:
        """A candidate whose text is not written yet; a prompt that shows it may say that it has none."""
        text = self.unknown(max(tokens, SHORTEST_SHOWN))
        return Candidate(sample=Sample(text=text), answer=None)

    # Parts -----------------------------------------------------------------------------------------------

    async def program(
        self, program: ControlProgram, problem: Problem | None = None, inserted: float = 0.0
    ) -> Spending:
        """What a program costs at most, `UNKNOWN` where it does not say.

        Args:
            program: A control program.
            problem: What it is given; None for this one's.
            inserted: Tokens that the problem's text has beyond `problem`.
        """
        label = _called(program)
        worst_case = getattr(program, "worst_case", None)
        if worst_case is None:
            return Spending(label=label, kind=label, worst=UNKNOWN, note="it does not say what it costs")
        found: Spending = await worst_case(self.with_problem(problem or self.problem, inserted))
        return found

    async def scoring(self, verifier: Verifier, count: float, size: Size) -> Spending:
        """What scoring so many candidates costs at most, each of this size; `UNKNOWN` where it does not say."""
        name = name_of(verifier)
        if not count:
            return Spending(label=name, kind=name, worst=FREE)
        worst_case = getattr(verifier, "worst_case", None)
        if worst_case is None:
            return Spending(label=name, kind=name, worst=UNKNOWN, note="it does not say what it costs")
        found: Spending = await worst_case(self.using(aside=True), count, size)
        return found

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
        return other

    def _watching(self, monitors: Sequence[Monitor]) -> list[Monitor]:
        """Monitors that let a sample they have cut go on."""
        return [one for one in (*self._monitors, *monitors) if hasattr(one, "resumption")]


@dataclass(slots=True)
class _Marks:
    """Characters that stand for texts not written yet: of Unicode's private use, which no problem has a use for."""

    tokens: dict[str, float] = field(default_factory=dict)

    def new(self, tokens: float) -> str:
        mark = chr(0xF0000 + len(self.tokens))
        if len(self.tokens) >= 0xFFFE:
            raise InvalidInputError("the program has too many parts for its cost to be worked out")
        self.tokens[mark] = tokens
        return mark

    def taken_out(self, request: Request) -> tuple[Request, float]:
        """`request` with a line's end for each mark, which parts what stands around it, and what they stand for."""
        held = 0.0

        def counted(value: Any) -> Any:
            nonlocal held
            if isinstance(value, str):
                found = [mark for mark in value if mark in self.tokens]
                held += sum(self.tokens[mark] for mark in found)
                return value.translate({ord(mark): "\n" for mark in found}) if found else value
            if isinstance(value, Mapping):
                return {key: counted(part) for key, part in value.items()}
            if isinstance(value, list | tuple):
                return type(value)(counted(part) for part in value)
            return value

        prompt, messages = counted(request.prompt), counted(request.messages)
        texts = counted(request.texts)
        rating = request.rating
        if rating is not None:
            rating = replace(rating, query=counted(rating.query), messages=counted(rating.messages))
        return request.replace(prompt=prompt, messages=messages, texts=texts, rating=rating), held


def _going_on(monitors: Sequence[Monitor]) -> float:
    """Tokens that `monitors` put into a sample to let it go on; infinite where one does not say."""
    texts = [getattr(one, "inserts", None) for one in monitors]
    return sum(math.inf if text is None else len(text.encode()) for text in texts)


def _priced(
    price: Price | None,
    *,
    calls: float,
    prompt: float,
    completion: float,
    samples: float = 0.0,
    of_calls: bool = True,
) -> Cost:
    """`calls` requests with so many prompt tokens each, and so many completion tokens in all; without `of_calls`,
    parts of requests that are counted elsewhere.
    """
    read = _product(calls, prompt)
    usd = math.inf if calls else 0.0
    if price is not None:
        per_token = max(price.input, price.cached_input or 0)
        picodollars = (
            _product(read, per_token) + _product(completion, price.output) + calls * price.request * of_calls
        )
        usd = picodollars / PICODOLLARS_PER_USD
    calls = calls if of_calls else 0.0
    return Cost(calls=calls, prompt_tokens=read, completion_tokens=completion, usd=usd, samples=samples)


def _called(program: ControlProgram) -> str:
    return str(getattr(program, "key", None) or getattr(program, "__name__", type(program).__name__))


class _Silent(Wrapper):
    """A model of which costs are worked out: nothing is sent to it, and it is not started.

    Prompts are counted by what runs in this process, and elsewhere by their bytes, which are an upper bound.
    """

    async def count_prompt_tokens(self, request: Request) -> int:
        """Prompt tokens of `request`, or an upper bound."""
        if isinstance(self._source, InProcess):
            return await self.inner.count_prompt_tokens(request)
        return upper_bound_prompt_tokens(request)

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
) -> Costing:
    """A costing over models that need not be started; nothing is sent.

    Args:
        problem: The problem.
        models: Backends by name; the first is the default.
        sampling: Default sampling fields by model.
        prompt: How problems are put to models.
        answers: How answers are read.
    """
    ledger = Ledger(Budget(), label="costs")
    tasks: Any = None  # samples are drawn in it, and none are
    run = Run(
        models={name: _Silent(backend) for name, backend in models.items()},
        sampling=sampling or {},
        seed=0,
        emit=lambda event: None,
    )
    scope = Scope(problem=problem, account=ledger, tasks=tasks, recorded=None)
    ctx = Context(
        run, scope, ledger=ledger, path="", answers=answers or AnswerReader(), prompt=prompt or Prompt()
    )
    return Costing(ctx, problem)
