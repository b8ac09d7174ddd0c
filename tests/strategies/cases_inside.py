"""Cases of the strategies that look into a sample while it is written."""

from strategies.conformance import Case
from strategies.traces import trace

from orchestrator.strategies import AnswerProbe, ConfidenceStop


def surely_four(request):
    """4 in one of two calls, and then surely; else 5, and every third of these is not sure at all."""
    number = request.call.ordinal
    if number % 2 == 0:
        return trace("It is 4", 3.0, 3.0, 3.0)
    return trace("It is 5", 1.0, 0.5 if number % 3 == 0 else 2.0, 2.0)


def in_two_minds(request):
    """A chain without end; asked for its answer, it is not sure between 4 and 5."""
    if request.call.path.endswith("probe"):
        return " 5." if request.call.ordinal == 0 else " 4."
    return " and one more" * 9


CASES = [
    Case(
        name="answer_probe",
        program=AnswerProbe(every=6, stable=4, max_tokens=21),
        reply=in_two_minds,
        answer="4",
        calls=8,
    ),
    Case(
        name="answer_probe chains",
        program=AnswerProbe(n=2, every=6, stable=4, max_tokens=18),
        reply=in_two_minds,
        answer="4",
        calls=12,
    ),
    Case(
        name="confidence_stop",
        program=ConfidenceStop(n=10, warmup=4, keep=0.75, window=2),
        reply=surely_four,
        answer="4",
        calls=10,
    ),
    Case(
        name="confidence_stop by-threshold",
        program=ConfidenceStop(n=6, warmup=2, threshold=0.9, window=2),
        reply=surely_four,
        answer="4",
        calls=6,
    ),
    Case(
        name="confidence_stop offline",
        program=ConfidenceStop(n=6, keep=0.5, window=2, online=False, aggregation="tail"),
        reply=surely_four,
        answer="4",
        calls=6,
    ),
]
