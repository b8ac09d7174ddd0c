"""Scripted trees for the searches that write a state first and judge it later."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reference.tree_of_thoughts import Thought
from search.scripted_trees import ScriptedTree

from orchestrator.search import Child, Expansion, Tree


@dataclass(frozen=True, kw_only=True)
class LateValues:
    """A scripted tree whose nodes get their values when they are asked for, by `judge`."""

    tree: ScriptedTree
    children: int

    def expanded(self, tree: Tree, expansion: Expansion, *, first: int = 0) -> list[Child]:
        if expansion.judge:
            return [Child(text="", value=self.tree.value(tree.text(node))) for node in expansion.judge]
        return [replace(child, value=None) for child in self.tree.expanded(tree, expansion, first=first)]

    def thoughts(self, said: str) -> list[Thought]:
        """The same for a plain reference."""
        found = self.tree.children(said, self.children)
        return [(said + child.text, child.value, child.complete) for child in found]


def gone_on_from(asked: list[Expansion], tree: Tree) -> list[str]:
    """The texts of the nodes that were expanded, in the order of asking."""
    return [tree.text(expansion.node) for expansion in asked if not expansion.judge]


def solutions(tree: Tree) -> list[str]:
    """The texts of the complete nodes, in the order they were found."""
    return [tree.text(node) for node in range(1, len(tree)) if tree.complete(node)]
