"""A control program of one's own: draw samples until two agree."""

from orchestrator import Context, Outcome, Problem, StopReason
from orchestrator.voting import majority_vote


async def ask_until_two_agree(ctx: Context, problem: Problem) -> Outcome:
    seen = []
    async for sample in ctx.sample(ctx.ask(problem), n=8, temperature=0.9):
        seen.append(ctx.read(sample))
        vote = majority_vote([candidate.answer for candidate in seen])
        if max(vote.counts, default=0) == 2:
            break  # leaving the loop cancels the calls still in flight
    return Outcome(answer=vote.answer, confidence=vote.share, stop_reason=StopReason.DECIDED)
