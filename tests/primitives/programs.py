"""Composed programs in a line: steps, what a scripted model says, and what came of it."""

from strategies.chains import ADDITION, play

from orchestrator.primitives import Steps


async def made(*steps, script, outputs=None, problem=ADDITION, **options):
    """The outcome of a program of these steps, and the scripted model."""
    return await play(Steps(steps=steps, outputs=outputs or {}), script, problem=problem, **options)


def faults(*steps, outputs=None, fields=None, models=None):
    """What is wrong with a program of these steps, as pairs of place and message."""
    program = Steps(steps=steps, outputs=outputs or {})
    found = program.faults(problem_fields=fields, models=models)
    return [(".".join(map(str, fault.path)), fault.message) for fault in found]
