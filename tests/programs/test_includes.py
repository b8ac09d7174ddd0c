import pytest

from orchestrator import SelfConsistency, load
from orchestrator.errors import ProgramFileError
from orchestrator.programs import includes
from orchestrator.programs.document import MOST_NODES
from orchestrator.prompts import Prompt

HEAD = "version: 1\nmodels: {small: {local: gemma-3-270m}}\n"

SHARED = """
    models:
      large: {base_url: "http://127.0.0.1:1/v1", model: big}
    prompts:
      brief: {system: Be brief.}
    verifiers:
      strict: {judge: {model: large}}
    programs:
      votes: {self_consistency: {model: large, n: 4}}
    """


def test_an_included_file_brings_what_it_declares(write):
    write("shared/all.yaml", SHARED)
    program = load(
        write(
            "program.yaml",
            HEAD + "include: [shared/all.yaml]\nprompt: {use: brief}\ncheck: strict\nprogram: votes\n",
        )
    )
    assert program.strategy == SelfConsistency(model="large", n=4)
    assert program.prompt == Prompt(system="Be brief.")
    assert program.check.model == "large"
    assert list(program.specs) == ["small", "large"]


def test_included_files_are_found_from_the_file_that_includes_them(write):
    write("shared/all.yaml", "include: [more/models.yaml, ../side.yaml]\n")
    write("shared/more/models.yaml", "models: {recorded: {replay: samples.jsonl}}\n")
    write("shared/more/samples.jsonl", '{"id": "a", "question": "2 + 2?", "answers": ["4"]}\n')
    write("side.yaml", "include: [shared/more/models.yaml]\nprograms: {one: single}\n")
    program = load(write("program.yaml", "version: 1\ninclude: [shared/all.yaml]\nprogram: one\n"))
    assert list(program.models) == ["recorded"]
    assert list(program.models_unkeyed()) == ["recorded"]


def test_a_mistake_in_an_included_file_is_told_with_that_file(write, refusal):
    write("shared.yaml", "programs:\n  votes: {self_consistency: {modle: small}}\n")
    said = refusal(HEAD + "include: [shared.yaml]\nprogram: {singl: {}}\n")
    assert said.splitlines() == [
        "program.yaml:4:11: no strategy `singl`",
        "    program: {singl: {}}",
        "              ^",
        "  hint: did you mean `single`?",
        "shared.yaml:2:30: unknown key `modle` in `programs.votes.self_consistency`",
        "    votes: {self_consistency: {modle: small}}",
        "                               ^",
        "  hint: did you mean `model`?",
    ]


def test_an_included_file_that_is_not_yaml_is_told_beside_the_other_mistakes(write, refusal):
    write("shared.yaml", "programs: [\n")
    said = refusal(HEAD + "include: [shared.yaml]\nprogram: singl\n")
    assert "shared.yaml:2:1: not valid YAML" in said
    assert "program.yaml:4:10: no strategy `singl`" in said


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("../outside.yaml", "program.yaml:3:11: `../outside.yaml` is outside of the folder of program.yaml"),
        ("link.yaml", "program.yaml:3:11: `link.yaml` is outside of the folder"),
        ("none.yaml", "program.yaml:3:11: `none.yaml` cannot be included: there is no such file"),
        (".", "cannot be included: is not a file"),
        ("a.yaml", "b.yaml:1:11: files include each other in a circle: a.yaml -> b.yaml -> a.yaml"),
        ("program.yaml", "in a circle: program.yaml -> program.yaml"),
        ("list.yaml", "list.yaml:1:1: an included file is a mapping"),
        ("budget.yaml", "budget.yaml:1:1: unknown key `budget`; expected one of: version, include, models"),
        ("3", "program.yaml:3:11: `include[0]` must be a text, not 3"),
    ],
)
def test_a_file_that_cannot_be_included_is_refused(write, refusal, tmp_path, include, message):
    outside = tmp_path.parent / "outside.yaml"
    outside.write_text("programs: {one: single}\n")
    (tmp_path / "link.yaml").symlink_to(outside)
    write("a.yaml", "include: [b.yaml]\n")
    write("b.yaml", "include: [a.yaml]\n")
    write("list.yaml", "- 1\n")
    write("budget.yaml", "budget: {usd: 1}\n")
    assert message in refusal(HEAD + f"include: [{include}]\nprogram: single\n")


def test_files_outside_of_the_folder_can_be_allowed(write, tmp_path):
    write("shared/one.yaml", "programs: {one: single}\n")
    path = write("here/program.yaml", HEAD + "include: [../shared/one.yaml]\nprogram: one\n")
    with pytest.raises(ProgramFileError, match="--allow-includes-outside"):
        load(path)
    assert type(load(path, allow_outside=True).strategy).__name__ == "Single"


def test_a_name_that_two_files_declare_is_refused_with_both_places(write, refusal):
    write("shared.yaml", "models:\n  small: {local: gemma-3-270m}\n")
    said = refusal(HEAD + "include: [shared.yaml]\nprogram: single\n")
    assert "shared.yaml:2:3: `small` is declared twice: here and at " in said
    assert "program.yaml:2:10" in said


def test_too_many_files_and_too_much_text_are_refused(write, refusal):
    for number in range(60):
        write(f"f{number}.yaml", "prompts: {}\n")
    names = ", ".join(f"f{number}.yaml" for number in range(60))
    assert f"more than {includes.MOST_FILES} files" in refusal(
        HEAD + f"include: [{names}]\nprogram: single\n"
    )
    for number in range(6):
        write(f"f{number}.yaml", "#" * 100_000 + "\nprompts: {}\n")
    said = refusal(HEAD + f"include: [{names}]\nprogram: single\n")
    assert "the files of this program are larger than 512 KiB" in said


def test_the_values_of_all_files_are_counted_together(write, refusal):
    for number in range(3):
        write(
            f"f{number}.yaml",
            f"models: {{m{number}: {{local: x, sampling: {{extra: {{a: [{'1,' * (MOST_NODES // 3)}]}}}}}}}}\n",
        )
    said = refusal(HEAD + "include: [f0.yaml, f1.yaml, f2.yaml]\nprogram: single\n")
    assert "f2.yaml:1:" in said
    assert "more than 2,000 values in all files of this program" in said
