"""What of Kaggle's servers kagglehub talks to: the API, which redirects a download, and the store of archives.

It stands in as the HTTP proxy of a client whose KAGGLE_API_ENVIRONMENT is LOCALHOST (the API at http://localhost/api).
So any free port serves, and names of hosts stay as they are. In the client's environment TEST (localhost:7777)
kagglesdk prints every body, for which it loads an archive whole: nothing is saved if the connection breaks there.
"""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

STORE = "http://storage.localhost/archives"


class KaggleServer(ThreadingHTTPServer):
    """Serves `versions`, {(owner, dataset): [bytes of each version's archive]}; attributes say what goes wrong."""

    daemon_threads = True

    def __init__(self, versions):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.versions = versions
        self.status = 200  # of the API
        self.cuts = []  # bytes after which the next answers of the store break off
        self.down = False  # hang up on every request
        self.hashes = True  # whether the store sends x-goog-hash, as Google's does
        self.requests = []  # (what, Range header or None) of each request

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = urlsplit(self.path).path.rpartition("/")[2]
        self.server.requests.append((method, None))
        if self.server.down:
            return
        archives = self.server.versions.get((question["ownerSlug"], question["datasetSlug"]))
        if self.server.status != 200:
            self._json(self.server.status, {"code": self.server.status, "message": "refused"})
        elif archives is None:
            self._json(404, {"code": 404, "message": "not found"})
        elif method == "GetDataset":
            self._json(200, {"currentVersionNumber": len(archives)})
        else:
            self._redirect(question, len(archives))

    def _redirect(self, question, newest):
        version = question["datasetVersionNumber"]
        if version > newest:
            return self._json(404, {"code": 404, "message": "no such version"})
        self.send_response(302)
        self.send_header("Location", f"{STORE}/{question['ownerSlug']}/{question['datasetSlug']}/{version}")
        self.end_headers()

    def do_GET(self):
        if self.server.down:
            return
        owner, dataset, version = urlsplit(self.path).path.split("/")[-3:]
        archive = self.server.versions[owner, dataset][int(version) - 1]
        wanted = self.headers["Range"]
        self.server.requests.append(("archive", wanted))
        end = self.server.cuts.pop(0) if self.server.cuts else len(archive)
        first = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(archive) - first))
        if self.server.hashes:
            md5 = base64.b64encode(hashlib.md5(archive).digest()).decode()
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={md5}")
        self.end_headers()
        self._write(archive[first:end])

    def _write(self, body):
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass  # the client asks again, for the rest, without having read this answer

    def _json(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
