"""Where samples come from, and wrappers that compose around them."""

from .base import Backend, Wrapper
from .function import FunctionBackend
from .http import HttpBackend
from .journaled import Journaled, Resumed
from .limited import AdaptiveLimit, Limited
from .metered import Metered
from .model import Model
from .openai import OpenAIBackend
from .replay import ReplayBackend
from .retry import Retry, RetryPolicy
from .scripted import Scripted, ScriptedBackend

__all__ = [
    "AdaptiveLimit",
    "Backend",
    "FunctionBackend",
    "HttpBackend",
    "Journaled",
    "Limited",
    "Metered",
    "Model",
    "OpenAIBackend",
    "ReplayBackend",
    "Resumed",
    "Retry",
    "RetryPolicy",
    "Scripted",
    "ScriptedBackend",
    "Wrapper",
]
