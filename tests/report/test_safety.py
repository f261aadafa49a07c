"""Nothing that a submission says becomes markup, an escape sequence or a link in what people read."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from grader.grading import Grader
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.report.terminal import print_report
from grader.results import Report
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
    "the end of a text area": "</textarea><iframe src=//example.org>",
    "a link of a terminal": "\x1b]8;;http://example.org\x1b\\click\x1b]8;;\x1b\\",
    "a fake result": "PASS linear_backward 5/5\nTotal 5 of 5 points",
    "isolated directions": "\u2066x\u2069\u200b\u200d\ufeff",
    "a formula": "=cmd|' /C calc'!A0",
    "mathematics": "$\\href{javascript:alert(1)}{x}$ ![x](http://example.org/x.png)",
}
VOID = {"meta", "br", "img", "hr", "input", "link"}


def _by_text(attack: str, grader: Grader, warm: Warm) -> Report:
    source = f"def linear_backward(dout, x, W):\n    print({attack!a})\n    raise ValueError({attack!a})\n"
    return grader.grade(Submission(attack, {"linear.py": source.encode()}, {}), warm)


def _by_name(attack: str, grader: Grader, warm: Warm) -> Report:
    """The attack as the name of a file, of an exception and of what a function returns by."""
    name = attack.replace("\0", "")  # which no file can have in its name
    source = (
        f"def linear_backward(dout, x, W):\n"
        f"    if len(x) > 1:\n        raise type({name!a}, (Exception,), {{}})\n"
        f"    return {{{attack!a}: x}}\n"
    )
    files = {f"{name}.py": source.encode(), f"{name}/broken.py": b"def linear_backward(:"}
    return grader.grade(Submission(attack, files, {f"{name}2.py": "not a regular file"}), warm)


Way = Callable[[str, Grader, Warm], Report]
WAYS: list[Way] = [_by_text, _by_name]


@pytest.fixture(scope="module")
def report_on(small_grader: Grader, warm: Warm) -> Callable[[str, Way], Report]:
    """Grade an attack; what is read of its report in several ways is graded once."""
    return functools.cache(lambda attack, way: way(attack, small_grader, warm))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_page_has_no_tag_and_no_handler_of_a_submissions_making(attack: str, way: Way, report_on):
    page = _Tags()
    page.feed(render_html(report_on(attack, way)))

    assert not page.names & {"script", "img", "iframe", "object", "embed", "link", "base"}
    assert not [name for name in page.attributes if name.startswith("on")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_terminal_gets_no_control_character(attack: str, way: Way, report_on):
    out = StringIO()

    print_report(report_on(attack, way), Console(file=out, markup=False, highlight=False, emoji=False))

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", out.getvalue())


def test_the_page_allows_its_own_style_and_nothing_else(grade_source):
    page = render_html(grade_source("def linear_backward(dout, x, W):\n    raise ValueError('x')\n"))

    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in page
    assert " style=" not in page


def test_a_flag_is_for_the_instructor_and_not_on_the_students_page(grade_source):
    source = "def linear_backward(dout, x, W):\n    x.zero_()\n    return None\n"

    report = grade_source(source)

    assert [flag.kind for flag in report.selected[0].exercises[0].flags] == ["mutated_input"]
    assert "mutated" not in render_html(report)
    assert "in place" not in render_html(report)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_json_is_valid_and_holds_nothing_that_cannot_be_written(attack: str, way: Way, report_on):
    content = json.dumps(report_as_json(report_on(attack, way)), allow_nan=False)

    said = json.loads(content.encode("utf-8"))["assignments"][0]["exercises"][0]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", (said["message"] or "") + (said["printed"] or ""))


# A body -> the outcome, and a part of the message.
EXCEPTIONS = {
    "a text that raises": ("def __str__(self): raise ValueError", "raised", "could not be read: __str__ raised"),
    "a text that ends the process": ("def __str__(self): raise SystemExit", "raised", "__str__ raised"),
    "a text that is none": ("def __str__(self): return 5", "raised", "could not be read"),
    "a text of its own kind": (
        "def __str__(self): return type('S', (str,), {'__getitem__': lambda *_: 1 / 0})('x')",
        "raised",
        "not text",
    ),
    "a text that never ends": ("def __str__(self):\n        while True: pass", "timed_out", "did not finish"),
    "a text of a gigabyte": ("def __str__(self): return 'x' * 10**9", "raised", "could not be read"),
    "a text of 100 MB": ("def __str__(self): return 'x' * 10**8", "raised", "xxx"),
    "a representation that never ends": ("def __repr__(self):\n        while True: pass", "raised", "Strange"),
}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_that_will_not_be_shown_is_shown(name: str, grade_source):
    body, outcome, message = EXCEPTIONS[name]
    source = f"class Strange(Exception):\n    {body}\n\ndef linear_backward(dout, x, W):\n    raise Strange('x')\n"

    report = grade_source(source)

    exercise = report.selected[0].exercises[0]
    assert exercise.outcome.value == outcome, exercise.message
    assert message in exercise.message
    assert len(exercise.message) < 3_000


@pytest.mark.parametrize(
    "prints", ["print('x' * 60_000)", "print('x\\n' * 30_000)", "print('\\u202e' * 15_000)", "print('\\0' * 60_000)"]
)
def test_what_is_printed_is_cut_and_what_was_cut_is_counted(prints: str, grade_source):
    source = f"def linear_backward(dout, x, W):\n    {prints}\n    return None\n"

    report = grade_source(source)

    printed = report.selected[0].exercises[0].printed
    assert re.match(r"\(\d+ characters before\) \.\.\. ", printed)
    assert len(printed) < 30_000
    out = StringIO()
    print_report(report, Console(file=out, markup=False, highlight=False, emoji=False))
    assert len(out.getvalue()) < 20_000
