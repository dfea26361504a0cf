"""A file server on this machine that keeps, or breaks, what HTTP promises."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves `files`; a test says how it misbehaves.

    Attributes:
        files: content by path.
        ranges: whether it sends the rest of a file where only that is asked for.
        drops: after so many bytes each of the next connections is closed; the rest go well.
        says_length: whether it says how long the file is.
        asked: the Range of each request; "" for a whole file.
    """

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.ranges = True
        self.drops: list[int] = []
        self.says_length = True
        self.status = 0
        self.asked: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                served.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers["Range"] or ""
        self.asked.append(wanted)
        content = self.files.get(request.path[1:])
        if content is None or self.status:
            request.send_error(self.status or 404)
            return
        first = int(re.sub(r"\D", "", wanted)) if wanted and self.ranges else 0
        if first and first >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.end_headers()
            return
        request.send_response(206 if first else 200)
        rest = content[first:]
        if self.says_length:
            request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        request.wfile.write(rest[: self.drops.pop(0)] if self.drops else rest)

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
