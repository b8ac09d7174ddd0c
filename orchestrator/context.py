"""What a control program may do: sample, complete, score, branch, emit.

A program is an async function of a context and a problem that returns an outcome; it loops over
`ctx.sample(ctx.ask(problem), n=8)` and leaves the loop when it has seen enough.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import anyio

from .answers import AnswerReader
from .asking import Ask, digest_for, request_for, without_none
from .backends.base import Backend
from .backends.embeddings import TEXTS_PER_CALL, batches, embed, embedding_request
from .backends.journaled import Resumed
from .backends.metered import Metered, require_prices, worst_case
from .backends.rewards import places_in, rating_request
from .budget import Budget, Ledger
from .concurrently import concurrently
from .contracts import Verifier, name_of
from .errors import BudgetExceededError, DeadlineExceededError, InvalidInputError
from .events import BranchOpened, CandidatesScored, Event, StepTaken
from .monitors import Monitor, Monitoring, monitoring
from .prompts import Prompt, Rendered
from .rating import Rated, digest_of, distinct_texts
from .sampling import SEED_BITS, SampleStream, Scope, held_up, later_seed
from .scores import digest_of_texts
from .stopping import StoppingRule
from .types import CallId, Candidate, Problem, Rating, Request, Sample, Score, StopReason, Usage

__all__ = ["Context", "Run"]

MOST_CALLS = 10_000
"""Calls in one round of sampling: they are all prepared before the first is sent."""

ROUNDING = 1e-9
"""By how much a mean of scores may be beyond [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all problems of a run share.

    Attributes:
        models: Backends by name, each already journaled, limited and retried; the first is the default.
        sampling: Default sampling fields by model.
        seed: The run's seed.
        emit: Receives every event.
        clock: Seconds, monotonic.
        shared: What parts of programs keep for the whole run, such as what a server has been found not to take.
    """

    models: Mapping[str, Backend]
    sampling: Mapping[str, Mapping[str, Any]]
    seed: int
    emit: Callable[[Event], None]
    clock: Callable[[], float] = time.monotonic
    shared: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Numbering:
    """Calls made on one path so far, and branches taken by label; shared by the contexts on that path."""

    calls: int = 0
    labels: dict[str, int] = field(default_factory=dict)


class Context:
    """A problem's view of a run; `branch` gives a part of the program its own budget and place in the trace.

    Calls are numbered in the order they are made on a path, which is how a resumed program meets its own recorded
    calls: parts that run side by side each take a `branch`.

    Attributes:
        problem: The problem being solved.
        path: Branch labels from the problem down, joined by `/`.
        ledger: The account calls are charged to.
        answers: How answers are read from samples.
        prompt: How problems are put to models.
        rng: Randomness seeded by run, problem and path.
        clock: Seconds, monotonic.
        aside: Whether samples drawn here are no candidates for the answer: judgements, critiques, tests.
        settling: When a vote without a rule of its own may stop, because what will be asked about it is settled; None
            where nothing will be.
        measuring: Whether calls here are about an outcome that stands without them: a limit that keeps one back has
            not ended the program.
    """

    def __init__(
        self,
        run: Run,
        scope: Scope,
        *,
        ledger: Ledger,
        path: str,
        answers: AnswerReader,
        prompt: Prompt,
        aside: bool = False,
        sampling: Mapping[str, Any] | None = None,
        monitors: Sequence[Monitor] = (),
        settling: StoppingRule | None = None,
        measuring: bool = False,
    ) -> None:
        self._run, self._scope, self.aside, self.settling = run, scope, aside, settling
        self.measuring = measuring
        self._sampling: Mapping[str, Any] = sampling or {}
        self._monitors = () if aside else tuple(monitors)
        self.problem, self.path, self.ledger = scope.problem, path, ledger
        self.answers, self.prompt, self.clock = answers, prompt, run.clock
        self.rng = random.Random(self._hash("rng"))
        self._numbering = _Numbering()
        self._backends: dict[str, Backend] = {}

    def __repr__(self) -> str:
        return f"Context(problem={self.problem.id!r}, path={self.path!r}, calls={self._numbering.calls})"

    @property
    def candidates(self) -> Sequence[Candidate]:
        """Every sample this problem has obtained so far, those drawn aside excepted, in the order they arrived."""
        return self._scope.candidates

    @property
    def deadline(self) -> float | None:
        """When this context must end, by `clock`, or None."""
        return self.ledger.deadline

    @property
    def limited_by(self) -> StopReason | None:
        """The limit that has kept back a call made here or on a branch of it, where it is one of this context or of
        those above it; None while none has, and where it was a branch's own.
        """
        if not self._scope.refused:
            return None
        accounts = set(self.ledger.chain())
        here = f"{self.path}/" if self.path else ""
        return next(
            (
                reason
                for (path, account), reason in self._scope.refused.items()
                if account in accounts and f"{path}/".startswith(here)
            ),
            None,
        )

    @property
    def models(self) -> Sequence[str]:
        """The models' names; the first is the default."""
        return tuple(self._run.models)

    def is_on_record(self, label: str | None = None) -> bool:
        """Whether the run that is resumed made calls here or below; with `label`, on that branch or below."""
        recorded = self._scope.recorded
        path = "/".join(step for step in (self.path, label) if step)
        return recorded is not None and recorded.usage_below(path) != Usage()

    def shared(self, key: Any, made: Callable[[], Any]) -> Any:
        """What is kept under `key` for the whole run; made where there is nothing yet."""
        known = self._run.shared
        if key not in known:
            known[key] = made()
        return known[key]

    # Asking ----------------------------------------------------------------------------------------------

    def ask(self, problem: Problem, *, model: str | None = None) -> Rendered:
        """`problem` through the prompt, as the model takes it."""
        name = self._model(model)
        chat = self._run.models[name].capabilities.chat
        return self.prompt.render(problem, chat=chat is not False)

    def sample(
        self,
        ask: Ask,
        *,
        n: int = 1,
        model: str | None = None,
        per_call: int = 1,
        monitors: Sequence[Monitor] = (),
        usual: Mapping[str, Any] | None = None,
        **sampling: Any,
    ) -> SampleStream:
        """Draw `n` samples; iterate over the result to get them as they finish.

        Leaving the loop cancels the calls still in flight (`async with` does so at a place you choose). A failed
        call is left out; the loop ends early when budget or deadline allow no more, and `stop_reason` says so.

        Args:
            ask: A text, messages, or what `ask` returned.
            n: Samples wanted, at least 1.
            model: Name of the model; None for the first.
            per_call: Samples drawn by one request, at least 1; above 1 the prompt is paid once per request, and a
                request's samples arrive together.
            monitors: What watches each sample while it is written, besides those of this context, and may cut it; a
                call of its own lets a cut sample go on where its monitor knows how.
            usual: Sampling fields where neither this call, nor its model, nor the context says anything of them. A
                model whose own setting is None leaves the field out of its requests.
            sampling: `max_tokens`, `temperature`, `top_p`, `stop`, `logprobs`, `seed`, and further fields of the
                HTTP body. A `seed` is the first request's; later ones count on from it by samples.

        Raises:
            InvalidInputError: An argument is out of range, or the model is not known.

        While iterating:
            BudgetExceededError, DeadlineExceededError, BackendError: Not one sample could be had, and why.
        """
        if n < 1 or per_call < 1:
            raise InvalidInputError(f"n and per_call must be at least 1, not {n} and {per_call}")
        name = self._model(model)
        watch = monitoring((*self._monitors, *monitors))
        base = self._request(ask, name, {**(usual or {}), **self._sampling}, sampling, watch)
        known = self._run.models[name].capabilities
        per_call = 1 if known.n is False else min(per_call, known.parallel or per_call)
        if n > MOST_CALLS * per_call:
            raise InvalidInputError(
                f"n={n} asks for more than {MOST_CALLS:,} calls in one round; ask for fewer, or in several rounds"
            )
        requests = []
        for drawn in range(0, n, per_call):
            if base.n != (size := min(n - drawn, per_call)) or not base.digest:
                base = base.replace(n=size)
                base = base.replace(digest=digest_for(base, name))
            requests.append(self._identified(base, name, drawn=drawn))
        return SampleStream(self, self._scope, self._backend(name), requests)

    async def complete(self, ask: Ask, *, model: str | None = None, **sampling: Any) -> Sample:
        """One sample, awaited.

        Raises:
            BudgetExceededError: It does not fit the budget, even shrunk.
            DeadlineExceededError: The deadline has passed, or passed while it was written.
            BackendError: The call failed for good.
        """
        return await self.sample(ask, model=model, **sampling).first()

    async def embed(
        self, texts: Sequence[str], *, model: str | None = None, batch: int = TEXTS_PER_CALL, **options: Any
    ) -> list[list[float]]:
        """One vector per text, from a model with `/embeddings`; charged, retried, limited and journaled as every
        call is. Fits the `embed` of `answers.EmbeddingClusters`.

        Args:
            texts: What to embed, none of them empty; no texts cost no call.
            model: Name of the model; None for the first.
            batch: Texts in one call, at least 1; the calls run side by side.
            options: Further fields of the body, such as `dimensions`.

        Raises:
            InvalidInputError: A text is empty, an option is not for the caller to set, or the model is not known.
            BudgetExceededError: A call does not fit the budget. It is not shrunk.
            DeadlineExceededError: The deadline has passed, or passed meanwhile.
            BackendError: A call failed for good; the others are cancelled.
        """
        name = self._model(model)
        requests = []
        for piece in batches(texts, batch):
            request = embedding_request(piece, options)
            request = request.replace(digest=digest_for(request, name))
            requests.append(self._identified(request, name, drawn=0))
        backend = self._backend(name)
        deadline = math.inf if self.deadline is None else self.deadline
        with anyio.CancelScope(deadline=deadline):
            try:
                found = await concurrently(embed(backend, request) for request in requests)
            except (BudgetExceededError, DeadlineExceededError) as error:
                held_up(self._scope, self, error)
                raise
            return [vector for vectors in found for vector in vectors]
        raise self.ledger.late()

    async def rate(
        self, texts: Sequence[str], rating: Rating, *, model: str | None = None, batch: int = TEXTS_PER_CALL
    ) -> list[Rated]:
        """What a reward model says about each text, in order: its scores, or the error that its call ended with.

        Charged, retried, limited and journaled as every call is. A text is asked about once: equal ones share an
        answer, and so do those this problem has had rated alike before, in the run that is resumed as well.

        Args:
            texts: What to rate, none of them empty; no texts cost no call.
            rating: How the model is asked; see `backends.rewards`.
            model: Name of the model; None for the first.
            batch: Texts in one call, at least 1, where its body has a place for several; the calls run side by side.

        Raises:
            InvalidInputError: A text is empty, or the model is not known.
        """
        name = self._model(model)
        about = digest_for(Request(rating=rating), name)

        def prepare(piece: Sequence[str]) -> Request:
            request = rating_request(piece, rating)
            content = digest_for(request, name)
            # Named by what it asks and not numbered: how many calls there are depends on what others have asked,
            # and must not change the numbers of the calls after them.
            call = CallId(problem=self.problem.id, path=f"{self.path}#{content}", ordinal=0)
            return request.replace(call=call, digest=digest_of(about, content))

        found: dict[str, Rated] = {}
        deadline = math.inf if self.deadline is None else self.deadline
        with anyio.CancelScope(deadline=deadline):
            await self._scope.ratings.get(
                distinct_texts(texts),
                found,
                about=about,
                batch=batch if "texts" in places_in(rating.body) else min(batch, 1),
                backend=self._backend(name),
                prepare=prepare,
                emit=self.emit,
            )
        for text in texts:
            if text not in found:
                found[text] = self.ledger.late()
        for said in found.values():
            if isinstance(said, BudgetExceededError | DeadlineExceededError):
                held_up(self._scope, self, said)
        return [found[text] for text in texts]

    async def worst_case(
        self, ask: Ask, *, model: str | None = None, further_prompt_tokens: int = 0, **sampling: Any
    ) -> Usage:
        """What one call would be held for at most, as `sample` takes it; its seconds are not known and 0.

        Args:
            ask: As `sample` takes it.
            model: Name of the model; None for the first.
            further_prompt_tokens: Tokens that the prompt will have beyond `ask`.
            sampling: As `sample` takes it.
        """
        backend, request = self.request(ask, model=model, **sampling)
        prompt_tokens = await backend.count_prompt_tokens(request) + further_prompt_tokens
        return worst_case(backend, prompt_tokens, request.n * (request.max_tokens or 0))

    def offer(self, candidate: Candidate) -> None:
        """Make known a candidate put together from several calls, drawn aside: it is one to choose from should the
        program be ended before it returns.
        """
        self._scope.candidates.append(candidate)

    def read(self, sample: Sample) -> Candidate:
        """`sample` with the answer read from it."""
        known = self._scope.read.get(id(sample))
        if known is not None and known[0] is self.answers and known[1].sample is sample:
            return known[1]
        answer = self.answers.read(sample.text, truncated=sample.truncated)
        return Candidate(sample=sample, answer=answer)

    async def score(
        self, verifier: Verifier, problem: Problem, candidates: Sequence[Candidate]
    ) -> list[Score]:
        """One score per candidate, in order, by `verifier`.

        Its calls are made on a branch named after the verifier and what is judged, so that a resumed program meets
        them again in whatever order candidates arrive, and their samples are no candidates. The scores say whose they
        are.

        Raises:
            BudgetExceededError, DeadlineExceededError: Not one candidate could be judged.
            InvalidInputError: The verifier did not return a score in [0, 1], or an abstention, per candidate.
        """
        if not candidates:
            return []
        name = name_of(verifier)
        digest = digest_of_texts(candidates)
        aside = self.branch(label=f"{_as_label(name)}-{digest}", aside=True)
        scores = [
            replace(_believed(name, score), by=verifier, problem=problem, among=digest)
            for score in await verifier.score(aside, problem, candidates)
        ]
        if len(scores) != len(candidates):
            raise InvalidInputError(
                f"the verifier {name!r} gave {len(scores)} scores for {len(candidates)} candidates"
            )
        self.emit(
            CandidatesScored(problem=self.problem.id, path=aside.path, verifier=name, scores=tuple(scores))
        )
        return scores

    # Structure -------------------------------------------------------------------------------------------

    def branch(
        self,
        *,
        label: str,
        budget: Budget | None = None,
        keep: Usage | None = None,
        aside: bool = False,
    ) -> Context:
        """A sub-context with its own budget (inside this one's) and its own path.

        Args:
            label: Its step in the path.
            budget: Its limits; None for this context's alone.
            keep: What nobody but it may spend, in the run either, until `ledger.give_up()` is called on it: these
                amounts, or as much of them as is free now; see `Ledger.keep`.
            aside: Whether samples drawn there are no candidates for the answer; branches of such a branch are so too.

        Raises:
            InvalidInputError: The label is empty or has one of `/ # ~`, which paths are built with.
            UnknownPriceError: The budget limits money and a model's price is not known.
        """
        if not label or any(mark in label for mark in "/#~"):
            raise InvalidInputError(f"a branch's label must be a text without / # ~, not {label!r}")
        if budget is not None:
            self.check_budget(budget)
        labels = self._numbering.labels
        count = labels[label] = labels.get(label, 0) + 1
        step = label if count == 1 else f"{label}~{count}"
        path = f"{self.path}/{step}" if self.path else step
        recorded = self._scope.recorded
        spent = Usage() if recorded is None else recorded.usage_below(path)
        ledger = self.ledger
        if budget is not None or keep is not None:
            ledger = self.ledger.child(budget, label=path)
            ledger.charge(spent, below=self.ledger)
        if keep is not None:
            ledger.keep(keep)
        self.emit(BranchOpened(problem=self.problem.id, path=path))
        return self._copy(ledger=ledger, path=path, aside=aside or self.aside)

    def cut_short(self, limit: StopReason) -> None:
        """Note that a limit of its own has ended what was made here, and not the program around it; the problem's
        outcome has this path in `detail["cut_short"]`.
        """
        self._scope.cut_short[self.path] = limit

    def check_budget(self, budget: Budget) -> None:
        """Refuse a budget that no branch can be given; for programs that open branches after they have paid.

        Raises:
            UnknownPriceError: The budget limits money and a model's price is not known.
        """
        if budget.usd is not None:
            require_prices(self._run.models.values())

    def using(
        self,
        *,
        answers: AnswerReader | None = None,
        prompt: Prompt | None = None,
        sampling: Mapping[str, Any] | None = None,
        monitors: Sequence[Monitor] = (),
        settling: StoppingRule | None = None,
        measuring: bool = False,
    ) -> Context:
        """This context, reading answers or putting problems another way, on the same path and numbering.

        Args:
            answers: How answers are read; None as here.
            prompt: How problems are put; None as here.
            sampling: Fields that samples are drawn with, here and in branches, where neither the call nor its model
                says otherwise, such as `logprobs` for a verifier of samples others draw; None is no field.
            monitors: What watches samples drawn here and in branches, besides what does so already; not those drawn
                aside.
            settling: When votes without a rule of their own may stop, here and in branches; None as here.
            measuring: Whether calls here and in branches are about an outcome that stands without them; False as
                here.
        """
        changed = self._copy(
            answers=answers,
            prompt=prompt,
            sampling=sampling,
            monitors=monitors,
            settling=settling,
            measuring=measuring,
        )
        changed._numbering, changed.rng = self._numbering, self.rng
        return changed

    def _copy(
        self,
        *,
        ledger: Ledger | None = None,
        path: str | None = None,
        answers: AnswerReader | None = None,
        prompt: Prompt | None = None,
        aside: bool | None = None,
        sampling: Mapping[str, Any] | None = None,
        monitors: Sequence[Monitor] = (),
        settling: StoppingRule | None = None,
        measuring: bool = False,
    ) -> Context:
        return Context(
            self._run,
            self._scope,
            ledger=ledger or self.ledger,
            path=self.path if path is None else path,
            answers=answers or self.answers,
            prompt=prompt or self.prompt,
            aside=self.aside if aside is None else aside,
            sampling=self._sampling if sampling is None else without_none({**self._sampling, **sampling}),
            monitors=(*self._monitors, *monitors),
            settling=settling or self.settling,
            measuring=measuring or self.measuring,
        )

    def emit(self, event: Event) -> None:
        """Tell the recorders."""
        self._run.emit(event)

    def step(self, step: str, reason: str = "") -> None:
        """Tell the recorders what the program decided here."""
        self.emit(StepTaken(problem=self.problem.id, path=self.path, step=step, reason=reason))

    def request(self, ask: Ask, *, model: str | None = None, **sampling: Any) -> tuple[Backend, Request]:
        """A model's backend and what `sample` would ask it, without an identity; for those who count beforehand."""
        name = self._model(model)
        return self._run.models[name], self._request(ask, name, self._sampling, sampling)

    # Building requests -----------------------------------------------------------------------------------

    def _model(self, model: str | None) -> str:
        name = next(iter(self._run.models)) if model is None else model
        if name not in self._run.models:
            raise InvalidInputError(f"no model {name!r}; there are: {', '.join(self._run.models)}")
        return name

    def _request(
        self,
        ask: Ask,
        model: str,
        usual: Mapping[str, Any],
        sampling: Mapping[str, Any],
        watch: Monitoring | None = None,
    ) -> Request:
        """`ask` with `sampling`, where that says nothing the model's settings, and where these do not, `usual`."""
        run = self._run
        settings = {**usual, **run.sampling.get(model, {}), **without_none(sampling)}
        chat = run.models[model].capabilities.chat is not False
        return request_for(ask, settings, chat=chat, watch=watch)

    def _identified(self, request: Request, model: str, *, drawn: int) -> Request:
        """`request` with its identity and a seed of its own; `drawn` samples of the round come before it."""
        call = CallId(problem=self.problem.id, path=self.path, ordinal=self._numbering.calls)
        self._numbering.calls += 1
        if request.seed is None:
            seed = self._hash(model, str(call.ordinal)) >> (64 - SEED_BITS)
        else:
            seed = later_seed(request.seed, drawn)
        return request.replace(call=call, seed=seed)

    def _hash(self, *parts: str) -> int:
        """A 64-bit number from run seed, problem, path and `parts`."""
        text = "\x00".join((str(self._run.seed), self.problem.id, self.path, *parts))
        return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())

    def _backend(self, model: str) -> Backend:
        """The model's backend, charged to this context's account; calls of an earlier run are free."""
        if model not in self._backends:
            run, scope = self._run, self._scope
            backend: Backend = Metered(run.models[model], account=self.ledger, emit=run.emit)
            if scope.recorded is not None:
                backend = Resumed(backend, recorded=scope.recorded, arrivals=scope.arrivals, emit=run.emit)
            self._backends[model] = backend
        return self._backends[model]


def _as_label(name: str) -> str:
    return re.sub(r"[/#~\s]+", "-", name) or "verifier"


def _believed(verifier: str, score: Any) -> Score:
    """`score`, an abstention where it is not a number, and in [0, 1] where rounding has put it beyond.

    Raises:
        InvalidInputError: It is no score.
    """
    if not isinstance(score, Score):
        raise InvalidInputError(f"the verifier {verifier!r} gave {score!r}, which is no Score")
    value = score.value
    if value is None or 0.0 <= value <= 1.0:
        return score
    if math.isnan(value):
        return replace(score, value=None, reason=f"not a number; {score.reason}".removesuffix("; "))
    if not -ROUNDING <= value <= 1.0 + ROUNDING:
        raise InvalidInputError(
            f"the verifier {verifier!r} gave the score {value}: scores are in [0, 1], or None"
        )
    return replace(score, value=min(max(value, 0.0), 1.0))
