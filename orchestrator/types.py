"""The records everything else is said in: frozen, slotted, keyword-only.

Tokens are integers; money is integer picodollars (1e-12 US dollars) wherever it is added up, so that sums are
exact, and a float only where it is shown; times are seconds.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from .excerpts import within

__all__ = [
    "CUT",
    "LONGEST_REASON",
    "PICODOLLARS_PER_USD",
    "TOP_LOGPROBS",
    "Answer",
    "CallId",
    "Candidate",
    "Capabilities",
    "Chunk",
    "Message",
    "Outcome",
    "Price",
    "Problem",
    "Progress",
    "Rating",
    "Request",
    "Reservation",
    "Sample",
    "Score",
    "StopReason",
    "TokenLogprob",
    "Usage",
    "Watch",
]

Message: TypeAlias = Mapping[str, Any]
"""One chat message as the OpenAI protocol writes it: `{"role": ..., "content": ...}`."""

PICODOLLARS_PER_USD = 10**12

TOP_LOGPROBS = 20
"""Top log-probabilities to ask for where many are wanted: the most that OpenAI and vLLM give."""

CUT = "cut: "
"""How the finish reason of a choice begins that a watch has ended."""


class StopReason(enum.StrEnum):
    """Why a program ended."""

    COMPLETE = "complete"  # it did all it set out to do
    DECIDED = "decided"  # the stopping rule fired before that
    BUDGET = "budget"
    DEADLINE = "deadline"
    ERROR = "error"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What calls consumed. Adds up with `+`.

    Attributes:
        prompt_tokens: Tokens read, cached ones included.
        completion_tokens: Tokens written, reasoning ones included, over all choices.
        requests: HTTP requests (or the equivalent).
        picodollars: Money, in 1e-12 US dollars.
        cached_tokens: The part of `prompt_tokens` served from a prefix cache.
        reasoning_tokens: The part of `completion_tokens` spent on hidden reasoning.
        seconds: Sum of the calls' own durations, in seconds (calls overlap, so this is not wall time).
        estimated: True when any part was not reported exactly and was counted or taken at its worst case.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0
    picodollars: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Prompt plus completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def usd(self) -> float:
        """Money in US dollars, for showing; add up `picodollars` instead."""
        return self.picodollars / PICODOLLARS_PER_USD

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            requests=self.requests + other.requests,
            picodollars=self.picodollars + other.picodollars,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            seconds=self.seconds + other.seconds,
            estimated=self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model's tokens cost, in picodollars a token (1 US dollar per million tokens = 1e6 of them).

    Attributes:
        input: Picodollars per prompt token, at least 0.
        output: Picodollars per completion token, at least 0.
        cached_input: Picodollars per cached prompt token; None means like `input`.
        request: Picodollars per request.
    """

    input: int
    output: int
    cached_input: int | None = None
    request: int = 0

    def cost(
        self, prompt_tokens: int, completion_tokens: int, *, cached_tokens: int = 0, requests: int = 1
    ) -> int:
        """Picodollars for a call; `cached_tokens` is the cached part of `prompt_tokens`."""
        cached_price = self.input if self.cached_input is None else self.cached_input
        return (
            (prompt_tokens - cached_tokens) * self.input
            + cached_tokens * cached_price
            + completion_tokens * self.output
            + requests * self.request
        )

    def worst_cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        """The most picodollars a call can cost, whatever part of its prompt is cached."""
        dearer = self.cached_input is not None and self.cached_input > self.input
        cached_tokens = prompt_tokens if dearer else 0
        return self.cost(prompt_tokens, completion_tokens, cached_tokens=cached_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do, as found out; None means not known yet.

    Attributes:
        chat: Takes messages (False: a base model, which takes a plain prompt only).
        n: Returns several choices from one request.
        logprobs: Returns log-probabilities of the tokens it wrote.
        seed: Takes a sampling seed.
        streaming: Streams chunks.
        usage_is_exact: Reports prompt and completion tokens as they were, for any `n`.
        context_length: Prompt plus completion tokens that fit, or None when not known.
        parallel: Requests it works on at once, or None when not known.
    """

    chat: bool | None = None
    n: bool | None = None
    logprobs: bool | None = None
    seed: bool | None = None
    streaming: bool | None = None
    usage_is_exact: bool | None = None
    context_length: int | None = None
    parallel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallId:
    """Which call of a program this is: the same in a resumed run.

    Attributes:
        problem: The problem's id.
        path: Branch labels from the problem down, joined by `/`; "" at the top.
        ordinal: 0-based count of calls made on that path, in program order.
    """

    problem: str
    path: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.problem}:{self.path}#{self.ordinal}"


class Reservation(Protocol):
    """What a call may use at most, set aside for it; `budget.Hold` is one."""

    @property
    def worst_case(self) -> Usage:
        """What was set aside."""

    def commit(self, usage: Usage) -> None:
        """Charge what the call used and end the reservation."""

    def settle(self, usage: Usage) -> None:
        """Charge a failed attempt and keep the rest for the next one."""

    async def restore(self) -> None:
        """Set the full worst case aside again after `settle`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """How a reward model is asked about the texts of a request, and where its answer has their scores.

    Attributes:
        route: Path under the server's root, which is its base URL without a last `/v1`.
        body: JSON to post, with places: `{{ model }}`, `{{ query }}`, `{{ text }}`, `{{ texts }}`, `{{ messages }}`.
        scores: Path to the scores in the answer, such as `data[].score`: names with dots between, `[]` after the list
            that has one entry a text.
        query: What the texts are rated against, such as the problem; "" for nothing.
        messages: The conversation the text ends as the assistant's turn, for bodies that have a place for it.
        width: Numbers in each score: 1, or the number of classes.
        tokens: Tokens to read a score from where the entries are the log-probabilities of written text: the
            score is the probability of the first against the second. Empty: the entries are numbers.
        writes: Tokens the model writes for each text, at least 0.
        serve: How a server that has the route is started, for messages.
    """

    route: str
    body: Mapping[str, Any]
    scores: str
    query: str = ""
    messages: tuple[Message, ...] = ()
    width: int = 1
    tokens: tuple[str, ...] = ()
    writes: int = 0
    serve: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a backend is asked for. Exactly one of `messages`, `prompt` and `texts` is given.

    Attributes:
        messages: A chat, oldest message first.
        prompt: A plain text to continue, for base models and completion endpoints.
        texts: Texts to embed, or to rate; then `n` is their number and `max_tokens` 0, because nothing is written.
        rating: How `texts` are rated; None embeds them.
        n: Choices wanted, at least 1.
        max_tokens: Cap on the completion tokens of each choice, at least 1; None leaves it to the server.
        temperature: At least 0; None leaves it to the server.
        top_p: In (0, 1]; None leaves it to the server.
        stop: Texts that end a choice.
        seed: Sampling seed, or None.
        logprobs: Top log-probabilities wanted per token (0: only the written token's); None for none.
        extra: Further fields of the HTTP body, sent as they are.
        call: The call's identity in its program, set by the context.
        digest: Hash of what is asked, seed and identity apart, set by the context; keys replay.
        attempt: 0 for the first try, counted up by `Retry`.
        hold: The reservation the call runs under, set by `Metered`.
        watch: Makes what each choice is watched by while it is written, one watch a choice and attempt; None for
            none. What a watch cuts does not depend on the digest: whoever sets it answers for the same cuts in a
            resumed run.
        progress: What the attempt has brought so far, set by `Metered` or `Journaled`, written to by the backend.
    """

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    texts: tuple[str, ...] = ()
    rating: Rating | None = None
    n: int = 1
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    call: CallId | None = field(default=None, compare=False)
    digest: str = field(default="", compare=False)
    attempt: int = field(default=0, compare=False)
    hold: Reservation | None = field(default=None, compare=False, repr=False)
    watch: Callable[[], Watch] | None = field(default=None, compare=False, repr=False)
    progress: Progress | None = field(default=None, compare=False, repr=False)

    def replace(self, **changes: Any) -> Request:
        """A copy with these fields changed; half the cost of `dataclasses.replace`, on the path of every call."""
        copy = object.__new__(Request)
        for name in Request.__slots__:
            object.__setattr__(copy, name, changes[name] if name in changes else getattr(self, name))
        return copy


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """A written token, the log-probability (natural logarithm, at most 0) it had, and its rivals'."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One completion.

    Attributes:
        text: The answer's text, without hidden reasoning.
        reasoning: Reasoning the server reported apart from the text, or None.
        usage: What this sample was charged; for a request with n > 1 the prompt and the request are on the
            first choice, so that sums over samples are right.
        finish_reason: `stop`, `length`, or what else the server said; `cut: ` and why where a watch ended it.
        logprobs: One per written token when asked for and available.
        seed: The sampling seed that was sent, or None.
        model: The model that wrote it, as the server names it.
        index: Which choice of its request, from 0.
        call: The call it came from.
        vector: The embedding of the request's text number `index`, or its scores, when it was asked for texts.
        resumptions: Further calls in which it went on after it had been cut; their texts and usages are in it.
    """

    text: str
    reasoning: str | None = None
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    seed: int | None = None
    model: str | None = None
    index: int = 0
    call: CallId | None = None
    vector: tuple[float, ...] | None = None
    resumptions: int = 0

    @property
    def truncated(self) -> bool:
        """Whether the token cap or a watch ended it, and not the model."""
        return self.finish_reason == "length" or self.cut is not None

    @property
    def cut(self) -> str | None:
        """Why a watch ended it, or None where none did."""
        finish = self.finish_reason
        return finish.removeprefix(CUT) if finish is not None and finish.startswith(CUT) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a streamed choice: text, its log-probabilities, and on the last one how it ended.

    `reasoning` is hidden reasoning that the server streams apart from the text.
    """

    text: str
    reasoning: str = ""
    index: int = 0
    logprobs: tuple[TokenLogprob, ...] | None = None
    finish_reason: str | None = None
    usage: Usage | None = None


class Watch(Protocol):
    """Sees one choice while it is written, and may end it. What it raises, the call raises."""

    def feed(self, chunk: Chunk, /) -> str | None:
        """Why the choice ends after `chunk`, in a few words; None to let it go on.

        Called with every chunk in order, without waiting between them; not called again once it has ended the choice.
        A server decides how much a chunk holds, from part of a token to the whole answer.
        """


@dataclass(slots=True, kw_only=True)
class Progress:
    """What an attempt has brought so far: the backend writes it, `Journaled` settles by it.

    Attributes:
        watched: Whether the backend has shown every choice to its watch.
        streamed: What the attempt is charged if it ends now, as far as a stream has come; None, or a function that
            returns None, while nothing has come of the answer.
    """

    watched: bool = False
    streamed: Callable[[], Usage | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A work item.

    Attributes:
        id: Unique within a run; keys the journal.
        prompt: The question as text. Either this or `messages` is given.
        messages: The question as a chat.
        reference: The right answer as text, when known; never shown to a model.
        tests: What a verifier needs to judge an answer by rule (words to use, numbers to combine, code).
        fields: Further columns of the problem's record, for templates.
    """

    id: str
    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
    reference: str | None = None
    tests: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A final answer read from a sample.

    Attributes:
        text: As the model wrote it, trimmed of its wrapping.
        key: Canonical form; two answers of one kind are equal exactly when their keys are.
        kind: How it was read: `number`, `choice`, `text`, `math`, `json`, ...
    """

    text: str
    key: str
    kind: str

    def __str__(self) -> str:
        return self.text


LONGEST_REASON = 2000
"""Bytes of a score's reason, in UTF-8: it may go into prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A verifier's judgement of one candidate.

    Attributes:
        value: In [0, 1], or None for an abstention.
        steps: Scores of single steps, each in [0, 1], when the verifier gives them.
        reason: Why, in words; one longer than `LONGEST_REASON` is cut.
        by: The verifier that gave it, which its name does not tell; set by the context, not written down.
        problem: The problem it was asked about; None where nobody was asked, set and not written down as `by` is.
        among: A digest of the candidates that were judged together; set and not written down as `by` is.
    """

    value: float | None
    steps: tuple[float, ...] = ()
    reason: str = ""
    by: object = field(default=None, compare=False, repr=False)
    problem: Problem | None = field(default=None, compare=False, repr=False)
    among: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.reason) > LONGEST_REASON // 4:
            object.__setattr__(self, "reason", within(self.reason, LONGEST_REASON))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sample in play, with the answer read from it (None: it abstains) and its scores by verifier."""

    sample: Sample
    answer: Answer | None
    scores: Mapping[str, Score] = field(default_factory=dict)
    parent: Candidate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a program returns for a problem.

    Attributes:
        answer: The answer, or None when no sample had a readable one.
        written: What a program has put together as its answer, where that is no sample's; it does not vote.
        confidence: In [0, 1]; for a vote the leader's share of the samples drawn, abstentions included.
        candidates: The samples it was decided from, in the order they arrived; one that came in while the program was
            ending is charged and not among them.
        stop_reason: Why the program ended.
        usage: Everything the problem was charged, failed and cancelled calls included.
        seconds: Wall time.
        problem: The problem's id.
        tied: Whether another answer had as many votes.
        error: One line on what went wrong, when something did.
        detail: Further facts of the strategy, JSON-compatible.
    """

    answer: Answer | None = None
    written: Candidate | None = None
    confidence: float = 0.0
    candidates: Sequence[Candidate] = ()
    stop_reason: StopReason = StopReason.COMPLETE
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    problem: str = ""
    tied: bool = False
    error: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
