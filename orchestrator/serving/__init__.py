"""Models served on this machine: named models, and a server that lives as long as a `with` block."""

from __future__ import annotations

from .endpoint import Endpoint
from .models import LocalModel, ModelCard, available, path, pull, resolve

__all__ = ["Endpoint", "LocalModel", "ModelCard", "available", "path", "pull", "resolve"]
