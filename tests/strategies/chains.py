"""Runs of the sequential strategies against scripted models, and what was said in them."""

from itertools import pairwise

from orchestrator import Controller, Outcome, Problem
from orchestrator.answers import AnswerReader
from orchestrator.backends import ScriptedBackend

ADDITION = Problem(id="p", prompt="What is 2 + 2?")


async def play(program, script, *, problem=ADDITION, kind="number", critic=None, events=None, **options):
    """The outcome of `program`, and the scripted model, which has the requests; `critic` is a second model."""
    models = {"m": script if isinstance(script, ScriptedBackend) else ScriptedBackend(script)}
    if critic is not None:
        models["critic"] = critic if isinstance(critic, ScriptedBackend) else ScriptedBackend(critic)
    recorders = () if events is None else (events.append,)
    answers = AnswerReader(kind=kind)
    async with Controller(models=models, answers=answers, recorders=recorders, **options) as controller:
        outcome: Outcome = await controller.run(program, problem)
        assert controller.ledger.statistics().held.total_tokens == 0
    return outcome, models["m"]


def turns(request):
    """A chat's turns as pairs of a role's first letter and the text."""
    return [(message["role"][0], message["content"]) for message in request.messages]


def texts(outcome):
    return [candidate.sample.text for candidate in outcome.candidates]


def is_a_chain(outcome):
    """Whether each candidate was made from the one before, the very one that is in the outcome."""
    candidates = list(outcome.candidates)
    return candidates[0].parent is None and all(
        later.parent is earlier for earlier, later in pairwise(candidates)
    )
