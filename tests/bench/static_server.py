"""A static HTTP/1.1 server that answers every POST with one fixed chat completion, as cheaply as it can.

Run as a process of its own, so that its CPU time is not counted as a client's:

    python tests/bench/static_server.py          # prints its port on the first line

It stops when its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import sys

TEXT = "Each pack costs 76 - 25 = 51 dollars. The answer is 51."

BODY = json.dumps(
    {
        "id": "chatcmpl-static",
        "object": "chat.completion",
        "created": 1,
        "model": "static",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 40, "completion_tokens": 18, "total_tokens": 58},
    }
).encode()

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


class StaticProtocol(asyncio.Protocol):
    """Counts bodies by Content-Length and answers each; understands nothing else of HTTP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(ANSWER)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(StaticProtocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
