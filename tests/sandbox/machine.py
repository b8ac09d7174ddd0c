"""What runs on this machine."""

import os
from pathlib import Path


def processes_with(word):
    """Command lines and environments of the machine's processes that have `word` in them."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                text = (folder / "cmdline").read_bytes() + (folder / "comm").read_bytes()
            except OSError:
                continue
            if word.encode() in text:
                found.append((folder.name, text))
    return found
