"""The page of a training: its picture at every end that training may have, and in a real browser."""

from __future__ import annotations

import html
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.judge.training import Curve, Difference, Training
from grader.report.curves import draw_curves
from grader.report.training_page import headline, render_training
from grader.verdict.compare import Comparison, Verdict

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

TRUE = tuple(2 + math.exp(-step / 100) for step in range(400))
WRONG = Comparison(
    Verdict.WRONG_VALUES, (3, 4), (3, 4), max_abs_error=0.1, worst_index=(2, 1), expected=0.1, actual=0.2
)
SAME = Training(
    course="A course <b>",
    language="en",
    submission="<script>alert(1)</script>",
    function="mlp_backward",
    seed=0,
    planned=400,
    student=Curve(TRUE, ("emma", "olivia")),
    autograd=Curve(TRUE, ("emma", "olivia")),
    difference=None,
    problem="",
    seconds=9.0,
    uniform_loss=math.log(27),
)
PARTED = replace(
    SAME,
    student=Curve(tuple(2.5 + math.exp(-step / 100) for step in range(400)), ("qqx",)),
    difference=Difference(1, "dW2", WRONG, 2.0, ("dC",)),
)
CUT_SHORT = replace(SAME, student=Curve(TRUE[:120], ()), problem="mlp_backward raised ValueError: no in step 121")
AWAY = replace(PARTED, student=Curve(tuple(3 + 1.1**step for step in range(400)), ()))
ONE_STEP = replace(SAME, planned=1, student=Curve(TRUE[:1], ()), autograd=Curve(TRUE[:1], ()))
LATE = replace(PARTED, difference=Difference(390, "dbn_gain", WRONG, None, ()))
ALL = {"same": SAME, "parted": PARTED, "cut short": CUT_SHORT, "away": AWAY, "one step": ONE_STEP, "late": LATE}


@pytest.mark.parametrize("name", ALL)
def test_a_picture_stays_within_its_frame(name: str):
    root = ElementTree.fromstring(draw_curves(ALL[name], "two curves"))
    width, height = map(float, root.get("viewBox", "").split()[2:])
    for path in root.iter("path"):
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_curves_that_are_the_same_have_one_name():
    assert ">both 2.02<" in draw_curves(SAME, "")
    assert ">yours " not in draw_curves(SAME, "")


def test_curves_that_part_have_a_name_each_and_the_step_of_the_slip():
    drawn = draw_curves(PARTED, "")

    assert ">yours 2.52<" in drawn
    assert ">autograd 2.02<" in drawn
    assert ">step 1: dW2 differs<" in drawn


def test_a_training_that_was_cut_short_is_not_said_to_agree():
    assert headline(CUT_SHORT) == "The curves are the same as far as they go."


def test_a_page_escapes_what_came_from_a_submission_and_allows_no_script():
    page = render_training(replace(CUT_SHORT, problem="<script>alert(2)</script>"))

    assert "<script" not in page
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)


@pytest.mark.browser
def test_pages_open_in_a_browser_at_both_widths_in_both_schemes(tmp_path: Path):
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this system")
    said: list[str] = []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        for name in ("parted", "cut short"):
            (tmp_path / f"{name}.html").write_text(render_training(ALL[name]), encoding="utf-8")
            for width in (390, 1280):
                for scheme in ("light", "dark"):
                    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
                    page.on("console", lambda message: said.append(message.text))
                    page.goto((tmp_path / f"{name}.html").as_uri())

                    assert page.evaluate("document.documentElement.scrollWidth") <= width
                    box = page.locator("svg.curves").bounding_box()
                    # Drawn in units of a pixel on a narrow page: its letters of 11 are never smaller.
                    assert box["width"] >= 358
                    for text in page.locator("svg.curves text").all():
                        place = text.bounding_box()
                        assert place["x"] + place["width"] <= box["x"] + box["width"] + 1
                    page.close()
        browser.close()

    assert said == []
