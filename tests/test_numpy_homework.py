"""Homework in numpy as it is handed in: a cache that the student's own forward made, a loss beside its gradient."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.authoring.check import check_course
from grader.course import load_course
from grader.errors import CourseError
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.workbench.script import write_case

FOLDER = Path(__file__).parent / "courses" / "numpy_homework"
SOLUTION = (FOLDER / "solutions" / "homework.py").read_text(encoding="utf-8")
STUB = (FOLDER / "student_template" / "homework.py").read_text(encoding="utf-8")
RUBRIC = (FOLDER / "assignments" / "homework" / "rubric.yaml").read_text(encoding="utf-8")

Ask = Callable[[str, str], ExerciseFeedback]


@pytest.fixture(scope="module")
def grader() -> Grader:
    """The course, ready to grade."""
    return Grader(load_course(FOLDER))


@pytest.fixture(scope="module")
def ask(grader: Grader, warm: Warm) -> Ask:
    """Grade the solution with a part replaced, as a file, and return what is said of one function."""

    def ask(function: str, source: str) -> ExerciseFeedback:
        report = grader.grade(Submission("student", {"homework.py": source.encode()}, {}), warm)
        return next(each for each in report.selected[0].exercises if each.function == function)

    return ask


def changed(old: str, new: str) -> str:
    """Return the solution with a part replaced."""
    assert old in SOLUTION
    return SOLUTION.replace(old, new)


@pytest.mark.slow
def test_the_course_holds(warm: Warm):
    assert [finding for proof in check_course(load_course(FOLDER), (), warm) for finding in proof.findings] == []


@pytest.mark.parametrize(("source", "score"), [(SOLUTION, 9), (STUB, 0)], ids=["solution", "stub"])
def test_the_solution_is_right_and_the_stub_scores_nothing(source: str, score: float, ask: Ask):
    found = [ask(function, source) for function in ("layernorm_backward", "softmax_loss")]

    assert sum(each.score or 0 for each in found) == score
    assert {each.outcome for each in found} == {Outcome.RETURNED if score else Outcome.NOT_WRITTEN}


KEPT = "cache = {" + SOLUTION.partition("cache = {")[2].partition("\n")[0]
UNPACKED = 'x_hat, scale, gamma = cache["x_hat"], cache["scale"], cache["gamma"]'
CACHES = {
    "a tuple": changed(KEPT, "cache = (x_hat, scale, gamma)").replace(UNPACKED, "x_hat, scale, gamma = cache"),
    "another order": changed(KEPT, "cache = [gamma, scale, x_hat]").replace(UNPACKED, "gamma, scale, x_hat = cache"),
    "the settings as well": changed(KEPT, KEPT + "\n    ln_param.clear()\n    cache['settings'] = ln_param"),
}


@pytest.mark.parametrize("source", CACHES.values(), ids=CACHES)
def test_what_a_student_keeps_in_the_cache_is_their_own(source: str, ask: Ask):
    assert ask("layernorm_backward", source).score == 6


def test_a_slip_is_found_behind_a_cache_of_the_students_own(ask: Ask):
    found = ask("layernorm_backward", changed("dgamma = np.sum(dout * x_hat, axis=0)", "dgamma = np.sum(dout * x_hat)"))

    assert found.score == 5
    assert [each.name for each in found.slips] == ["dgamma"]


def test_a_notebook_has_both(grader: Grader, warm: Warm):
    cells = "# %%\n" + SOLUTION.replace("\n\n\ndef", "\n\n\n# %%\ndef") + "\n# %%\nplot()\n"
    report = grader.grade(Submission("student", {"homework.py": cells.encode()}, {}), warm)

    assert report.score == 9


# What is changed in the forward pass, and how what is said ends.
FAILED = {
    "not there": ("def layernorm_forward", "def forward", "NameError: layernorm_forward is not there, and the cache"),
    "no cache": (
        "+ beta, cache",
        "+ beta",
        "TypeError: layernorm_forward returned one value, expected two: out, cache",
    ),
    "it raises": ('ln_param["eps"]', 'ln_param["epsilon"]', "KeyError: 'epsilon'; ln_param has eps"),
}


@pytest.mark.parametrize(("old", "new", "said"), FAILED.values(), ids=FAILED)
def test_a_forward_that_fails_is_told(old: str, new: str, said: str, ask: Ask):
    found = ask("layernorm_backward", changed(old, new))

    assert (found.outcome, found.score) == (Outcome.RAISED, 0)
    assert found.message.startswith(said)


RETURNED = {
    "the gradient alone": ("return loss, dx", "return dx", 3),
    "a dict": ("return loss, dx", "return {'loss': loss, 'dx': dx}", 3),
    "a loss that is a text": ("return loss, dx", "return 'loss', dx", 3),
    "no loss": ("return loss, dx", "return None, dx", 3),
    "the other order": ("return loss, dx", "return dx, loss", 0),
}


@pytest.mark.parametrize(("old", "new", "score"), RETURNED.values(), ids=RETURNED)
def test_of_what_is_returned_the_gradient_counts(old: str, new: str, score: float, ask: Ask):
    assert ask("softmax_loss", changed(old, new)).score == score


def test_too_many_values_are_told_with_their_names(ask: Ask):
    found = ask("softmax_loss", changed("return loss, dx", "return loss, dx, x"))

    assert found.message == "returned 3 values, expected 2: loss, dx; x in line 48 is none of them"


@pytest.mark.slow
@pytest.mark.parametrize(("function", "lines"), [("layernorm_backward", 3), ("softmax_loss", 1)])
def test_a_case_is_a_script_that_calls_both(function: str, lines: int, tmp_path: Path):
    (tmp_path / "homework.py").write_text(SOLUTION, encoding="utf-8")
    path, _ = write_case(load_course(FOLDER), function, None, 0, tmp_path)

    done = subprocess.run([sys.executable, path.name], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert len(re.findall("approximate: True", done.stdout)) == lines


# A part of the rubric, what is written there, and the complaint.
REFUSED = {
    "a gradient is missing": ("[loss, dx]", "[loss]", "`returns` must name dx once, beside what else softmax_loss"),
    "another twice": ("[loss, dx]", "[loss, dx, loss]", "`returns` names 'loss' twice; remove one"),
    "two makers": ("ln_param]}", "ln_param], f: [x]}", "`cache_of` is one function and what it is given"),
    "no cache": ("given: [dout, cache]", "given: [dout, x]", "layernorm_backward must be given a cache, and have no"),
    "another cache": ("cache_of:", "cache: [x]\n    cache_of:", "layernorm_backward must be given a cache, and have"),
}


@pytest.mark.parametrize(("old", "new", "said"), REFUSED.values(), ids=REFUSED)
def test_a_rubric_that_contradicts_itself_is_refused(old: str, new: str, said: str, tmp_path: Path):
    folder = tmp_path / "assignments" / "homework"
    folder.mkdir(parents=True)
    (tmp_path / "assignments" / "course.yaml").write_text("format: 1\ntitle: T\nassignments: [homework]\n")
    (folder / "reference.py").write_bytes((FOLDER / "assignments" / "homework" / "reference.py").read_bytes())
    (folder / "rubric.yaml").write_text(RUBRIC.replace(old, new), encoding="utf-8")

    with pytest.raises(CourseError) as caught:
        load_course(tmp_path)

    assert said in str(caught.value)
