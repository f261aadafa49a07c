"""The class report in a real browser, on a lecturer's screen and on a phone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from grader.batch.class_report import render_class_report
from grader.batch.store import Record, Store
from grader.course.graph import Graph, NamedValue

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
GRADIENTS = ["dx", "dcounts_sum_inv", "dlogit_maxes"]
FUNCTIONS = ["cross_entropy_steps_backward", "tanh_dropout_backward"]
SLIP = {
    "id": "sum",
    "message": "Your dcounts_sum_inv is not summed over the axis that was broadcast.",
    "certainty": "certain",
}


def _result(score: float) -> dict[str, object]:
    def gradient(name: str) -> dict[str, object]:
        verdict = "correct" if score > len(name) else "wrong_values"
        return {"name": name, "verdict": verdict, "max_score": 2.0, "diagnosis": None if score > len(name) else SLIP}

    def exercise(name: str) -> dict[str, object]:
        flags = [{"kind": "processor_time", "detail": "case all sizes differ: 2 s of processor time"}]
        found = {"function": name, "outcome": "returned" if score > 2 else "too_much_output", "seconds": 0.2}
        return {**found, "flags": flags, "hidden": None, "gradients": [gradient(each) for each in GRADIENTS]}

    part = {"name": "all", "title": "Softmax and cross-entropy", "exercises": [exercise(each) for each in FUNCTIONS]}
    return {"score": score, "max_score": 12.0, "seconds": 0.5, "adjustments": [], "assignments": [part]}


def _make(store: Store, scores: list[float]) -> None:
    store.create()
    blank = {"people": [], "label": "", "submitted_at": None, "late": None, "attempt": None}
    files = [f"student_{number:02}" for number in range(len(scores) + 1)]
    entries = [{"submission": file, "name": file, "file": file, **blank} for file in files]
    head = {"format": 1, "seed": 7, "course": "Backward passes by hand", "assignments": ["all"], "system": "a folder"}
    store.write(store.out / "batch.json", json.dumps({**head, "entries": entries}))
    reads = {"dlogit_maxes": ("dx",), "dcounts_sum_inv": ("dx", "dlogit_maxes"), "dloss": ("dcounts_sum_inv",)}
    names = ["dx", "dlogit_maxes", "dcounts_sum_inv", "dloss"]
    values = [NamedValue(name[1:], (), tuple(each[1:] for each in reads.get(name, ()))) for name in names]
    store.keep_graphs(dict.fromkeys(FUNCTIONS, Graph(tuple(values))))
    lines = {f"{FUNCTIONS[0]} dcounts_sum_inv": "dcounts_sum_inv = (counts * dprobs).sum(dim=1)  # mine"}
    for file, score in zip(files, scores, strict=False):
        store.keep(file, Record({}, score, lines=lines), json.dumps(_result(score)), None)
    store.keep(files[-1], Record({}, None, "no Python file, notebook or archive in it"), None, None)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """Where the page of a class is that has everything on it, names as well."""
    store = Store(tmp_path_factory.mktemp("class"))
    _make(store, [1.0, 3.0, 4.0, 9.0])
    render_class_report(store, shows_names=True)
    _make(store, [1.0, 3.5, 4.0, 9.0, 12.0, 12.0, 11.0])
    (store.out / "index.html").write_text(render_class_report(store, shows_names=True), encoding="utf-8")
    return (store.out / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """One Chromium for all tests of this module."""
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this system")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Open the page with everything unfolded."""
    contexts = []

    def open_(width: int, scheme: str = "light"):
        contexts.append(
            browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
        )
        page = contexts[-1].new_page()
        page.goto(address)
        page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_word_is_broken_and_nothing_overflows(width, open_page):
    page = open_page(width)

    broken = page.evaluate("""() => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode())
            for (const match of node.data.matchAll(/[^\\s\\u00ad-]+/g)) {
                const range = document.createRange();
                range.setStart(node, match.index);
                range.setEnd(node, match.index + match[0].length);
                if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(match[0]);
            }
        return found;
    }""")
    assert broken == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_graph_of_the_function_with_most_slips_is_seen_at_once(open_page):
    assert open_page(1280).locator("svg.graph").first.get_by_text("counts_sum_inv").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(scheme, open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    violations = axe.run(open_page(390, scheme)).response["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []
