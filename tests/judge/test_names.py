"""A name that a student brought from elsewhere is told with the one that belongs there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.course import Course
from grader.grading import Grader
from grader.report.words import outcome_line
from grader.sandbox.answer import Names, Outcome, read_own_names

# The exercise, the body of its function, and what the message ends in.
BROUGHT = {
    "the lesson's name in the cache": (
        "batchnorm_steps_backward",
        "(dout, cache)",
        "return cache.bndiff2",
        "has no attribute 'bndiff2'; bndiff2 is called bn_diff_sq here; write cache.bn_diff_sq",
    ),
    "without its underscore": (
        "batchnorm_steps_backward",
        "(dout, cache)",
        "return hprebn * 2",
        "name 'hprebn' is not defined; hprebn is called h_prebn here; write cache.h_prebn",
    ),
    "the batch of the lesson": (
        "cross_entropy_backward",
        "(logits, Y)",
        "return logits[range(5), Yb]",
        "name 'Yb' is not defined; Yb is called Y here",
    ),
    "a value that is not given": (
        "batchnorm_backward",
        "(dout, bn_raw, bn_gain, bn_var_inv)",
        "return bndiff, None, None",
        "bndiff is called bn_diff here; bn_diff is not given to batchnorm_backward, which gets "
        "dout, bn_raw, bn_gain, bn_var_inv",
    ),
    "a value that was not taken out": (
        "cross_entropy_steps_backward",
        "(cache)",
        "return probs",
        "name 'probs' is not defined; write cache.probs",
    ),
    "a gradient of the lesson": (
        "batchnorm_steps_backward",
        "(dout, cache)",
        "dbn_diff_sq = dout\n    return dbndiff2",
        "name 'dbndiff2' is not defined; dbndiff2 is called dbn_diff_sq here",
    ),
    "a key of a dict": (
        "batchnorm_backward",
        "(dout, bn_raw, bn_gain, bn_var_inv)",
        "return {'dhprebn': dout}",
        "the keys are dh_prebn, dbn_gain, dbn_bias; dhprebn is called dh_prebn here",
    ),
    "other parameters": (
        "linear_backward",
        "(dZ, cache)",
        "return dZ",
        "missing a required argument: 'dZ'; dZ is called dout here; write `def linear_backward(dout, x, W):`",
    ),
    "parameters with hints": (
        "linear_backward",
        "(grad_output: 'Tensor', X: 'Tensor', w=None) -> 'Tensor'",
        "return X",
        "grad_output is called dout here; X is called x here; w is called W here; "
        "write `def linear_backward(dout, x, W):`",
    ),
    "a size": (
        "batchnorm_backward",
        "(dout, bn_raw, bn_gain, bn_var_inv)",
        "return 1 / n * dout, None, None",
        "sizes are not given and change from case to case: take them from a shape, as in dout.shape[0]",
    ),
    "a size without dout": (
        "mlp_backward",
        "(cache)",
        "return n",
        "take them from a shape, as in cache.X.shape[0]",
    ),
    "a cache read as a dict": (
        "attention_steps_backward",
        "(dout, cache)",
        "return cache['Q']",
        "is not subscriptable; cache is no dict: write cache.Q, not cache['Q']",
    ),
    "a cache read as a tuple": (
        "attention_steps_backward",
        "(dout, cache)",
        "Q, K = cache",
        "cache holds every value by its name: write Q = cache.Q",
    ),
    "a gradient asked of the cache": (
        "cross_entropy_steps_backward",
        "(cache)",
        "return cache.dprobs",
        "cache holds the values of the forward pass, and no gradients: those are yours to compute",
    ),
    "a library without its import": (
        "softmax_backward",
        "(dout, probs)",
        "return F.softmax(probs, 1)",
        "name 'F' is not defined; write `import torch.nn.functional as F` at the top of the file",
    ),
    "a name that nobody knows": (
        "softmax_backward",
        "(dout, probs)",
        "return quux",
        "NameError: name 'quux' is not defined",
    ),
}


@pytest.fixture(scope="module")
def message_of(course: Course, grade_source) -> Callable[[str, str, str], str]:
    """Return what is said of each function, all handed in as one file each."""
    grader = Grader(course, only=list(dict.fromkeys(function for function, *_ in BROUGHT.values())))

    def message_of(function: str, parameters: str, body: str) -> str:
        report = grade_source(f"def {function}{parameters}:\n    {body}\n", file="work.py", grader=grader)
        found = {each.function: each.message for part in report.assignments for each in part.exercises}
        return found[function]

    return message_of


@pytest.mark.parametrize(("function", "parameters", "body", "said"), BROUGHT.values(), ids=BROUGHT)
def test_a_name_from_elsewhere_is_told_with_the_one_that_belongs_there(
    function: str, parameters: str, body: str, said: str, message_of
):
    assert message_of(function, parameters, body).endswith(said)


# The body of linear_backward(dout, x, W), which returns dx, dW, db, and what is asked of db.
COMPUTED = {
    "a letter is left out": (
        "d_b = dout.sum(0)\nreturn dx, dW, None",
        "db is None; is d_b, which you computed in line 4",
    ),
    "the template's line is still there": (
        "db = None\nDB = dout.sum(0)\nreturn dx, dW, db",
        "db is None; is DB, which you computed in line 5, meant to be it?",
    ),
    "a name of its own, and None is returned": (
        "db = dout.sum(0)\nreturn dx, dW, None",
        "db is None in what you return; is the one that you computed in line 4 meant?",
    ),
    "a key of a dict is not there": (
        "d_b = dout.sum(0)\nreturn {'dx': dx, 'dW': dW}",
        "db is not there; is d_b, which you computed in line 4, meant to be it?",
    ),
    "it raised behind it": (
        "d_b = dout.sum(0)\nreturn dx, dW, db",
        "db is not there; is d_b, which you computed in line 4, meant to be it?",
    ),
    "another gradient was computed": ("other = dout.sum(0)\nreturn dx, dW, None", ""),
    "the near name is returned for another": ("d_b = dW\nreturn dx, d_b, None", ""),
    "the near name is nothing yet": ("d_b = None\nreturn dx, dW, d_b", ""),
    "it raised before it": ("[][0]\nd_b = dout.sum(0)\nreturn dx, dW, db", ""),
}


@pytest.mark.parametrize(("body", "question"), COMPUTED.values(), ids=COMPUTED)
def test_what_is_computed_under_a_near_name_and_not_returned_is_asked_about(body: str, question: str, grade_source):
    lines = "\n".join(f"    {line}" for line in ["dx = dout @ W.T", "dW = x.T @ dout", *body.split("\n")])

    exercise = grade_source(f"def linear_backward(dout, x, W):\n{lines}\n").selected[0].exercises[0]

    db = exercise.gradients[-1]
    assert (db.diagnosis.message if db.diagnosis else "").startswith(question)
    assert bool(db.diagnosis) == bool(question)


def test_a_function_that_returns_nothing_is_asked_about_what_it_computes(grade_source):
    source = "def linear_backward(dout, x, W):\n    db = None\n    d_b = dout.sum(0)\n    return None, None, db\n"

    exercise = grade_source(source).selected[0].exercises[0]

    assert outcome_line(exercise) == (
        "not written yet: db is None; is d_b, which you computed in line 3, meant to be it?"
    )


LENGTHS = {
    "one is left out": ("return dx, dW", "; line 4 leaves out db"),
    "one is left out, and one has a near name": ("d_W = dW\n    return dx, d_W", "; line 5 leaves out db"),
    "one is none of them": ("return dx, dW, db, loss", "; loss in line 4 is none of them"),
    "one is there twice": ("return dx, dW, dW, db", "; dW is in line 4 twice"),
    "one has no name": ("return dx, 2 * dW", "expected 3: dx, dW, db"),
}


@pytest.mark.parametrize(("returned", "said"), LENGTHS.values(), ids=LENGTHS)
def test_a_return_of_the_wrong_length_says_what_is_left_out_or_too_much(returned: str, said: str, grade_source):
    made = "dx, dW, db = dout @ W.T, x.T @ dout, dout.sum(0)\n    loss = 0"

    exercise = grade_source(f"def linear_backward(dout, x, W):\n    {made}\n    {returned}\n").selected[0].exercises[0]

    assert exercise.outcome is Outcome.BAD_RETURN
    assert exercise.message.endswith(said)


NOT_NAMES = {
    "made": {"a" * 61: 1, "not a name": 2, "db": "3", "d_b": 4, "dx": -1},
    "order": [1, "dx", "<b>"],
    "line": 5,
}


def test_what_a_child_calls_names_is_read_with_bounds():
    found = read_own_names("linear.py", {**NOT_NAMES, "returned": {"dx": "<i>", "other": "dx"}}, ["dx", "dW"])

    assert found == Names("linear.py", {"d_b": 4}, ("", "dx", ""), {"dx": ""}, 5)
