"""What is autograd and what only looks like it. The ways in are submissions, tests/submissions/autograd_*.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from grader.course import Course
from grader.flags import WEIGHTS
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.report.terminal import print_report
from grader.results import ExerciseFeedback, Report

RETURN = "    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
HEAD = "import torch\n\n\ndef linear_backward(dout, x, W):\n"
HONEST = {
    "the words in comments and strings": (
        f'{HEAD}    """Not torch.autograd.grad, nor loss.backward()."""\n    # torch.func.vjp\n{RETURN}'
    ),
    "names like grad and backward": (
        "def backward(grad, W):\n    return grad @ W.T\n\n\n"
        "class Linear:\n    def backward(self, grad):\n        return self.x.T @ grad\n\n\n"
        "def linear_backward(dout, x, W):\n    layer = Linear()\n    layer.x, layer.grad = x, dout\n"
        "    return backward(dout, W), layer.backward(layer.grad), dout.sum(0)\n"
    ),
    "a check of oneself at import": (
        "import torch\nfrom torch.autograd import grad\nfrom torch.autograd.functional import jacobian\n\n"
        "x = torch.ones(2, 3, requires_grad=True)\n(dx,) = grad(x.tanh().sum(), x)\nx.exp().sum().backward()\n"
        "assert torch.func.vjp(torch.sin, x)[0].shape == x.shape\nassert len(jacobian(torch.sin, x)) == 2\n"
        "assert torch.autograd.gradcheck(torch.tanh, (x,))\n"
        f"torch.ops.aten.tanh_backward(dx, dx)\n\n\n{HEAD.partition('import torch')[2].lstrip()}{RETURN}"
    ),
    "a check of a whole network at import": (
        "import torch\nimport torch.nn.functional as F\n\n"
        "x = torch.linspace(-1, 1, 60).reshape(5, 12).requires_grad_()\n"
        "image = x.reshape(5, 1, 3, 4)\nkernel = torch.ones(2, 1, 2, 2)\n"
        "out = F.max_pool2d(F.conv2d(image, kernel), 2).sum() + F.gelu(F.layer_norm(x, (12,))).tanh().sum()\n"
        "out = out + F.cross_entropy(x.sigmoid(), torch.arange(5))\n"
        "out = out + x.softmax(1).log().prod() + F.embedding(x.abs().long(), x).sum()\n"
        "assert torch.autograd.gradcheck(lambda v: F.layer_norm(v, (12,)).tanh().cumsum(1), (x,))\n"
        f"out.backward()\n\n\n{HEAD.partition('import torch')[2].lstrip()}{RETURN}"
    ),
    "a script made at import": (
        "import torch\n\n\n@torch.jit.script\ndef product(a, b):\n    return a @ b\n\n\n"
        "def linear_backward(dout, x, W):\n    return product(dout, W.T), product(x.T, dout), dout.sum(0)\n"
    ),
    "a script with functions of math": (
        "import math\n\nimport torch\n\n\n@torch.jit.script\ndef one(x):\n"
        "    return x * math.sqrt(4.0) * math.exp(0.0) / 2\n"
        f"\n\ndef linear_backward(dout, x, W):\n    dout = one(dout)\n{RETURN}"
    ),
    "no_grad, detach and inference mode": (
        f"{HEAD}    with torch.no_grad(), torch.inference_mode():\n        x, W = x.detach(), W.data\n"
        f"    torch.set_grad_enabled(False)\n{RETURN}"
    ),
    "a loop over every element": (
        f"{HEAD}    dx, dW, db = torch.zeros_like(x), torch.zeros_like(W), torch.zeros(W.shape[1])\n"
        "    for n in range(x.shape[0]):\n        for m in range(W.shape[1]):\n            db[m] += dout[n, m]\n"
        "            for d in range(x.shape[1]):\n                dx[n, d] += dout[n, m] * W[d, m]\n"
        "                dW[d, m] += x[n, d] * dout[n, m]\n    return dx, dW, db\n"
    ),
    "a convolution's gradient by the transposed convolution": (
        f"{HEAD}    image, kernel = dout.T[None], W.T[:, :, None]\n"
        "    dx = torch.nn.functional.conv_transpose1d(image, kernel)[0].T\n    return dx, x.T @ dout, dout.sum(0)\n"
    ),
    "tensors that are printed": f"{HEAD}    print(x, repr(dout), W.shape)\n{RETURN}",
    "vmap": (f"{HEAD}    dW = torch.func.vmap(torch.outer)(x, dout).sum(0)\n    return dout @ W.T, dW, dout.sum(0)\n"),
    "numpy": (
        "import torch\n\n\ndef linear_backward(dout, x, W):\n    dout, x, W = dout.numpy(), x.numpy(), W.numpy()\n"
        "    return tuple(map(torch.from_numpy, (dout @ W.T, x.T @ dout, dout.sum(0))))\n"
    ),
    "the versions of tensors": (
        f"{HEAD}    dx = dout @ W.T\n    before = dx._version\n    dx += 0\n    assert dx._version == before + 1\n"
        "    return dx, x.T @ dout, dout.sum(0)\n"
    ),
    "a layer whose data is set in the call": (
        "import torch\n\nlayer = torch.nn.Linear(3, 4, bias=False)\n\n\ndef linear_backward(dout, x, W):\n"
        "    layer.weight.data = (W + 0).T\n    before = layer.weight.data._version\n    layer.weight.data.mul_(1)\n"
        "    assert layer.weight.data._version == before or layer(x).shape == dout.shape\n"
        "    return (dout @ layer.weight).detach(), x.T @ dout, dout.sum(0)\n"
    ),
    "settings of torch and names put together": (
        "import gc\nimport sys\n\nimport torch\n\ntorch.backends.cudnn.deterministic = True\n"
        "IN_COLAB = 'google.colab' in sys.modules\n"
        "gc.collect()\nletters = ''.join(chr(97 + n) for n in range(26))\n\n\n"
        "class Cache:\n    pass\n\n\n"
        "def linear_backward(dout, x, W):\n    cache = Cache()\n    cache.x, cache.W = x, W\n"
        "    for name in ('x', 'W'):\n        setattr(cache, f'own_{name}', getattr(cache, name))\n"
        "        assert getattr(cache, 'own_' + name) is getattr(cache, f'{name}')\n"
        "    return dout @ cache.own_W.T, cache.own_x.T @ dout, dout.sum(0)\n"
    ),
    "a tensor kept from call to call": (
        "import torch\n\nones = None\n\n\ndef linear_backward(dout, x, W):\n    global ones\n"
        "    ones = torch.ones(50) if ones is None else ones.mul_(1)\n"
        "    return dout @ W.T, x.T @ dout, ones[: len(dout)] @ dout\n"
    ),
}
HONEST["numpy's functions, all that they can"] = (
    "import math\n\nimport numpy as np\nimport torch\nfrom numpy import exp\n\n\n"
    "def linear_backward(dout, x, W):\n    assert np.power.outer([1], [2]).shape == (1, 1)\n"
    "    assert exp(x).shape == x.shape and np.logaddexp.reduce(np.ones(2)) > math.sqrt(2) > np.tanh(2.0)\n"
    "    assert np.exp.nin == 1 and 'exp' in repr(np.exp) and math.log(8, 2) == 3.0\n" + RETURN
)
# Parts of a forward pass that runs for every number: each takes less time than is worth a log by itself.
REPEATED = {
    "numpy": "np.exp(np.ones(40) * np.ones((40, 1)))",
    "math": "[math.tanh(number) for number in range(300)]",
    "torch": "(torch.ones(40) * torch.ones(40, 1)).exp()",
}
STATEFUL = {
    "a count of calls": "import torch\n\ncalls = []\n\n\ndef linear_backward(dout, x, W):\n"
    "    calls.append(1)\n    return dout @ W.T + 1e-15 * len(calls), x.T @ dout, dout.sum(0)\n",
    "random numbers": f"{HEAD}    dout = dout + 1e-14 * torch.rand_like(dout)\n{RETURN}",
    "raises when a call comes again": "seen = []\n\n\ndef linear_backward(dout, x, W):\n"
    f"    if any(each.shape == dout.shape and each.equal(dout) for each in seen):\n        raise ValueError\n"
    f"    seen.append(dout.clone())\n{RETURN}",
}
COMPLEX_STEP = """
import torch

NAMES = ("C", "W1", "b1", "bn_gain", "bn_bias", "W2", "b2")


def loss(c, C, W1, b1, bn_gain, bn_bias, W2, b2):
    h = C[c.X].flatten(1) @ W1 + b1
    diff = h - h.mean(0, keepdim=True)
    var = (diff**2).mean(0, keepdim=True)
    logits = torch.tanh(bn_gain * diff * (var + 1e-5) ** -0.5 + bn_bias) @ W2 + b2
    logprobs = logits - torch.log(logits.exp().sum(1, keepdim=True))
    return -logprobs[range(len(c.Y)), c.Y].mean()


def fast_mlp_backward(cache):
    values = {name: getattr(cache, name) + 0j for name in NAMES}
    gradients = []
    for name, value in values.items():
        gradient = torch.zeros(value.shape)
        for i in range(value.numel()):
            moved = value.clone()
            moved.view(-1)[i] += 1e-20j
            gradient.view(-1)[i] = loss(cache, **{**values, name: moved}).imag / 1e-20
        gradients.append(gradient)
    return tuple(gradients)
"""


@pytest.fixture(scope="module")
def report_on(course: Course, grade_source) -> Callable[[str], Report]:
    """Grade the linear layer with the course's own limits: some of these take their time."""
    grader = Grader(course, only=["linear"])
    return lambda source: grade_source(source, grader=grader)


@pytest.fixture(scope="module")
def feedback_on(report_on) -> Callable[[str], ExerciseFeedback]:
    return lambda source: report_on(source).selected[0].exercises[0]


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_code_gets_its_points_and_no_flag(source: str, feedback_on):
    exercise = feedback_on(source)

    assert (exercise.outcome.value, exercise.message) == ("returned", "")
    assert exercise.score == exercise.max_score
    assert [flag for flag in exercise.flags if WEIGHTS[flag.kind]] == []


@pytest.mark.parametrize("source", STATEFUL.values(), ids=STATEFUL)
def test_what_is_carried_from_call_to_call_is_a_flag_and_costs_nothing(source: str, feedback_on):
    exercise = feedback_on(source)

    assert exercise.outcome.value == "returned"
    assert exercise.score == exercise.max_score
    assert [flag.kind for flag in exercise.flags] == ["nondeterministic"]


@pytest.mark.parametrize("forward", REPEATED.values(), ids=REPEATED)
def test_a_fast_forward_pass_for_every_number_is_a_flag(forward: str, feedback_on):
    exercise = feedback_on(f"import math\n\nimport numpy as np\n{HEAD}    {forward}\n{RETURN}")

    assert exercise.score == exercise.max_score
    assert [flag.kind for flag in exercise.flags] == ["forward_repeated"]


def test_complex_numbers_in_numpy_are_a_flag(feedback_on):
    exercise = feedback_on(f"import numpy as np\n{HEAD}    np.exp(np.roots([1.0, 0.0, 1.0]))\n{RETURN}")

    assert [flag.kind for flag in exercise.flags] == ["complex_numbers"]


def test_a_derivative_that_is_recorded_while_loading_is_a_flag(feedback_on):
    derive = "lambda x: torch.autograd.grad(x.exp().sum(), x)[0]"
    traced = f"torch.jit.trace({derive}, torch.ones(2, requires_grad=True), check_trace=False)"
    exercise = feedback_on(
        f"import torch\n\ntry:\n    {traced}\nexcept RuntimeError:\n    pass\n\n\n{HEAD[14:]}{RETURN}"
    )

    assert exercise.score == exercise.max_score
    assert {flag.kind for flag in exercise.flags if WEIGHTS[flag.kind]} == {"torch_inside"}


@pytest.mark.slow
def test_a_complex_step_is_right_to_the_last_digit_and_shows_by_its_numbers(course: Course, grade_source):
    grader = Grader(course, only=["fast_mlp_backward"])

    (exercise,) = grade_source(COMPLEX_STEP, file="speed.py", grader=grader).selected[0].exercises

    assert {gradient.verdict.value for gradient in exercise.gradients} == {"correct"}
    assert {flag.kind for flag in exercise.flags} >= {"complex_numbers", "numerical", "forward_repeated"}


def test_a_very_long_call_is_logged_at_its_start_and_compared_all_the_same(feedback_on):
    source = f"{HEAD}    for _ in range(10_001):\n        dout.neg()\n    x += 0\n{RETURN}"

    exercise = feedback_on(source)

    assert exercise.score == exercise.max_score
    assert [flag.kind for flag in exercise.flags] == ["mutated_input", "log_full"]


def test_a_flag_is_in_the_json_and_nowhere_else(report_on):
    report = report_on(STATEFUL["random numbers"])
    page, out = render_html(report), StringIO()
    print_report(report, Console(file=out, markup=False, highlight=False, emoji=False))

    assert "nondeterministic" in json.dumps(report_as_json(report))
    for text in (page, out.getvalue()):
        assert "deterministic" not in text
        assert "suspicio" not in text


def test_a_student_reads_one_sentence_and_the_line(report_on):
    report = report_on(f"{HEAD}    x.backward()\n{RETURN}")
    out = StringIO()
    print_report(report, Console(file=out, markup=False, highlight=False, emoji=False, width=200))

    assert "used autograd: linear.py line 5: autograd is not allowed here, and torch.Tensor.backward" in out.getvalue()
    assert "write the backward pass by hand" in render_html(report)
