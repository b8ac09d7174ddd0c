"""Expressions that would be slow, deep, large or dangerous in Python."""

from __future__ import annotations

from orchestrator.expressions import NUMBER, TEXT

NAMES = {"n": NUMBER, "word": TEXT}

HOSTILE = {
    "brackets": "(" * 1000,
    "brackets that match": "(" * 499 + "1" + ")" * 499,
    "lists in lists": "[" * 499 + "1" + "]" * 499,
    "items of items": "n" + "[0]" * 333,
    "calls in calls": "abs(" * 199 + "1" + ")" * 199,
    "minus after minus": "-" * 999 + "1",
    "not after not": "not " * 249 + "n",
    "fields of fields": "n" + ".a" * 499,
    "a choice in a choice": "1 if n else " * 83 + "1",
    "a chain of sums": "1" + "+1" * 499,
    "a chain of conditions": "n and " * 166 + "n",
    "a chain of comparisons": "1" + "<1" * 499,
    "a long list": "[" + "1," * 498 + "1]",
    "many arguments": "max(" + "1," * 497 + "1)",
    "one long name": "n" * 1000,
    "a longer text": "n" * 1001,
    "megabytes": "1 + " * 5_000_000,
    "a power tower": "9**9**9**9",
    "a huge number": "9" * 1000,
    "a repeated text": "'a' * 1000000000",
    "a repeated name": "word * 9007199254740992",
    "a filled-in format": "'%999999999d' % n",
    "a format method": "'{0.__class__}'.format(n)",
    "rounding to a billion digits": "round(n, -1000000000)",
    "null bytes": "\0" * 1000,
    "unfinished texts": "'" * 999,
    "backslashes": "'" + "\\" * 998,
    "quotes by turns": "\"'" * 500,
    "spaces": " " * 1000,
    "line ends": "\n" * 999 + "+",
    "a line that goes on": "n \\\n + 1",
    "dots": "." * 1000,
    "combining marks": "n" + "\u0301" * 999,
    "a class": "().__class__.__bases__[0].__subclasses__()",
    "the same without brackets": "n.__class__",
    "builtins": "__builtins__['eval']('1')",
    "escaped underscores": "n.\\x5f_class__",
}
