"""Cases of Tree of Thoughts: breadth-first and depth-first, proposed and sampled, by rule and by prompt."""

from strategies.cases_search import FirstWays, Ways
from strategies.conformance import Case

from orchestrator.backends.scripted import prompt_text
from orchestrator.strategies import StepGenerator, TreeOfThoughts
from orchestrator.verifiers import StateValue


def thinker(request):
    """Proposes two ways, at first also a hasty answer, 5; answers 4; and is a judge who finds 5 impossible."""
    asked = prompt_text(request)
    if "How promising" in asked:
        return "impossible" if "is 5" in asked else "likely"
    if "Propose" not in asked:
        return "Answer: 4"
    hasty = "\n- The answer is 5." if "(none yet)" in asked else ""
    return f"- way 0\n- way 1{hasty}"


SEARCHED = {"breadth": 2, "thoughts": 2, "max_steps": 3, "max_tokens": 20, "finish_tokens": 20}

CASES = [
    Case(
        name="tree_of_thoughts",
        program=TreeOfThoughts(verifier=FirstWays(), **SEARCHED),
        reply=thinker,
        answer="4",
        calls=5,  # 1 + 2 + 2
        spare=1,
    ),
    Case(
        name="tree_of_thoughts depth-first",
        program=TreeOfThoughts(
            verifier=FirstWays(), order="depth_first", max_expansions=4, width=2, **SEARCHED
        ),
        reply=thinker,
        answer="4",
        calls=4,
        spare=1,
    ),
    Case(
        name="tree_of_thoughts sampled",
        program=TreeOfThoughts(
            verifier=FirstWays(),
            generate="sample",
            steps=StepGenerator(tokens=20, rest_tokens=20),
            **{**SEARCHED, "thoughts": 3},
        ),
        reply=Ways(),
        answer="4",
        calls=5,
        spare=1,
    ),
    Case(
        name="tree_of_thoughts by-prompt",
        program=TreeOfThoughts(verifier=StateValue(votes=1, max_tokens=10), **SEARCHED),
        reply=thinker,
        answer="4",
        calls=5,
        spare=1,
        verifier_calls=9,  # 3 + 4 + 2 states
    ),
]
