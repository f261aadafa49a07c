"""Follow-through: a slip is charged once, and a placeholder buys nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from grader.course import Course
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.verdict.follow import is_placeholder

SOLUTION = (Path(__file__).resolve().parents[2] / "solutions" / "softmax_cross_entropy.py").read_text()
ORDER = ["dlogprobs", "dprobs", "dcounts_sum_inv", "dcounts_sum", "dcounts", "dnorm_logits", "dlogit_maxes", "dlogits"]

# Right after many slips all the same, and worth no points.
ZERO_IN_TRUTH = "dlogit_maxes"

RIGHT = {
    "dlogprobs": "dlogprobs[range(n), Y] = -1.0 / n",
    "dprobs": "dprobs = dlogprobs / probs  # (N, V)",
    "dcounts": "dcounts = dprobs * counts_sum_inv + dcounts_sum  # (N, V)",
    "dnorm_logits": "dnorm_logits = norm_logits.exp() * dcounts  # (N, V)",
    "max branch": "dlogits += F.one_hot(logits.argmax(dim=1), num_classes=logits.shape[1]) * dlogit_maxes",
}

# A slip: the line as the student wrote it, the gradient it spoils, and those that follow from it.
SLIPS = {
    "dcounts, one branch only": ("dcounts", "dcounts = dprobs * counts_sum_inv"),
    "dcounts, sign of a branch": ("dcounts", "dcounts = dprobs * counts_sum_inv - dcounts_sum"),
    "dcounts, twice": ("dcounts", "dcounts = 2 * (dprobs * counts_sum_inv + dcounts_sum)"),
    "dcounts, ten thousand times too small": ("dcounts", "dcounts = 1e-4 * (dprobs * counts_sum_inv + dcounts_sum)"),
    "dprobs, not divided": ("dprobs", "dprobs = dlogprobs.clone()"),
    "dprobs, multiplied": ("dprobs", "dprobs = dlogprobs * probs"),
    "dprobs, sign": ("dprobs", "dprobs = -dlogprobs / probs"),
    "dprobs, upstream forgotten": ("dprobs", "dprobs = 1 / probs"),
    "dlogprobs, no mean": ("dlogprobs", "dlogprobs[range(n), Y] = -1.0"),
}

# An upstream under which many wrong formulas look right.
PLACEHOLDERS = {
    "zeros": "torch.zeros_like({value})",
    "ones": "torch.ones_like({value})",
    "tiny": "torch.full_like({value}, 1e-30)",
    "tiny and varied": "1e-30 * torch.arange({value}.numel()).reshape({value}.shape).double()",
    "huge": "1e30 * (1 + torch.arange({value}.numel()).reshape({value}.shape).double())",
    "a constant": "torch.full_like({value}, 0.37)",
    "constant along the rows": "torch.arange(len({value})).double().add(1)[:, None].expand({value}.shape)",
    "constant along the columns": "torch.arange({value}.shape[1]).double().add(1).expand({value}.shape)",
    "one-hot per row": "F.one_hot(torch.zeros(len({value})).long(), num_classes={value}.shape[1]).double()",
    "a single value": "torch.zeros_like({value}).index_put((torch.tensor(0), torch.tensor(0)), torch.tensor(0.3))",
    "not finite": "torch.full_like({value}, float('inf'))",
    "another shape": "torch.ones(3, 3, 3)",
}


@pytest.fixture(scope="module")
def feedback_on(course: Course, grade_source) -> Callable[[str], ExerciseFeedback]:
    grader = Grader(course, only=["cross_entropy_steps_backward"])
    file = "softmax_cross_entropy.py"
    return lambda source: grade_source(source, file=file, grader=grader).selected[0].exercises[0]


def _write(changed: dict[str, str]) -> str:
    source = SOLUTION
    for name, line in changed.items():
        assert RIGHT[name] in source
        source = source.replace(RIGHT[name], line)
    return source


def _verdicts(exercise: ExerciseFeedback) -> dict[str, str]:
    return {gradient.name: gradient.verdict.value for gradient in exercise.gradients}


@pytest.mark.parametrize("max_branch", [True, False], ids=["with the max branch", "without it"])
@pytest.mark.parametrize(("name", "line"), SLIPS.values(), ids=SLIPS)
def test_what_comes_after_a_slip_follows(name: str, line: str, max_branch: bool, feedback_on):
    changed = {name: line} if max_branch else {name: line, "max branch": "pass"}

    exercise = feedback_on(_write(changed))

    place = ORDER.index(name)
    before, after = ORDER[:place], [other for other in ORDER[place + 1 :] if other != ZERO_IN_TRUTH]
    verdicts = _verdicts(exercise)
    assert dict.fromkeys(before, "correct") == {other: verdicts[other] for other in before}
    assert dict.fromkeys(after, "follows") == {other: verdicts[other] for other in after}
    assert verdicts[name] == "wrong_values"
    assert {(name,)} == {gradient.slips for gradient in exercise.gradients if gradient.name in after}


@pytest.mark.parametrize("max_branch", [True, False], ids=["with the max branch", "without it"])
def test_both_ways_to_write_dlogits_are_correct_when_nothing_slipped(max_branch: bool, feedback_on):
    exercise = feedback_on(_write({} if max_branch else {"max branch": "pass"}))

    assert exercise.score == exercise.max_score


@pytest.mark.parametrize("name", ["dprobs", "dcounts"])
@pytest.mark.parametrize("placeholder", PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_a_placeholder_costs_its_own_points_and_hides_no_mistake_behind_it(name: str, placeholder: str, feedback_on):
    line = f"{name} = {placeholder.format(value=name[1:])}"

    exercise = feedback_on(_write({name: line, "dnorm_logits": "dnorm_logits = dcounts.clone()"}))

    lost = {gradient.name for gradient in exercise.gradients if gradient.score != gradient.max_score}
    assert {name, "dnorm_logits"} == lost


def test_a_gradient_not_returned_counts_as_the_true_one(feedback_on):
    source = _write({"dcounts": "dcounts = 2 * (dprobs * counts_sum_inv + dcounts_sum)"})
    hidden = re.sub(r"(return .*?dcounts_sum,\s+)dcounts,", r"\1None,", source, flags=re.DOTALL)

    exercise = feedback_on(hidden)

    assert _verdicts(exercise)["dcounts"] == "not_returned"
    assert _verdicts(exercise)["dnorm_logits"] == "wrong_values"


def test_a_second_slip_is_charged_as_well_and_what_rests_on_it_follows_from_both(feedback_on):
    source = _write({"dprobs": "dprobs = -dlogprobs / probs", "dnorm_logits": "dnorm_logits = dcounts.clone()"})

    exercise = feedback_on(source)

    found = _verdicts(exercise)
    assert [found["dprobs"], found["dcounts"], found["dnorm_logits"]] == ["wrong_values", "follows", "wrong_values"]
    assert exercise.gradients[ORDER.index("dlogits")].verdict.value == "follows"


def test_a_slip_costs_its_own_points_only(feedback_on):
    exercise = feedback_on(_write({"dprobs": "dprobs = -dlogprobs / probs"}))

    assert exercise.max_score - exercise.gradients[1].max_score == exercise.score


TRUE = torch.tensor([[0.3, -1.2, 0.5], [0.7, 0.1, -0.4]])
FORMS = {
    "ones": (torch.ones(2, 3), True),
    "zeros and ones": (torch.eye(2, 3), True),
    "equal along an axis": (torch.tensor([[1.0], [2.0]]).expand(2, 3), True),
    "one value that is not zero": (torch.tensor([[0.0, 0.2, 0.0], [0.0, 0.0, 0.0]]), True),
    "a sparse but varied slip": (torch.tensor([[0.0, 0.2, 0.0], [0.5, 0.0, 0.0]]), False),
    "a multiple of the true one": (TRUE * 7, False),
}


@pytest.mark.parametrize(("own", "expected"), FORMS.values(), ids=FORMS)
def test_a_form_that_hides_mistakes_is_told_from_a_slip(own: torch.Tensor, expected: bool):
    assert expected == is_placeholder([(own, TRUE)])


def test_a_form_that_the_truth_has_as_well_is_no_placeholder():
    true = torch.tensor([[4.0, 4.0], [1.0, 1.0]])

    assert not is_placeholder([(torch.tensor([[2.0, 2.0], [3.0, 3.0]]), true)])


def test_a_larger_case_clears_what_a_batch_of_one_cannot_tell():
    of_one = (torch.tensor([[0.2, 0.0, 0.0]]), TRUE[:1])

    assert is_placeholder([of_one])
    assert not is_placeholder([of_one, (torch.tensor([[0.0, 0.2, 0.0], [0.5, 0.0, 0.0]]), TRUE)])
