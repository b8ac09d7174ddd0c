"""A model that judges one candidate at a time by a rubric. Cost: ceil(samples / per_call) calls a different text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..asking import check_ranges, check_round
from ..concurrently import concurrently
from ..context import Context
from ..costs import FREE, Costing, Size, Spending, counted
from ..errors import InvalidInputError
from ..prompts import fill
from ..types import LONGEST_REASON, Candidate, Problem, Sample, Score
from .judging import (
    AS_DATA,
    LIMITS,
    REASON_LENGTH,
    REMARK,
    Failed,
    Question,
    because,
    check_template,
    digest,
    excerpt,
    fenced,
    shown,
    tried,
    whole_answer,
)
from .verdict_odds import expected_score, option_shares
from .verdicts import YES_NO, find_option, find_score, json_text

__all__ = ["Judge"]

_TEMPLATE = """You judge an answer to a problem.

{{ rubric }}

Problem:
{{ problem }}

Answer to judge:
{{ answer }}"""

_REFERENCE = """

Reference answer, which is right:
{{ reference }}"""

_FIELDS = ("problem", "answer", "rubric", "reference")
_MAX_TOKENS = {"number": 16, "yes_no": 16, "json": 512}
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Scores each candidate by a rubric that a model applies to it.

    The verdict comes in one of three forms: `number`, a number alone; `json`, a reason and then a score, held to a
    JSON Schema where the server can; `yes_no`. With `expected` it is not what was written but what was likely: for a
    score s on the scale l..h the value is sum s P(s) / sum P(s) over the score token's top log-probabilities, for
    yes and no P(yes) / (P(yes) + P(no)); a server without log-probabilities gives what was written. Scores become
    values in [0, 1] by (s - l) / (h - l). Several verdicts count by their mean.

    A call that fails and a verdict that cannot be read are abstentions. Equal texts are judged once. The candidate is
    shown between marks that do not occur in it, as data; its thinking and the problem's reference are not shown.

    Cost: ceil(samples / per_call) calls for each different text, side by side; one more where the server refuses the
    schema or the log-probabilities.

    Source: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", arXiv 2306.05685, §3.1
    (single answer grading); Liu et al. 2023, "G-Eval", arXiv 2303.16634, §2 (expected score).

    Args:
        model: Name of the model that judges; None for the first.
        rubric: What a good answer is, in words; for `yes_no` the question.
        lowest: The worst score, a whole number.
        highest: The best score, above `lowest`. Many models write a 10 as two tokens: a scale up to 9 or 5 has
            sharper probabilities.
        form: How the verdict is written.
        expected: Whether to read the score from the tokens' log-probabilities. With `json` those of the reason are
            sent and kept as well.
        samples: Verdicts on each text, in [1, 10,000]; more than one needs a temperature.
        per_call: Verdicts drawn by one request, at least 1; above 1 the prompt is paid once per request.
        temperature: At least 0. None leaves it to the model's settings.
        max_tokens: Cap on a verdict, in tokens; None for 16, with `json` for 512. A judge that thinks needs more.
        show_reference: Whether the judge sees the problem's reference; a problem without one is then an abstention.
        template: The prompt, with `{{ problem }}`, `{{ answer }}`, `{{ rubric }}` and, where it is shown,
            `{{ reference }}`; None for the built-in one. How to write the verdict is told after it.
    """

    name: ClassVar[str] = "judge"

    model: str | None = None
    rubric: str = "Is the answer correct, complete and clear? Correctness counts most."
    lowest: int = 1
    highest: int = 10
    form: Literal["number", "json", "yes_no"] = "number"
    expected: bool = True
    samples: int = 1
    per_call: int = 1
    temperature: float | None = 0.0
    max_tokens: int | None = None
    show_reference: bool = False
    template: str | None = None

    def __post_init__(self) -> None:
        check_ranges(temperature=self.temperature, max_tokens=self.max_tokens)
        if self.lowest >= self.highest:
            raise InvalidInputError(f"lowest must be below highest, not {self.lowest} and {self.highest}")
        if self.form not in _MAX_TOKENS:
            raise InvalidInputError(f"form must be one of {', '.join(_MAX_TOKENS)}, not {self.form!r}")
        if self.samples < 1 or self.per_call < 1:
            raise InvalidInputError(
                f"samples and per_call must be at least 1, not {self.samples} and {self.per_call}"
            )
        check_round(samples=self.samples)
        if self.samples > 1 and self.temperature == 0.0:
            raise InvalidInputError(
                f"{self.samples} samples at temperature 0 are the same verdict; give a temperature above 0"
            )
        if self.template is not None:
            known = _FIELDS if self.show_reference else _FIELDS[:3]
            check_template(self.template, needed=("answer",), known=known)

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order; None as a value where there was no readable verdict.

        Raises:
            BudgetExceededError, DeadlineExceededError: Not one candidate could be judged.
        """
        if self.show_reference and problem.reference is None:
            return [Score(value=None, reason="the problem has no reference")] * len(candidates)
        texts = [shown(candidate) for candidate in candidates]
        different = list(dict.fromkeys(text for text in texts if text))
        question = ctx.prompt.question(problem)
        prompts = [self._prompt(question, text, problem.reference) for text in different]
        branches = [ctx.branch(label=digest(text)) for text in different]
        asking = self._question()
        verdicts = await concurrently(
            tried(asking.put(branch, prompt)) for branch, prompt in zip(branches, prompts, strict=True)
        )
        scores = [self._score(verdict) for verdict in verdicts]
        if all(score.value is None for score in scores):
            for verdict in verdicts:
                if isinstance(verdict, LIMITS):
                    raise verdict
        by_text = dict(zip(different, scores, strict=True))
        return [by_text.get(text, Score(value=None, reason="there is no text to judge")) for text in texts]

    # Asking ----------------------------------------------------------------------------------------------

    def _question(self) -> Question:
        return Question(
            model=self.model,
            temperature=self.temperature,
            max_tokens=_MAX_TOKENS[self.form] if self.max_tokens is None else self.max_tokens,
            schema=self._schema() if self.form == "json" else None,
            logprobs=self.expected,
            samples=self.samples,
            per_call=self.per_call,
        )

    def _schema(self) -> Mapping[str, Any]:
        score: dict[str, Any] = {"type": "integer"}
        if self.highest - self.lowest <= _MOST_LISTED:
            score["enum"] = list(range(self.lowest, self.highest + 1))
        else:
            score |= {"minimum": self.lowest, "maximum": self.highest}
        return {
            "type": "object",
            "properties": {"reason": {"type": "string", "maxLength": REASON_LENGTH}, "score": score},
            "required": ["reason", "score"],
            "additionalProperties": False,
        }

    def _prompt(self, question: str, answer: str, reference: str | None) -> str:
        texts = [question, answer, self.rubric, *([reference] if self.show_reference and reference else [])]
        values = {
            "problem": fenced("problem", question, among=texts),
            "answer": fenced("answer", answer, among=texts),
            "rubric": self.rubric,
        }
        template = self.template or _TEMPLATE
        if self.show_reference and reference is not None:
            values["reference"] = fenced("reference", reference, among=texts)
            template = self.template or _TEMPLATE + _REFERENCE
        return f"{fill(template, values, of='a judge')}\n\n{AS_DATA}\n\n{self._instruction()}"

    def _instruction(self) -> str:
        scale = f"a whole number from {self.lowest} (worst) to {self.highest} (best)"
        if self.form == "yes_no":
            return "Reply with Yes or No and nothing else."
        if self.form == "number":
            return f"Reply with {scale} and nothing else."
        return (
            'Reply with a JSON object and nothing else: {"reason": ..., "score": ...}, where the reason is a sentence'
            f" or two and the score {scale}."
        )

    # Reading ---------------------------------------------------------------------------------------------

    def _score(self, verdicts: list[Sample] | Failed) -> Score:
        if not isinstance(verdicts, list):
            return Score(value=None, reason=because("the judge did not answer", verdicts))
        read = [(sample, value) for sample in verdicts if (value := self._value(sample)) is not None]
        if not read:
            return Score(value=None, reason=f"unreadable verdict: {excerpt(verdicts[0].text)}")
        mean = math.fsum(value for _, value in read) / len(read)
        first = read[0][0].text
        reason = json_text(first, "reason") or excerpt(first)
        if self.samples > 1:
            reason = f"{len(read)} of {self.samples} verdicts readable; the first: {reason}"
        return Score(value=mean, reason=reason)

    def _value(self, sample: Sample) -> float | None:
        """The verdict in [0, 1], or None."""
        if self.form == "yes_no":
            return self._chance_of_yes(sample)
        low, high = self.lowest, self.highest
        found = find_score(sample.text, lowest=low, highest=high, truncated=sample.truncated)
        if found is None:
            return None
        score = found.value
        if self.expected and sample.logprobs:
            at = find_score(whole_answer(sample), lowest=low, highest=high)
            if at is not None and at.value == score:
                expected = expected_score(sample.logprobs, at, lowest=low, highest=high)
                score = score if expected is None else expected
        return (score - low) / (high - low)

    def _chance_of_yes(self, sample: Sample) -> float | None:
        found = find_option(sample.text, YES_NO, truncated=sample.truncated)
        if found is None:
            return None
        if self.expected and sample.logprobs:
            at = find_option(whole_answer(sample), YES_NO)
            shares = option_shares(sample.logprobs, at, YES_NO) if at and at.value == found.value else None
            if shares is not None:
                return shares["yes"]
        return float(found.value == "yes")

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        if self.show_reference and costing.problem.reference is None:
            return Spending(label=self.name, kind=self.name, worst=FREE, note="the problem has no reference")
        prompt = self._prompt(costing.question, costing.unknown(size.tokens), costing.problem.reference)
        asking = self._question()
        worst = (await asking.worst_case(costing, prompt)).times(count)
        reason = min(float(asking.max_tokens + REMARK), LONGEST_REASON)
        return Spending(
            label=self.name, kind=self.name, worst=worst, note=counted(count, "text"), reason=reason
        )
