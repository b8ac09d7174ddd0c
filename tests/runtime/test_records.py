import json

from orchestrator.runtime.records import decode_outcome, encode_outcome
from orchestrator.types import Answer, CallId, Candidate, Outcome, Sample, Score

FOUR = Answer(text="4", key="n:4", kind="number")


def test_what_a_program_has_written_is_kept_with_its_scores():
    sample = Sample(text="4", call=CallId(problem="p", path="s", ordinal=0))
    score = Score(value=0.5, reason="short")
    written = Candidate(sample=Sample(text="It is 4"), answer=FOUR, scores={"rule": score})
    drawn = Candidate(sample=sample, answer=FOUR)
    for outcome in (
        Outcome(problem="p", answer=FOUR, candidates=(drawn,), written=written),
        Outcome(problem="p"),
    ):
        fields = json.loads(json.dumps(encode_outcome(outcome)))
        assert decode_outcome("p", fields, lambda path, ordinal, index, sample=sample: sample) == outcome
