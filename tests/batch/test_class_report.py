"""The class report counts a class and names nobody; every part of it is shown from real results files."""

from __future__ import annotations

import json
import re

import pytest

from grader.batch.class_report import render_class_report
from grader.batch.store import Record, Store


def gradient(name: str, verdict: str, diagnosis: dict[str, str] | None = None) -> dict[str, object]:
    return {"name": name, "verdict": verdict, "score": None, "max_score": 1.0, "diagnosis": diagnosis}


def result(score: float, verdicts: tuple[str, str], outcome: str = "returned", **more: object) -> dict[str, object]:
    sign = {"id": "sign", "message": "The sign of <dW> is wrong.", "certainty": "certain"}
    diagnoses = [sign if verdict == "wrong_values" else None for verdict in verdicts]
    gradients = [gradient(name, *pair) for name, *pair in zip(("dx", "dW"), verdicts, diagnoses, strict=True)]
    flags = [{"kind": "mutated_input", "detail": "x was changed in place by <zoe>"}]
    exercise = {"function": "linear_backward", "outcome": outcome, "seconds": 0.25, "flags": flags, **more}
    part = {
        "name": "linear",
        "title": "A linear layer",
        "score": score,
        "exercises": [{**exercise, "gradients": gradients}],
    }
    return {"score": score, "max_score": 2.0, "seconds": 0.5, "adjustments": [], "assignments": [part]}


@pytest.fixture
def store(tmp_path) -> Store:
    """Results of a class of five, one of whom could not be graded."""
    store = Store(tmp_path)
    store.create()
    results = {
        "ada": result(2.0, ("correct", "correct")),
        "bob": result(1.0, ("correct", "wrong_values")),
        "cyd": result(1.0, ("follows", "wrong_values")),
        "dan": result(0.0, ("not_returned", "not_returned"), "timed_out"),
        "<zoe>": None,
    }
    blank = {"submitted_at": None, "late": True, "attempt": None, "label": ""}
    entries = [
        {
            "submission": name,
            "name": name,
            "file": name.strip("<>"),
            "people": [{"name": name, "id": name, "email": ""}],
            **blank,
        }
        for name in results
    ]
    head = {"format": 1, "seed": 7, "course": "A <course>", "assignments": ["linear"], "system": "a folder"}
    store.write(tmp_path / "batch.json", json.dumps({**head, "entries": entries}))
    for name, each in results.items():
        problem = None if each else "hw.zip could not be read: encrypted"
        score = each["score"] if each else None
        store.keep(name.strip("<>"), Record({}, score, problem), json.dumps(each) if each else None, None)
    return store


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("</style>")[2]).split())


def test_it_counts_who_has_which_gradient_right(store):
    text = text_of(render_class_report(store, shows_names=False))
    assert "dx 75 %" in text
    assert "dW 25 %" in text
    assert "The hardest is dW of linear_backward : 25 %" in text


def test_it_counts_scores_diagnoses_outcomes_flags_and_times(store):
    text = text_of(render_class_report(store, shows_names=False))
    assert "4 of 5 submissions graded, 5 late." in text
    assert "50 to 60 % 2" in text
    assert "2 linear_backward dW The sign of &lt;dW&gt; is wrong." in text
    assert "timed out linear_backward 1" in text
    assert "linear_backward : 4 mutated input" in text
    assert "linear_backward 0.25 s 0.25 s" in text


def test_without_names_nothing_of_a_student_is_in_it(store):
    page = render_class_report(store, shows_names=False)
    assert not any(name in page for name in ("ada", "bob", "cyd", "zoe", "hw.zip", "reports/"))


def test_with_names_it_links_to_the_reports_and_escapes_what_students_chose(store):
    page = render_class_report(store, shows_names=True)
    assert '<a href="reports/ada.html">ada</a>' in page
    assert "<zoe>" not in page
    assert "x was changed in place by &lt;zoe&gt;" in page


def test_it_has_no_script_no_inline_style_and_no_address_elsewhere(store):
    page = render_class_report(store, shows_names=True)
    assert not re.search(r"<script|\sstyle=|\son\w+=|https?:", page)


def test_a_class_without_a_score_has_a_page_all_the_same(tmp_path):
    store = Store(tmp_path)
    store.create()
    head = {"format": 1, "seed": 7, "course": "A course", "assignments": [], "entries": []}
    store.write(tmp_path / "batch.json", json.dumps(head))
    assert "There are no scores yet." in render_class_report(store, shows_names=False)
