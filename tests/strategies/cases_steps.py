"""Cases of programs composed of steps."""

from strategies.conformance import Case

from orchestrator import Steps
from orchestrator.costs import FREE, Spending
from orchestrator.primitives import Critique, Return, Revise, Run, Sample, Score, Select, Text, Vote
from orchestrator.strategies import SelfConsistency
from orchestrator.types import Score as Verdict


class Near:
    """The nearer to 4, the better; makes no calls."""

    name = "near"

    async def score(self, ctx, problem, candidates, /):
        return [
            Verdict(value=None if one.answer is None else 1 / (1 + abs(4 - float(one.answer.text))))
            for one in candidates
        ]

    async def worst_case(self, costing, count, size):
        return Spending(label=self.name, kind=self.name, worst=FREE)


def by_step(**texts):
    """What is said on a step's branch: one text, or one for each call on it."""

    def reply(request):
        said = texts[request.call.path.split("/")[0]]
        return said if isinstance(said, str) else said[request.call.ordinal % len(said)]

    return reply


CASES = [
    Case(
        name="steps vote",
        program=Steps(steps=(Sample(id="drafts", n=5), Return(value="drafts"))),
        reply=by_step(drafts=("4", "4", "5", "4", "4")),
        answer="4",
        calls=5,
    ),
    Case(
        name="steps judge-and-revise",
        program=Steps(
            steps=(
                Sample(id="drafts", n=3),
                Score(id="judged", of="drafts", by=Near()),
                Critique(id="said", of="judged.best"),
                Revise(id="better", of="judged.best", using="said"),
                Score(id="all", of="[judged.best, better]", by=Near()),
                Return(value=Select(of="all", by="score")),
            )
        ),
        reply=by_step(drafts=("6", "5", "7"), said="One too many.", better="4"),
        answer="4",
        calls=5,
    ),
    Case(
        name="steps plan-and-run",
        program=Steps(
            steps=(
                Sample(id="plans", n=2, prompt="A plan for: {{ problem }}", aside=True),
                Text(id="hints", template="{{ plans.texts | join('; ') }}"),
                Run(id="voted", program=SelfConsistency(n=4), problem="{{ problem }} ({{ hints }})"),
                Sample(id="more", n=2, prompt="{{ problem }} ({{ hints }})"),
                Return(value=Vote(of=("voted.candidates", "more"))),
            ),
            outputs={"hints": "hints"},
        ),
        reply=by_step(plans="Add.", voted=("4", "5", "4", "5"), more="4"),
        answer="4",
        calls=8,
    ),
]
