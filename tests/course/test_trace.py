"""A forward pass as named steps: the rules of a trace, and the gradients that it yields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 # the lesson's name for it
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grader.course.cases import load_module
from grader.course.trace import Forward, run_forward
from grader.errors import CourseError

# The body of a forward that breaks a rule, and what is said of it, from the line on. The body begins on line 5.
BROKEN = {
    "assigned twice": (
        "t.out = t.x.exp()\nt.out = t.x.sin()",
        ":6: t.out is assigned twice; give the second value a name of its own",
    ),
    "an input assigned": (
        "t.x = t.x * 2",
        ":5: t.x is assigned twice; give the second value a name of its own",
    ),
    "an input under a second name": (
        "t.a = t.x\nt.out = t.a * 2",
        ":5: t.a is t.x under a second name; a value has one name",
    ),
    "a step under a second name": (
        "t.a = t.x * 2\nt.b = t.a\nt.out = t.b * 2",
        ":6: t.b is t.a under a second name; a value has one name",
    ),
    "a result under two names": (
        "u = t.x.exp()\nt.a = u\nt.b = u\nt.out = t.a * t.b",
        ":7: t.b is t.a under a second name; a value has one name",
    ),
    "a call that hands back its input": (
        "t.a = t.x.contiguous()\nt.out = t.a * 2",
        ":5: t.a is t.x under a second name; a value has one name",
    ),
    "a value used without being read": (
        "u = t.x.exp()\nt.u = u\nt.v = u.exp()",
        ":7: t.v is computed from the value of t.u without reading it; write t.u in its place",
    ),
    "one of several outputs used without being read": (
        "a, b, _ = t.x.unbind(0)\nt.a = a\nt.b = b\nt.out = a * t.b",
        ":8: t.out is computed from the value of t.a without reading it; write t.a in its place",
    ),
    "a read value changed in place": (
        "t.x.mul_(2)\nt.out = t.x * 2",
        ":5: a value read from the trace is changed in place; write the new value under a name of its own",
    ),
    "a read value changed by an index": (
        "t.a = t.x * 2\nt.a[0] = 1.0\nt.out = t.a * 2",
        ":6: a value read from the trace is changed in place; write the new value under a name of its own",
    ),
    "a read value added to": (
        "t.x += 1",
        ":5: a value read from the trace is changed in place; write the new value under a name of its own",
    ),
    "a read value changed past autograd": (
        "t.x.detach().mul_(2)\nt.out = t.x * 2",
        ":6: t.x was changed in place; write the new value under a name of its own",
    ),
    "a value changed in place after it was assigned": (
        "u = t.x.exp()\nt.u = u\nu.mul_(2)\nt.out = t.u * 2",
        ":8: t.u was changed in place; write the new value under a name of its own",
    ),
    "a view changed in place after its base was assigned": (
        "u = t.x.exp()\nt.u = u\nu.view(-1)[0] = 1\nt.out = t.u * 2",
        ":8: t.u was changed in place; write the new value under a name of its own",
    ),
    "a constant changed in place": (
        "t.Y.add_(1)\nt.out = t.x * 2",
        ":6: t.Y was changed in place; write the new value under a name of its own",
    ),
    "a constant added to": (
        "t.Y += 1",
        ":5: t.Y was changed in place; write the new value under a name of its own",
    ),
    "the last value changed in place": (
        "u = t.x.exp()\nt.u = u\nu.mul_(2)",
        ": t.u was changed in place; write the new value under a name of its own",
    ),
    "a detached value": (
        "t.out = t.x.detach() * 2",
        ":5: t.out depends on no float value of the trace (detached, or a new tensor); "
        "compute it from values read as t.name, or hand it in as an input",
    ),
    "a value made without autograd": (
        "with torch.no_grad():\n    t.out = t.x * 2",
        ":6: t.out depends on no float value of the trace (detached, or a new tensor); "
        "compute it from values read as t.name, or hand it in as an input",
    ),
    "a new tensor": (
        "t.out = torch.ones(3, dtype=torch.float64)",
        ":5: t.out depends on no float value of the trace (detached, or a new tensor); "
        "compute it from values read as t.name, or hand it in as an input",
    ),
    "a parameter of its own": (
        "w = torch.ones(4, dtype=torch.float64, requires_grad=True)\nt.out = t.x * w",
        ":6: t.out depends on a tensor with requires_grad that is not on the trace",
    ),
    "float32": ("t.out = t.x.float()", ":5: t.out is torch.float32; the course computes in torch.float64"),
    "complex": (
        "t.out = t.x.to(torch.complex128)",
        ":5: t.out is torch.complex128; the course computes in torch.float64",
    ),
    "nothing assigned": ("pass", ": the forward assigns no float value to the trace; write t.out = ..."),
    "a constant only": ("t.n = 3", ": the forward assigns no float value to the trace; write t.out = ..."),
    "a constant at the end": (
        "t.out = t.x * 2\nt.n = len(t.x)",
        ": the last value, t.n, is the output and must be a float tensor",
    ),
    "a value that leads nowhere": (
        "t.a = t.x * 2\nt.out = t.x.sum()",
        ":5: t.a does not reach the output t.out, so it has no gradient",
    ),
    "a name that is not there": ("t.out = t.zebra * 2", ":5: t.zebra is read before it is assigned"),
    "a misspelt name": (
        "t.counts = t.x.exp()\nt.out = t.count * 2",
        ":6: t.count is read before it is assigned; did you mean t.counts?",
    ),
    "an exception": ("t.out = t.x @ t.x", ":5: the forward raised RuntimeError: mat1 and mat2 shapes cannot be "),
    "an exception in a helper": ("t.out = helper(t.x)", ":11: the forward raised ZeroDivisionError: division by zero"),
}


def softmax_cross_entropy(t):
    t.maxes = t.x.max(dim=1, keepdim=True).values
    t.norm = t.x - t.maxes
    t.counts = t.norm.exp()
    t.sums = t.counts.sum(1, keepdim=True)
    t.inv = t.sums**-1
    t.probs = t.counts * t.inv
    t.logprobs = t.probs.log()
    t.loss = -t.logprobs[range(len(t.Y)), t.Y].mean()


def batchnorm(t):
    t.mean = t.x.mean(0, keepdim=True)
    t.diff = t.x - t.mean
    t.diff_sq = t.diff**2
    t.var = t.diff_sq.mean(0, keepdim=True)
    t.var_inv = (t.var + 1e-5) ** -0.5
    t.raw = t.diff * t.var_inv
    t.out = t.raw * t.y[0]


def attention(t):
    t.scores = t.q @ t.q.transpose(-2, -1)
    t.scaled = t.scores / t.q.shape[-1] ** 0.5
    t.weights = torch.softmax(t.scaled, -1)
    t.out = t.weights @ t.q


def repeated_rows(t):
    t.emb = t.x[t.index]
    t.flat = t.emb.reshape(len(t.index), -1)
    t.out = t.flat.tanh() * t.flat


def chunks(t):
    t.left, t.right = t.x.chunk(2, dim=1)
    t.gated = t.left * (t.right - 1) / 3  # no sigmoid: its last bit depends on how a tensor lies in memory
    t.out = t.gated + t.right


def splits_of_a_result(t):
    a, b, c = (t.x * t.y).split(2, dim=1)
    t.a, t.b, t.c = a, b, c
    t.out = t.a * t.b + t.c


def one_of_several_outputs(t):
    values, _ = t.x.sort(dim=1)
    t.values = values
    t.out = t.values.cumsum(1) * t.x


def many_consumers(t):
    t.a = t.x * t.y
    t.b = t.x * t.a
    t.c = t.x - t.b
    t.out = t.x * t.c + t.a


def several_uses_in_one_step(t):
    t.a = t.x.exp() + t.x.sin()
    t.b = t.x * t.y
    t.c = t.x * t.x * t.y + t.x
    t.out = t.a + t.b * t.c


def a_view(t):
    t.flat = t.x.view(-1)
    t.turned = t.x.T
    t.out = t.flat.sum() * t.turned


def changed_before_it_is_named(t):
    h = t.x.tanh()
    h = h.clone()
    h[0] = 0.0
    t.h = h
    t.out = t.h * t.x


def a_constant_on_the_way(t):
    t.mask = t.x > 0
    t.n = len(t.x)
    t.out = t.x * t.mask / t.n


def a_scalar_twice(t):
    t.mean = t.x.mean()
    t.out = t.mean * t.mean


def convolution(t):
    t.filtered = F.conv1d(t.q, t.q[:, :, :3], padding=1)
    t.out = t.filtered.relu()


FORWARDS = {
    each.__name__: each
    for each in (
        *(softmax_cross_entropy, batchnorm, attention, repeated_rows, chunks, splits_of_a_result),
        *(one_of_several_outputs, many_consumers, several_uses_in_one_step, a_view, changed_before_it_is_named),
        *(a_constant_on_the_way, a_scalar_twice, convolution),
    )
}
# What each forward reads; an input that nothing reads would be an error.
READS = {
    "softmax_cross_entropy": ("x", "Y"),
    "batchnorm": ("x", "y"),
    "attention": ("q",),
    "repeated_rows": ("x", "index"),
    "splits_of_a_result": ("x", "y"),
    "many_consumers": ("x", "y"),
    "several_uses_in_one_step": ("x", "y"),
    "convolution": ("q",),
}


def inputs_of(name: str, seed: int = 0) -> dict[str, Any]:
    """Return random inputs for a forward of FORWARDS."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    everything = {
        "x": normal(4, 6),
        "y": normal(4, 6),
        "q": normal(3, 3, 5),
        "Y": torch.tensor([0, 5, 2, 2]),
        "index": torch.tensor([[0, 0, 3], [3, 1, 0]]),
    }
    return {key: everything[key] for key in READS.get(name, ("x",))}


def normal_like(value: Tensor, seed: int = 1) -> Tensor:
    """Return a random float64 tensor of a value's shape."""
    return torch.randn(value.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain_gradients(
    function: Callable[[Any], object], inputs: Mapping[str, Any], forward: Forward, dout: Tensor
) -> dict:
    """Return autograd's gradient of every value, from the same forward run on a plain namespace."""
    values = SimpleNamespace(**inputs)
    for name in forward.leaves:
        if name in inputs:
            setattr(values, name, inputs[name].clone().requires_grad_())
    function(values)
    tensors = [getattr(values, name) for name in forward.leaves]
    found = torch.autograd.grad((getattr(values, forward.output) * dout).sum(), tensors)
    return dict(zip(forward.leaves, found, strict=True))


@pytest.mark.parametrize(("body", "said"), BROKEN.values(), ids=BROKEN)
def test_each_broken_rule_is_told_with_file_and_line(tmp_path: Path, body: str, said: str):
    path = tmp_path / "reference.py"
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    filling = "    ...\n" * (4 - len(body.splitlines()))
    path.write_text(f"import torch\n\n\ndef forward(t):\n{indented}{filling}\ndef helper(x):\n    return x / (1 / 0)\n")
    function = load_module(path).forward
    inputs = {"x": torch.ones(3, 4, dtype=torch.float64), "Y": torch.tensor([1, 2])}

    with pytest.raises(CourseError) as caught:
        run_forward(function, inputs)

    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}{said}")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.complex128])
def test_an_input_of_another_dtype_is_refused(dtype):
    def forward(t):
        t.out = t.x * 2

    with pytest.raises(CourseError, match=rf"t\.x is {dtype}; the course computes in torch\.float64"):
        run_forward(forward, {"x": torch.ones(2, dtype=dtype)})


def test_an_input_that_nothing_reads_is_refused():
    def forward(t):
        t.out = t.x * 2

    with pytest.raises(CourseError, match=r"t\.b does not reach the output t\.out, so it has no gradient$"):
        run_forward(forward, {"x": torch.ones(2, dtype=torch.float64), "b": torch.ones(2, dtype=torch.float64)})


def test_a_forward_that_changes_its_inputs_past_the_trace_leaves_them_whole():
    inputs = inputs_of("chunks")
    before = inputs["x"].clone()

    def forward(t):
        t.out = t.x * 2
        t.out.data.zero_()

    run_forward(forward, inputs)

    assert torch.equal(before, inputs["x"])


def test_a_constant_is_handed_out_as_a_copy():
    def forward(t):
        t.Y.data.zero_()
        t.out = t.x * t.Y

    found = run_forward(forward, {"x": torch.ones(2, dtype=torch.float64), "Y": torch.tensor([3, 4])})

    assert found.values["Y"].tolist() == [3, 4]
    assert found.values["out"].tolist() == [3.0, 4.0]


def test_what_the_author_does_to_an_input_later_does_not_reach_the_trace():
    inputs = inputs_of("chunks")
    before = inputs["x"].clone()
    forward = run_forward(chunks, inputs)

    inputs["x"].zero_()

    assert torch.equal(before, forward.values["x"])


@pytest.mark.parametrize("name", FORWARDS)
def test_every_value_is_what_the_plain_forward_computes(name):
    inputs = inputs_of(name)
    values = SimpleNamespace(**inputs)

    FORWARDS[name](values)

    forward = run_forward(FORWARDS[name], inputs)
    assert set(forward.values) == set(vars(values))
    for key, value in forward.values.items():
        other = getattr(values, key)
        assert torch.equal(value, other) if isinstance(value, Tensor) else value == other


@pytest.mark.parametrize("name", FORWARDS)
def test_every_gradient_is_the_one_of_plain_autograd_bit_for_bit(name):
    inputs = inputs_of(name)
    forward = run_forward(FORWARDS[name], inputs)
    dout = normal_like(forward.values[forward.output])

    expected, actual = plain_gradients(FORWARDS[name], inputs, forward, dout), forward.gradients(dout)

    assert set(expected) == set(actual) == set(forward.leaves)
    for key in expected:
        assert torch.equal(expected[key], actual[key]), key


@pytest.mark.parametrize("name", FORWARDS)
def test_central_differences_agree_on_every_input(name):
    inputs = inputs_of(name)
    forward = run_forward(FORWARDS[name], inputs)
    dout = normal_like(forward.values[forward.output])
    actual = forward.gradients(dout)

    for key in [key for key in inputs if key in forward.leaves]:
        direction = normal_like(inputs[key], seed=2)

        def along(step: float, key: str = key, direction: Tensor = direction) -> Tensor:
            moved = SimpleNamespace(**{**inputs, key: inputs[key] + step * direction})
            FORWARDS[name](moved)
            return (getattr(moved, forward.output) * dout).sum()

        difference = (along(1e-6) - along(-1e-6)) / 2e-6
        torch.testing.assert_close(difference, (actual[key] * direction).sum(), rtol=1e-6, atol=1e-7)


# A step: the values that it takes (by their number from the end), and what it does with them.
STEPS = st.lists(
    st.tuples(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.sampled_from(["sum", "product", "tanh", "mean"])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_gradients_of_any_chain_of_steps_are_those_of_plain_autograd(steps):
    def forward(t):
        names = ["x", "y"]
        for number, (taken, what) in enumerate(steps):
            values = [getattr(t, names[-min(back, len(names))]) for back in taken]
            result = values[0] * 0.5
            for value in values:
                result = {
                    "sum": lambda a, b: a + b,
                    "product": lambda a, b: a * b,
                    "tanh": lambda a, b: a - b.tanh(),
                    "mean": lambda a, b: a * b.mean(0, keepdim=True),
                }[what](result, value)
            names.append(f"v{number}")
            setattr(t, names[-1], result)
        # So that everything reaches the output.
        t.out = sum(getattr(t, name) for name in names)

    inputs = {"x": normal_like(torch.empty(3, 4), seed=3), "y": normal_like(torch.empty(3, 4), seed=4)}
    traced = run_forward(forward, inputs)
    dout = normal_like(traced.values["out"])

    actual = traced.gradients(dout)

    for key, expected in plain_gradients(forward, inputs, traced, dout).items():
        assert torch.equal(expected, actual[key]), key


def chain(t):
    t.a = t.x.exp()
    t.b = t.a.sin()
    t.c = t.a * t.b
    t.out = t.c.tanh()


def test_a_gradient_put_in_is_what_its_name_passes_on():
    forward = run_forward(chain, inputs_of("chunks"))
    dout = normal_like(forward.values["out"])
    own = normal_like(forward.values["c"], seed=5)

    found = forward.gradients(dout, given={"c": own})

    assert torch.equal(own * forward.values["a"], found["b"])
    assert torch.equal(own * forward.values["b"] + found["b"] * forward.values["a"].cos(), found["a"])


def test_of_several_outputs_each_brings_its_own_gradient():
    forward = run_forward(chain, inputs_of("chunks"), outputs=["b", "out"])
    upstream = {name: normal_like(forward.values[name], seed) for seed, name in enumerate(("b", "out"))}

    found = forward.gradients(upstream)

    alone = run_forward(chain, inputs_of("chunks")).gradients(upstream["out"])
    assert torch.equal(found["c"], alone["c"])
    assert torch.allclose(found["b"], alone["b"] + upstream["b"], rtol=1e-15)
    assert torch.allclose(found["a"], alone["a"] + upstream["b"] * forward.values["a"].cos(), rtol=1e-14)


def test_a_value_behind_all_outputs_has_no_gradient():
    with pytest.raises(CourseError, match=r"t\.c does not reach the output t\.a or t\.b, so it has no gradient"):
        run_forward(chain, inputs_of("chunks"), outputs=["a", "b"])


def test_an_output_that_is_not_computed_is_said():
    said = (
        "the rubric names the output x, and the forward computes no float value of that name; it computes a, b, c, out"
    )
    with pytest.raises(CourseError, match=said):
        run_forward(chain, inputs_of("chunks"), outputs=["x"])


def test_what_reached_a_name_is_told_even_if_another_gradient_is_put_in():
    forward = run_forward(chain, inputs_of("chunks"))
    dout = normal_like(forward.values["out"])

    found = forward.gradients(dout, given={"c": normal_like(forward.values["c"], seed=5)})

    assert torch.equal(forward.gradients(dout)["c"], found["c"])


def test_the_truth_put_in_changes_nothing():
    forward = run_forward(chain, inputs_of("chunks"))
    dout = normal_like(forward.values["out"])
    truth = forward.gradients(dout)

    again = forward.gradients(dout, given=truth)

    assert all(torch.equal(truth[name], again[name]) for name in truth)


def test_a_gradient_put_in_at_the_output_takes_the_place_of_dout():
    forward = run_forward(chain, inputs_of("chunks"))
    dout, own = normal_like(forward.values["out"]), normal_like(forward.values["out"], seed=5)

    assert torch.equal(forward.gradients(own)["x"], forward.gradients(dout, given={"out": own})["x"])


def test_a_name_left_out_passes_nothing_on_and_is_still_told_what_reached_it():
    forward = run_forward(chain, inputs_of("chunks"))
    dout = normal_like(forward.values["out"])
    truth = forward.gradients(dout)

    found = forward.gradients(dout, without=["b"])

    assert torch.equal(truth["b"], found["b"])
    assert torch.equal(truth["c"] * forward.values["b"], found["a"])


def test_without_the_output_nothing_is_reached():
    forward = run_forward(chain, inputs_of("chunks"))

    assert list(forward.gradients(normal_like(forward.values["out"]), without=["out"])) == ["out"]


def test_a_detached_maximum_leaves_the_gradient_of_the_lesson():
    inputs = inputs_of("softmax_cross_entropy")
    forward = run_forward(softmax_cross_entropy, inputs)

    found = forward.gradients(torch.ones((), dtype=torch.float64), without=["maxes"])

    assert torch.equal(found["norm"], found["x"])


def test_a_second_pass_gives_the_same_as_the_first():
    forward = run_forward(chain, inputs_of("chunks"))
    dout = normal_like(forward.values["out"])
    first = forward.gradients(dout)
    for gradient in forward.gradients(dout.clone()).values():
        gradient.zero_()

    second = forward.gradients(dout)

    assert all(torch.equal(first[name], second[name]) for name in first)


def test_gradients_are_found_even_where_autograd_is_switched_off():
    with torch.no_grad():
        forward = run_forward(chain, inputs_of("chunks"))
        found = forward.gradients(torch.ones_like(forward.values["out"]))

    assert set(found) == {"x", "a", "b", "c", "out"}
    assert not any(gradient.requires_grad for gradient in found.values())


def test_an_empty_batch_has_empty_gradients():
    forward = run_forward(chain, {"x": torch.zeros(0, 3, dtype=torch.float64)})

    found = forward.gradients(torch.zeros(0, 3, dtype=torch.float64))

    assert {tuple(gradient.shape) for gradient in found.values()} == {(0, 3)}


def test_steps_know_what_they_read_and_where_they_stand():
    forward = run_forward(chain, inputs_of("chunks"))
    first = chain.__code__.co_firstlineno

    assert [(step.name, step.reads, step.line - first) for step in forward.steps] == [
        ("a", ("x",), 1),
        ("b", ("a",), 2),
        ("c", ("a", "b"), 3),
        ("out", ("c",), 4),
    ]
    assert forward.output == "out"
    assert forward.consumers("a") == ("b", "c")
    assert forward.consumers("out") == ()


def test_integers_booleans_and_numbers_are_constants():
    forward = run_forward(a_constant_on_the_way, inputs_of("chunks"))

    assert set(forward.values) == {"x", "mask", "n", "out"}
    assert set(forward.leaves) == {"x", "out"}
    assert set(forward.inputs) == {"x", "mask", "n"}
    assert forward.values["n"] == 4
