"""What filling a prompt costs: `python tests/bench/templates.py` prints medians in microseconds.

Beside it, the substitution of placeholders by one regular expression, which is all that prompts could do before.
"""

import re
import statistics
import timeit

from orchestrator.expressions import Namespace
from orchestrator.prompts import fill
from orchestrator.templates import Template

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")

QUESTION = "Natalia sold clips to 48 of her friends in April, and half as many in May. How many in all?"
JUDGE = "Question:\n{{ problem }}\n\nAnswer:\n{{ solution }}\n\nReference:\n{{ reference }}\n\nRate it from 0 to 10."
LOOP = "{{ problem }}{% for one in drafts %}\n{{ loop.index }}. {{ one.text }} ({{ one.score|round(2) }}){% endfor %}"
CONDITION = "{{ problem }}{% if previous.score < 0.5 %}\nThink again: {{ previous.text }}{% endif %}"

DRAFT = Namespace(text="48 + 24 = 72", score=0.25)
VALUES = {
    "problem": QUESTION,
    "solution": "48 + 24 = 72",
    "reference": "72",
    "drafts": [DRAFT] * 8,
    "previous": DRAFT,
}


def substituted(template, values):
    return PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)


def median(call, *, number, repeat=15):
    """Microseconds a call."""
    times = timeit.repeat(call, number=number, repeat=repeat)
    return statistics.median(times) / number * 1e6


def main():
    print(f"{'':24} {'one expression':>15} {'fill':>8} {'render':>8} {'first time':>11}")
    for name, text in {
        "problem alone": "{{ problem }}",
        "judge": JUDGE,
        "loop over 8 drafts": LOOP,
        "condition": CONDITION,
    }.items():
        template = Template.of(text)
        before = (
            median(lambda text=text: substituted(text, VALUES), number=2000) if "{%" not in text else None
        )
        filled = median(lambda text=text: fill(text, VALUES), number=2000)
        rendered = median(lambda template=template: template.render(VALUES), number=2000)
        first = median(lambda text=text: Template(text).render(VALUES), number=20)
        shown = f"{before:15.2f}" if before is not None else " " * 15
        print(f"{name:24} {shown} {filled:8.2f} {rendered:8.2f} {first:11.0f}")


if __name__ == "__main__":
    main()
