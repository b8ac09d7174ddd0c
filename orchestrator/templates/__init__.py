"""The texts of prompts: a small part of Jinja2's language, checked before a run, that reads declared fields only."""

from ..errors import TemplateError
from .template import PLACEHOLDER, Measured, Template

__all__ = ["PLACEHOLDER", "Measured", "Template", "TemplateError"]
