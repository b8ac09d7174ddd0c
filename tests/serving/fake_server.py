"""A model server in miniature: `fake_server.py MODE PORT`. It names its model after its process id."""

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer({"data": [{"id": str(os.getpid())}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"choices": [{"text": "1"}]})

    def answer(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


def note(path: str, pid: int) -> None:
    with open(path, "a") as file:
        file.write(f"{pid}\n")


def main(mode: str, port: int, notes: str) -> None:
    note(notes, os.getpid())
    print("loading", mode, flush=True)
    if mode == "dies":
        sys.exit("no such tensor: blk.0")
    if mode == "hangs":
        threading.Event().wait()
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "helped":
        helper = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
        note(notes, helper.pid)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if port == 0:
        print(f"LISTENING http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
