"""Pictures of programs."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from orchestrator.budget import Budget
from orchestrator.cli.app import main
from orchestrator.primitives import Fail, Return, Run, Sample, Score, Steps, Vote
from orchestrator.primitives.branch import Branch
from orchestrator.primitives.conditional import If
from orchestrator.primitives.for_each import ForEach
from orchestrator.primitives.parallel import Parallel
from orchestrator.primitives.repeat import Repeat
from orchestrator.primitives.switch import Case, Switch
from orchestrator.programs import Program, load
from orchestrator.programs.graph import Box, Group, Lane, mermaid, sketch, svg
from orchestrator.programs.graph.layout import Arrow, Frame, laid_out
from orchestrator.programs.graph.picture import count
from orchestrator.strategies import Agreement, BestOfN, Cascade, SelfConsistency, Tier
from orchestrator.verifiers import Perplexity, Screen, WordCount

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FILES = [*sorted(EXAMPLES.glob("*.yaml")), *sorted(EXAMPLES.glob("composed/*.yaml"))]

HOSTILE = [
    'a"]; click n1 "https://evil.example"',
    "a</text><script>alert(1)</script>",
    "end\nsubgraph x",
    "%%{init: {'theme': 'x'}}%%",
    "#quot;&lt;b&gt;",
    "]]>&#x3c;b>",
    "`**bold**`",
    "\u202egnirts\u0000\x1b[31m",
    "n1 --> n2; style n1 fill:#f00",
]


def picture(*parts, title="demo"):
    return Group(title=title, kind="program", lanes=(Lane(parts=parts),))


def of_steps(*steps):
    return sketch(Program(strategy=Steps(steps=steps), file="demo.yaml"))


def frames(part):
    """Frames of a picture by the first line of their titles."""
    return {shape.title[0]: shape for shape in laid_out(part)[2] if isinstance(shape, Frame)}


def texts_in(drawing):
    root = ET.fromstring(drawing)
    return [element.text for element in root.iter() if element.tag.endswith("}text")]


# Mermaid -------------------------------------------------------------------------------------------------


def test_a_sequence_is_boxes_joined_by_arrows():
    drawn = mermaid(picture(Box(title="one"), Box(title="two", notes=("n 4",), kind="call")))
    assert drawn.splitlines()[:6] == [
        "flowchart TD",
        '  subgraph n1["demo"]',
        '    n2["one"]:::kind_plain',
        '    n3["two<br/>n 4"]:::kind_call',
        "    n2 --> n3",
        "  end",
    ]


def test_a_choice_has_an_arrow_for_each_lane_and_joins_behind_it():
    yes = Lane(label="then", parts=(Box(title="more"),))
    choice = Group(title="if", kind="choice", lanes=(yes, Lane(label="else")))
    lines = mermaid(picture(choice, Box(title="after"))).splitlines()
    arrows = [line.strip() for line in lines if "-->" in line]
    assert arrows == ['n2 -->|"then"| n3', "n3 --> n4", 'n2 -->|"else"| n4']


def test_what_ends_has_no_arrow_behind_it():
    ended = Lane(label="then", parts=(Box(title="return", kind="end"),))
    choice = Group(title="if", kind="choice", lanes=(ended, Lane(label="else")))
    lines = mermaid(picture(choice, Box(title="after"))).splitlines()
    assert [line.strip() for line in lines if "-->" in line] == ['n2 -->|"then"| n3', 'n2 -->|"else"| n4']


def test_a_loop_goes_back_and_is_left_on_its_condition():
    loop = Group(title="repeat", kind="loop", leaves="x > 1", lanes=(Lane(parts=(Box(title="try"),)),))
    drawn = mermaid(picture(loop, Box(title="after")))
    assert 'n3 -.->|"again"| n3' in drawn
    assert 'n3 -->|"x #62; 1"| n4' in drawn


def test_a_gate_leads_past_what_follows():
    drawn = mermaid(picture(Box(title="cheap"), Box(title="sure", kind="gate"), Box(title="dear")))
    assert 'n3 -->|"no"| n4' in drawn


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_of_its_label(text):
    plain = mermaid(picture(Box(title="x", notes=("y",)), title="z"))
    drawn = mermaid(picture(Box(title=text, notes=(text,)), title=text))
    labels = r'\["[^"]*"\]'
    assert re.sub(labels, "", drawn) == re.sub(labels, "", plain)
    for label in re.findall(r'\["([^"]*)"\]', drawn):
        bare = re.sub(r"#\d+;|<br/>", "", label)
        assert re.fullmatch(r"[\w _.,/=+\-()'?!\ufffd]*", bare), label


# SVG -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_of_the_picture(text):
    drawn = svg(picture(Box(title=text, notes=(text,)), title=text))
    tags = {element.tag.rsplit("}")[-1] for element in ET.fromstring(drawn).iter()}
    assert tags <= {"svg", "title", "style", "rect", "g", "text", "path"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", drawn)


def test_the_same_picture_is_the_same_text():
    file = EXAMPLES / "cascade.yaml"
    assert svg(sketch(load(file))) == svg(sketch(load(file)))


def test_a_picture_needs_nothing_from_elsewhere():
    drawn = svg(sketch(load(EXAMPLES / "tree_of_thoughts.yaml")))
    assert re.findall(r"https?://[^\"' ]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in drawn
    assert "@import" not in drawn


def test_what_is_shortened_is_whole_where_the_pointer_rests():
    long = " ".join(["word"] * 60)
    drawn = svg(picture(Box(title="step", notes=(long,))))
    assert f"<title>step\n{long}</title>" in drawn
    assert [text for text in texts_in(drawn) if text.endswith("…")]
    assert all(len(text) <= 44 for text in texts_in(drawn))


def nested(depth):
    parts = (Box(title=f"step {depth}", notes=("n 4",), kind="call"),)
    if depth:
        lanes = (Lane(parts=(nested(depth - 1),)), Lane(label="else", parts=parts))
        return Group(title=f"if {depth}", kind="choice", lanes=lanes)
    return parts[0]


PICTURES = {
    "nested": picture(nested(6)),
    "long": picture(*(Box(title=f"step {number}", kind="call") for number in range(100))),
    "wide": picture(
        Group(
            title="all",
            kind="parallel",
            lanes=tuple(Lane(label=f"way {number}", parts=(Box(title="sample"),)) for number in range(12)),
        )
    ),
    **{file.stem: file for file in FILES},
}


@pytest.mark.parametrize("name", PICTURES)
def test_boxes_lie_inside_their_groups_and_beside_each_other(name):
    drawn = PICTURES[name]
    width, height, shapes = laid_out(sketch(load(drawn)) if isinstance(drawn, Path) else drawn)
    boxes = [shape for shape in shapes if isinstance(shape, Frame)]
    for number, one in enumerate(boxes):
        assert one.x >= 0
        assert one.y >= 0
        assert one.x + one.width <= width + 0.01
        assert one.y + one.height <= height + 0.01
        for other in boxes[number + 1 :]:
            apart = (
                other.x >= one.x + one.width
                or one.x >= other.x + other.width
                or other.y >= one.y + one.height
                or one.y >= other.y + other.height
            )
            inside = isinstance(one.part, Group) and (
                one.x <= other.x
                and other.x + other.width <= one.x + one.width
                and one.y < other.y
                and other.y + other.height <= one.y + one.height
            )
            assert apart or inside, (one.title, other.title)


def test_text_fits_its_box():
    for shape in laid_out(PICTURES["wide"])[2]:
        if isinstance(shape, Frame):
            assert max(map(len, shape.title)) * 7.2 < shape.width


# Programs ------------------------------------------------------------------------------------------------


def test_a_strategy_shows_the_parameters_it_was_given_and_the_verifiers_in_it():
    screen = Screen(first=WordCount(at_most=15), then=Perplexity())
    drawn = sketch(Program(strategy=BestOfN(n=4, verifier=screen), file="demo.yaml"))
    _, best, answer = drawn.lanes[0].parts
    assert (best.title, best.notes) == ("best_of_n", ("n 4",))
    [inside] = best.lanes[0].parts
    assert [part.title for lane in inside.lanes for part in lane.parts] == ["word_count", "perplexity"]
    assert answer.title == "answer"


def test_a_cascade_has_a_gate_between_its_tiers():
    parts = sketch(load(EXAMPLES / "cascade.yaml")).lanes[0].parts
    tiers = parts[1].lanes[0].parts
    assert [part.title for part in tiers] == ["self_consistency", "enough if", "self_consistency"]
    assert tiers[1].notes == ("agreement >= 0.75",)


def test_a_router_has_a_lane_for_each_choice():
    router = sketch(load(EXAMPLES / "router.yaml")).lanes[0].parts[1]
    assert [lane.label for lane in router.lanes] == ["score < 0.5", "else"]


def test_every_kind_of_step_is_drawn():
    two = {"a": (Sample(n=1),), "b": (Run(program=SelfConsistency(n=8)),)}
    drawn = of_steps(
        Sample(id="drafts", n=4),
        Score(id="judged", of="drafts", by=Perplexity()),
        Repeat(max=3, until="x.count > 1", steps=(Sample(id="x", n=2),)),
        ForEach(over="drafts", item="one", max=4, at_once=2, steps=(Sample(prompt="{{ one }}"),)),
        Parallel(branches=two, wait="race"),
        Branch(budget=Budget(total_tokens=1500), steps=(Sample(),)),
        Switch(cases=(Case(when="judged.count == 0", steps=(Fail(message="none"),)),)),
        If(condition="judged.count > 2", then=(Return(value=Vote(of=("drafts", "judged"))),)),
        Return(value="judged", confidence="0.5"),
    )
    titles = [(part.title, part.notes) for part in drawn.lanes[0].parts]
    assert titles == [
        ("problem", ()),
        ("drafts: sample", ("n 4",)),
        ("judged: score by perplexity", ("of drafts",)),
        ("repeat", ("at most 3 rounds", "until x.count > 1")),
        ("for_each", ("one in drafts", "at most 4, 2 at once")),
        ("parallel", ("wait: race",)),
        ("branch", ("budget 1,500 total tokens",)),
        ("switch", ()),
        ("if", ("judged.count > 2",)),
        ("return", ("judged", "confidence 0.5")),
    ]
    assert frames(drawn)["self_consistency"].notes == ("n 8",)
    assert count(drawn) == 18


def arrows(drawn):
    """The arrows of a flowchart: titles of the boxes they lead from and to."""
    titles = dict(re.findall(r"(n\d+)[(\[{]+\"(.*?)(?:<br/>.*?)?\"", drawn))
    return [
        (titles[one], titles[other])
        for one, other in re.findall(r"^ *(n\d+) -->(?:\|.*?\|)? (n\d+)$", drawn, re.MULTILINE)
    ]


DRAWS = Steps(steps=(Sample(id="drafts"), Return(value="drafts")))
MAY_STOP = Steps(
    steps=(
        Sample(id="drafts"),
        If(condition="drafts.count == 0", then=(Fail(message="none"),)),
        Return(value="drafts"),
    )
)


def test_a_program_goes_on_where_one_inside_it_returns():
    drawn = mermaid(of_steps(Run(id="inner", program=DRAWS), Sample(id="more"), Return(value="more")))
    assert arrows(drawn) == [
        ("drafts#58; sample", "return"),
        ("problem", "drafts#58; sample"),
        ("return", "more#58; sample"),
        ("more#58; sample", "return"),
    ]
    assert (drawn.count(":::kind_exit"), drawn.count(":::kind_end")) == (1, 1)


def test_a_program_goes_on_where_one_inside_it_fails():
    drawn = mermaid(of_steps(Run(id="inner", program=MAY_STOP), Sample(id="more"), Return(value="more")))
    assert [one for one, other in arrows(drawn) if other == "more#58; sample"] == ["fail", "return"]


def test_what_a_program_returns_inside_a_loop_or_a_choice_leaves_that_program_alone():
    loop = Repeat(max=3, steps=(Sample(id="a"), If(condition="a.agreement > 0", then=(Return(value="a"),))))
    inner = Steps(steps=(loop, Sample(id="b"), Return(value="b")))
    drawn = mermaid(of_steps(Run(id="inner", program=inner), Sample(id="more"), Return(value="more")))
    leading = [(one, other) for one, other in arrows(drawn) if one == "return"]
    assert leading == [("return", "more#58; sample")] * 2


def test_a_cascade_of_programs_leads_from_each_tier_to_the_answer():
    rule = Agreement(at_least=0.5)
    tiers = (
        Tier(strategy=DRAWS, accept=rule),
        Tier(strategy=DRAWS, accept=rule, budget=Budget(requests=3)),
        Tier(strategy=DRAWS, budget=Budget(requests=3)),
    )
    drawn = mermaid(sketch(Program(strategy=Cascade(tiers=tiers), file="demo.yaml")))
    assert arrows(drawn) == [
        ("drafts#58; sample", "return"),
        ("return", "enough if"),
        ("drafts#58; sample", "return"),
        ("enough if", "drafts#58; sample"),
        ("return", "enough if"),
        ("drafts#58; sample", "return"),
        ("enough if", "drafts#58; sample"),
        ("problem", "drafts#58; sample"),
        ("return", "answer"),
        ("enough if", "answer"),
        ("enough if", "answer"),
    ]


def test_a_line_leads_out_of_a_program_inside_another_and_not_out_of_the_whole():
    drawn = of_steps(Run(id="inner", program=DRAWS), Return(value="inner"))
    inner, whole = frames(drawn)["inner: steps"], frames(drawn)["demo.yaml"]
    lines = [shape.points[-1][1] for shape in laid_out(drawn)[2] if isinstance(shape, Arrow)]
    assert inner.y + inner.height in lines
    assert whole.y + whole.height not in lines


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_something_leads_to_every_box_but_where_problems_come_in(file):
    drawn = mermaid(sketch(load(file)))
    boxes = set(re.findall(r"^ *(n\d+)[(\[{]", drawn, re.MULTILINE))
    start = set(re.findall(r"(n\d+).*:::kind_start", drawn))
    led = set(re.findall(r"(?:-->|-\.->)(?:\|.*?\|)? (n\d+)$", drawn, re.MULTILINE))
    assert boxes - led == start
    assert ":::kind_end" in drawn


# The command ---------------------------------------------------------------------------------------------


def test_the_command_prints_mermaid(capsys):
    assert main(["graph", str(EXAMPLES / "cascade.yaml")]) == 0
    assert capsys.readouterr().out.startswith("flowchart TD\n")


def test_the_command_tells_the_format_from_the_file(tmp_path, capsys):
    for name, begin in (("a.svg", "<svg "), ("a.mmd", "flowchart TD"), ("a.md", "```mermaid\nflowchart TD")):
        assert main(["graph", str(EXAMPLES / "cascade.yaml"), "--output", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text().startswith(begin)
    assert main(["graph", str(EXAMPLES / "cascade.yaml"), "--format", "svg"]) == 0
    assert "<svg " in capsys.readouterr().out


def test_the_command_says_why_it_cannot_write(tmp_path, capsys):
    assert main(["graph", str(EXAMPLES / "cascade.yaml"), "--output", str(tmp_path / "no" / "a.svg")]) == 1
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["picture.png", "picture"])
def test_an_ending_that_says_nothing_is_refused_unless_the_form_is_given(tmp_path, capsys, name):
    command = ["graph", str(EXAMPLES / "cascade.yaml"), "--output", str(tmp_path / name)]
    assert main(command) == 1
    assert "does not end in .svg, .mmd, .mermaid, .md" in capsys.readouterr().err
    assert not (tmp_path / name).exists()
    assert main([*command, "--format", "svg"]) == 0
    assert (tmp_path / name).read_text().startswith("<svg")
