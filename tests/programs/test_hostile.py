"""Files that are made to cost much, or to reach out: each is refused by a process that may use little memory and
little time, and the kernel ends one that needs more.
"""

import json
import os
import subprocess
import sys

import pytest

from orchestrator import load
from orchestrator.errors import ProgramFileError

MEMORY = 100 * 2**20
"""Bytes that refusing a file may add to what the loader itself takes up."""

SECONDS = 2
"""Processor seconds that refusing a file may take, ten times what it should: this is a bound, not a measurement."""

REFUSALS = """
import json, math, os, resource, sys, time
from orchestrator import load
from orchestrator.errors import ProgramFileError

def refusal(path):
    try:
        load(path)
    except ProgramFileError as error:
        return str(error)
    return "loaded"

def limited(path, memory, seconds):
    reading, writing = os.pipe()
    if os.fork() == 0:
        [pages, *_] = open("/proc/self/statm").read().split()
        memory += int(pages) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        spent = math.ceil(time.process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (spent, spent))
        try:
            said = refusal(path)
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        with open(writing, "w") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        said = pipe.read()
    _, status = os.wait()
    return said if status == 0 else f"ended by the kernel: {status}"

memory, seconds, usual, *paths = json.load(sys.stdin)
refusal(usual)  # what is imported late is not the files' doing
print(json.dumps([limited(path, memory, seconds) for path in paths]))
"""

HEAD = "version: 1\nmodels: {m: {local: gemma-3-270m}}\n"


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What is said of each file."""
    usual = tmp_path_factory.mktemp("usual") / "usual.yaml"
    usual.write_text(HEAD + "program: {steps: [{id: x, sample: {n: 0, modl: m}}, {return: y + 1}]}\n")
    paths = []
    for text, _ in FILES.values():
        paths.append(tmp_path_factory.mktemp("hostile") / "hostile.yaml")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    child = subprocess.run(
        [sys.executable, "-c", REFUSALS],
        input=json.dumps([MEMORY, SECONDS, *map(str, [usual, *paths])]),
        capture_output=True,
        text=True,
        check=True,
        cwd=usual.parent,  # away from the sources, which have no compiled part
    )
    return dict(zip(FILES, json.loads(child.stdout), strict=True))


def doubled(levels):
    """Programs that each run the next one twice."""
    lines = [
        f"  p{n}: {{steps: [{{id: a, run: p{n + 1}}}, {{id: b, run: p{n + 1}}}, {{return: 'a.candidates'}}]}}"
        for n in range(levels)
    ]
    return "\n".join([*lines, f"  p{levels}: single"])


def nested(levels):
    """Loops in loops, the innermost with many steps."""
    text = "[" + ", ".join(f"{{id: s{n}, sample: 1}}" for n in range(50)) + "]"
    for level in range(levels):
        text = f"[{{id: l{level}, repeat: {{max: 2, until: 'previous.q', steps: {text}}}}}]"
    return HEAD + f"program: {{steps: {text}}}\n"


BOMB = "\n".join(
    ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
)

STEPS = "\n".join(f"    - {{id: s{n}, sample: {{n: 4}}}}" for n in range(10_000))

FILES = {
    "an alias bomb": (BOMB, "aliases repeat too much of the file"),
    "an alias bomb of texts": (
        "a: &a " + "x" * 50_000 + "\nb: [" + "*a, " * 20_000 + "*a]",
        "more than 2,000 values",
    ),
    "a mapping of aliases as its own keys": ("a: &a {b: 1}\n? *a\n: 1\n", "a key must be a text"),
    "lists in lists": ("[" * 100_000, "nested deeper than 64 levels"),
    "mappings in mappings": ("{a: " * 30_000, "nested deeper than 64 levels"),
    "dashes in one line": ("- " * 60_000, "nested deeper than 64 levels"),
    "question marks in one line": ("? " * 60_000, "nested deeper than 64 levels"),
    "a huge file": ("# much\n" * 2**20, "larger than 128 KiB"),
    "one long line": (HEAD + "x: " + "y" * 120_000, "unknown key `x`"),
    "one long key": ("k" * 120_000 + ": 1", "not valid YAML"),
    "a long text in escapes": ('x: "' + "\\u0041" * 20_000 + '"', "unknown key `x`"),
    "comments and nothing else": ("# c\n" * 9_000, "the file is empty"),
    "comments for ever": ("# c\n" * 30_000, "more than 10,000 lines"),
    "blank lines and nothing else": ("\n" * 9_000, "the file is empty"),
    "blank lines for ever": ("\n" * 120_000, "more than 10,000 lines"),
    "ten thousand steps": (
        HEAD + "program:\n  steps:\n" + STEPS,
        "larger than 128 KiB",
    ),
    "as many steps as fit": (
        HEAD + "program:\n  steps:\n" + "\n".join(STEPS.splitlines()[:3_000]),
        "more than 2,000 values",
    ),
    "three hundred mistakes in steps": (
        HEAD + "program:\n  steps:\n" + "\n".join(["    - {id: 1, smaple: {}}"] * 300),
        "and 250 more mistakes",
    ),
    "thousands of mistakes": (
        HEAD + "\n".join(f"unknown_key_{n}: 1" for n in range(950)),
        "more mistakes",
    ),
    "models that are none": (
        "version: 1\nmodels:\n" + "\n".join(f"  m{n}: {{lokal: x}}" for n in range(480)),
        "more mistakes",
    ),
    "a tag that makes an object": ("x: !!python/object/apply:os.system [ls]\n", "the tag"),
    "a tag of one's own": ("x: !mine {a: 1}\n", "the tag !mine is not allowed"),
    "a set": ("x: !!set {a, b}\n", "the tag"),
    "a merge key": ("x: &x {a: 1}\ny: {<<: *x}\n", "merge keys"),
    "a number of very many digits": ("x: " + "9" * 100_000, "not a number that can be read"),
    "a NUL": ("x: a\0b\n", "1:5: the character U+0000 (NUL) may not stand in a file"),
    "an escape sequence for terminals": ("x: \x1b[2J\n", "U+001B (a control character)"),
    "an escape sequence for terminals in a key": (
        HEAD + 'program: {"\\e[2Jred\\u202e": {}}\n',
        "no strategy `�[2Jred�`",
    ),
    "an escape sequence in the name of a model": (
        HEAD + 'program: {single: {model: "\\e]0;x\\a"}}\n',
        "no model `�]0;x�`",
    ),
    "a tag that does not fit": ("x: !!bool maybe\n", "does not fit"),
    "a pattern that goes on for ever to compile": (
        HEAD + "answer: {pattern: '" + "(" * 3_000 + "a" + ")" * 3_000 + "'}\nprogram: single\n",
        "does not compile",
    ),
    "bytes that are no text": (b"version: 1\nx: \xff\xfe\n", ":2: is not UTF-8 text"),
    "half a pair of surrogates": (b"x: \xed\xa0\x80\n", "is not UTF-8 text"),
    "UTF-16": ("version: 1\n".encode("utf-16"), "is not UTF-8 text"),
    "programs that run each other": (
        HEAD + "programs: {a: b, b: c, c: a}\nprogram: a\n",
        "programs use each other in a circle: a -> b -> c -> a",
    ),
    "a program that runs itself": (
        HEAD + "programs: {a: {steps: [{id: x, run: a}, {return: x}]}}\nprogram: a\n",
        "in a circle: a -> a",
    ),
    "verifiers that use each other": (
        HEAD + "verifiers: {a: {screen: {first: b, then: a}}, b: a}\nprogram: {best_of_n: {verifier: a}}\n",
        "verifiers use each other in a circle",
    ),
    "a chain of programs": (
        HEAD + "programs:\n" + "\n".join(f"  p{n}: p{n + 1}" for n in range(950)) + "\nprogram: p0\n",
        "used inside each other more than 30 deep",
    ),
    "programs that each run two": (
        HEAD + "programs:\n" + doubled(25) + "\nprogram: p0\n",
        "more than 2,000 values",
    ),
    "loops in loops": (nested(20), "loops inside one another"),
    "as many loops as may be": (nested(6), "the program can come to its end without an answer"),
    "an expression of many parentheses": (
        HEAD + "program: {steps: [{return: '" + "(" * 100_000 + "'}]}\n",
        "characters",
    ),
    "expressions that reach for attributes": (
        HEAD + "program: {steps: [{return: 'problem.__class__.__mro__'}]}\n",
        "__class__",
    ),
    "templates that reach for attributes": (
        HEAD + "program: {steps: [{fail: '{{ problem.__class__ }}'}]}\n",
        "__class__",
    ),
    "templates with filters that reach": (
        HEAD + "program: {steps: [{fail: '{{ problem|attr(\"x\") }}'}]}\n",
        "attr",
    ),
    "loops in a template": (
        HEAD + "prompt: {template: '" + "{% for a in b %}" * 2_000 + "'}\nprogram: single\n",
        "deep",
    ),
    "a file outside": (
        HEAD + "include: [../../../etc/passwd]\nprogram: single\n",
        "is outside of the folder",
    ),
    "an absolute path": (HEAD + "include: [/etc/passwd]\nprogram: single\n", "is outside of the folder"),
    "a device": (HEAD + "include: [/dev/zero]\nprogram: single\n", "is outside of the folder"),
    "a device for a learned verifier": (
        HEAD + "program: {best_of_n: {verifier: {learned: {file: /dev/zero}}}}\n",
        "is not a file",
    ),
    "more agents than can be": (HEAD + "program: {debate: {agents: 1000000000}}\n", "at most 100"),
    "more proposals than can be": (HEAD + "program: {fusion: {proposers: 1000000000}}\n", "at most 1,000"),
    "more chains than can be": (HEAD + "program: {parallel_revise: {chains: 1000000000}}\n", "at most 1,000"),
    "a path with a NUL in it": (HEAD + 'include: ["a\\0b"]\nprogram: single\n', "cannot be included"),
    "a path that is too long": (HEAD + f"include: [{'a/' * 3_000}]\nprogram: single\n", "cannot be included"),
    "itself": (
        HEAD + "include: [hostile.yaml]\nprogram: single\n",
        "in a circle: hostile.yaml -> hostile.yaml",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_with_little_memory_and_time(refusals, name):
    _, message = FILES[name]
    assert message in refusals[name]
    assert len(refusals[name]) < 20_000


def test_a_pipe_for_a_learned_verifier_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    file = tmp_path / "program.yaml"
    file.write_text(HEAD + "program: {best_of_n: {verifier: {learned: {file: pipe}}}}\n")
    with pytest.raises(ProgramFileError, match="is not a file"):
        load(file)
