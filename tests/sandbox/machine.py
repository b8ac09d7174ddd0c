"""What runs on this machine."""

import os
from pathlib import Path


def processes_with(word):
    """Processes of the machine, dead ones left out, that have `word` in their command line or name."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    continue
                text = (folder / "cmdline").read_bytes() + (folder / "comm").read_bytes()
            except OSError:
                continue
            if word.encode() in text:
                found.append((folder.name, text))
    return found
