"""Pictures of programs: what runs after what, as a Mermaid flowchart or an SVG file."""

from .mermaid import mermaid
from .picture import Box, Group, Lane, Part
from .sketch import sketch
from .svg import svg

__all__ = ["Box", "Group", "Lane", "Part", "mermaid", "sketch", "svg"]
