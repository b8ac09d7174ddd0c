"""Steps as files write them."""

import pytest

from orchestrator import Budget, Problem, SelfConsistency, Single, Steps, load, run_sync
from orchestrator.primitives import (
    Branch,
    Case,
    Critique,
    Fail,
    ForEach,
    If,
    Let,
    Parallel,
    Repeat,
    Return,
    Revise,
    Run,
    Sample,
    Score,
    Select,
    Set,
    Split,
    Switch,
    Text,
    Vote,
)
from orchestrator.verifiers import Judge, RequiredWords

HEAD = "version: 1\nmodels: {small: {local: gemma-3-270m}}\n"

WRITTEN = """\
program:
  steps:
    - {id: one, sample: {model: small, n: 2, prompt: "{{ problem }}", stop: [x]}}
    - {id: two, sample: 3}
    - let: {k: 0, ready: false, name: problem.id}
    - set: {k: k + 1}
    - {id: score, score: {of: one, by: {required_words: {at_most: 9}}}}
    - {id: judged, judge: {of: one, model: small}}
    - {id: review, judge: one.best}
    - {id: critique, critique: {of: one.best, model: small}}
    - {id: better, revise: {of: one.best, with: critique}}
    - {id: vote, vote: [one, two]}
    - {id: best, select: {of: judged, by: score}}
    - {id: text, text: "{{ best }}"}
    - {id: parts, split: {text: text, size: 100, most: 3}}
    - {id: votes, self_consistency: {n: 3}, problem: "{{ text }}"}
    - {id: inner, run: {program: single}}
    - if: k > 1 and ready
      then: [{fail: "no {{ name }}"}]
      else: [{sample: {}}]
    - switch:
        - {when: k == 1, steps: [{sample: {}}]}
      else: [{sample: {}}]
    - id: loop
      repeat: {max: 3, until: last.count > 1, while: k < 3, steps: [{id: last, sample: {}}]}
    - id: all
      for_each: {in: parts, as: part, max: 3, steps: [{id: reply, single: , problem: "{{ part }}"}]}
    - id: beside
      parallel: {left: [{id: a, sample: {}}], right: [{id: b, sample: {}}]}
      wait: race
    - {id: cheap, branch: {budget: {requests: 2}, steps: [{id: c, sample: {}}]}}
    - if: score.count + review.score + critique.text == better.text
      then: [{return: {select: {of: one, by: first}, confidence: 0.5}}]
      else: [{return: {vote: {of: [one, two], weight: score}}}]
outputs:
  parts: parts
  all: [vote.answer, votes.answer, inner.answer]
  loop: loop.rounds
  more: all.count + beside.winner + cheap.c.count
"""


def test_every_primitive_can_be_written():
    from orchestrator.programs.blocks import build_steps
    from orchestrator.programs.document import parse
    from orchestrator.programs.mistakes import Mistakes

    document = parse(WRITTEN.replace("outputs:", "unused:"), file="f")
    mistakes = Mistakes(document)
    made = build_steps(document.data["program"], ("program",), mistakes)
    assert isinstance(made, Steps)
    assert made.steps == (
        Sample(id="one", model="small", n=2, prompt="{{ problem }}", stop=("x",)),
        Sample(id="two", n=3),
        Let(values={"k": "0", "ready": "false", "name": "problem.id"}),
        Set(values={"k": "k + 1"}),
        Score(id="score", of="one", by=RequiredWords(at_most=9)),
        Score(id="judged", of="one", by=Judge(model="small")),
        Score(id="review", of="one.best", by=Judge()),
        Critique(id="critique", of="one.best", model="small"),
        Revise(id="better", of="one.best", using="critique"),
        Vote(id="vote", of=("one", "two")),
        Select(id="best", of="judged", by="score"),
        Text(id="text", template="{{ best }}"),
        Split(id="parts", text="text", size=100, most=3),
        Run(id="votes", program=SelfConsistency(n=3), problem="{{ text }}"),
        Run(id="inner", program=Single()),
        If(condition="k > 1 and ready", then=(Fail(message="no {{ name }}"),), otherwise=(Sample(),)),
        Switch(cases=(Case(when="k == 1", steps=(Sample(),)),), otherwise=(Sample(),)),
        Repeat(id="loop", max=3, until="last.count > 1", going="k < 3", steps=(Sample(id="last"),)),
        ForEach(
            id="all",
            over="parts",
            item="part",
            max=3,
            steps=(Run(id="reply", program=Single(), problem="{{ part }}"),),
        ),
        Parallel(id="beside", branches={"left": (Sample(id="a"),), "right": (Sample(id="b"),)}, wait="race"),
        Branch(id="cheap", budget=Budget(requests=2), steps=(Sample(id="c"),)),
        If(
            condition="score.count + review.score + critique.text == better.text",
            then=(Return(value=Select(of="one", by="first"), confidence="0.5"),),
            otherwise=(Return(value=Vote(of=("one", "two"), weight="score")),),
        ),
    )


def test_a_program_of_steps_runs_with_its_outputs(write):
    write("samples.jsonl", '{"id": "p", "question": "2 + 2?", "answers": ["4", "5", "4"]}\n')
    program = load(
        write(
            "program.yaml",
            """
            version: 1
            models: {m: {replay: samples.jsonl}}
            answer: {kind: number}
            program:
              steps:
                - {id: drafts, sample: {n: 3}}
                - if: drafts.agreement >= 0.6
                  then: [{return: drafts}]
                  else: [{fail: no agreement}]
            outputs: {agreement: drafts.agreement, first: drafts.first.answer}
            """,
        )
    )
    outcome = run_sync(program, Problem(id="p", prompt="2 + 2?"))
    assert outcome.answer.text == "4"
    assert outcome.detail["outputs"]["agreement"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("3", "4:10: `steps` must be a list of steps"),
        ("[sample]", "4:11: a step is a mapping with what it does"),
        ("[{id: a}]", "4:11: this step does nothing; expected one of: branch, critique, fail"),
        ("[{sampel: {}}]", "4:12: no step `sampel`"),
        ("[{sampel: {}}]", "hint: did you mean `sample`?"),
        ("[{sample: {}, vote: a}]", "4:24: a step does one thing, and this one has `sample` and `vote`"),
        ("[{sample: {}, n: 4}]", "hint: it belongs inside: `sample: {n: ...}`"),
        ("[{sample: {}, idd: a}]", "hint: did you mean `id`?"),
        ("[{sample: {id: a}}]", "4:21: unknown key `id` in `program.steps.0.sample`"),
        ("[{id: 3, sample: {}}]", "4:16: `id` must be a text, not 3"),
        ("[{sample: {n: 0}}]", "4:24: n must be at least 1, not 0"),
        ("[{sample: {n: two}}]", "4:24: `n` must be a whole number, not 'two'"),
        ("[{sample: {prompt: 3}}]", "4:29: `prompt` must be a text, or `{use: NAME}`"),
        ("[{sample: {prompt: {use: x}}}]", "4:35: no prompt `x`; the file has no `prompts`"),
        ("[{judge: {model: small}}]", "4:19: `of` is missing in `judge`: what is judged"),
        ("[{score: {of: a}}]", "4:19: `by` is missing in `score`"),
        ("[{score: {of: a, by: jugde}}]", "4:31: no verifier `jugde`"),
        ("[{vote: {of: {a: 1}}}]", "`of` must be an expression or a list of them"),
        ("[{let: 3}]", "4:17: `let` must be a mapping (`key: value`), not 3"),
        ("[{let: {a: [1]}}]", "4:21: `a` must be a text, not a list"),
        ("[{if: true, then: {sample: {}}}]", "4:28: `then` must be a list of steps"),
        ("[{if: true}]", "`then` is missing in `if`"),
        ("[{switch: [{when: true}]}]", "`steps` is missing in"),
        ("[{repeat: {steps: [{sample: {}}]}}]", "4:20: `max` is missing in `repeat`"),
        ("[{repeat: {max: 2, till: x, steps: []}}]", "hint: did you mean `until`?"),
        ("[{parallel: {a: 3}}]", "4:26: `a` must be a list of steps"),
        ("[{parallel: {a: [{sample: {}}]}, wait: first(2)}]", "4:49: wait must be all, race, or first(k)"),
        ("[{branch: {budget: {request: 3}, steps: [{sample: {}}]}}]", "4:30: unknown key `request`"),
        ("[{return: {vote: [a], value: a}}]", "4:21: `vote` stands in the place of `value`: give one"),
        ("[{return: {vote: {off: a}}}]", "4:28: unknown key `off`"),
        ("[{single: {modl: x}}]", "4:21: unknown key `modl`"),
        ("[{id: x, single: }, {return: y}]", "4:39: no name `y` here"),
    ],
)
def test_mistakes_in_the_shape_of_steps_are_placed(refusal, steps, message):
    assert message in refusal(HEAD + f"program:\n  steps: {steps}\n")


def test_what_stands_beside_steps_is_outputs_and_nothing_else(refusal):
    said = refusal(HEAD + "program: {steps: [{return: problem.text}], output: {}}\n")
    assert "program.yaml:3:44: unknown key `output` beside `steps`" in said
    assert "hint: did you mean `outputs`?" in said


def test_steps_stand_wherever_a_program_can(write, refusal):
    inner = "steps: [{id: a, sample: {}}, {return: a}]"
    program = load(
        write(
            "program.yaml",
            HEAD + f"program: {{cascade: [{{{inner}, accept: agreement >= 0.5}}, {{{inner}}}]}}\n",
        )
    )
    steps = Steps(steps=(Sample(id="a"), Return(value="a")))
    assert [tier.strategy for tier in program.strategy.tiers] == [steps, steps]
    wrong = "steps: [{id: a, judge: {of: b}}, {return: a}]"
    said = refusal(HEAD + f"program: {{cascade: [{{{wrong}, accept: agreement}}, single]}}\n")
    assert "program.yaml:3:50: no name `b` here" in said
