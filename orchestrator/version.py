"""The version, in one place: what the installed distribution says."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("orchestrator")
except PackageNotFoundError:  # used from a source tree without being installed
    __version__ = "0+unknown"
