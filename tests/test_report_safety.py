"""Nothing that a submission says becomes markup, an escape sequence or a link in what people read."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from grader.feedback import Report
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.terminal import print_report
from grader.sandbox.warm import Warm
from grader.submission import Submission

ATTACKS = {
    "a script": "<script>alert(1)</script>",
    "the end of a pre": "</pre></td><img src=x onerror=alert(1)>",
    "quotes": '" onmouseover="alert(1)" \' x=\'',
    "a link": "javascript:alert(1)",
    "rich markup": "[bold][link=http://example.org]click[/link]",
    "a terminal title": "\x1b]0;owned\x07",
    "a clipboard write": "\x1b]52;c;b3duZWQ=\x07",
    "colours": "\x1b[31mred\x1b[0m",
    "a carriage return": "points\rTotal 100 of 100 points",
    "right to left": "\u202egnp.exe",
    "a lone surrogate": "\ud800",
    "a null": "\x00",
}
VOID = {"meta", "br", "img", "hr", "input", "link"}


def _report(attack: str, grader: Grader, warm: Warm) -> Report:
    source = f"def linear_backward(dout, x, W):\n    print({attack!a})\n    raise ValueError({attack!a})\n"
    return grader.grade(Submission(attack, {"linear.py": source.encode()}, {}), warm)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_page_has_no_tag_and_no_handler_of_a_submissions_making(attack: str, small_grader: Grader, warm: Warm):
    page = _Tags()
    page.feed(render_html(_report(attack, small_grader, warm)))

    assert not page.names & {"script", "img", "iframe", "object", "embed", "link", "base"}
    assert not [name for name in page.attributes if name.startswith("on")]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_terminal_gets_no_control_character(attack: str, small_grader: Grader, warm: Warm):
    out = StringIO()

    print_report(_report(attack, small_grader, warm), Console(file=out, markup=False, highlight=False, emoji=False))

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", out.getvalue())


def test_the_page_allows_its_own_style_and_nothing_else(small_grader: Grader, warm: Warm):
    page = render_html(_report("x", small_grader, warm))

    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in page
    assert " style=" not in page


def test_a_flag_is_for_the_instructor_and_not_on_the_students_page(small_grader: Grader, warm: Warm):
    source = b"def linear_backward(dout, x, W):\n    x.zero_()\n    return None\n"

    report = small_grader.grade(Submission("student", {"linear.py": source}, {}), warm)

    assert [flag.kind for flag in report.selected[0].exercises[0].flags] == ["mutated_input"]
    assert "mutated" not in render_html(report)
    assert "in place" not in render_html(report)
