import io
import os
import random
import textwrap
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs.instances import NASTY

from orchestrator import dump, load, loads
from orchestrator.cli import main
from orchestrator.errors import ProgramFileError
from orchestrator.programs.commented import comments_of
from orchestrator.programs.document import parse
from orchestrator.programs.formatting import format_text
from orchestrator.programs.layout import quoted

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.yaml"))


def formatted(text):
    return format_text(textwrap.dedent(text).lstrip())


def test_sections_steps_indentation_and_quotes_have_one_form():
    assert formatted("""
        # What it does.
        program:   # beside
            steps:
            - sample: {n: 4}   # four
              # its name
              id: 'drafts'
            - wait: race
              parallel: {a: [{sample: {}}], b: [{sample: {}}]}
            - {return: drafts}
        version: 1

        # The models.
        models:
            "small": {local: 'smollm2-135m-instruct'}
        prompt: {template: 'It''s "{{ problem }}"', system: '\\d'}
        # the end
    """) == textwrap.dedent("""\
        version: 1

        # The models.
        models:
          small: {local: smollm2-135m-instruct}
        prompt: {template: "It's \\"{{ problem }}\\"", system: '\\d'}
        # What it does.
        program:  # beside
          steps:
            # its name
            - id: drafts
              sample: {n: 4}  # four
            - parallel: {a: [{sample: {}}], b: [{sample: {}}]}
              wait: race
            - {return: drafts}
        # the end
    """)


def test_comments_stay_at_what_they_are_about():
    text = textwrap.dedent("""\
        # of the file

        version: 1  # of the version
        a:  # of a
          - x  # of x
          # before y
          - y
          # at the end of a
        # before b
        b: |  # of b
          text # of nothing

          # neither

        c: {k: "# no", l: a#b}  # of c
        d:  # beside the list's end
          - 1
          # inside
          - 2  # of 2
          # after 2
    """)
    flow = text.replace("  # beside the list's end\n  - 1\n", " [1,\n").replace("  - 2  # of 2", "  2 # of 2")
    flow = flow.replace("  # after 2\n", "  # after 2\n ] # beside the list's end\n")
    assert format_text(text) == text
    assert format_text(flow) == text


def test_a_long_line_is_broken_up_and_a_folded_text_stays_as_it_is():
    items = ", ".join(f"item_number_{number}" for number in range(9))
    broken = "".join(f"  - item_number_{number}\n" for number in range(9))
    assert format_text(f"a: [{items}]\n") == f"a:\n{broken}"
    folded = "a: >-\n  one\n  two\n\n  three\n"
    assert format_text(folded) == folded
    assert format_text('a: "one\n  two"\n') == "a: one two\n"


def test_an_empty_mapping_stays_one():
    assert format_text("{}") == "{}\n"


def test_what_is_repeated_stays_behind_what_it_repeats():
    text = "program: &a {single: {}}\nversion: 1\nagain: *a\n"
    assert format_text(text) == text


@pytest.mark.parametrize("text", ["- 1\n", "a: 1\na: 2\n", "a: [", "a: !!int '3'\n", ""])
def test_what_is_no_program_file_is_refused(text):
    with pytest.raises(ProgramFileError):
        format_text(text)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_formatted_and_keep_their_programs(path):
    text = path.read_text()
    assert format_text(text) == text
    program = load(str(path))
    written = dump(program)
    assert format_text(written) == written
    assert loads(written, file=str(path)) == program


# Any file ------------------------------------------------------------------------------------------------


class Scribe:
    """Writes random data in a random way, with comments wherever they can stand."""

    def __init__(self, seed):
        self.rng, self.comments, self.lines = random.Random(seed), 0, []

    def text(self):
        self.mapping(0, 3)
        self.add(0, None)
        return "\n".join(self.lines) + "\n"

    def add(self, margin, line):
        while self.rng.random() < 0.2:
            self.comments += 1
            at = margin + self.rng.choice([0, 0, 0, 2, 5]) if self.lines else margin
            self.lines.append(
                self.rng.choice(["", " " * at + f"# {self.comments}", " " * at + f"#{self.comments}: 'a"])
            )
        if line is None:
            return
        if self.rng.random() < 0.2 and not line.endswith(("|", ">")):
            self.comments += 1
            line += self.rng.choice([" # ", "   #"]) + str(self.comments)
        self.lines.append(" " * margin + line)

    def mapping(self, margin, depth):
        for number in range(self.rng.randint(1, 4)):
            key = self.rng.choice(["id{}", "sample{}", "x{}", "'quoted key {}'", "wait{}"]).format(number)
            self.value(f"{key}:", margin, depth)

    def value(self, head, margin, depth):
        kind = self.rng.choice(
            ["scalar", "scalar", "flow", "block", "map", "list"] if depth else ["scalar", "flow"]
        )
        inside = margin + self.rng.choice([2, 4])
        if kind == "scalar":
            self.add(margin, f"{head} {self.scalar()}".rstrip())
        elif kind == "flow":
            items = ", ".join(self.scalar() or "0" for _ in range(self.rng.randint(0, 12)))
            self.add(
                margin, f"{head} [{items}]" if self.rng.random() < 0.5 else f"{head} {{a: 1, b: [{items}]}}"
            )
        elif kind == "block":
            self.add(margin, f"{head} |")
            self.lines += [" " * inside + "one", "", " " * (inside + 2) + "# two", " " * inside + "three"]
        elif kind == "map":
            self.add(margin, head)
            self.mapping(inside, depth - 1)
        else:
            self.add(margin, head)
            for _ in range(self.rng.randint(1, 3)):
                self.value("-", inside, 0)

    def scalar(self):
        plain = ["1", "1.50", "true", "null", "word", "two words", "a#b", ""]
        return self.rng.choice([*plain, quoted(self.rng.choice(NASTY)), "'it''s'", '"#"', "'on'"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_any_file_keeps_what_it_says_and_its_comments_and_is_formatted_once(seed):
    text = Scribe(seed).text()
    once = format_text(text)
    assert parse(once, file="").data == parse(text, file="").data
    assert sorted(comments_of(once)) == sorted(comments_of(text))
    assert format_text(once) == once


# The command ---------------------------------------------------------------------------------------------

UGLY = "program: single\nversion: 1 # one\n"
NEAT = "version: 1  # one\nprogram: single\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "program.yaml"
    path.write_text(UGLY)
    path.chmod(0o640)
    return path


def test_files_are_formatted_in_place_and_keep_their_mode(file, capsys):
    assert main(["fmt", str(file)]) == 0
    assert file.read_text() == NEAT
    assert file.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr().out == f"formatted {file}\n"
    assert main(["fmt", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert os.listdir(file.parent) == ["program.yaml"]


def test_check_and_diff_change_nothing(file, capsys):
    assert main(["fmt", "--check", str(file)]) == 1
    assert "would be formatted" in capsys.readouterr().err
    assert main(["fmt", "--diff", str(file)]) == 0
    assert "+version: 1  # one\n" in capsys.readouterr().out
    assert file.read_text() == UGLY
    file.write_text(NEAT)
    assert main(["fmt", "--check", "--diff", str(file)]) == 0


def test_a_file_that_cannot_be_formatted_is_left_and_the_others_are_not(file, capsys):
    broken = file.parent / "broken.yaml"
    broken.write_text("a: [")
    assert main(["fmt", str(broken), str(file), str(file.parent / "nowhere.yaml")]) == 1
    said = capsys.readouterr().err
    assert "broken.yaml:1:5" in said
    assert "nowhere.yaml: cannot be read" in said
    assert broken.read_text() == "a: ["
    assert file.read_text() == NEAT


def test_a_dash_reads_stdin(monkeypatch, capsys):

    monkeypatch.setattr("sys.stdin", io.StringIO(UGLY))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == NEAT


@pytest.mark.parametrize("name", ["program.json", "program", "program.txt"])
def test_a_file_that_is_not_called_yaml_is_left_as_it_is(tmp_path, capsys, name):
    file = tmp_path / name
    file.write_text('{"version": 1, "models": {"a": {"local": "x"}}, "program": "single"}')
    for more in ([], ["--check"], ["--diff"]):
        assert main(["fmt", *more, str(file)]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert f"error: {file}: only files that end in .yaml or .yml are formatted" in err
    assert file.read_text().startswith("{")


KEPT = "program:\n  steps:\n    - id: a\n      sample:\n        prompt: |+{}\n          hi\n\n\n{}    - return: a\n"


@pytest.mark.parametrize(("beside", "after"), [("", ""), ("  # beside", ""), ("", "    # next\n\n")])
def test_a_text_keeps_the_empty_lines_it_ends_with(beside, after):
    text = "version: 1\n" + KEPT.format(beside, after)
    assert format_text(text) == text
    assert parse(text, file="<text>").data["program"]["steps"][0]["sample"]["prompt"] == "hi\n\n\n"


def test_no_empty_line_is_added_behind_a_text_that_keeps_its_own():
    assert formatted("""
        version: 1

        program: single

        prompt:
          system: |+
            hello

    """) == textwrap.dedent("""\
        version: 1

        prompt:
          system: |+
            hello

        program: single
    """)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["|", "|+", "|-", ">", ">+", ">-"]),
            st.integers(0, 3),
            st.sampled_from(["", "# c\n", "\n# c\n\n"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_texts_of_every_kind_stay_what_they_are(blocks):
    sections = [
        f"k{number}:\n  text: {header}\n    a\n    b\n" + "\n" * blanks + comment
        for number, (header, blanks, comment) in enumerate(blocks)
    ]
    text = "".join(sections)
    again = format_text(text)
    assert parse(again, file="<text>").data == parse(text, file="<text>").data
    assert comments_of(again) == comments_of(text)
    assert format_text(again) == again


@pytest.mark.parametrize("header", ["|", "|-", "|+", ">", ">-", ">+", "|2", ">2+"])
def test_blocks_whose_ends_show_nothing_stay_what_they_are(header):
    bodies = ["", "\n", "\n\n", "    \n", "  a\n    \n", "  a\n  \n", "  a  \n", "  # a\n     \n\n"]
    ends = ["", "l: 1\n", "\nl: 1\n", "# e\nl: 1\n"]
    for key, body, end in product(["k: {}", "k:\n  {}", "k: {} # c"], bodies, ends):
        text = f"{key.format(header)}\n{body}{end}"
        again = format_text(text)
        assert parse(again, file="<text>").data == parse(text, file="<text>").data
        assert comments_of(again) == comments_of(text)
        assert format_text(again) == again


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a\n\n---\n# b\n{}\n", "# a\n# b\n{}\n"),
        ("{ # a\n  # b\n} # c\n# d\n", "# a\n# b\n# c\n# d\n{}\n"),
        ("\ufeff\ufeff# a\n&a {}\n", "# a\n{}\n"),
    ],
)
def test_a_file_with_comments_alone_keeps_them(text, expected):
    assert format_text(text) == expected
    assert format_text(expected) == expected


@pytest.mark.parametrize(
    ("text", "hinted"),
    [
        ("program: single\n", False),
        ("program: &a single\ncheck: *a\n", True),
        ("program: !!str single\n", True),
    ],
)
def test_what_is_refused_gets_a_hint_only_where_that_may_be_why(text, hinted, monkeypatch):
    monkeypatch.setattr("orchestrator.programs.formatting.emit", lambda layout: "program: other\n")
    with pytest.raises(ProgramFileError, match="cannot be formatted without changing what it says") as caught:
        format_text("version: 1\n" + text)
    assert ("write out what is repeated" in str(caught.value)) == hinted
