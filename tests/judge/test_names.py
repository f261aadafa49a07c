"""A name that a student brought from elsewhere is told with the one that belongs there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.course import Course
from grader.grading import Grader

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
