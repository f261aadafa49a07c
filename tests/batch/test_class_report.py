"""The class report counts a class and names nobody; every part of it is shown from real results files."""

from __future__ import annotations

import json
import re

import pytest

from grader.batch.class_report import render_class_report
from grader.batch.statistics import without_person
from grader.batch.store import Record, Store
from grader.course.graph import Graph, NamedValue
from grader.errors import UsageError


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


def test_the_hardest_gradient_comes_first_and_every_share_is_of_all_who_were_graded(store):
    text = text_of(render_class_report(store, shows_names=False))
    assert "Every share on this page is one of these 4." in text
    hardest = text.partition("the hardest first")[2].partition("All gradients")[0]
    assert re.findall(r"(d\w+) of linear_ backward (\d) \((\d+) %\)", hardest) == [("dW", "1", "25"), ("dx", "3", "75")]


GRAPH = Graph(
    (
        NamedValue("x", ()),
        NamedValue("W", ()),
        NamedValue("b", ()),
        NamedValue("out", (), ("x", "W", "b")),
    )
)


def test_the_graph_has_the_share_of_each_gradient_and_how_many_have_the_slip_there(store):
    store.keep_graphs({"linear_backward": GRAPH})

    page = render_class_report(store, shows_names=False)

    (drawn,) = re.findall(r'<svg class="graph".*?</svg>', page, re.DOTALL)
    assert re.findall(r">(\w+)</tspan><tspan[^>]*>([^<]*)<", drawn) == [("W", "25 %, 2 ✗"), ("x", "75 %")]
    assert re.findall(r'<g class="slip">.*?</g>', drawn)[0].count("W") == 1


def test_graphs_of_another_version_are_not_drawn(store):
    store.write(store.out / ".records" / ".graphs.json", '{"linear_backward": [[1]]}')

    assert '<svg class="graph"' not in render_class_report(store, shows_names=False)


def test_the_scores_stand_beside_their_maximum(store):
    text = text_of(render_class_report(store, shows_names=False))
    assert "4 of 5 submissions graded, 5 late." in text
    assert "maximum 2 median 1 highest 2 full marks 1" in text
    assert "1 to 1.2 2 1.2 to 1.4 0" in text
    assert "1.8 to 2 1" in text


def test_it_counts_outcomes_flags_and_times(store):
    text = text_of(render_class_report(store, shows_names=False))
    assert "ran out of time linear_ backward 1" in text
    assert "linear_ backward : 4 mutated input" in text
    assert "linear_ backward 0.25 s 0.25 s" in text


def test_a_slip_has_its_sentence_and_the_line_that_most_wrote_without_comment_and_text(store):
    lines = {"bob": "    dW = -x.T @ dout  # Bob's way", "cyd": "dW = -x.T @ dout"}
    for name, line in lines.items():
        content = json.dumps(store.result(name))
        store.keep(name, Record({}, 1.0, lines={"linear_backward dW": line}), content, None)

    text = text_of(render_class_report(store, shows_names=False))

    assert "dW of linear_ backward 2 of 4 (50 %) The sign of &lt;dW&gt; is wrong. dW = -x.T @ dout How runs" in text


PERSONAL = {
    "dW = x  # Ada": "dW = x",
    "dW = g('Ada', x)": "dW = g(…, x)",
    'dW = f"""Ada""" + x': "dW = f… + x",
    "dW = (x.T  # by Ada\n    @ dout)": "dW = (x.T @ dout)",
    "# Ada": "",
}


@pytest.mark.parametrize("code", PERSONAL)
def test_a_line_of_code_names_nobody(code):
    assert without_person(code) == PERSONAL[code]


def test_who_could_not_be_graded_is_said_in_sentences_without_a_name_of_a_file(store):
    text = text_of(render_class_report(store, shows_names=False))
    assert "1 is not to be read: a file or an archive is broken, protected or too large." in text
    assert "The column problem of grades.csv says which, and why." in text


def test_the_class_stands_beside_the_run_before_once_it_is_another(store):
    first = text_of(render_class_report(store, shows_names=False))
    again = text_of(render_class_report(store, shows_names=False))
    better = result(2.0, ("correct", "correct"))
    store.keep("bob", Record({}, 2.0), json.dumps(better), None)
    changed = text_of(render_class_report(store, shows_names=False))
    later = text_of(render_class_report(store, shows_names=False))

    assert "Beside" not in first + again
    assert "Beside the run before" in changed
    assert "mean, of all points 50 % 62 % +12" in changed
    assert "linear_ backward 50 % 62 % +12" in changed
    assert changed == later


def test_the_class_stands_beside_another_batch(store, tmp_path_factory):
    other = Store(tmp_path_factory.mktemp("week1"))
    other.create()
    entry = {"submission": "ada", "name": "ada", "file": "ada", "people": [], "label": ""}
    head = {"format": 1, "seed": 7, "course": "A <course>", "assignments": [], "system": "a folder"}
    entry |= {"submitted_at": None, "late": None, "attempt": None}
    other.write(other.out / "batch.json", json.dumps({**head, "entries": [entry]}))
    other.keep("ada", Record({}, 2.0), json.dumps(result(2.0, ("correct", "correct"))), None)

    text = text_of(render_class_report(store, shows_names=False, compare=other.out))

    assert f"Beside {other.out.name}" in text
    assert "submissions graded 1 4" in text
    assert "median, of all points 100 % 50 % \u221250" in text


def test_a_folder_to_compare_with_is_a_batch(store, tmp_path_factory):
    with pytest.raises(UsageError, match=r"--compare .* is not the --out of a batch"):
        render_class_report(store, shows_names=False, compare=tmp_path_factory.mktemp("no"))


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
