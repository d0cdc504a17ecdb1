"""Pages in a real headless Chromium, that of the system."""

import shutil
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# a camera that shows Chromium's own test pattern, and no question whether it may be used
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SECONDS = 240  # for the classifiers of a page to load, on a machine that is busy
SHOWN = """articles => articles.reverse().map(article => ({
  name: article.querySelector("h2").textContent,
  problem: article.querySelector("p")?.textContent ?? "",
  tables: Object.fromEntries([...article.querySelectorAll("table")].map(table => [table.caption.textContent,
    Object.fromEntries([...table.rows].map(row => [row.cells[0].textContent, +row.cells[1].textContent]))])) }))"""


class Opened(NamedTuple):
    """A page of Playwright, what its console and its errors say, and the addresses that it asks for."""

    page: object
    said: list[str]
    asked: list[str]

    @property
    def wide(self):
        """Whether it has to be scrolled sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth > innerWidth")


@contextmanager
def chromium(address, width=900, colours="light"):
    """Open an address: `Opened`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *CAMERA])
        opened = Opened(browser.new_page(viewport={"width": width, "height": 900}, color_scheme=colours), [], [])
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("request", lambda request: opened.asked.append(request.url))
        opened.page.goto(address)
        yield opened
        browser.close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and writes nothing on the terminal."""

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Serve a folder: the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def classify(page, paths):
    """Give files to the page that classifies, then take a photo: what it shows of each, first to last."""
    def wait(status):
        page.wait_for_function("start => document.getElementById('status').textContent.startsWith(start)",
                               arg=status, timeout=1000 * SECONDS)

    wait("Ready.")
    page.set_input_files("#files", paths)
    wait("Ready. Classified")
    page.click("#camera")
    wait("Ready. Camera")
    page.click("#take")
    wait("Ready. Photo")
    return page.eval_on_selector_all("article", SHOWN)
