"""A page in a real headless Chromium: files are given to it, and what it shows is sent back."""

import json
import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--use-fake-device-for-media-stream",
           "--use-fake-ui-for-media-stream", "--disable-component-update", "--force-color-profile=srgb"]
# gives the files to the page's <input type="file">, takes a photo of Chromium's own test pattern, sends what is shown
DRIVER = """<!DOCTYPE html><iframe id="page" width="900" height="900"></iframe><script>
const errors = [];
const send = shown => fetch("/shown", { method: "POST", body: JSON.stringify({ errors, ...shown }) });
const frame = document.getElementById("page");
frame.onload = async () => {
  const page = frame.contentWindow, inside = frame.contentDocument;
  page.addEventListener("error", event => errors.push(String(event.message)));
  page.addEventListener("unhandledrejection", event => errors.push(String(event.reason)));
  inside.addEventListener("securitypolicyviolation", event => errors.push(event.violatedDirective));
  page.console.error = (...texts) => errors.push(texts.join(" "));
  const status = inside.getElementById("status");
  const until = async start => {
    while (!status.textContent.startsWith(start)) {
      if (/cannot|No camera/.test(status.textContent)) return send({ status: status.textContent });
      await new Promise(done => setTimeout(done, 100));
    }
  };
  await until("Ready.");
  const files = new page.DataTransfer();
  for (const name of NAMES) {
    files.items.add(new page.File([await (await fetch("/images/" + encodeURIComponent(name))).blob()], name));
  }
  const input = inside.getElementById("files");
  input.files = files.files;
  input.dispatchEvent(new page.Event("change"));
  await until("Ready. Classified");
  inside.getElementById("camera").click();
  await until("Ready. Camera");
  inside.getElementById("take").click();
  await until("Ready. Photo");
  const wide = inside.documentElement.scrollWidth > page.innerWidth;
  send({ status: status.textContent, wide, articles: [...inside.querySelectorAll("article")].reverse().map(article => ({
    name: article.querySelector("h2").textContent,
    problem: article.querySelector("p")?.textContent ?? "",
    tables: Object.fromEntries([...article.querySelectorAll("table")].map(table => [table.caption.textContent,
      Object.fromEntries([...table.rows].map(row => [row.cells[0].textContent, +row.cells[1].textContent]))])) })) });
};
frame.src = "/index.html";
</script>"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the page, the driver and the images, notes what is asked for, and takes what the driver sends."""

    def __init__(self, *arguments, names, images, shown, asked, **others):
        self.names, self.images, self.shown, self.asked = names, images, shown, asked
        super().__init__(*arguments, **others)

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/driver":
            self._answer(DRIVER.replace("NAMES", json.dumps(self.names)).encode(), "text/html")
        elif self.path.startswith("/images/"):
            self._answer(self.images[self.path.removeprefix("/images/")], "application/octet-stream")
        else:
            super().do_GET()

    def do_POST(self):
        self.shown.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(b"", "text/plain")

    def _answer(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def classify_in_browser(folder, images, profile, seconds=240):
    """Open `folder`/index.html, give it `images` {name: bytes}; return what it showed, and the paths that it asked for.

    Raises TimeoutError. Nothing but this server can be reached.
    """
    from urllib.parse import quote
    shown, asked = Queue(), []
    by_path = {quote(name, safe="!*'()"): content for name, content in images.items()}
    handler = partial(Handler, directory=str(folder), names=list(images), images=by_path, shown=shown, asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/driver"
        browser = subprocess.Popen([CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-port=0",
                                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", address],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return shown.get(timeout=seconds), asked
        except Empty:
            raise TimeoutError(f"the page showed nothing in {seconds} s; it asked for {asked}") from None
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()
