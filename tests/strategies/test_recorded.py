"""Strategies over recorded samples of real models, through the replay backend: accuracy and calls as on record."""

import gzip
import json
from pathlib import Path

import pytest

from orchestrator import Cascade, Controller, Problem, SelfConsistency, Single, Tier
from orchestrator.answers import AnswerReader
from orchestrator.backends import ReplayBackend
from orchestrator.stopping import FixedSize
from orchestrator.strategies import Agreement, Scored
from orchestrator.verifiers import StatedConfidence

DATA = Path(__file__).parent.parent / "data"


def rows(name):
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def recorded(path, lines):
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return ReplayBackend.from_jsonl(path)


@pytest.mark.parametrize(("kind", "accuracy", "share"), [("text", 94.24, 33.74), ("number", 94.31, 33.81)])
async def test_two_cheap_prompts_that_agree_else_the_strong_model(tmp_path, kind, accuracy, share):
    """GSM8K, 1319 questions: 94.2 % right, GPT-4 asked on 33.7 %.

    The record lets two unreadable answers (`[invalid]`) agree, as texts do; read as numbers they abstain, and the one
    question where both are unreadable goes on to the strong model, which has it right.
    """
    cheap, strong, problems = [], [], []
    for row in rows("gsm8k_cascade.jsonl.gz"):
        first, second = (answer or "[invalid]" for answer in row["answers"][:2])
        # The record tells of the strong model only whether it is right: it then gives the reference.
        reference = first if row["correct"] else "123456789"
        name = str(row["id"])
        problems.append(Problem(id=name, prompt=f"question {name}", reference=reference))
        cheap.append({"id": name, "question": f"question {name}", "answers": [first, second]})
        said = reference if row["strong"] else "987654321"
        strong.append({"id": name, "question": f"question {name}", "answers": [said]})
    cascade = Cascade(
        tiers=(
            Tier(
                strategy=SelfConsistency(model="cheap", n=2, stop=FixedSize()), accept=Agreement(at_least=1.0)
            ),
            Tier(strategy=Single(model="strong")),
        )
    )
    models = {
        "cheap": recorded(tmp_path / "cheap.jsonl", cheap),
        "strong": recorded(tmp_path / "strong.jsonl", strong),
    }
    right = escalated = 0
    async with Controller(models=models, answers=AnswerReader(kind=kind)) as controller:
        async for outcome in controller.map(cascade, problems, ordered=True):
            reference = problems[int(outcome.problem)].reference
            right += outcome.answer is not None and outcome.answer.text == reference
            escalated += outcome.detail["tier"] == 1
        calls = controller.ledger.spent.requests
    assert 100 * right / len(problems) == pytest.approx(accuracy, abs=0.01)
    assert 100 * escalated / len(problems) == pytest.approx(share, abs=0.01)
    assert calls == 2 * len(problems) + escalated


async def test_stopping_at_the_first_stated_confidence(tmp_path):
    """GSM8K at 96, 160, 224 and 320 tokens: at a stated confidence of 0.8, 71.9 % right at 169 tokens."""
    budgets = (96, 160, 224, 320)
    table = rows("gsm8k_anytime.jsonl.gz")
    models = {}
    for stage, budget in enumerate(budgets):
        lines = [
            {
                "id": row["id"],
                "question": f"question {row['id']}",
                "answers": [f"The answer is {row['correct'][stage]}. Confidence: {row['conf'][stage]}"],
            }
            for row in table
        ]
        models[f"at{budget}"] = recorded(tmp_path / f"{budget}.jsonl", lines)
    tiers = [
        Tier(
            strategy=Single(model=model, max_tokens=budget),
            accept=Scored(verifier=StatedConfidence(), at_least=0.8),
        )
        for model, budget in zip(models, budgets, strict=True)
    ]
    right = tokens = 0
    problems = [Problem(id=row["id"], prompt=f"question {row['id']}") for row in table]
    async with Controller(models=models, answers=AnswerReader(kind="number")) as controller:
        async for outcome in controller.map(Cascade(tiers=tuple(tiers)), problems):
            right += outcome.answer.text == "1"  # the recorded verdict stands for the answer
            tokens += sum(budgets[: len(outcome.detail["tiers"])])
    assert 100 * right / len(table) == pytest.approx(71.9, abs=0.05)
    assert tokens / len(table) == pytest.approx(169.1, abs=0.1)
