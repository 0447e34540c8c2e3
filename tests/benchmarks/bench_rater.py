"""How long a rater waits for the next item on the page, and what the page's server needs with 50 raters connected.

    python tests/benchmarks/bench_rater.py [--raters 50] [--presses 30] [--json]

A real Chromium, a served store, pictures of mini. Timed in the browser: from the key going down to the first frame that
has the next item's picture and buttons, with all raters connected. Each rater is a browser session of its own that has
signed in and rated an item. Memory is that of the server's processes (proportional set size), read once a second.
Browser and server share the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.machine import describe

MISSING = 77
MIN_SECONDS = 0.2
KEYS = "0123"
_WATCH = """() => {
  const ticket = () => (document.querySelector('[class*="st-key-score-0-"]')?.className.match(/st-key-score-0-(\\S+)/) || [])[1];
  const shown = () => { const i = document.querySelector('.st-key-picture img'); return i && i.complete && i.naturalWidth > 0; };
  window.waits = [];
  document.addEventListener('keydown', () => {
    const from = performance.now(), old = ticket();
    const look = () => {
      if (ticket() && ticket() !== old && shown()) window.waits.push(performance.now() - from);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, true);
}"""
_DRAWN = """([n]) => window.waits.length >= n
  && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'"""


def processes(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(p for child in children for p in processes(int(child)))]


def memory_mb(pid: int) -> float:
    """Proportional set size of a process and all that it started, MB."""
    total = 0
    for each in processes(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


def connect(browser: Any, url: str, token: str) -> Any:
    """Somebody who has signed in and sees an item."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    box = page.get_by_label("Your invitation")
    box.fill(token)
    box.press("Enter")
    page.locator('[class*="st-key-undo-"]').first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.evaluate(_WATCH)
    return page


def rate(page: Any, times: int) -> list[float]:
    """Rate some items by keyboard; milliseconds waited after each key."""
    page.evaluate("window.waits = []")
    for n in range(1, times + 1):
        page.wait_for_timeout(MIN_SECONDS * 1000 + 100)
        page.keyboard.press(KEYS[n % 4])
        page.wait_for_function(_DRAWN, arg=[n])
    found: list[float] = page.evaluate("window.waits")
    return found


def measure(raters: int, presses: int) -> tuple[list[float], list[float], list[float]]:
    """Waits with one rater and with all connected (ms), and the server's memory with all of them (MB)."""
    from tests.end_to_end.browser import chromium, served
    from zgbench.ratings import open_store
    from zgbench.sampling import sample

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ratings.db") as store:
        demo = Path(__file__).resolve().parents[2] / "submissions/demo.json"
        sample(store, demo, n=1000, per_image=0, k=raters)
        store.configure(min_seconds=MIN_SECONDS)
        tokens = [store.make_token(f"rater {n}", trained=True) for n in range(raters)]
        with chromium() as browser, served("rate", "--ratings", folder + "/ratings.db", folder=Path(folder)) as server:
            first = connect(browser, server.url, tokens[0])
            rate(first, 3)
            alone = rate(first, presses)
            print(f"alone: median {statistics.median(alone):.0f} ms", file=sys.stderr, flush=True)
            for n, token in enumerate(tokens[1:], 2):
                rate(connect(browser, server.url, token), 1)
                if n % 10 == 0:
                    print(f"{n} connected: {memory_mb(server.process.pid):.0f} MB", file=sys.stderr, flush=True)
            together = rate(first, presses)
            memory = []
            for _ in range(5):
                memory.append(memory_mb(server.process.pid))
                time.sleep(1)
    return alone, together, memory


def p95(values: list[float]) -> float:
    """95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raters", type=int, default=50)
    parser.add_argument("--presses", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        print("needs Chromium (Debian: apt-get install chromium)", file=sys.stderr)
        return MISSING
    for module in ("playwright", "streamlit", "sqlalchemy"):
        if importlib.util.find_spec(module) is None:
            print(f"needs {module}: pip install 'zgbench[apps,dev]'", file=sys.stderr)
            return MISSING
    if not options.json:
        print(describe())
    alone, together, memory = measure(options.raters, options.presses)
    for what, waits in (("one rater", alone), (f"{options.raters} raters connected", together)):
        if options.json:
            row = {"what": f"rating page, key to next item, {what}", "unit": "ms", "ours": [round(w, 1) for w in waits]}
            print(json.dumps(row | {"goal": {"under": 300}, "note": f"p95 {p95(waits):.0f} ms"}, ensure_ascii=False))
        else:
            print(
                f"key to next item, {what}: median {statistics.median(waits):.0f} ms, p95 {p95(waits):.0f} ms, "
                f"worst {max(waits):.0f} ms ({len(waits)} keys)"
            )
    if options.json:
        row = {"what": f"rating page, server memory, {options.raters} raters connected", "unit": "MB"}
        print(json.dumps(row | {"ours": [round(m) for m in memory], "goal": {"under": 1000}}))
    else:
        print(f"server's memory with {options.raters} raters connected: {max(memory):.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
