"""The llama.cpp server, run as a program of its own: `python -P llama_cpp_server.py SETTINGS`.

SETTINGS is a JSON object of `xllamacpp.CommonParams` fields; dots reach nested ones (`model.path`). The
server lives in the process that imports it, so this file imports nothing else, prints where it listens, and
waits.
"""

from __future__ import annotations

import json
import sys
import threading
from functools import reduce
from typing import Any

__all__ = ["apply", "has_gpu", "main"]


def apply(parameters: Any, settings: dict[str, Any]) -> None:
    """Set each field; a field this build does not have is an error that names it."""
    for name, value in settings.items():
        *parents, field = name.split(".")
        owner = reduce(getattr, parents, parameters)
        if not hasattr(owner, field):
            raise SystemExit(f"this xllamacpp has no setting {name!r}")
        setattr(owner, field, value)


def has_gpu(devices: list[dict[str, Any]]) -> bool:
    """Whether the installed build can compute on a GPU, integrated ones included."""
    return any(device["type"].name.endswith("GPU") for device in devices)


def main(settings: dict[str, Any]) -> None:
    """Serve until killed."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    apply(parameters, settings)
    if not has_gpu(xllamacpp.get_device_info()):
        # Fitting layers to device memory loads the model's metadata twice and has nothing to decide here.
        parameters.fit_params = False
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None  # its log, printed above, says what was wrong
    print(f"LISTENING {server.listening_address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
