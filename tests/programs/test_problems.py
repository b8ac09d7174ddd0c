import gzip
import json

import pytest

from orchestrator.errors import InvalidInputError
from orchestrator.programs import ProblemFile

ROWS = [
    {"id": "a", "question": "2 + 2?", "answer": "4", "level": 1},
    {"id": "b", "question": "2 + 3?", "answer": "5", "level": 2},
]
AS_TEXT = {
    "problems.jsonl": "".join(json.dumps(row) + "\n\n" for row in ROWS),
    "problems.json": json.dumps(ROWS, indent=2),
    "flat.json": json.dumps(ROWS),
    "lines.json": "\n".join(json.dumps(row) for row in ROWS),
    "problems.csv": "id,question,answer,level\na,2 + 2?,4,1\nb,2 + 3?,5,2\n",
    "problems.tsv": "id\tquestion\tanswer\tlevel\na\t2 + 2?\t4\t1\n\nb\t2 + 3?\t5\t2\n",
    "excel.csv": "\ufeffid\tquestion\tanswer\tlevel\r\na\t2 + 2?\t4\t1\r\nb\t2 + 3?\t5\t2\r\n",
    "no-name": "\n" + "\n".join(json.dumps(row) for row in ROWS),
}


def written(folder, name, text):
    path = folder / name
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", [*AS_TEXT, *(f"{name}.gz" for name in AS_TEXT)])
def test_every_format_gives_the_same_problems(tmp_path, name):
    path = written(tmp_path, name, AS_TEXT[name.removesuffix(".gz")])
    first, second = ProblemFile(path=path)
    assert (first.id, first.prompt, first.reference) == ("a", "2 + 2?", "4")
    assert (second.id, second.prompt, second.reference) == ("b", "2 + 3?", "5")
    assert str(second.fields["level"]) == "2"
    assert "answer" not in second.fields  # the reference must not reach a template


FIELDS = {"weight": "number", "tags": "list", "note": "text"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", 'question,weight,tags,note\nx, 2.5 ,"[""a"", ""b""]",7\ny,-3,[],\n'),
        ("p.tsv", 'question\tweight\ttags\tnote\nx\t25e-1\t["a", "b"]\t7\ny\t-3\t[]\t\n'),
        (
            "p.jsonl",
            '{"question": "x", "weight": 2.5, "tags": ["a", "b"], "note": "7"}\n'
            '{"question": "y", "weight": -3, "tags": [], "note": ""}',
        ),
    ],
)
def test_fields_are_read_as_what_they_are_declared(tmp_path, name, text):
    first, second = ProblemFile(path=written(tmp_path, name, text), fields=FIELDS)
    assert [first.fields[name] for name in FIELDS] == [2.5, ["a", "b"], "7"]
    assert [second.fields[name] for name in FIELDS] == [-3, [], ""]
    assert isinstance(second.fields["weight"], int)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("2,x,[]", "p.csv:4: problem '2': the field `weight` must be a number, not 'x'"),
        ("2,,[]", "p.csv:4: problem '2': the field `weight` must be a number, not ''"),
        ("2,nan,[]", "must be a number, not 'nan'"),
        ("2,1e999,[]", "must be a number, not '1e999'"),
        ("2,0x10,[]", "must be a number, not '0x10'"),
        ("2," + "9" * 5000 + ",[]", "must be a number, not '9999"),
        ('2,1,"a, b"', """must be a list of texts, as JSON such as ["a", "b"], not 'a, b'"""),
        ("2,1,7", """p.csv:4: problem '2': the field `tags` must be a list of texts, as JSON"""),
        ('2,1,"[""a"", 1]"', "must be a list of texts, as JSON"),
        ('"2\n\n",1,7', "p.csv:6: problem "),
    ],
)
def test_a_cell_of_another_kind_is_an_error_on_its_own_line(tmp_path, cells, message):
    path = written(tmp_path, "p.csv", f'id,weight,tags,question\n1,1,[],"x\ny"\n{cells},z\n')
    with pytest.raises(InvalidInputError) as caught:
        list(ProblemFile(path=path, fields={"weight": "number", "tags": "list"}))
    assert message in str(caught.value)


def test_a_field_that_is_missing_is_an_error_with_the_line(tmp_path):
    path = written(tmp_path, "p.jsonl", '{"prompt": "x", "w": 1}\n{"prompt": "y"}\n{"prompt": "z", "w": NaN}')
    problems = iter(ProblemFile(path=path, fields={"w": "number"}))
    assert next(problems).fields["w"] == 1
    with pytest.raises(InvalidInputError, match=r"p\.jsonl:2: problem '2' has no field `w`"):
        next(problems)
    with pytest.raises(
        InvalidInputError, match=r"p\.jsonl:3: problem '3': the field `w` must be a number, not nan"
    ):
        list(ProblemFile(path=path, offset=2, fields={"w": "number"}))
    path = written(tmp_path, "l.jsonl", '{"prompt": "x", "l": [1]}')
    with pytest.raises(
        InvalidInputError, match=r"l\.jsonl:1: problem '1': the field `l` must be a list of texts"
    ):
        list(ProblemFile(path=path, fields={"l": "list"}))


def test_columns_can_be_named(tmp_path):
    row = {"key": 7, "q": "2 + 2?", "solution": 4, "words": ["x", "y"]}
    path = written(tmp_path, "p.jsonl", json.dumps(row))
    [problem] = ProblemFile(path=path, id="key", prompt="q", reference="solution", tests="words")
    assert (problem.id, problem.prompt, problem.reference) == ("7", "2 + 2?", "4")
    assert problem.tests == ["x", "y"]


def test_a_list_as_the_prompt_is_joined(tmp_path):
    path = written(tmp_path, "p.jsonl", '{"words": ["river", "stone"]}')
    [problem] = ProblemFile(path=path, prompt="words", tests="words")
    assert problem.prompt == "river, stone"


def test_without_an_id_the_line_is_the_id(tmp_path):
    path = written(tmp_path, "p.jsonl", '\n{"prompt": "x"}\n\n{"prompt": "y"}\n')
    assert [problem.id for problem in ProblemFile(path=path)] == ["2", "4"]


def test_a_chat_is_a_problem(tmp_path):
    messages = [{"role": "user", "content": "2 + 2?"}]
    path = written(tmp_path, "p.jsonl", json.dumps({"messages": messages}))
    [problem] = ProblemFile(path=path)
    assert problem.messages == tuple(messages)
    assert problem.prompt is None


def test_limit_and_offset_choose_an_excerpt(tmp_path):
    path = written(tmp_path, "p.jsonl", "".join(f'{{"prompt": "{n}"}}\n' for n in range(10)))
    excerpt = ProblemFile(path=path, limit=3, offset=4)
    assert [problem.prompt for problem in excerpt] == ["4", "5", "6"]
    assert excerpt.count() == 3


def test_cells_may_hold_line_breaks_and_delimiters(tmp_path):
    path = written(tmp_path, "p.csv", 'question,answer\n"one, two\nthree",3\nfour,4\n')
    first, second = ProblemFile(path=path)
    assert (first.id, first.prompt) == ("2", "one, two\nthree")
    assert (second.id, second.prompt) == ("4", "four")


def test_reading_stops_where_the_limit_is(tmp_path):
    path = written(tmp_path, "p.jsonl", '{"prompt": "x"}\nnot json\n')
    assert [problem.prompt for problem in ProblemFile(path=path, limit=1)] == ["x"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.jsonl", "", "p.jsonl: no problems in it"),
        ("p.csv", "question\n", "p.csv: no problems in it"),
        ("p.json", "[]", "p.json: no problems in it"),
        ("p.jsonl", '{"prompt": "x"}\n{"prompt": ', "p.jsonl:2: not JSON: "),
        ("p.jsonl", "[1]\n", "p.jsonl:1: a problem must be a JSON object"),
        ("p.jsonl", '{"title": "x", "n": 1}', "p.jsonl:1: no question; expected a column named question"),
        ("p.jsonl", '{"title": "x", "n": 1}', "there are: title, n"),
        (
            "p.jsonl",
            '{"id": 1, "prompt": "x"}\n{"id": "1", "prompt": "y"}',
            "p.jsonl:2: the id '1' is already on",
        ),
        ("p.jsonl", b'{"prompt": "x"}\n{"prompt": "\xff"}', "p.jsonl:2: not UTF-8 text (byte 13)"),
        ("p.jsonl", '{"messages": "x"}', "p.jsonl:1: `messages` must be a list"),
        ("p.json", '[{"prompt": "x"},\n {"prompt": }]', "p.json:2: not JSON"),
        ("p.json", '[{"prompt": "x"}', "p.json:1: the JSON array does not end"),
        ("p.json", '[{"prompt": "x"}] more', "p.json:1: expected nothing, found 'more'"),
        ("p.json", '[{"prompt": "x"},]', "p.json:1: expected a JSON object, found ']'"),
        ("p.json", "[1]", "p.json:1: expected a JSON object, found '1]'"),
        ("p.csv", "question,answer\nx\n", "p.csv:2: 1 cells under 2 columns"),
        ("p.csv", "question,question\nx,y\n", "p.csv:1: two columns have the same name: question"),
        ("p.csv", 'question\n"x\n', "p.csv:2: not a table: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path, name, text, message):
    path = written(tmp_path, name, text)
    with pytest.raises(InvalidInputError) as caught:
        list(ProblemFile(path=path))
    assert message in str(caught.value)


def test_a_named_column_that_is_missing_is_an_error_with_the_columns_there_are(tmp_path):
    path = written(tmp_path, "p.jsonl", '{"prompt": "x"}\n')
    with pytest.raises(InvalidInputError, match="1: no column 'gold' for the reference; there are: prompt"):
        list(ProblemFile(path=path, reference="gold"))


def test_a_gzip_file_that_is_cut_or_is_none_is_an_error(tmp_path):
    whole = gzip.compress(b'{"prompt": "x"}\n' * 1000)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.jsonl.gz").write_bytes(b"hello")
    for name in ("cut.jsonl.gz", "none.jsonl.gz"):
        with pytest.raises(InvalidInputError, match="not a whole gzip file"):
            list(ProblemFile(path=tmp_path / name))


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InvalidInputError, match="No such file"):
        list(ProblemFile(path=tmp_path / "none.jsonl"))
    with pytest.raises(InvalidInputError, match="directory"):
        list(ProblemFile(path=tmp_path))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.programs.problems.LONGEST_LINE", 100)
    path = written(tmp_path, "p.jsonl.gz", json.dumps({"prompt": "x" * 1000}))
    with pytest.raises(InvalidInputError, match=r"p\.jsonl\.gz:1: longer than"):
        list(ProblemFile(path=path))


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"offset": -1}])
def test_an_excerpt_that_makes_no_sense_is_refused(tmp_path, wrong):
    with pytest.raises(InvalidInputError):
        ProblemFile(path=tmp_path, **wrong)


def test_a_line_of_json_that_breaks_off_is_named_by_its_own_number(tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text('{"question": "a"}\n{"question": "b"\n')
    with pytest.raises(InvalidInputError, match=r"cut\.jsonl:2: not JSON"):
        list(ProblemFile(path=path))


def test_an_item_of_an_array_that_does_not_end_is_not_read_to_the_end(tmp_path):
    path = tmp_path / "problems.json.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b'[{"question":')
        for _ in range(24):
            stream.write((b" " * 2**20) + b"\n")
    with pytest.raises(InvalidInputError, match="this item is longer than 16 MiB"):
        list(ProblemFile(path=path))
