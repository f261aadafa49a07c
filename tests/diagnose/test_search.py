"""What is said about a wrong gradient, through the real assignments: each explanation, and what comes near to it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grader.course import Exercise, Rubric, Style, load_course, load_rubric
from grader.course.cases import Case, Reference, load_module
from grader.course.mistakes import load_bank
from grader.diagnose import Diagnosis, diagnose
from grader.diagnose.evidence import collect
from grader.diagnose.paths import find_paths
from grader.verdict.compare import Comparison, Verdict, compare
from grader.verdict.follow import Trial

ROOT = Path(__file__).resolve().parents[2]
COURSE = load_course(ROOT)
Wrong = Callable[[SimpleNamespace], Tensor]


def make_trials(rubric: Rubric, exercise: Exercise, wrong: Mapping[str, Wrong], seed: int = 0) -> list[Trial]:
    """Return every case with these gradients in place of the right ones; `t` has values, `d` + name and sizes."""
    trials = []
    for case in _cases(rubric.folder, exercise.function, seed):
        returned = {gradient.name: case.expected[gradient.value].clone() for gradient in exercise.gradients}
        returned.update({name: make(view_of(case)).contiguous().clone() for name, make in wrong.items()})
        trials.append(Trial(case, returned, compare_all(exercise, case, returned)))
    return trials


@cache
def _cases(folder: Path, function: str, seed: int) -> tuple[Case, ...]:
    """Return the cases of an exercise, made once: nobody changes them."""
    rubric = load_rubric(folder)
    return Reference(rubric).make_cases(rubric.exercise(function), seed)


def compare_all(exercise: Exercise, case: Case, returned: Mapping[str, Tensor]) -> dict[str, Comparison]:
    return {g.name: compare(case.expected[g.value], returned[g.name], g.tolerance) for g in exercise.gradients}


def view_of(case: Case) -> SimpleNamespace:
    gradients = {f"d{name}": gradient for name, gradient in case.expected.items()}
    return SimpleNamespace(**{**case.forward.values, **gradients, "dout": case.dout})


def explain(
    function: str, wrong: Mapping[str, Wrong], name: str | None = None, *, bank: bool = False
) -> Diagnosis | None:
    rubric, exercise = COURSE.exercise(function)
    gradient = exercise.gradient(name or next(iter(wrong)))
    trials = make_trials(rubric, exercise, wrong)
    return diagnose(exercise, gradient, trials, load_bank(rubric) if bank else ())


NAMED: dict[str, tuple[str, str, Wrong, str]] = {
    "a transpose": ("linear_backward", "dW", lambda t: t.dW.T, "shape:turned"),
    "an axis of size 1 kept": ("linear_backward", "db", lambda t: t.db[None], "shape:axis_kept"),
    "an axis of size 1 lost": ("mlp_backward", "dbn_mean", lambda t: t.dbn_mean[0], "shape:axis_lost"),
    "a sum forgotten": ("linear_backward", "db", lambda t: t.dout, "shape:not_summed:0"),
    "a sum not spread": ("sum_backward", "dx", lambda t: t.dout, "shape:not_expanded"),
    "summed too far": ("add_backward", "da", lambda t: t.da.sum(0), "shape:summed_too_far:0"),
    "a sign": ("linear_backward", "dx", lambda t: -t.dx, "factor:-1"),
    "twice": ("linear_backward", "dx", lambda t: 2 * t.dx, "factor:2"),
    "a mean for a sum": ("linear_backward", "db", lambda t: t.dout.mean(0), "factor:1/N"),
    "a mean forgotten": ("cross_entropy_backward", "dlogits", lambda t: len(t.Y) * t.dlogits, "factor:N"),
    "the root of a size": ("attention_backward", "dQ", lambda t: t.dQ * t.Q.shape[-1] ** 0.5, "factor:√d"),
    "one less than a size": (
        "batchnorm_steps_backward",
        "dbn_diff_sq",
        lambda t: t.dbn_diff_sq * len(t.bn_diff) / (len(t.bn_diff) - 1),
        "factor:N/(N - 1)",
    ),
    "a share": ("dropout_backward", "dh", lambda t: t.dh * (1 - t.p), "factor:1 - p"),
    "a number of no name": ("linear_backward", "dx", lambda t: 0.37 * t.dx, "factor:unnamed"),
    "zeros": ("linear_backward", "dx", lambda t: 0 * t.dx, "factor:0"),
    "the upstream": ("multiply_backward", "da", lambda t: t.dout, "swapped:dout"),
    "another gradient": ("mlp_backward", "dbn_gain", lambda t: t.dbn_bias, "swapped:dbn_bias"),
    "an upstream of ones": ("matmul_backward", "da", lambda t: torch.ones_like(t.dout) @ t.b.T, "swapped:dout:of_ones"),
    "ones in place of the gradient that it is made of": (
        "mlp_backward",
        "dW2",
        lambda t: t.h.T @ torch.ones_like(t.logits),
        "swapped:dlogits:of_ones",
    ),
    "a value of the forward": ("softmax_backward", "dlogits", lambda t: t.probs, "swapped:probs"),
    "a use forgotten": ("residual_backward", "dx", lambda t: t.dx - t.dout, "term:missing:out"),
    "a use subtracted": ("residual_backward", "dx", lambda t: t.dx - 2 * t.dout, "term:sign:out"),
    "a use counted twice": ("residual_backward", "dx", lambda t: t.dx + t.dout, "term:factor:2:out"),
    "the uses multiplied": ("reuse_backward", "da", lambda t: t.dout * t.b * t.dout, "multiplied:uses"),
    "a path two steps away": (
        "batchnorm_backward",
        "dh_prebn",
        lambda t: t.bn_gain * t.bn_var_inv * (t.dout - t.dout.mean(0)),
        "term:missing:bn_diff_sq+bn_var+bn_var_inv",
    ),
    "two paths": (
        "batchnorm_backward",
        "dh_prebn",
        lambda t: t.bn_gain * t.bn_var_inv * t.dout,
        "terms:bn_mean=0,bn_diff_sq+bn_var+bn_var_inv=0",
    ),
    "the own factor": ("multiply_backward", "da", lambda t: t.dout * t.a, "slip:out:Mul:own_factor"),
    "a square forgotten": ("tanh_backward", "dx", lambda t: t.dout * (1 - t.out), "slip:out:Tanh:square_missing"),
    "tanh twice": (
        "residual_backward",
        "dx",
        lambda t: t.dout + (t.dout * (1 - t.h.tanh() ** 2)) @ t.W.T,
        "slip:h:Tanh:applied_twice",
    ),
    "an exponent kept": (
        "power_backward",
        "dx",
        lambda t: t.dout * t.exponent * t.x**t.exponent,
        "slip:out:Pow:exponent_kept",
    ),
    "a small number added": (
        "cross_entropy_steps_backward",
        "dprobs",
        lambda t: t.dlogprobs / (t.probs + 1e-8),
        "slip:logprobs:Log:number_added:1e-08",
    ),
    "the shared sum of a softmax": (
        "attention_backward",
        "dQ",
        lambda t: t.weights * t.dweights @ t.K / t.Q.shape[-1] ** 0.5,
        "slip:weights:Softmax:shared_sum_ignored",
    ),
    "repeated tokens": (
        "embedding_backward",
        "dC",
        lambda t: torch.zeros_like(t.C).index_put((t.X,), t.dout),
        "slip:out:Index:overwritten",
    ),
    "a factor missing": (
        "batchnorm_backward",
        "dh_prebn",
        lambda t: t.dh_prebn / t.bn_gain,
        "exchanged:all:bn_gain->1",
    ),
    "a bias added": ("batchnorm_steps_backward", "dbn_raw", lambda t: t.dbn_raw + t.bn_bias, "added:bn_bias"),
    "the target column": (
        "cross_entropy_backward",
        "dlogits",
        lambda t: t.dlogits.scatter_add(1, t.Y[:, None], t.dlogits.gather(1, t.Y[:, None]).sin()),
        "support:wrong_in:target:Y",
    ),
    "the first row": (
        "tanh_backward",
        "dx",
        lambda t: torch.cat([t.dx[:1] * 1.5, t.dx[1:]]) if len(t.dx) > 1 else t.dx,
        "support:wrong_in:first:0",
    ),
    "where it is negative": ("tanh_backward", "dx", lambda t: t.dx * (t.out > 0), "support:zero_in:negative:x"),
    "float32": ("linear_backward", "dx", lambda t: t.dx.float().double(), "precision:float32"),
    "a dtype": ("linear_backward", "dx", lambda t: t.dx.float(), "precision:dtype"),
    "a numerical derivative": (
        "tanh_backward",
        "dx",
        lambda t: t.dout * ((t.x + 1e-5).tanh() - (t.x - 1e-5).tanh()) / 2e-5,
        "precision:approximate",
    ),
    "an overflow": (
        "cross_entropy_backward",
        "dlogits",
        lambda t: t.logits.exp() / t.logits.exp().sum(1, keepdim=True) - t.probs + t.dlogits,
        "not_finite:overflow",
    ),
}

# Each comes close to an explanation that is not true of it.
UNNAMED: dict[str, tuple[str, str, Wrong]] = {
    "almost a transpose": ("linear_backward", "dW", lambda t: t.dW.T * 1.001 + 0.001),
    "almost a multiple": ("linear_backward", "dx", lambda t: 2 * t.dx + 1e-3 * t.x),
    "a multiple in each row": ("linear_backward", "dx", lambda t: t.dx * torch.arange(2, 2 + len(t.x))[:, None] ** 1.5),
    "almost the upstream": ("multiply_backward", "da", lambda t: t.dout + 1e-4 * t.b.sin()),
    "almost a term": ("residual_backward", "dx", lambda t: t.dx - t.dout * 1.001 - 0.01 * t.x.cos()),
    "two wrong slopes": ("tanh_backward", "dx", lambda t: t.dout * (1 - 0.7 * t.out - 0.2 * t.out**3)),
    "another power": ("power_backward", "dx", lambda t: t.dout.sin() * t.x.abs() ** 0.37),
    "one wrong entry": ("linear_backward", "dx", lambda t: t.dx + torch.eye(*t.dx.shape).roll(1, 1)),
    "noise of a tenth of a millionth": ("linear_backward", "dx", lambda t: t.dx + 1e-4 * t.x.sin()),
}


@cache
def _named(slip: str) -> Diagnosis | None:
    function, name, wrong, _ = NAMED[slip]
    return explain(function, {name: wrong})


@pytest.mark.parametrize("slip", NAMED)
def test_a_slip_is_named(slip: str):
    found = _named(slip)

    assert found is not None
    assert found.id == NAMED[slip][3]


@pytest.mark.parametrize("slip", NAMED)
def test_a_sentence_names_the_gradient(slip: str):
    found = _named(slip)

    assert found is not None
    assert NAMED[slip][1] in found.message


@pytest.mark.parametrize(("function", "name", "wrong"), UNNAMED.values(), ids=UNNAMED)
def test_what_comes_near_is_not_named(function: str, name: str, wrong: Wrong):
    assert explain(function, {name: wrong}, bank=True) is None


def test_the_bank_speaks_before_any_other():
    found = explain("linear_backward", {"db": lambda t: t.dout}, bank=True)

    assert found == Diagnosis(
        "mistake:linear_backward__db__not_summed",
        "You returned the upstream gradient. b was added to every row, so its gradient collects over them.",
        "certain",
    )


def test_mistakes_with_the_same_numbers_are_named_together():
    # Ones and counted rows are the same for one row, but the other cases tell them apart.
    rubric, exercise = COURSE.exercise("linear_backward")
    one_row = [
        t for t in make_trials(rubric, exercise, {"db": lambda t: torch.ones_like(t.db)}) if len(t.case.dout) == 1
    ]
    gradient = exercise.gradient("db")

    found = diagnose(exercise, gradient, one_row, load_bank(rubric))

    assert found is not None
    assert found.id == "mistake:linear_backward__db__upstream_missing|linear_backward__db__rows_counted"
    assert found.certainty == "likely"


def test_a_multiple_of_the_right_answer_in_one_case_only_is_none():
    found = explain(
        "linear_backward", {"dx": lambda t: t.dx * (2 if len(t.x) == 5 else 1) + (len(t.x) == 2) * t.x.sin()}
    )

    assert found is None


def test_two_names_for_a_factor_are_both_said(tmp_path: Path):
    rubric = _tiny_course(tmp_path, "{name: square, N: 3, D: 3}")
    exercise = rubric.exercises[0]
    trials = make_trials(rubric, exercise, {"dx": lambda t: t.dx * 9})

    found = diagnose(exercise, exercise.gradients[0], trials, ())

    assert found is not None
    assert "N or D" in found.message


def test_the_cases_decide_between_two_names(tmp_path: Path):
    rubric = _tiny_course(tmp_path, "{name: square, N: 3, D: 3}\n      - {name: wide, N: 2, D: 7}")
    exercise = rubric.exercises[0]
    trials = make_trials(rubric, exercise, {"dx": lambda t: t.dx * t.x.shape[1]})

    found = diagnose(exercise, exercise.gradients[0], trials, ())

    assert found is not None
    assert (found.id, found.certainty) == ("factor:D", "certain")


def test_swapped_gradients_are_said_to_be_swapped():
    wrong: dict[str, Wrong] = {"dbn_gain": lambda t: t.dbn_bias, "dbn_bias": lambda t: t.dbn_gain}

    found = explain("batchnorm_backward", wrong, "dbn_gain")

    assert found is not None
    assert found.id == "swapped:dbn_bias"
    assert "swapped" in found.message


def test_shared_memory_is_named():
    found = explain("batchnorm_steps_backward", {"dbn_diff": lambda t: t.dh_prebn})

    assert found is not None
    assert found.id == "memory:shared"


def test_a_slip_on_a_wrong_upstream_is_named_given_that_upstream():
    wrong: dict[str, Wrong] = {
        "dprobs": lambda t: t.dprobs.sin(),
        "dcounts_sum_inv": lambda t: -(t.counts * t.dprobs.sin()).sum(1, keepdim=True),
    }

    found = explain("cross_entropy_steps_backward", wrong, "dcounts_sum_inv")

    assert found is not None
    assert (found.id, found.certainty) == ("factor:-1", "likely")
    assert found.message.startswith("Given the gradients of yours")


def test_what_is_right_given_a_wrong_upstream_is_not_diagnosed():
    wrong: dict[str, Wrong] = {
        "dprobs": lambda t: t.dprobs.sin(),
        "dcounts_sum_inv": lambda t: (t.counts * t.dprobs.sin()).sum(1, keepdim=True),
    }

    assert explain("cross_entropy_steps_backward", wrong, "dcounts_sum_inv") is None


def test_one_number_everywhere_is_not_taken_for_a_slip_on_the_same_number():
    names = COURSE.exercise("cross_entropy_steps_backward")[1].gradient_names
    wrong: dict[str, Wrong] = {name: lambda t, name=name: torch.full_like(getattr(t, name), 0.5) for name in names}

    found = [explain("cross_entropy_steps_backward", wrong, name, bank=True) for name in names]

    assert found == [None] * len(names)


def test_a_tensor_of_forty_axes_is_not_diagnosed():
    assert explain("linear_backward", {"dx": lambda t: t.dx.sum().reshape((1,) * 40)}) is None


def test_a_gradient_of_booleans_is_not_diagnosed():
    assert explain("linear_backward", {"dx": lambda t: t.dx > 0}, bank=True) is None


def test_a_right_gradient_is_not_diagnosed():
    assert explain("linear_backward", {"dx": lambda t: t.dx}, bank=True) is None


def test_a_gradient_that_was_not_returned_is_not_diagnosed():
    rubric, exercise = COURSE.exercise("linear_backward")
    trials = [
        Trial(t.case, {}, {g.name: Comparison(Verdict.NOT_RETURNED, ()) for g in exercise.gradients})
        for t in make_trials(rubric, exercise, {})
    ]

    assert diagnose(exercise, exercise.gradients[0], trials, load_bank(rubric)) is None


HONEST = [
    (path, node.name)
    for path in sorted((ROOT / "tests" / "honest").glob("*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and "__" in node.name
    # Statements are no function that could be called here.
    if COURSE.exercise(node.name.partition("__")[0])[1].style is Style.FUNCTION
]


@pytest.mark.parametrize(("path", "variant"), HONEST, ids=[variant for _, variant in HONEST])
def test_an_honest_answer_is_not_diagnosed(path: Path, variant: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(ROOT / "solutions")  # one may use what another assignment's function gives
    rubric, exercise = COURSE.exercise(variant.partition("__")[0])
    trials = []
    torch.set_default_dtype(torch.float64)
    try:
        for case in Reference(rubric).make_cases(exercise, 2):
            arguments = {n: SimpleNamespace(**a) if isinstance(a, Mapping) else a for n, a in case.arguments.items()}
            answer = getattr(load_module(path), variant)(**arguments)
            parts = (answer,) if isinstance(answer, Tensor) else answer
            names = [gradient.name for gradient in exercise.gradients]
            returned = answer if isinstance(answer, dict) else dict(zip(names, parts, strict=True))
            returned = {n: r.detach().clone() for n, r in returned.items() if r is not None}
            trials.append(Trial(case, returned, compare_all(exercise, case, returned)))
    finally:
        torch.set_default_dtype(torch.float32)

    bank = load_bank(rubric)
    assert [diagnose(exercise, gradient, trials, bank) for gradient in exercise.gradients] == [None] * len(
        exercise.gradients
    )


EXERCISES = [
    (exercise.function, g.name) for r in COURSE.rubrics for exercise in r.exercises for g in exercise.gradients
]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.sampled_from(EXERCISES), st.integers(0, 10_000), st.sampled_from(["alone", "added", "each entry"]))
def test_noise_is_never_diagnosed(place: tuple[str, str], seed: int, kind: str):
    function, name = place
    rubric, exercise = COURSE.exercise(function)
    gradient = exercise.gradient(name)
    noise = torch.Generator().manual_seed(seed)

    def wrong(t: SimpleNamespace) -> Tensor:
        true = getattr(t, name)
        drawn = torch.randn(true.shape, generator=noise, dtype=torch.float64)
        return {"alone": drawn, "added": true + 0.1 * drawn, "each entry": true * (1 + 0.1 * drawn)}[kind]

    trials = make_trials(rubric, exercise, {name: wrong}, seed)
    if all(trial.case.expected[gradient.value].numel() > 1 for trial in trials):
        assert diagnose(exercise, gradient, trials, load_bank(rubric)) is None


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.sampled_from(EXERCISES), st.floats(-8.0, 8.0).filter(lambda f: abs(f) > 0.01 and abs(f - 1) > 0.01))
def test_a_multiple_is_always_named_as_one(place: tuple[str, str], factor: float):
    function, name = place
    if not COURSE.exercise(function)[1].gradient(name).points:
        return  # zero in truth, of which every multiple is right

    found = explain(function, {name: lambda t: factor * getattr(t, name)})

    assert found is not None
    assert found.id.startswith("factor:")


def _tiny_course(folder: Path, cases: str) -> Rubric:
    (folder / "tiny").mkdir()
    (folder / "tiny" / "rubric.yaml").write_text(
        "format: 1\ntitle: Tiny\nexercises:\n  double_backward:\n    forward: double\n    given: [dout]\n"
        "    gradients:\n      dx: {points: 1}\n"
        f"    cases:\n      - {cases}\n"
    )
    (folder / "tiny" / "reference.py").write_text(
        'def double_inputs(rng, N, D):\n    return {"x": rng.normal(N, D)}\n\n\ndef double(t):\n    t.out = t.x.exp()\n'
    )
    return load_rubric(folder / "tiny")


# Everything comes through the output, and nothing to it "as an output of its own" where there is no other.
THROUGH = [
    ("transformer_block_backward", "dx"),
    ("transformer_block_backward", "dWo"),
    ("batchnorm_backward", "dh_prebn"),
]


@pytest.mark.parametrize(("function", "name"), THROUGH)
def test_no_part_of_a_gradient_is_told_by_an_output_that_all_of_it_comes_through(function: str, name: str):
    rubric, exercise = COURSE.exercise(function)
    trials = make_trials(rubric, exercise, {name: lambda t: getattr(t, name) * 1.37 + 0.1})[:1]

    for samples in collect(exercise, exercise.gradient(name), trials):
        for sample in (samples[0], replace(samples[0], is_deep=True, kept=[])):
            parts = {path for path in find_paths(sample) if path.through == (sample.case.forward.output,)}
            assert not parts
