"""The report in a real browser: headless Chromium opens it from disk, as a student does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.course import Course
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.notebook import notebook_bundle
from grader.results import Report
from grader.sandbox.warm import Warm
from grader.submission import Submission, read_submission

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
OPTIONS += ["--disable-sync", "--no-first-run"]
REPORTS = ["perfect", "half_finished", "all_wrong", "hostile"]
SCHEMES = ["light", "dark"]
WIDTHS = [360, 1280]

HOSTILE = r"""
TEXT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\u202egnp.exe\x1b[31m"
TEXT += "Z\u0351\u0352\u0353" * 40
def linear_backward(dout, x, W):
    print(TEXT, "w" * 3000, "\u05d0\u05d1\u05d2 " * 50)
    raise ValueError(TEXT + "w" * 1500)
def dropout_backward(dout, mask, p):
    dh = dout * float("nan") if len(dout) > 1 else dout  # <b>bold</b> </code></pre><script>alert(2)</script>
    return dh
"""


def _all_wrong() -> Submission:
    """Every line of two solutions that says its shape, made wrong."""
    files = {}
    for name in ("softmax_cross_entropy", "linear"):
        path = ROOT / "solutions" / f"{name}.py"
        wrong = re.sub(r"(?m)^(\s+(?:return |d\w+ = ))(.+?)(\s+# \(.*\))$", r"\1 1.1 * (\2) + 0.01\3", path.read_text())
        files[path.name] = wrong.encode()
    return Submission("all wrong", files, {})


def _one_slip() -> Submission:
    """Two solutions, one of them without a term."""
    files = {name: (ROOT / "solutions" / name).read_text() for name in ("linear.py", "mlp.py")}
    files["mlp.py"] = files["mlp.py"].replace("dprobs * counts_sum_inv + dcounts_sum ", "dprobs * counts_sum_inv ")
    return Submission("one slip", {name: text.encode() for name, text in files.items()}, {})


SUBMISSIONS: dict[str, Callable[[], Submission]] = {
    "perfect": lambda: read_submission(ROOT / "solutions"),
    "half_finished": lambda: read_submission(ROOT / "tests" / "submissions" / "half_finished"),
    "all_wrong": _all_wrong,
    "one_slip": _one_slip,
    "hostile": lambda: Submission("../<i>a/b</i>\u202e", {"linear.py": HOSTILE.encode()}, {}),
}


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


@pytest.fixture(scope="module")
def reports(course: Course, warm: Warm) -> dict[str, Report]:
    grader = Grader(course)
    return {name: grader.grade(make(), warm) for name, make in SUBMISSIONS.items()}


@pytest.fixture(scope="module")
def pages(reports: dict[str, Report], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of each report as a file."""
    folder = tmp_path_factory.mktemp("pages")
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(render_html(report), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in reports}


@pytest.fixture
def open_page(browser, pages: dict[str, str]):
    """Open a report; the page collects what the console says in `page.said`."""
    contexts = []

    def open_(name: str, *, scheme: str = "light", width: int = 1280, media: str = "screen", bypass_csp: bool = False):
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=bypass_csp
        )
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.said.append(request.url) if request.url != pages[name] else None)
        page.emulate_media(media=media, color_scheme=scheme)
        page.goto(pages[name])
        return page

    yield open_
    for context in contexts:
        context.close()


def _overflowing(page) -> list[str]:
    """Return what reaches beyond the page's right edge without a box of its own that scrolls."""
    return page.evaluate("""() => {
        const edge = document.documentElement.clientWidth;
        const inside = element => element.closest('.wide, pre, .unseen, svg');
        return [...document.querySelectorAll('body *')]
            .filter(element => element.getBoundingClientRect().right > edge + 1 && !inside(element.parentElement))
            .map(element => element.outerHTML.slice(0, 100));
    }""")


def test_in_a_notebook_a_link_leads_to_a_part_of_the_report(browser, reports: dict[str, Report], tmp_path: Path):
    report = reports["half_finished"]
    bundle = notebook_bundle("3 of 10 points", render_html(report))
    (tmp_path / "jupyter.html").write_text(f"<!doctype html><title>Jupyter</title>{bundle['text/html']}")
    page = browser.new_page()
    page.goto((tmp_path / "jupyter.html").as_uri())
    frame = page.query_selector("iframe").content_frame()
    below = frame.locator("h2", has_text="Dropout").last

    before = below.bounding_box()["y"]
    frame.locator("nav a", has_text="Dropout").click()
    page.wait_for_timeout(100)

    assert page.query_selector("iframe").content_frame().title() == frame.title() != "Jupyter"
    assert below.bounding_box()["y"] < before
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_overflows_with_everything_open(name: str, width: int, open_page):
    page = open_page(name, width=width)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert _overflowing(page) == []


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_overflows_on_paper(name: str, open_page):
    page = open_page(name, width=700, media="print")

    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert _overflowing(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", REPORTS)
def test_the_console_is_silent_and_nothing_is_fetched(name: str, scheme: str, open_page):
    page = open_page(name, scheme=scheme)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")

    assert page.said == []


def test_a_hostile_submission_runs_no_script(open_page):
    page = open_page("hostile")

    assert page.title().startswith("../<i>a/b</i>")
    assert page.locator("script, img, main i, main b").count() == 0


def test_the_policy_stops_a_script_that_got_in(browser, pages: dict[str, str], tmp_path: Path):
    content = Path(pages["perfect"].removeprefix("file://")).read_text()
    injected = tmp_path / "injected.html"
    attack = "<script>document.title = 'owned'</script><p style='color: red' onclick='1'>x</p></main>"
    injected.write_text(content.replace("</main>", attack))
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.goto(injected.as_uri())

    assert page.title() != "owned"
    assert any("script" in line and "Content Security Policy" in line for line in said)
    page.close()


# The half-finished one has every colour there is.
AXE = [("perfect", "light"), ("half_finished", "light"), ("hostile", "light")]
AXE += [("half_finished", "dark"), ("all_wrong", "dark"), ("one_slip", "light"), ("one_slip", "dark")]


@pytest.mark.parametrize(("name", "scheme"), AXE)
def test_axe_finds_nothing(name: str, scheme: str, open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    # Its script would be stopped by the page's own policy.
    page = open_page(name, scheme=scheme, bypass_csp=True)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")

    found = axe.Axe().run(page)

    problems = [(each["id"], each["nodes"][0]["html"][:200]) for each in found.response["violations"]]
    assert problems == []


def test_every_fold_opens_by_keyboard(open_page):
    page = open_page("half_finished")
    folded = page.locator("details:not([open]) > summary:visible")

    while folded.count():
        before = page.locator("details[open]").count()
        folded.first.focus()
        page.keyboard.press("Enter")
        assert page.locator("details[open]").count() == before + 1

    assert page.locator("details:not([open])").count() == 0


def test_hints_open_one_by_one(open_page):
    page = open_page("half_finished")
    hints = page.locator(".slip").first.locator("details.hint > summary:visible")

    assert hints.all_inner_texts() == ["Hint 1 of 3"]
    hints.first.click()
    assert hints.all_inner_texts() == ["Hint 1 of 3", "Hint 2 of 3"]


def test_what_needs_scrolling_is_reached_by_tab(open_page):
    page = open_page("all_wrong", width=360)

    stuck = page.evaluate("""() => [...document.querySelectorAll('.wide, pre')]
        .filter(box => box.scrollWidth > box.clientWidth && box.tabIndex < 0).length""")

    assert stuck == 0


def test_paper_shows_what_is_folded_but_the_hints(open_page):
    page = open_page("half_finished", width=700, media="print")

    assert page.get_by_text("out = h * mask / (1 - p)").first.is_visible()
    assert not page.get_by_text("Look for every line of the forward that reads counts").first.is_visible()


def test_every_picture_says_its_numbers(open_page):
    page = open_page("half_finished")

    pictures = page.get_by_role("img").all()

    assert pictures
    for picture in pictures:
        label = picture.get_attribute("aria-label")
        assert re.search(r"From [-\d.e+]+ to [-\d.e+]+\.|The largest error is [\d.]+", label), label


def test_the_link_to_the_next_step_arrives_at_an_open_panel(open_page):
    page = open_page("half_finished")

    page.get_by_role("link", name="Go to cross_entropy_steps_backward").click()

    assert page.locator("#cross_entropy_steps_backward[open]").is_visible()
    assert page.url.endswith("#cross_entropy_steps_backward")


@pytest.mark.parametrize("width", [390, 760, 1280])
def test_what_is_open_comes_first_and_what_is_finished_last_in_one_line(width: int, open_page):
    page = open_page("one_slip", width=width)

    heads = [head.inner_text().upper() for head in page.locator("main h2:visible").all()]

    for head, text in zip(heads, ["WHAT TO DO NEXT", "THE WHOLE MLP", "NOT BEGUN", "FINISHED"], strict=True):
        assert head.startswith(text)
    assert page.locator("details.finished > summary:visible").count() == 1
    assert not page.get_by_text("linear_backward").last.is_visible()


def test_one_slip_looks_nearly_done(open_page):
    page = open_page("one_slip")

    assert page.get_by_text(
        "Of what you have begun, 28 of 29 gradients are right or follow; 1 slip is open."
    ).is_visible()


def test_a_closed_panel_says_what_is_open_in_it(open_page):
    page = open_page("one_slip")
    panel = page.locator("#mlp_backward > summary")
    said = panel.get_by_text("two uses add")

    assert not said.is_visible()
    panel.click(position={"x": 8, "y": 8})
    assert said.is_visible()


def test_expected_and_own_numbers_stand_beside_each_other_with_the_forward_line(open_page):
    slip = open_page("one_slip").locator("div.slip")

    tops = [figure.bounding_box()["y"] for figure in slip.locator("figure.code, figure.map").all()]

    assert len(tops) == 5
    assert len({round(top) for top in tops}) == 2
    assert "probs = counts * counts_sum_inv" in slip.inner_text()
    assert "dcounts = dprobs * counts_sum_inv" in slip.inner_text()


def test_a_node_of_the_graph_leads_by_keyboard_to_what_is_said_of_it(open_page):
    page = open_page("one_slip", width=390)
    node = page.locator('svg.graph a[href="#mlp_backward.dW1"]')

    node.focus()
    page.keyboard.press("Enter")

    page.locator('[id="mlp_backward.dW1"]').wait_for(state="visible")
    assert page.locator("details.gradients[open]").count() == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_has_contrast_with_the_background_that_the_page_states(scheme: str, open_page):
    page = open_page("one_slip", scheme=scheme, width=390)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")

    poor = page.evaluate("""() => {
        const parse = text => text.match(/[\\d.]+/g).map(Number);
        const light = color => color.slice(0, 3).map(c => c / 255)
            .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
        const behind = element => {
            for (; element; element = element.parentElement) {
                const color = parse(getComputedStyle(element).backgroundColor);
                if (color.length === 3 || color[3] === 1) return color;
            }
        };
        return [...document.querySelectorAll('main *, header *, footer *')]
            .filter(e => !e.closest('svg, math') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .filter(e => {
                const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
                return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5;
            }).map(e => e.outerHTML.slice(0, 80));
    }""")

    assert poor == []
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(251, 250, 248)" if scheme == "light" else "rgb(20, 23, 28)"
    )


def test_code_that_is_wider_than_a_phone_shows_that_it_goes_on(open_page):
    page = open_page("one_slip", width=390)

    wide = page.locator("div.slip pre").first

    assert wide.evaluate("box => box.scrollWidth > box.clientWidth && box.tabIndex === 0")
    assert wide.evaluate("box => getComputedStyle(box).backgroundImage").count("linear-gradient") == 4


def test_paper_has_neither_what_is_for_a_screen_nor_a_tinted_ground(open_page):
    page = open_page("one_slip", width=700, media="print", scheme="dark")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("grade case").first.is_hidden()
    assert page.get_by_text("The other 25 gradients in figures").is_visible()
    assert page.locator('[id="mlp_backward.dW1"]').is_visible()
    assert page.locator("details.worked table").is_hidden()


def test_what_changed_since_the_last_run_stands_at_the_top(reports: dict[str, Report]):
    page = render_html(reports["one_slip"], since="Since the last run: +2 gradients <right>.")

    assert "Since the last run: +2 gradients &lt;right&gt;." in page.partition("<main>")[0]
    assert 'class="since"' not in render_html(reports["one_slip"])
