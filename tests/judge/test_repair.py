"""A change of a student's own text that makes it right explains a slip, and tells one slip from several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from verdict.slip_table import ROOT

from grader.course import Course, Exercise, load_course
from grader.course.cases import Case, Reference
from grader.grading import Grader
from grader.judge.repair import Draft, Repair, draw_draft, most_telling, share
from grader.report.words import follows_line
from grader.results import ExerciseFeedback
from grader.sandbox.guest.protocol import Frame, FrameError
from grader.sandbox.guest.repair import Pair, directions
from grader.sandbox.question import Question
from grader.sandbox.repairing import Edit, Repairing, Setting, TriedChange, read_tried
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.verdict.compare import Verdict

Feedback = Callable[[str, str, str, str], ExerciseFeedback]


@pytest.fixture(scope="module")
def feedback_on(course: Course, warm: Warm) -> Feedback:
    """Grade a solution in which one text stands in place of another; without one, a text of its own."""
    graders: dict[str, Grader] = {}

    def feedback_on(assignment: str, function: str, right: str, wrong: str) -> ExerciseFeedback:
        grader = graders.setdefault(function, Grader(course, seed=5, only=[function]))
        source = (ROOT / "solutions" / f"{assignment}.py").read_text()
        assert source.count(right) == 1 or not right
        files = {path.name: path.read_bytes() for path in (ROOT / "solutions").glob("*.py")}
        files[f"{assignment}.py"] = (source.replace(right, wrong) if right else wrong).encode()
        return grader.grade(Submission("student", files, {}), warm).selected[0].exercises[0]

    return feedback_on


# The assignment, the function, what stands in the solution and what in its place, the gradient, what is said of it.
SLIPS = {
    "a gradient for a value": (
        "batchnorm",
        "batchnorm_steps_backward",
        "dbn_diff = bn_var_inv * dbn_raw + 2 * bn_diff * dbn_diff_sq",
        "dbn_diff = dbn_var_inv * dbn_raw + 2 * bn_diff * dbn_diff_sq",
        "dbn_diff",
        "`dbn_var_inv` stands where `bn_var_inv` belongs. With that alone your formula is right.",
    ),
    "a value that is taken out in another line": (
        "layernorm",
        "rmsnorm_backward",
        "normed = x * rms_inv  #",
        "normed = x / rms_inv  #",
        "drms_gain",
        "Look at line 108: In `x / rms_inv`, * belongs in place of /. With that alone your formula is right.",
    ),
    "a factor in one of two terms": (
        "layernorm",
        "rmsnorm_backward",
        "dx = rms_inv * (dnormed - normed *",
        "dx = rms_inv * (dnormed - rms_gain * normed *",
        "dx",
        "`rms_gain *` is one too many in `rms_gain * normed`. With that alone your formula is right.",
    ),
}


@pytest.mark.parametrize(("assignment", "function", "right", "wrong", "name", "said"), SLIPS.values(), ids=SLIPS)
def test_a_slip_that_no_catalogue_has_is_named(
    assignment: str, function: str, right: str, wrong: str, name: str, said: str, feedback_on: Feedback
):
    exercise = feedback_on(assignment, function, right, wrong)

    gradient = next(each for each in exercise.gradients if each.name == name)
    assert gradient.diagnosis is not None
    assert gradient.diagnosis.message == said


# A slip in a value that is not asked for, on which several gradients rest, and the one that is charged.
COMMON = {
    "the loop of a recurrent network": (
        "recurrence",
        "rnn_backward",
        "dh = dout[:, k] + dh0",
        "dh = dout[:, k] - dh0",
    ),
    "what reaches the cell of an LSTM": (
        "recurrence",
        "lstm_step_backward",
        "whole_dc = dc + dh * o * (1 - bent**2)",
        "whole_dc = dc + dh * o * (1 - bent**3)",
    ),
    "the loss of a whole network": (
        "speed",
        "fast_mlp_backward",
        "dlogits[torch.arange(N), Y] -= 1.0 / N",
        "dlogits[torch.arange(N), Y] -= 2.0 / N",
    ),
}


@pytest.mark.parametrize(("assignment", "function", "right", "wrong"), COMMON.values(), ids=COMMON)
def test_a_slip_that_several_gradients_have_in_common_is_charged_once(
    assignment: str, function: str, right: str, wrong: str, feedback_on: Feedback
):
    exercise = feedback_on(assignment, function, right, wrong)

    (charged,) = [each for each in exercise.gradients if each.score != each.max_score]
    followers = exercise.of(Verdict.FOLLOWS)
    assert len(followers) > 2
    assert follows_line(followers) == (
        f"wrong by the same slip as {charged.name}, which is charged there: with that mended, right"
    )


ONE_LINE = """def residual_backward(dout, x, W, h):
    d = dout * (1 + h**2)
    return dout + d @ W.T, x.T @ d, d.sum(0)
"""


def test_of_gradients_in_one_line_the_exercise_s_first_is_charged(feedback_on: Feedback):
    exercise = feedback_on("residual", "residual_backward", "", ONE_LINE)

    assert [each.name for each in exercise.gradients if each.score != each.max_score] == ["dx"]


SPECIAL = """def matmul_backward(dout, a, b):
    d = dout * 2
    d = d if 1 in d.shape else d.flip(0)
    return d @ b.T, a.T @ d
"""


def test_what_is_right_only_where_an_axis_has_one_entry_is_not_right(feedback_on: Feedback):
    exercise = feedback_on("primitives", "matmul_backward", "", SPECIAL)

    assert exercise.score == 0


TWO = """def residual_backward(dout, x, W, h):
    d = dout * (1 - h**2)
    return dout - d @ W.T, x.T @ d / 2, d.sum(0)
"""


def test_two_slips_are_charged_twice(feedback_on: Feedback):
    exercise = feedback_on("residual", "residual_backward", "", TWO)

    assert {each.name for each in exercise.gradients if each.score != each.max_score} == {"dx", "dW"}


# What stands for an upstream gradient that is given, and shows no work.
PLACEHOLDERS = ("0 * dout", "torch.zeros_like(dout)", "torch.ones_like(dout)", "torch.zeros(dout.shape)")


@pytest.mark.parametrize("made", PLACEHOLDERS)
def test_a_placeholder_that_a_change_fills_in_is_not_paid(made: str, feedback_on: Feedback):
    source = f"import torch\n\n\ndef broadcast_add_backward(dout, a, b):\n    d = {made}\n    return d, d.sum(0)\n"

    exercise = feedback_on("primitives", "broadcast_add_backward", "", source)

    assert exercise.score == 0


# Right only where a changed number lets autograd, or a numerical derivative, do the work.
CHEATS = {
    "autograd": "w = W.clone().requires_grad_()\n        (torch.tanh(x @ w) * dout).sum().backward()\n        d = None",
    "somebody else's": "d = torch.ops.aten.tanh_backward(dout, h)",
}


@pytest.mark.parametrize("work", CHEATS.values(), ids=CHEATS)
def test_what_is_not_written_by_hand_is_not_paid_behind_a_change(work: str, feedback_on: Feedback):
    source = (
        "import torch\n\n\ndef residual_backward(dout, x, W, h):\n    d = dout\n    if len(x) * 0 == 1:\n"
        f"        {work}\n    return dout + d @ W.T, x.T @ d, d.sum(0)\n"
    )

    exercise = feedback_on("residual", "residual_backward", "", source)

    assert exercise.score == 0
    assert "autograd_with_probes" in {flag.kind for flag in exercise.flags}


def test_nothing_that_is_asked_for_is_told_where_changes_are_tried(course: Course):
    told = []
    for rubric in course.rubrics:
        reference = Reference(rubric)
        for exercise in rubric.exercises:
            case = reference.make_case(exercise, exercise.cases[0], 3)
            wanted = [(name,) for name in exercise.gradient_names] + [tuple(exercise.gradient_names)]
            for names in wanted:
                draft = draw_draft(exercise, case, names)
                sent = [*draft.arguments.items(), *draft.gradients.items()]
                told += [
                    (exercise.function, names, name)
                    for name, tensor in sent
                    for each in case.expected.values()
                    if tensor.shape == each.shape and torch.equal(tensor, each) and bool(each.any())
                ]
                told += [(exercise.function, names, name) for name in set(draft.gradients).intersection(names)]

    assert told == []


STEP = {
    "course.yaml": "format: 1\ntitle: A step\nassignments: [step]\n",
    "step/rubric.yaml": """format: 1
title: A step
exercises:
  step_backward:
    forward: step
    given: [dout, x, Wx]
    gradients:
      dx: {points: 1}
      dWx: {points: 1}
    cases:
      - {name: all sizes differ, N: 4, D: 3, H: 2}
""",
    "step/reference.py": """def step_inputs(rng, N, D, H):
    return {"x": rng.normal(N, D), "Wx": rng.normal(D, H)}


def step(t):
    t.out = t.x @ t.Wx
""",
}


@pytest.fixture
def step(tmp_path: Path) -> tuple[Exercise, Case]:
    """A case of an exercise with a value that is called as a gradient is, but for the first letter."""
    for name, text in STEP.items():
        path = tmp_path / "assignments" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (rubric,) = load_course(tmp_path).rubrics
    (exercise,) = rubric.exercises
    return exercise, Reference(rubric).make_case(exercise, exercise.cases[0], 3)


def test_a_value_that_is_called_like_a_gradient_keeps_its_numbers(step: tuple[Exercise, Case]):
    draft = draw_draft(*step, ["dWx"])

    assert list(draft.arguments) == ["dout"]


def _product(made: torch.Tensor, seed: int) -> Pair:
    first, second = (float(made.reshape(-1) @ each) for each in directions(seed, made.numel()))
    return first, second


@pytest.mark.parametrize(("error", "is_right"), [(1e-10, False), (1e-14, True)], ids=["numerical", "rounding"])
def test_a_numerical_derivative_is_not_made_right_by_a_change(error: float, is_right: bool):
    right = torch.randn(30, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(30, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    repair = Repair(ASKED, (Draft({}, {}, {"dx": (right,)}),))
    edit = Edit("number", "3e-05", "1.5e-05", 1)

    mends = repair.mends([TriedChange((edit,), {"dx": [_product(right * (1 + error * noise), ASKED.seed)]})])

    assert bool(mends) is is_right


def test_what_marks_depend_on_is_searched_before_what_only_explains():
    alone, other, together = (Repair(replace(ASKED, gradients=names), ()) for names in (("dx",), ("dW",), ("dx", "dW")))

    assert most_telling([alone, other, together], 2) == [together, alone]


def test_the_change_that_mends_most_of_the_slips_goes_first():
    groups = [frozenset({"da", "db"}), frozenset({"db", "dc", "dd"}), frozenset({"da", "de"})]

    assert share(["da", "db", "dc", "dd", "de"], groups) == {"dc": "db", "dd": "db", "de": "da"}


ASKED = Repairing(Question("f", "f.py", ("x",), ("dx",), ()), ("dx",), (Setting(0, {}, {}, {"dx": (2,)}),), seed=1)
MALFORMED = {
    "nothing": {},
    "no list": {"tried": 3},
    "too many": {"tried": [[[], [None]]] * 4000},
    "no edits": {"tried": [["sign", [None]]]},
    "too many edits": {"tried": [[[["sign", "a", "b", 1]] * 3, [None]]]},
    "an edit of other things": {"tried": [[[["sign", 1, "b", 1]], [None]]]},
    "products of other gradients": {"tried": [[[], [None, None]]]},
    "products of other cases": {"tried": [[[], [[[1.0, 2.0], [1.0, 2.0]]]]]},
    "one product": {"tried": [[[], [[[1.0]]]]]},
    "a product that is no number": {"tried": [[[], [[[1.0, "2"]]]]]},
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED)
def test_what_a_child_says_of_changes_is_read_strictly(message: dict[str, object]):
    with pytest.raises(FrameError, match="the answer does not say"):
        read_tried(Frame(message, b""), ASKED)


def test_what_is_quoted_of_a_student_s_text_is_cleaned():
    edits = [["sign", "\x1b[31mx\x07", "y" * 500, 10**9]]

    (tried,) = read_tried(Frame({"tried": [[edits, [None]]]}, b""), ASKED)

    (edit,) = tried.edits
    assert (edit.before, len(edit.after) < 200, edit.line) == ("x", True, None)


def test_what_is_right_as_it_is_written_is_mended_by_nothing():
    expected = torch.tensor([1.0, 2.0], dtype=torch.float64)
    repair = Repair(ASKED, (Draft({}, {}, {"dx": (expected,)}),))
    first, second = (float(expected @ direction) for direction in directions(ASKED.seed, 2))
    made = {"dx": [(first, second)]}
    changed = TriedChange((Edit("sign", "a", "b", 1),), made)

    assert [mend.change for mend in repair.mends([TriedChange((), {}), changed])] == [changed]
    assert repair.mends([TriedChange((), made), changed]) == []
