"""Intervention: a slip costs its own points and no others, whatever slip it is and however the function is written."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from verdict.slip_table import FUNCTIONS, KEPT, ROOT, SLIPS, WAYS, Slip, all_slips, gradients, spoil, write

from grader.course import Course
from grader.grading import Grader
from grader.report.words import basis_line, follows_line, slip_line
from grader.results import ExerciseFeedback
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.verdict.compare import Verdict
from grader.verdict.follow import Basis

Feedback = Callable[[str, str], ExerciseFeedback]
# One in so many: no divisor of the kinds or the ways. `python tests/benchmarks/slips.py` tries them all.
SOME = 53


@pytest.fixture(scope="module")
def feedback_on(course: Course, warm: Warm) -> Feedback:
    """Grade a text as a submission of one function, with the solutions beside it where it imports from them."""
    graders: dict[str, Grader] = {}
    solutions = {path.name: path.read_bytes() for path in (ROOT / "solutions").glob("*.py")}

    def feedback_on(function: str, source: str) -> ExerciseFeedback:
        grader = graders.setdefault(function, Grader(course, seed=5, only=[function]))
        beside = solutions if any(f"from {name[:-3]} import" in source for name in solutions) else {}
        files = {**beside, f"{FUNCTIONS[function]}.py": source.encode()}
        return grader.grade(Submission("student", files, {}), warm).selected[0].exercises[0]

    return feedback_on


def _lost(exercise: ExerciseFeedback) -> set[str]:
    return {each.name for each in exercise.gradients if each.score != each.max_score}


def _name(slip: Slip) -> str:
    return f"{slip.function}-{slip.gradient}-{slip.kind}-{slip.way}"


QUICK = [
    *(Slip("batchnorm_steps_backward", "dbn_var_inv", kind, "plain") for kind in SLIPS),
    *(Slip("cross_entropy_steps_backward", "dcounts_sum_inv", "shape", way) for way in WAYS),
    *(Slip("attention_steps_backward", "dscaled", "raises", way) for way in WAYS),
    # The one formula reads both as sums.
    *(Slip("batchnorm_backward", "dbn_gain", kind, "plain") for kind in SLIPS if kind != "axes"),
    *(Slip("batchnorm_backward", "dbn_bias", "factor", way) for way in WAYS),
    Slip("fast_mlp_backward", "dbn_bias", "sign", "plain"),
]


@pytest.mark.parametrize("slip", QUICK, ids=_name)
def test_a_slip_costs_its_own_points_and_no_others(slip: Slip, feedback_on):
    exercise = feedback_on(slip.function, slip.source())

    assert _lost(exercise) == {slip.gradient}


@pytest.mark.slow
@pytest.mark.parametrize("slip", list(all_slips())[::SOME], ids=_name)
def test_every_slip_at_every_place_costs_its_own_points_and_no_others(slip: Slip, feedback_on):
    exercise = feedback_on(slip.function, slip.source())

    lost = _lost(exercise)
    assert lost <= {slip.gradient}
    # Zeros are right where the truth is zero and worth nothing; and what was there when a second line raised may be.
    own = {each.name: each for each in exercise.gradients}[slip.gradient]
    assert lost or own.max_score == 0 or (slip.kind == "raises" and own.verdict is Verdict.CORRECT)


ONE_FORMULA = """
def batchnorm_backward(dout, bn_raw, bn_gain, bn_var_inv):
    n = len(dout)
    made = {gain}
    dbn_gain = made
    dbn_bias = dout.sum(dim=0)
    right = bn_gain * bn_var_inv / n * (n * dout - dbn_bias - bn_raw * dbn_gain)
    dh_prebn = {dh_prebn}
    return dh_prebn, dbn_gain, dbn_bias
"""
# What is wrong in itself beside a sum that is wrong, and what looks whether another was put in the sum's place.
BESIDE_A_SUM = {
    "a slip of its own": ("2 * (bn_raw * dout).sum(0)", "2 * right"),
    "a formula that does not read it": ("2 * (bn_raw * dout).sum(0)", "bn_gain * bn_var_inv * dout"),
    "right only if it is another": ("2 * (bn_raw * dout).sum(0)", "right if dbn_gain is not made else dout"),
    "right only if it is another, and it was NaN": ("0 / (0 * bn_gain)", "right if dbn_gain is not made else dout"),
}


@pytest.mark.parametrize(("gain", "dh_prebn"), BESIDE_A_SUM.values(), ids=BESIDE_A_SUM)
def test_what_is_wrong_beside_a_sum_that_is_wrong_is_charged(gain: str, dh_prebn: str, feedback_on):
    exercise = feedback_on("batchnorm_backward", ONE_FORMULA.format(gain=gain, dh_prebn=dh_prebn))

    assert _lost(exercise) == {"dbn_gain", "dh_prebn"}


def test_what_is_right_once_the_slip_before_it_is_mended_follows_though_it_is_not_linear_in_it(feedback_on):
    dh_prebn = "right * (1 + (dbn_gain - (bn_raw * dout).sum(0)) ** 2)"

    exercise = feedback_on(
        "batchnorm_backward", ONE_FORMULA.format(gain="2 * (bn_raw * dout).sum(0)", dh_prebn=dh_prebn)
    )

    assert _lost(exercise) == {"dbn_gain"}


def test_what_reads_a_sum_that_is_wrong_says_so(feedback_on):
    exercise = feedback_on("batchnorm_backward", write("batchnorm_backward", {"dbn_gain": "factor"}, "plain"))

    assert follows_line(exercise.of(Verdict.FOLLOWS)) == (
        "right in itself, tried with random numbers in place of your dbn_gain; the slip is there"
    )


TWO = {
    "a shape and a factor": ({"dbn_var_inv": "shape", "dbn_diff_sq": "factor"}, "items of a dict"),
    "a factor and a shape": ({"dbn_diff_sq": "factor", "dbn_mean": "shape"}, "a method"),
    "three in a row": ({"dbn_raw": "nan", "dbn_var_inv": "zeros", "dbn_var": "raises"}, "items of a dict"),
    "three in a row, in plain names": ({"dbn_raw": "nan", "dbn_var_inv": "zeros", "dbn_var": "raises"}, "plain"),
    "one that is left out, and one behind it": ({"dbn_var": "none", "dbn_mean": "sign"}, "a method"),
}


@pytest.mark.parametrize(("slips", "way"), TWO.values(), ids=TWO)
def test_several_slips_cost_their_own_points(slips: dict[str, str], way: str, feedback_on):
    exercise = feedback_on("batchnorm_steps_backward", write("batchnorm_steps_backward", slips, way))

    assert _lost(exercise) == set(slips)


@cache
def _honest_file(assignment: str) -> ast.Module:
    return ast.parse((ROOT / "tests" / "honest" / f"{assignment}.py").read_text())


def _spoil_variant(variant: ast.FunctionDef, gradient: str, kind: str) -> ast.FunctionDef | None:
    """Return a variant with a slip in one of the gradients that it names; None if it does not name it."""
    spoilt = copy.deepcopy(variant)
    axis = f"({{}}).squeeze({KEPT.get(gradient)})"
    template = axis if kind == "shape" and gradient in KEPT else SLIPS[kind]
    return spoilt if spoil(spoilt.body, gradient, template) else None


def _honest() -> Iterator[tuple[str, str, str, str]]:
    """Yield function, gradient, variant and slip of the honest variants of the step-by-step functions."""
    for function, assignment in FUNCTIONS.items():
        for node in _honest_file(assignment).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith(f"{function}__"):
                for gradient in gradients(function):
                    # Whether a variant names a gradient does not depend on the slip.
                    if _spoil_variant(node, gradient, "factor"):
                        for kind in ("factor", "shape", "nan", "raises"):
                            yield function, gradient, node.name, kind


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "gradient", "variant", "kind"),
    [pytest.param(*each, id=f"{each[2]}-{each[1]}-{each[3]}") for each in list(_honest())[::SOME]],
)
def test_an_honest_variant_with_a_slip_in_one_step_loses_that_only(
    function: str, gradient: str, variant: str, kind: str, feedback_on
):
    nodes = _honest_file(FUNCTIONS[function]).body
    body = [_spoil_variant(node, gradient, kind) if getattr(node, "name", "") == variant else node for node in nodes]
    tree = ast.Module(body, [])
    exercise = feedback_on(function, f"{ast.unparse(ast.fix_missing_locations(tree))}\n\n{function} = {variant}\n")

    lost = _lost(exercise)
    # A name that is not what is returned is not the gradient: the slip is in the first one that rests on it.
    assert lost <= {gradient} or (gradient not in lost and len(lost) == 1)


MLP = (ROOT / "solutions" / "mlp.py").read_text()
LINES = {
    "dcounts_sum_inv": "dcounts_sum_inv = (dprobs * counts).sum(dim=1, keepdim=True)  # (N, 1)",
    "dcounts": "dcounts = dprobs * counts_sum_inv + dcounts_sum  # (N, V)",
    "dnorm_logits": "dnorm_logits = norm_logits.exp() * dcounts  # (N, V)",
    "dlogits": "dlogits = dnorm_logits.clone()  # (N, V)",
    "dbn_var": "dbn_var = -0.5 * (bn_var + 1e-5) ** -1.5 * dbn_var_inv  # (1, H)",
    "dbn_diff_sq": "dbn_diff_sq = dbn_var.expand_as(bn_diff_sq) / n  # (N, H)",
    "dbn_diff": "dbn_diff = bn_var_inv * dbn_raw + 2 * bn_diff * dbn_diff_sq  # (N, H)",
    "dbn_mean": "dbn_mean = -dbn_diff.sum(dim=0, keepdim=True)  # (1, H)",
    "dh_prebn": "dh_prebn = dbn_diff + dbn_mean / n  # (N, H)",
}
# What students wrote, and what it costs.
REAL = {
    "a sum of the wrong thing": (
        {"dcounts_sum_inv": "dcounts_sum_inv = counts.sum(1, keepdim=True) * dprobs"},
        {"dcounts_sum_inv"},
    ),
    "a sum without keepdim beside another slip": (
        {
            "dbn_diff_sq": "dbn_diff_sq = torch.ones_like(bn_diff_sq) / (n - 1) * dbn_var",
            "dbn_mean": "dbn_mean = -dbn_diff.sum(dim=0)",
        },
        {"dbn_diff_sq", "dbn_mean"},
    ),
    "a step that raises in the next line": ({"dbn_var": "dbn_var = dbn_var_inv @ bn_raw.T"}, {"dbn_var"}),
    "a shape that the next line counts on": (
        {
            "dbn_mean": "dbn_mean = -2 * dbn_diff.sum(dim=0)",
            "dh_prebn": "dh_prebn = dbn_diff + dbn_mean.unsqueeze(0) / n",
        },
        {"dbn_mean"},
    ),
    "read before it was complete": (
        {
            "dcounts": "dcounts = dprobs * counts_sum_inv",
            "dnorm_logits": "dnorm_logits = norm_logits.exp() * dcounts\n    dcounts = dcounts + dcounts_sum",
        },
        {"dnorm_logits"},
    ),
    "overwritten when it had been read": (
        {"dh_prebn": "dh_prebn = dbn_diff + dbn_mean / n\n    dbn_diff = bn_var_inv * dbn_raw"},
        {"dbn_diff"},
    ),
    "changed under a second name, and both are returned": (
        {"dlogits": "dlogits = dnorm_logits\n    dlogits -= dnorm_logits.mean(dim=0)"},
        {"dnorm_logits"},
    ),
    "a formula that passes over names, behind a wrong shape": (
        {
            "dcounts_sum_inv": "dcounts_sum_inv = counts.sum(1, keepdim=True) * dprobs",
            "dh_prebn": "dh_prebn = bn_gain * bn_var_inv / n * "
            "(n * dh_preact - dh_preact.sum(0) - bn_raw * (dh_preact * bn_raw).sum(0))",
        },
        {"dcounts_sum_inv"},
    ),
}


@pytest.mark.parametrize(("lines", "lost"), REAL.values(), ids=REAL)
def test_a_real_slip_costs_its_own_points(lines: dict[str, str], lost: set[str], feedback_on):
    source = MLP
    for name, line in lines.items():
        assert LINES[name] in source
        source = source.replace(LINES[name], line)

    assert _lost(feedback_on("mlp_backward", source)) == lost


def test_what_is_behind_a_step_that_raises_is_paid_under_that_outcome(feedback_on):
    exercise = feedback_on(
        "batchnorm_steps_backward", write("batchnorm_steps_backward", {"dbn_var": "raises"}, "plain")
    )

    behind = {each.name: each for each in exercise.gradients}["dh_prebn"]
    assert exercise.outcome.value == "raised"
    assert (behind.verdict, behind.slips, behind.basis) == (Verdict.FOLLOWS, ("dbn_var",), Basis.RANDOM)


def test_what_is_completed_behind_a_line_that_raises_counts_as_it_is_then(feedback_on):
    exercise = feedback_on(
        "transformer_block_backward", write("transformer_block_backward", {"dln1_bias": "raises"}, "plain")
    )

    # Its second part, dx = dx + dmid, stands behind that line.
    completed = {each.name: each for each in exercise.gradients}["dx"]
    assert (completed.verdict, completed.score) == (Verdict.FOLLOWS, completed.max_score)


def test_a_returned_expression_that_raises_costs_its_own_points_and_no_others(feedback_on):
    source = write("batchnorm_steps_backward", {}, "names of one's own")

    exercise = feedback_on("batchnorm_steps_backward", source.replace("step7, step8)", "step7.view(1, 99), step8)"))

    assert exercise.outcome.value == "raised"
    assert _lost(exercise) == {"dbn_mean"}


def test_a_slip_that_can_be_replayed_is_judged_with_the_students_own_numbers(feedback_on):
    exercise = feedback_on(
        "batchnorm_steps_backward", write("batchnorm_steps_backward", {"dbn_var": "factor"}, "plain")
    )

    assert {each.basis for each in exercise.gradients if each.verdict is Verdict.FOLLOWS} == {Basis.OWN}


CHEAT = """
import sys
import torch

CALLS = []

def batchnorm_steps_backward(dout, cache):
    bn_gain, bn_raw, bn_var_inv = cache.bn_gain, cache.bn_raw, cache.bn_var_inv
    bn_var, bn_diff_sq, bn_diff = cache.bn_var, cache.bn_diff_sq, cache.bn_diff
    n = len(dout)
    CALLS.append(1)
    is_probed = {looks}
    dbn_gain = (bn_raw * dout).sum(dim=0)
    dbn_bias = dout.sum(dim=0)
    dbn_raw = {slip}
    dbn_var_inv = (bn_diff * dbn_raw).sum(dim=0, keepdim=True)
    dbn_var = -0.5 * (bn_var + 1e-5) ** -1.5 * dbn_var_inv
    if not is_probed:
        dbn_var = {garbage}
    dbn_diff_sq = dbn_var.expand_as(bn_diff_sq) / n
    dbn_diff = bn_var_inv * dbn_raw + 2 * bn_diff * dbn_diff_sq
    dbn_mean = -dbn_diff.sum(dim=0, keepdim=True)
    dh_prebn = dbn_diff + dbn_mean / n
    return {returned}
"""
HONESTLY = {
    "looks": "True",
    "slip": "3 * bn_gain * dout",
    "garbage": "None",
    "returned": "dbn_gain, dbn_bias, dbn_raw, dbn_var_inv, dbn_var, dbn_diff_sq, dbn_diff, dbn_mean, dh_prebn",
}
LOOKS = "'__probe__' in sys._getframe().f_globals"
RETURNED = HONESTLY["returned"]
CHEATS = {
    "none": ({}, {"dbn_raw"}),
    "it looks for the hooks": ({"looks": LOOKS, "garbage": "torch.zeros_like(bn_var)"}, {"dbn_raw", "dbn_var"}),
    "it looks, behind numbers that can't be used": (
        {"looks": LOOKS, "slip": "dout * float('nan')", "garbage": "bn_var.clone()"},
        {"dbn_raw", "dbn_var"},
    ),
    "it looks, and raises if not": (
        {"looks": LOOKS, "garbage": "torch.zeros(3, 3)"},
        {"dbn_raw", "dbn_var"},
    ),
    "it counts the calls": ({"looks": "len(CALLS) > 6", "garbage": "bn_var.clone()"}, {"dbn_raw", "dbn_var"}),
    "another is returned": (
        {"slip": "dout * float('nan')", "returned": RETURNED.replace("dbn_var,", "2 * dbn_var,")},
        {"dbn_raw", "dbn_var"},
    ),
    "autograd, only with probes": (
        {
            "looks": f"{LOOKS} and torch.autograd.grad((v := torch.ones(1, requires_grad=True)).sum(), v) is not None",
            "garbage": "[][1]",
        },
        # What it had when it raised is right.
        {"dbn_raw", "dbn_diff_sq", "dbn_diff", "dbn_mean", "dh_prebn"},
    ),
    "two are returned in each other's place": (
        {
            "slip": "dout * float('nan')",
            "returned": RETURNED.replace("dbn_diff_sq, dbn_diff,", "dbn_diff, dbn_diff_sq,"),
        },
        {"dbn_raw", "dbn_diff_sq", "dbn_diff"},
    ),
    "one is not returned": (
        {"slip": "dout * float('nan')", "returned": RETURNED.replace("dbn_var,", "None,")},
        {"dbn_raw", "dbn_var"},
    ),
}


@pytest.mark.parametrize(("changed", "lost"), CHEATS.values(), ids=CHEATS)
def test_a_cheat_earns_nothing(changed: dict[str, str], lost: set[str], feedback_on):
    exercise = feedback_on("batchnorm_steps_backward", CHEAT.format(**{**HONESTLY, **changed}))

    assert lost <= _lost(exercise)
    assert {"dbn_var_inv", "dbn_gain"}.isdisjoint(_lost(exercise))


IN_PROBED = {
    "autograd": ("torch.autograd.grad((v := torch.ones(1, requires_grad=True)).sum(), v)", "autograd_with_probes"),
    "an input changed": ("bn_raw.add_(0)", "mutated_input"),
}


@pytest.mark.parametrize(("act", "kind"), IN_PROBED.values(), ids=IN_PROBED)
def test_what_is_suspicious_only_with_probes_is_a_flag(act: str, kind: str, feedback_on):
    looks = {"looks": f"{LOOKS} and {act} is not None", "slip": "dout * float('nan')", "garbage": "bn_var.clone()"}

    exercise = feedback_on("batchnorm_steps_backward", CHEAT.format(**{**HONESTLY, **looks}))

    assert kind in [flag.kind for flag in exercise.flags]
    assert {"dbn_raw", "dbn_var"} <= _lost(exercise)


def test_a_probed_call_that_does_not_end_costs_its_function_only_what_it_would_have_shown(course: Course, warm):
    sleeps = f"{LOOKS} and __import__('time').sleep(30)"
    slow = CHEAT.format(**{**HONESTLY, "looks": sleeps, "slip": "dout * float('nan')", "garbage": "dbn_var"})
    other = write("cross_entropy_steps_backward", {"dcounts_sum_inv": "shape"}, "plain")
    files = {"batchnorm.py": slow.encode(), "softmax_cross_entropy.py": other.encode()}
    limited = replace(course, limits=replace(course.limits, call_seconds=0.5))
    grader = Grader(limited, only=["batchnorm_steps_backward", "cross_entropy_steps_backward"])

    exercises = {
        each.function: each
        for part in grader.grade(Submission("student", files, {}), warm).selected
        for each in part.exercises
    }

    assert {"dbn_raw", "dbn_var"} <= _lost(exercises["batchnorm_steps_backward"])
    assert _lost(exercises["cross_entropy_steps_backward"]) == {"dcounts_sum_inv"}


# In front of a right function: what it does unless it finds itself probed, for good and not to find its statements.
PROBED = f"({LOOKS} and not sys._getframe().f_globals['__probe__'].run.is_trial)"
VALUES = (
    "cache.bn_gain, cache.bn_bias, cache.bn_raw, bn_var_inv, bn_var, bn_diff_sq, bn_diff, cache.bn_mean, cache.h_prebn"
)
WHOLE = {
    "huge numbers": f"    if not {PROBED}: return tuple(torch.full_like(v, 1e300) for v in ({VALUES}))\n",
    "zeros": f"    if not {PROBED}: return tuple(torch.zeros_like(v) for v in ({VALUES}))\n",
    "an exception": f"    if not {PROBED}: raise ValueError\n",
    "an exception, and nothing in the trial": f"    if not {LOOKS}: raise ValueError\n",
}


@pytest.mark.parametrize("first", WHOLE.values(), ids=WHOLE)
def test_a_function_that_answers_only_when_it_is_probed_earns_nothing(first: str, feedback_on):
    right = CHEAT.format(**{**HONESTLY, "slip": "bn_gain * dout"})

    exercise = feedback_on("batchnorm_steps_backward", right.replace("    CALLS.append(1)\n", first))

    assert not any(each.score for each in exercise.gradients)


@pytest.mark.parametrize("dtype", ["int64", "bool", "float32"])
def test_a_gradient_of_another_dtype_is_judged(dtype: str, feedback_on):
    slip = {"looks": "False", "slip": "2 * bn_gain * dout", "garbage": f"torch.zeros_like(bn_var).to(torch.{dtype})"}

    exercise = feedback_on("batchnorm_steps_backward", CHEAT.format(**{**HONESTLY, **slip}))

    assert _lost(exercise) == {"dbn_raw", "dbn_var"}


def test_a_probed_call_that_ends_the_process_costs_nobody_anything(feedback_on):
    ends = "[__import__('os')._exit(3)] if '__probe__' in sys._getframe().f_globals else True"

    exercise = feedback_on("batchnorm_steps_backward", CHEAT.format(**{**HONESTLY, "looks": ends}))

    assert _lost(exercise) == {"dbn_raw"}


def test_an_honest_check_that_random_numbers_fail_falls_back_to_replay(feedback_on):
    checked = write("cross_entropy_steps_backward", {"dcounts": "factor"}, "plain").replace(
        "    return ", "    assert dlogits.sum(1).abs().max() < 1e-6\n    return "
    )

    assert _lost(feedback_on("cross_entropy_steps_backward", checked)) == {"dcounts"}


def test_a_helper_of_another_file_is_probed_as_well(course: Course, warm):
    source = write("batchnorm_steps_backward", {"dbn_var_inv": "shape"}, "a helper")
    helper, main = source.replace("def steps", "def steps_backward").split("\n\n\ndef batchnorm_steps_backward")
    main = f"from steps import steps_backward as steps\n\n\ndef batchnorm_steps_backward{main}"
    files = {"steps.py": helper.encode(), "batchnorm.py": main.encode()}

    report = Grader(course, only=["batchnorm_steps_backward"]).grade(Submission("student", files, {}), warm)

    assert _lost(report.selected[0].exercises[0]) == {"dbn_var_inv"}


NAMED = {
    "behind numbers that are not finite": ({"dbn_raw": "nan", "dbn_diff_sq": "sign"}, "dbn_diff_sq", "factor:-1"),
    "behind zeros": ({"dbn_raw": "zeros", "dh_prebn": "factor"}, "dh_prebn", "factor:2"),
    "behind a step that raises": ({"dbn_var": "raises", "dbn_diff": "factor"}, "dbn_diff", "factor:2"),
}


@pytest.mark.parametrize(("slips", "name", "found"), NAMED.values(), ids=NAMED)
def test_a_second_slip_is_named_as_if_it_were_the_only_one(slips: dict[str, str], name: str, found: str, feedback_on):
    exercise = feedback_on("batchnorm_steps_backward", write("batchnorm_steps_backward", slips, "plain"))

    slip = {each.name: each for each in exercise.gradients}[name]
    assert slip.diagnosis is not None
    assert (slip.diagnosis.id, slip.basis) == (found, Basis.RANDOM)
    assert basis_line(slip).startswith("Found with random numbers in place of what comes before")


OUT_OF_SIGHT = """
import torch

def batchnorm_steps_backward(dout, cache):
    return tuple(_steps(dout, cache, len(dout)))

def _steps(dout, c, n):
    raw = torch.zeros_like(c.bn_raw)
    raw[0, 0] = 1
    inv = (c.bn_diff * raw).sum(0, keepdim=True)
    var = -0.5 * (c.bn_var + 1e-5) ** -1.5 * inv
    sq = var.expand_as(c.bn_diff) / n
    diff = c.bn_var_inv * raw + 2 * c.bn_diff * sq
    mean = -diff.sum(0, keepdim=True)
    yield from [(c.bn_raw * dout).sum(0), dout.sum(0), raw, inv, var, sq, diff, mean, diff + mean / n]
"""


def test_what_could_not_be_tried_behind_a_placeholder_says_why_it_is_charged(feedback_on):
    exercise = feedback_on("batchnorm_steps_backward", OUT_OF_SIGHT)

    charged = {each.name: each for each in exercise.gradients}["dh_prebn"]
    assert charged.score == 0
    assert slip_line(charged) == (
        "It matches what comes before it, but so would many wrong formulas: your dbn_raw is too simple to tell, all "
        "zeros or the same along an axis. It could not be tried with other numbers. Mend dbn_raw first."
    )


def test_what_follows_says_what_share_of_its_points_it_earns(course: Course, grade_source):
    rubric = next(rubric for rubric in course.rubrics if rubric.name == "batchnorm")
    half = replace(rubric, exercises=tuple(replace(each, follow_through=0.5) for each in rubric.exercises))
    grader = Grader(replace(course, rubrics=(half,)), only=["batchnorm_steps_backward"])
    source = write("batchnorm_steps_backward", {"dbn_raw": "factor"}, "plain")

    exercise = grade_source(source, file="batchnorm.py", grader=grader).selected[0].exercises[0]

    assert follows_line(exercise.of(Verdict.FOLLOWS)) == (
        "right, given your dbn_raw; the slip is there. What follows earns 50% of its points in this course"
    )
