"""Test and repair: write, run the tests, show what failed, write again. Cost: at most n + rounds calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ..asking import check_round
from ..context import Context
from ..contracts import Verifier, compares, logprobs_for, name_of
from ..costs import Costing, Size, Spending, repeated
from ..errors import InvalidInputError
from ..prompts import Rendered, fill
from ..types import Candidate, Outcome, Problem, Score, StopReason
from .attempts import Attempts
from .base import Strategy, at_least, in_unit
from .best_of_n import BestOfN
from .chain import choose_in_chain, extend, linked, prompt_values
from .quoting import shown
from .selection import best_scored, by_score, value_of

__all__ = ["TestAndRepair", "bounded"]

REPAIR = """This answer fails its tests:

{{ feedback }}

Write it again, corrected and complete. The question was:

{{ problem }}"""

NO_REASON = "it is not right yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAndRepair(Strategy):
    """Draws `n` answers, and up to `rounds` times shows the best one with what failed in it, to be written again.

    Let r(y) be the verifier's score and f(y) its reason. While the best answer so far, y* = argmax r(y) with ties
    going to the latest, has r(y*) < threshold, the next one is drawn from p(y | x, y*, f(y*)). A repair that made it
    worse is thus dropped, and the next starts from the better one. It ends with the first that reaches `threshold`;
    after `rounds` repairs the best-scored answer is chosen, and where the verifier could judge none, the most
    frequent one. An answer that cannot be read is not tested, and the model is told so. A repair that fails is one
    round less, and a round without any answer drafts again.

    The verifier's reason is shown to the model: give it tests that the model may see, and keep those that measure it.

    Source: Chen et al., "Teaching Large Language Models to Self-Debug", arXiv 2304.05128, with unit-test feedback;
    Olausson et al., "Is Self-Repair a Silver Bullet for Code Generation?", arXiv 2306.09896, for several drafts.
    Differs in repairing the best answer so far, and in any verifier that says what is wrong.

    Cost: at most n + rounds calls, plus the verifier's for as many candidates.

    Args:
        rounds: Repairs at most, at least 1.
        verifier: Judges one answer at a time, and says in `Score.reason` what is wrong with it.
        n: Drafts, in [1, 10,000], drawn side by side; the first that reaches `threshold` cancels the others.
        threshold: A score in [0, 1] that is good enough.
        prompt: What is said after an answer. Placeholders: `{{ problem }}`, `{{ answer }}`, `{{ feedback }}`.
        feedback_chars: Characters of the reason that are shown, at least 1: its beginning and its end.
        model: Name of the model; None for the first.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on each answer, in tokens; None leaves it to the model's settings.

    Raises:
        InvalidInputError: A number is out of its range, or the verifier compares candidates with each other.

    The outcome's `detail` has `rounds` begun, as `ended` why (`passed`, `rounds`, `budget` or `deadline`), and the
    chosen answer's `score` (or `votes` and `abstentions`).
    """

    __test__: ClassVar[bool] = False  # to pytest, a class named Test... is one

    paper: ClassVar[str] = "Chen et al., arXiv 2304.05128; 2306.09896"
    cost: ClassVar[str] = "n + rounds"
    pays: ClassVar[str] = "code with tests, or any rule that says what is wrong"

    rounds: int = 3
    verifier: Verifier
    n: int = 1
    threshold: float = 1.0
    prompt: str = REPAIR
    feedback_chars: int = 800

    def __post_init__(self) -> None:
        Strategy.__post_init__(self)
        at_least(1, rounds=self.rounds, n=self.n, feedback_chars=self.feedback_chars)
        check_round(n=self.n)
        in_unit(threshold=self.threshold)
        fill(self.prompt, {"problem": "", "answer": "", "feedback": ""}, of="`prompt`")
        if compares(self.verifier):
            raise InvalidInputError(
                f"the verifier {name_of(self.verifier)!r} compares candidates; a repair needs one that judges each"
            )

    @property
    def most_calls(self) -> int:
        """n + rounds."""
        return self.n + self.rounds

    @property
    def choice(self) -> str:
        """The best after repairs."""
        return f"the best after up to {self.rounds} repairs"

    @property
    def calls_at_once(self) -> int:
        """Calls one problem keeps in flight: its drafts."""
        return self.n

    async def __call__(self, ctx: Context, problem: Problem, /) -> Outcome:
        """Repair an answer to `problem` until it passes."""
        attempts, rounds = Attempts(), 0
        ask = ctx.ask(problem, model=self.model)
        await self._draft(ctx, problem, attempts)
        while rounds < self.rounds and not attempts.ended and not self._passed(self._best(attempts)):
            rounds += 1
            await self._repair(ctx, problem, ask, attempts)
        passed = self._passed(self._best(attempts))
        ended = "passed" if passed else attempts.stop_reason.value if attempts.ended else "rounds"
        detail = {"rounds": rounds, "ended": ended}
        if not passed:
            return await choose_in_chain(ctx, problem, attempts, verifier=self.verifier, detail=detail)
        # What passes ends it: drafts whose tests it called off are not tested after all.
        outcome = linked(by_score(attempts.candidates, name_of(self.verifier), latest=True))
        reason = StopReason.DECIDED if rounds < self.rounds else attempts.stop_reason
        return replace(outcome, stop_reason=reason, detail={**outcome.detail, **detail})

    async def _draft(self, ctx: Context, problem: Problem, attempts: Attempts) -> None:
        """Draw and test the first answers."""
        drafts = self._drafts()
        with attempts.surviving():
            outcome = await drafts(ctx, problem)
            attempts.candidates += outcome.candidates
            if outcome.stop_reason in (StopReason.BUDGET, StopReason.DEADLINE):
                attempts.stop_reason = outcome.stop_reason

    async def _repair(self, ctx: Context, problem: Problem, ask: Rendered, attempts: Attempts) -> None:
        """Have the best answer so far written again, and test what comes."""
        best = self._best(attempts)
        if best is not None:
            feedback = bounded(self._reason(best), self.feedback_chars)
            ctx.step("repairing", feedback)
            values = prompt_values(ctx, problem, best) | {"feedback": feedback}
            ask = ask.then(shown(best), fill(self.prompt, values, of="the repair"))
        logprobs = logprobs_for(self.verifier)
        new = await extend(ctx, self, attempts, ask, parent=best, logprobs=logprobs)
        if new is not None:
            attempts.candidates[-1:] = await self._tested(ctx, problem, attempts, new)

    async def _tested(
        self, ctx: Context, problem: Problem, attempts: Attempts, new: Candidate
    ) -> list[Candidate]:
        name = name_of(self.verifier)
        if new.answer is None:
            said = Score(value=None, reason="no readable answer", by=self.verifier, problem=problem)
            return [replace(new, scores={name: said})]
        for known in attempts.candidates[:-1]:  # a text that was tested has its verdict
            if known.sample.text == new.sample.text and name in known.scores:
                return [replace(new, scores={name: known.scores[name]})]
        return await attempts.score(ctx, self.verifier, problem, [new])

    def _best(self, attempts: Attempts) -> Candidate | None:
        """The best-scored candidate so far, those without a score below all others, the latest of equals."""
        best = best_scored(attempts.candidates, name_of(self.verifier), latest=True)
        return best or next(reversed(attempts.candidates), None)

    def _passed(self, best: Candidate | None) -> bool:
        value = None if best is None else value_of(best, name_of(self.verifier))
        return value is not None and value >= self.threshold

    def _reason(self, candidate: Candidate) -> str:
        score = candidate.scores.get(name_of(self.verifier))
        return (score.reason if score is not None else "") or NO_REASON

    async def worst_case(self, costing: Costing) -> Spending:
        """What one problem costs at most, in all and by its parts."""
        ask, tokens = costing.ask(self.model), self.longest_text(costing)
        best = costing.candidate(tokens)
        # A tokenizer of bytes reads at most one token a byte, and a character has at most four.
        feedback = costing.unknown(4 * max(self.feedback_chars, len(NO_REASON)))
        values = prompt_values(costing.ctx, costing.problem, best) | {"feedback": feedback}
        repair = ask.then(shown(best), fill(self.prompt, values, of="the repair"))
        judged = await costing.scoring(self.verifier, 1, Size(tokens=tokens))
        return self._spending(
            replace(await self._drafts().worst_case(costing), label="drafts", on_branch=False),
            repeated(await self._drawing(costing, repair, label="repair"), self.rounds),
            repeated(judged, self.rounds),
        )

    def _drafts(self) -> BestOfN:
        """What draws and tests the first answers."""
        return BestOfN(
            n=self.n,
            verifier=self.verifier,
            threshold=self.threshold,
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            monitors=self.monitors,
        )


def bounded(text: str, limit: int) -> str:
    """`text` in at most `limit` characters: where it is longer, its beginning and its end, which tell most."""
    gap = "\n...\n"
    if len(text) <= limit:
        return text
    if limit <= len(gap) + 1:
        return text[:limit]
    head = (limit - len(gap) + 1) // 2
    return text[:head] + gap + text[len(text) - (limit - len(gap) - head) :]
