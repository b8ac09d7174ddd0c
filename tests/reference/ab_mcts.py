"""AB-MCTS with node aggregation by its definition: lists of scores, collected again for each decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .replay import MASK, STEP, Stream, mix


class Draws(Stream):
    """Random numbers of the distributions that Thompson sampling needs, by published algorithms."""

    def uniform(self) -> float:
        self.state = (self.state + STEP) & MASK
        return ((mix(self.state) >> 12) + 0.5) / 2**52

    def normal(self) -> float:
        """The polar method."""
        while True:
            x, y = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            s = x * x + y * y
            if 0 < s < 1:
                return x * math.sqrt(-2 * math.log(s) / s)

    def gamma(self, shape: float) -> float:
        """Marsaglia and Tsang, for shapes from 1 on."""
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self.normal()
            root = 1 + c * x
            if root <= 0:
                continue
            v = root * root * root
            u = self.uniform()
            xx = x * x
            if u < 1 - 0.0331 * xx * xx or math.log(u) < 0.5 * xx + d * (1 - v + math.log(v)):
                return d * v

    def log_gamma(self, shape: float) -> float:
        if shape >= 1:
            return math.log(self.gamma(shape))
        above = math.log(self.gamma(shape + 1))
        return above + math.log(self.uniform()) / shape

    def beta(self, alpha: float, beta: float) -> float:
        if alpha >= 1 and beta >= 1:
            a = self.gamma(alpha)
            return a / (a + self.gamma(beta))
        a, b = self.log_gamma(alpha), self.log_gamma(beta)
        return 1 / (1 + exp(b - a))

    def inverse_chi_square(self, nu: float, tau2: float) -> float:
        shape = 0.5 * nu
        if shape >= 1:
            return shape * tau2 / self.gamma(shape)
        return shape * tau2 * exp(-self.log_gamma(shape))


def exp(x: float) -> float:
    """The exponential, infinite where a double ends."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """A normal-inverse-chi-squared prior."""

    m: float = 0.0
    kappa: float = 1.0
    nu: float = 1.0
    tau2: float = 0.1

    def draw(self, scores: Sequence[float], pending: int, draws: Draws) -> float:
        n = len(scores)
        mean = sum(scores) / n if n else 0.0
        kappa, nu = self.kappa + n, self.nu + n
        m = (self.kappa * self.m + n * mean) / kappa
        spread = sum((score - mean) ** 2 for score in scores)
        nu_tau2 = self.nu * self.tau2 + spread + n * self.kappa / kappa * (self.m - mean) ** 2
        variance = draws.inverse_chi_square(nu, nu_tau2 / nu)
        return m + math.sqrt(variance / (kappa + pending)) * draws.normal()


@dataclass(frozen=True, kw_only=True)
class Beta:
    """A Beta prior."""

    alpha: float = 0.5
    beta: float = 0.5

    def draw(self, scores: Sequence[float], pending: int, draws: Draws) -> float:
        alpha = self.alpha + sum(scores)
        beta = self.beta + sum(1 - score for score in scores)
        more = (alpha + beta + pending) / (alpha + beta)
        return draws.beta(alpha * more, beta * more)


@dataclass(kw_only=True)
class Node:
    """A node of the search tree; `score` is 0 where nobody could say."""

    score: float = 0.0
    arm: int = 0
    open: bool = True
    depth: int = 0
    children: list[Node] = field(default_factory=list)
    asked: int = 0  # expansions of it under way

    def nodes(self) -> list[Node]:
        """It and all below it."""
        return [self, *(node for child in self.children for node in child.nodes())]

    def below(self) -> list[Node]:
        return self.nodes()[1:]

    def under_way(self) -> int:
        return sum(node.asked for node in self.nodes())


@dataclass(kw_only=True)
class ABMCTS:
    """Algorithm 1 with the selection of section 3.4 and the generator selection I of appendix D."""

    prior: Gaussian | Beta
    arms: int
    seed: int
    max_depth: int | None = None
    root: Node = field(default_factory=Node)
    decisions: int = 0
    writing: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writing = [0] * self.arms

    def ask(self) -> tuple[Node, int]:
        """Select an expansion target, and who expands it."""
        draws = Draws(self.seed, self.decisions)
        self.decisions += 1
        node = self.root
        while candidates := [child for child in node.children if self.goes(child)]:
            generate, go_on = self.options(node, draws)
            if generate >= go_on:
                break
            drawn = [self.draw(child.nodes(), child.under_way(), draws) for child in candidates]
            node = candidates[drawn.index(max(drawn))]
        arm = self.select_arm(draws)
        node.asked += 1
        self.writing[arm] += 1
        return node, arm

    def goes(self, child: Node) -> bool:
        return child.open and (self.max_depth is None or child.depth < self.max_depth)

    def options(self, node: Node, draws: Draws) -> tuple[float, float]:
        """Draws of GEN and of CONT."""
        further = [one for child in node.children for one in child.below()]
        generate = self.draw(node.children, node.asked, draws)
        return generate, self.draw(further, node.under_way() - node.asked, draws)

    def select_arm(self, draws: Draws) -> int:
        if self.arms == 1:
            return 0
        drawn = []
        for arm in range(self.arms):
            written = [node for node in self.root.below() if node.arm == arm]
            drawn.append(self.draw(written, self.writing[arm], draws))
        return drawn.index(max(drawn))

    def draw(self, nodes: Sequence[Node], pending: int, draws: Draws) -> float:
        return self.prior.draw([node.score for node in nodes], pending, draws)

    def tell(self, node: Node, arm: int, found: Sequence[tuple[float | None, bool]]) -> list[Node]:
        """New children: values, and whether one can go on from them."""
        node.asked -= 1
        self.writing[arm] -= 1
        new = [
            Node(score=value or 0.0, arm=arm, open=goes_on, depth=node.depth + 1) for value, goes_on in found
        ]
        node.children += new
        return new


def search(
    state: ABMCTS,
    *,
    num_nodes: int,
    width: int,
    expand: Callable[[int, list[int], int], Sequence[tuple[float | None, bool]]],
) -> list[tuple[int, int, int]]:
    """The nodes that were found, as (parent, arm, expansion), in the order of their numbers.

    Expansion j is chosen when the results of those before j - width + 1 are known.

    Args:
        state: The search.
        num_nodes: Expansions in all.
        width: Expansions under way at most.
        expand: What an expansion finds, from its number, the way to its node and its arm.
    """
    numbers: list[Node] = [state.root]
    ways: list[list[int]] = [[]]
    asked: list[tuple[Node, int]] = []
    found: list[tuple[int, int, int]] = []

    def count(number: int) -> None:
        node, arm = asked[number]
        at = next(i for i, known in enumerate(numbers) if known is node)
        for new in state.tell(node, arm, expand(number, ways[at], arm)):
            ways.append([*ways[at], len(numbers)])
            numbers.append(new)
            found.append((at, arm, number))

    for number in range(num_nodes):
        if number >= width:
            count(number - width)
        asked.append(state.ask())
    for number in range(max(0, num_nodes - width), num_nodes):
        count(number)
    return found
