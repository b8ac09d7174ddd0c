"""CodeT: programs and tests, both a model's, judged by their agreement."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from ..answers import PassMatrix
from ..asking import check_ranges, check_round
from ..concurrently import concurrently
from ..context import Context
from ..costs import FREE, Costing, Size, Spending, counted
from ..errors import BackendError, InvalidInputError
from ..prompts import fill, question_text
from ..sandbox import Assertion, Bubblewrap, Limits, Program, Sandbox
from ..templates import Template
from ..types import Candidate, Problem, Score
from .execution import code_of
from .judging import REMARK, because

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

__all__ = ["ClusterRule", "Executor", "GeneratedTests", "RecordedPasses", "SandboxExecutor", "assertions_in"]

ClusterRule: TypeAlias = Literal["weighted", "codet", "product", "tests", "agreement"]
"""How a cluster of programs that pass the same tests is scored."""

_EXPONENTS: Mapping[str, tuple[float, float, float]] = {
    "weighted": (0.125, 1.0, 1.0),
    "codet": (0.5, 1.0, 0.0),
    "product": (1.0, 1.0, 0.0),
    "tests": (0.0, 1.0, 0.0),
    "agreement": (1.0, 0.0, 0.0),
}
"""By rule: the exponents of the cluster's size, of its tests' weight, and of a test's share of programs."""

TEMPLATE = """{{ problem }}

Write {{ count }} tests for the function `{{ entry_point }}` described above. Each is one line of Python such as
assert {{ entry_point }}(...) == ...
with arguments and the expected value as literals. Write only these lines."""


@runtime_checkable
class Executor(Protocol):
    """Tells which programs pass which tests."""

    async def passes(
        self, problem: Problem, programs: Sequence[str], tests: Sequence[str], /
    ) -> Sequence[str | None]:
        """By program, `1` or `0` for each test in order; None for a program that could not be run."""


@dataclass(frozen=True, kw_only=True)
class SandboxExecutor:
    """Runs every program on every test in a sandbox.

    Args:
        seconds: Wall time of each test, above 0.
        prefix: Put before each program; see `Execution`.
        sandbox: Where programs run.
    """

    seconds: float = 1.0
    prefix: str = ""
    sandbox: Sandbox = field(default_factory=Bubblewrap)

    async def passes(
        self, problem: Problem, programs: Sequence[str], tests: Sequence[str], /
    ) -> Sequence[str | None]:
        """The pass matrix; equal programs are run once."""
        limits: Limits = replace(self.sandbox.limits, seconds=self.seconds)
        sandbox: Sandbox = replace(self.sandbox, limits=limits)  # type: ignore[type-var]
        words = question_text(problem)
        before = fill(self.prefix, {**problem.fields, "problem": words, "prompt": words})
        entry_point = _entry_point(problem)
        asked = [Assertion(source=test, entry_point=entry_point) for test in tests]
        different = list(dict.fromkeys(programs))
        results = await concurrently(
            sandbox.run(Program(code=before + program, tests=asked)) for program in different
        )
        rows = {
            program: "".join("1" if test.passed else "0" for test in result.tests)
            for program, result in zip(different, results, strict=True)
        }
        return [rows[program] for program in programs]


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedPasses:
    """Passes that were recorded: nothing is run.

    Args:
        rows: By problem's id and program's text, `1` or `0` for each recorded test in order.
    """

    rows: Mapping[str, Mapping[str, str]]

    async def passes(
        self, problem: Problem, programs: Sequence[str], tests: Sequence[str], /
    ) -> Sequence[str | None]:
        """The recorded rows; None for a program that is not among them."""
        known = self.rows.get(problem.id, {})
        return [known.get(program) for program in programs]


@dataclass(frozen=True, kw_only=True)
class GeneratedTests:
    """Right is what many programs and many tests agree on (CodeT's dual execution agreement).

    A model writes tests; every program is run on each; programs that pass the same tests are one cluster. With |S|
    the samples in a cluster, f_t how many of the model's test samples hold test t, and q_t the share of all samples
    that pass it, a cluster passing the tests P scores

        |S|^a * T^b,  T = sum over t in P of f_t * q_t^c

    divided by the most there could be, which is in [0, 1]:

    | rule | a | b | c | |
    |---|---|---|---|---|
    | `weighted` | 1/8 | 1 | 1 | trusts tests many programs pass |
    | `codet` | 1/2 | 1 | 0 | the paper's |
    | `product` | 1 | 1 | 0 | |
    | `tests` | 0 | 1 | 0 | the most tests passed |
    | `agreement` | 1 | 0 | 0 | the largest cluster that passes any test |

    On HumanEval with 100 samples of CodeGen-16B (`tests/data`) the chosen program is right for 37.3 % by `codet`,
    36.5 by `product`, 21.8 by `tests`, 33.6 by `agreement`; a and c of `weighted` were fitted there: chosen on one
    half of the tasks they reach 39.3 on the other, mean of 200 splits, where `codet` has 37.2.

    Cost: `n` calls for each set of candidates, none where the tests are already there. Abstains on candidates
    without a program, and on all where no test could be had.

    Source: Chen et al., "CodeT: Code Generation with Generated Tests", arXiv 2207.10397, §2.

    Args:
        n: Samples of tests, in [1, 10,000].
        per_sample: Tests taken from each, at least 1: the first ones.
        rule: How a cluster is scored.
        model: Who writes the tests; None for the first model.
        temperature: Finite and at least 0.
        max_tokens: Cap on each sample of tests, in tokens.
        template: Asks for the tests, with the problem's columns, `{{ count }}` and `{{ entry_point }}` (of the
            problem's column of that name, else the last function its text defines).
        column: Column of the problem with tests that are already written, a list or a mapping to how often each
            was; None lets the model write them.
        executor: Tells which programs pass which tests.

    Raises:
        InvalidInputError: A parameter out of its range; from `score`: the function's name is not known, or the
            column is missing.
        SandboxMissingError: From `score`: this machine has no sandbox.
    """

    name: ClassVar[str] = "generated_tests"
    comparative: ClassVar[bool] = True

    n: int = 8
    per_sample: int = 5
    rule: ClusterRule = "weighted"
    model: str | None = None
    temperature: float = 0.8
    max_tokens: int | None = 512
    template: str = TEMPLATE
    column: str | None = None
    executor: Executor = field(default_factory=SandboxExecutor)

    def __post_init__(self) -> None:
        if self.n < 1 or self.per_sample < 1:
            raise InvalidInputError(
                f"n and per_sample must be at least 1, not {self.n} and {self.per_sample}"
            )
        check_round(n=self.n)
        if self.rule not in get_args(ClusterRule):
            raise InvalidInputError(
                f"rule must be one of {', '.join(get_args(ClusterRule))}, not {self.rule!r}"
            )
        check_ranges(temperature=self.temperature, max_tokens=self.max_tokens)
        self.columns_named()  # its template is one

    def columns_named(self) -> frozenset[str]:
        """Columns of a problem that it needs, because its template names them."""
        asked = () if self.column is not None else Template.of(self.template).names
        return frozenset(asked) - {"problem", "count", "entry_point"}

    async def score(self, ctx: Context, problem: Problem, candidates: Sequence[Candidate], /) -> list[Score]:
        """One score per candidate, in order; each depends on all."""
        programs = [code_of(candidate) for candidate in candidates]
        if not any(programs):
            return [_NO_PROGRAM] * len(candidates)
        try:
            tests = await self._tests(ctx, problem)
        except BackendError as error:
            return [Score(value=None, reason=because("no tests could be had", error))] * len(candidates)
        if not tests:
            return [Score(value=None, reason="the model wrote no test that can be read")] * len(candidates)
        rows = iter(
            await self.executor.passes(problem, [program for program in programs if program], list(tests))
        )
        matrix = PassMatrix.of([next(rows) if program else None for program in programs])
        if not matrix.ran.any():
            return [Score(value=None, reason="no program could be run")] * len(candidates)
        values = cluster_scores(matrix, list(tests.values()), self.rule)
        ids, counts = matrix.clusters(keep_failing=True), matrix.counts
        sizes = Counter(ids)
        return [
            _NO_PROGRAM
            if cluster is None
            else Score(
                value=float(value),
                reason=f"passes {count} of {len(tests)} generated tests, as do {sizes[cluster] - 1} others",
            )
            for cluster, value, count in zip(ids, values, counts, strict=True)
        ]

    async def _tests(self, ctx: Context, problem: Problem) -> dict[str, int]:
        """Tests and how many samples hold each, in an order that does not depend on which came first."""
        if self.column is not None:
            return _column(problem, self.column)
        entry_point = _entry_point(problem)
        if entry_point is None:
            raise InvalidInputError(
                f"problem {problem.id!r}: which function to test is not known; name it in a column `entry_point`"
            )
        words = {**problem.fields, "problem": question_text(problem), "entry_point": entry_point}
        ask = fill(self.template, {**words, "count": self.per_sample}, of=f"problem {problem.id!r}")
        found: Counter[str] = Counter()
        samples = ctx.sample(
            ask, n=self.n, model=self.model, temperature=self.temperature, max_tokens=self.max_tokens
        )
        async with samples:
            async for sample in samples:
                found.update(assertions_in(sample.text, entry_point)[: self.per_sample])
        if ctx.deadline is not None and ctx.clock() >= ctx.deadline and not found:
            raise ctx.ledger.late()
        return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))

    async def worst_case(self, costing: Costing, count: float, size: Size) -> Spending:
        """What scoring so many candidates, each of this size, costs at most."""
        if self.column is not None or not count:
            return Spending(label=self.name, kind=self.name, worst=FREE)
        problem = costing.problem
        words = {
            "problem": question_text(problem),
            "entry_point": _entry_point(problem) or "",
            "count": self.per_sample,
        }
        ask = fill(self.template, {**problem.fields, **words}, of=f"problem {problem.id!r}")
        worst = await costing.using(aside=True).draw(
            ask, n=self.n, model=self.model, max_tokens=self.max_tokens
        )
        return Spending(
            label=self.name,
            kind=self.name,
            worst=worst,
            note=f"{counted(self.n, 'sample')} of tests",
            reason=REMARK,
        )


_NO_PROGRAM = Score(value=None, reason="there is no program that could be run")


def cluster_scores(matrix: PassMatrix, frequencies: Sequence[float], rule: ClusterRule) -> NDArray[float64]:
    """By program, its cluster's score under `rule`, in [0, 1]; 0 for one that passes no test."""
    import numpy

    size_power, weight_power, support_power = _EXPONENTS[rule]
    passes = matrix.passes.astype(float)
    samples = max(1, int(matrix.ran.sum()))
    weights = numpy.asarray(frequencies, dtype=float) * (passes.sum(axis=0) / samples) ** support_power
    ids = matrix.clusters()
    counts = Counter(ids)
    sizes = numpy.array([0 if cluster is None else counts[cluster] for cluster in ids], dtype=float)
    passed, most = passes @ weights, weights.sum()
    if most <= 0:
        return numpy.zeros(len(ids))
    scores = (sizes / samples) ** size_power * (passed / most) ** weight_power
    return numpy.where(sizes > 0, numpy.minimum(scores, 1.0), 0.0)


def assertions_in(text: str, entry_point: str) -> list[str]:
    """The distinct assertions in what a model wrote that call `entry_point`, each a line of Python, in order."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        line = line.strip().lstrip("-*0123456789.) ").strip("`")
        if not line.startswith("assert"):
            continue
        try:
            tree = ast.parse(line)
            plain = ast.unparse(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if len(tree.body) == 1 and isinstance(tree.body[0], ast.Assert) and entry_point in names:
            found[plain] = None
    return list(found)


def _column(problem: Problem, name: str) -> dict[str, int]:
    given: Any = problem.fields.get(name)
    if isinstance(given, Mapping):
        return {str(test): int(count) for test, count in given.items()}
    if isinstance(given, list | tuple):
        return dict(Counter(map(str, given)))
    known = ", ".join(problem.fields) or "none"
    raise InvalidInputError(
        f"problem {problem.id!r}: column {name!r} must be a list of tests or a mapping to how often each was "
        f"written; there are: {known}"
    )


def _entry_point(problem: Problem) -> str | None:
    """The function under test: of the problem's column, else the last that its text defines."""
    given = problem.fields.get("entry_point")
    if isinstance(given, str) and given:
        return given
    heads = [line.split("(")[0] for line in question_text(problem).splitlines() if line.startswith("def ")]
    return heads[-1].removeprefix("def ").strip() if heads else None
