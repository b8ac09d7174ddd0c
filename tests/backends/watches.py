"""Watches for tests: they see what they are fed, and cut by count."""

from dataclasses import dataclass, field


@dataclass
class CutAfter:
    """Ends a choice at its `most`-th chunk that holds something (None: never); tells `seen` how many there were."""

    most: int | None = None
    seen: object = None
    chunks: list = field(default_factory=list)

    def feed(self, chunk):
        if not chunk.text and not chunk.reasoning:
            return None
        self.chunks.append(chunk)
        if self.seen is not None:
            self.seen(len(self.chunks))
        return "enough" if len(self.chunks) == self.most else None


def in_turn(*watches):
    """A factory that gives out one watch after the other."""
    left = iter(watches)
    return lambda: next(left)
