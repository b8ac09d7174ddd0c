"""A run that is made to be killed: `python kill_victim.py BASE_URL JOURNAL PROBLEMS SAMPLES`."""

import asyncio
import sys

from orchestrator import Budget, Controller, Model, Problem, SelfConsistency
from orchestrator.answers import AnswerReader
from orchestrator.backends import HttpBackend
from orchestrator.stopping import FixedSize


async def main(base_url: str, journal: str, count: int, samples: int) -> None:
    controller = Controller(
        models={"m": Model(backend=HttpBackend(base_url=base_url, model="m"), concurrency=16)},
        budget=Budget(total_tokens=10**9),
        journal=journal,
        resume=True,
        answers=AnswerReader(kind="number"),
    )
    program = SelfConsistency(n=samples, stop=FixedSize(), max_tokens=64)
    async with controller:
        print("running", flush=True)
        problems = (Problem(id=str(number), prompt=f"{number} + {number}?") for number in range(count))
        async for _ in controller.map(program, problems):
            pass
    print("done", flush=True)


if __name__ == "__main__":
    url, path, problems, n = sys.argv[1:]
    asyncio.run(main(url, path, int(problems), int(n)))
