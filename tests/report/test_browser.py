"""The page in a real browser: nothing complains, nothing leaves, tables sort."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
    "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr", "--v=0", "--virtual-time-budget=4000", "--dump-dom",
]  # fmt: skip
# What the page's own script must do, written down by a script that is added to a copy.
PROBE = """
<script>
const table = document.querySelector("#table-errors-small32-last table");
const column = () => [...table.tBodies[0].rows].map((row) => row.cells[2].textContent);
const head = table.querySelectorAll("tr.names th")[2];
const seen = [column()];
for (let click = 0; click < 2; click++) {
  head.querySelector("button").click();
  seen.push([head.getAttribute("aria-sort"), column()]);
}
head.querySelector("button").focus();
seen.push(document.activeElement.tagName);
seen.push(document.documentElement.scrollWidth - window.innerWidth);
const out = document.createElement("pre");
out.id = "probe";
out.textContent = JSON.stringify(seen);
document.body.append(out);
</script>
"""


def browse(page: Path, folder: Path, *options: str) -> tuple[str, str, list[str]]:
    """Open a page with an empty profile: the DOM after its scripts, the log, and the
    URLs that the page asked for."""
    log = folder / "net.json"
    options = [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", *options]
    command = [BROWSER, *FLAGS, *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    asked = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    # requests that a page makes have its origin as initiator, the browser's own have none
    urls = [p["url"] for p in asked if p.get("initiator", "not an origin") != "not an origin"]
    return done.stdout, done.stderr, urls


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory):
    return browse(page, tmp_path_factory.mktemp("browser"))


def console(log: str) -> list[str]:
    return [line for line in log.splitlines() if "CONSOLE" in line]


def test_no_console_message(opened):
    dom, log, _ = opened
    assert "</html>" in dom
    assert console(log) == []


def test_no_request_leaves_the_file(opened):
    _, _, urls = opened
    assert [url for url in urls if re.match(r"(https?|wss?|ftp):", url)] == []


def test_the_check_sees_what_it_should(page, tmp_path):
    """A page that breaks both rules is caught by both."""
    bad = tmp_path / "bad.html"
    bad.write_text('<script>missing()</script><img src="http://127.0.0.1:9/x.png">')
    _, log, urls = browse(bad, tmp_path)
    assert any("missing is not defined" in line for line in console(log))
    assert "http://127.0.0.1:9/x.png" in urls


@pytest.mark.parametrize("width", [1280, 390])
def test_tables_sort_by_click_and_the_page_fits(page, tmp_path, width):
    copy = tmp_path / "probe.html"
    copy.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    dom, log, _ = browse(copy, tmp_path, f"--window-size={width},900")
    assert console(log) == []
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom).group(1)
    before, up, down, focused, overflow = json.loads(found)
    numbers = [float(cell.split()[0]) for cell in before]
    assert up[0] == "ascending"
    assert [float(cell.split()[0]) for cell in up[1]] == sorted(numbers)
    assert down[0] == "descending"
    assert [float(cell.split()[0]) for cell in down[1]] == sorted(numbers, reverse=True)
    assert focused == "BUTTON"
    # only containers scroll sideways, never the page
    assert overflow <= 0
