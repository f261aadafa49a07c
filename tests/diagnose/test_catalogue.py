"""The slips of the catalogue in forwards that the course does not have: heads, a loop, norms, masks of bools."""

from __future__ import annotations

import string

import pytest
from benchmarks.diagnosis import UNSEEN, make_trials, mistake_name, unseen_bank

from grader.course import Course, load_course
from grader.course.cases import Reference
from grader.course.mistakes import Mistake
from grader.diagnose import Diagnosis, diagnose
from grader.diagnose.catalogue import SENTENCES

COURSE = load_course(UNSEEN / "more")
NAMED = {
    "heads_backward__dWo__of_att": "slip:out:Mm:factor_out_of_order:att",
    "heads_backward__dV__mask_lost": "slip:att:Bmm:softmax_of_factor:scores",
    "heads_backward__dmasked__row_sum_apart": "slip:weights:Softmax:weighted_after_the_sum",
    "heads_backward__dK__not_transposed": "slip:scores:Bmm:upstream_turned",
    "heads_backward__dQ__of_q": "slip:scores:Bmm:factor_exchanged:Q",
    "heads_backward__dqkv__k_first": "slip:qkv:step:parts_reordered:2",
    "heads_backward__dqkv__wrong_merge": "slip:Q and K and V:Transpose:view_for_transpose",
    "self_attention_backward__dx__swapped_q_and_k": "slip:qkv:step:upstream_reordered:2",
    "self_attention_backward__dWqkv__row_sum_apart": "slip:weights:Softmax:weighted_after_the_sum",
    "self_attention_backward__dx__scale_missing": "term:factor:√d:scores+masked+weights",
    "rnn_backward__db__recurrence_missing": "slip:h:Mm:not_carried_back:Wh",
    "rnn_backward__dx__wh_not_transposed": "slip:h:Mm:not_transposed",
    "rnn_backward__dWx__square_missing": "slip:h:Tanh:square_missing",
    "rmsnorm_backward__dx__gain_outside": "slip:out:Mul:moved_out:rms_gain",
    "rmsnorm_backward__dx__constant": "term:missing:the power in out",
    "layernorm_backward__dx__gain_in_the_mean_only": "slip:ln_raw:Norm:gain_in_some_terms",
    "layernorm_backward__dx__over_the_positions": "slip:ln_raw:Norm:normalised_over_other_axis:1",
    "silu_backward__dx__one_path": "term:missing:the sigmoid in out",
    "relu_backward__dx__mask_inverted": "slip:out:Relu:relu_inverted",
    "bool_dropout_backward__dx__inverted": "slip:out:Mul:mask_inverted",
    "pooled_backward__dx__inverted": "slip:out:Where:mask_inverted",
}


@pytest.fixture(scope="module")
def bank() -> dict[str, Mistake]:
    return {mistake_name(mistake): mistake for rubric in COURSE.rubrics for mistake in unseen_bank(rubric)}


def name(course: Course, mistake: Mistake) -> Diagnosis | None:
    rubric, exercise = course.exercise(mistake.function)
    trials = make_trials(exercise, Reference(rubric).make_cases(exercise, 0), mistake)
    return diagnose(exercise, exercise.gradient(mistake.gradient), trials, ())


@pytest.mark.parametrize(("mistake", "expected"), NAMED.items(), ids=NAMED)
def test_a_slip_is_named(mistake: str, expected: str, bank: dict[str, Mistake]):
    found = name(COURSE, bank[mistake])

    assert found is not None
    assert found.id == expected


def test_what_is_wrong_at_all_but_one_time_is_no_loop_that_ends_too_soon(bank: dict[str, Mistake]):
    found = name(COURSE, bank["rnn_backward__dWh__own_state"])

    assert found is None or "loop" not in found.message


@pytest.mark.parametrize("kind", SENTENCES.values(), ids=SENTENCES)
def test_a_sentence_names_the_gradient_and_nothing_that_is_not_known(kind):
    fields = {field for _, field, _, _ in string.Formatter().parse(kind.sentence) if field is not None}

    assert "d" in fields
    assert fields <= {"d", "step", "read", "op", "Op", "detail"}
