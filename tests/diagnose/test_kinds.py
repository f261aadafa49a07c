"""Kinds of slips in the further assignments: a true case of each, and one that comes near, of which it is not said."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it
from diagnose.test_search import COURSE, compare_all, view_of
from torch import Tensor

from grader.course import Exercise
from grader.course.cases import Case, Reference
from grader.diagnose import Diagnosis, diagnose
from grader.verdict.follow import Trial

Wrong = Callable[[SimpleNamespace], Tensor]


@functools.cache
def _asked(function: str) -> tuple[Exercise, tuple[Case, ...]]:
    rubric, exercise = COURSE.exercise(function)
    return exercise, Reference(rubric).make_cases(exercise, 0)


def explain(function: str, name: str, wrong: Wrong) -> Diagnosis | None:
    exercise, cases = _asked(function)
    trials = []
    for case in cases:
        returned = {gradient.name: case.expected[gradient.value] for gradient in exercise.gradients}
        returned[name] = wrong(view_of(case)).clone(memory_format=torch.contiguous_format)
        trials.append(Trial(case, returned, compare_all(exercise, case, returned)))
    return diagnose(exercise, exercise.gradient(name), trials, ())


def _walk(t, slope=None, hand=None, forward=False, gain=1.0):
    """What comes back inside each tanh of the recurrent network, and what is handed to h0, with a slip in each step."""
    found, handed, last = {}, torch.zeros_like(t.h0), t.h.shape[1] - 1
    for k in range(last + 1) if forward else reversed(range(last + 1)):
        before = t.h[:, k - 1] if k else t.h0
        dh = gain * handed + t.dout[:, k]
        found[k] = dh * (1 - t.h[:, k] ** 2 if slope is None else slope(t.h[:, k], before))
        handed = found[k] @ t.Wh.T if hand is None else hand(found[k], dh, t.Wh)
    return torch.stack([found[k] for k in range(last + 1)], dim=1)


def _db(**slips) -> Wrong:
    return lambda t: _walk(t, **slips).sum((0, 1))


def _dWh(state: Callable[[SimpleNamespace, int], Tensor]) -> Wrong:  # noqa: N802 # the gradient's name
    return lambda t: sum(state(t, k).T @ _walk(t)[:, k] for k in range(t.h.shape[1]))


def _lstm(t, memory=None, gates=lambda s: s * (1 - s), bend=lambda g: 1 - g**2, order=(0, 1, 2, 3), i=None, g=None):
    """What comes back to pre in one step of an LSTM, with a slip in it."""
    bent = t.c.tanh()
    dc = t.dc if memory is None else memory(t, bent)
    parts = (
        dc * (t.g if i is None else i(t)) * gates(t.i),
        dc * t.c_prev * gates(t.f),
        t.dh * bent * gates(t.o),
        dc * (t.i if g is None else g(t)) * bend(t.g),
    )
    return torch.cat([parts[place] for place in order], dim=1)


def _pool(t, share, stride=None, *, adds=True):
    """Give each window of the pool its share of what came back."""
    found, step = torch.zeros_like(t.x), stride or t.stride
    for i in range(t.dout.shape[2]):
        for j in range(t.dout.shape[3]):
            place = (..., slice(i * step, i * step + t.size), slice(j * step, j * step + t.size))
            part = share(t.x[place], t.dout[:, :, i, j, None, None])
            found[place] = found[place] + part if adds else part
    return found


def _to_largest(window, g):
    return (window == window.amax((2, 3), keepdim=True)) * g


def _to_first(window, g):
    places = window.flatten(2).argmax(2, keepdim=True)
    return torch.zeros_like(window.flatten(2)).scatter(2, places, g.flatten(2)).view(window.shape)


def _to_last(window, g):
    return _to_first(window.flip(2, 3), g).flip(2, 3)


def _conv(t, change=lambda part: part, stride=None, *, adds=True):
    """Add up what comes back to each window of the padded image, and cut its border off."""
    found, step, K = torch.zeros_like(t.padded), stride or t.stride, t.w.shape[2]
    for i in range(t.dout.shape[2]):
        for j in range(t.dout.shape[3]):
            place = (..., slice(i * step, i * step + K), slice(j * step, j * step + K))
            part = change(t.dwindows[:, :, i, j])
            found[place] = found[place] + part if adds else part
    p = t.padding
    return found[:, :, p : p + t.x.shape[2], p : p + t.x.shape[3]]


def _dw(t, windows):
    return torch.einsum("nmij,ncijkl->mckl", t.dout, windows)


def _windows(t, image, stride):
    K, (rows, columns) = t.w.shape[2], t.dout.shape[2:]
    return image.unfold(2, K, stride).unfold(3, K, stride)[:, :, :rows, :columns]


def _bend(x: Tensor, cubic: float) -> Tensor:
    root = (2 / torch.pi) ** 0.5
    bend = (root * (x + cubic * x**3)).tanh()
    return 0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * root * (1 + 3 * cubic * x * x)


RNN, LSTM, CONV, POOL = "rnn_backward", "lstm_step_backward", "conv2d_backward", "maxpool2d_backward"
STEPS = "slip:h1, h2, …"
# Of each kind: the function, the gradient, what is wrong, and its name; then what comes near.
KINDS: dict[str, tuple[str, str, Wrong, str, Wrong]] = {
    "nothing handed back": (
        RNN,
        "db",
        _db(hand=lambda da, *_: 0 * da),
        f"{STEPS}:step:not_handed_back",
        _db(hand=lambda da, *_: 0.3 * da),
    ),
    "tanh left out in each step": (
        RNN,
        "db",
        _db(slope=lambda h, _: torch.ones_like(h)),
        f"{STEPS}:Tanh:skipped",
        _db(slope=lambda h, _: 1.1 - h),
    ),
    "a square missing in each step": (
        RNN,
        "db",
        _db(slope=lambda h, _: 1 - h),
        f"{STEPS}:Tanh:square_missing",
        _db(slope=lambda h, _: 1 - 0.9 * h),
    ),
    "what is handed back past tanh": (
        RNN,
        "db",
        _db(hand=lambda _, dh, Wh: dh @ Wh.T),
        f"{STEPS}:step:handed_back_past:tanh",
        _db(hand=lambda da, dh, Wh: (da + dh) @ Wh.T),
    ),
    "the slope of the step before": (
        RNN,
        "db",
        _db(slope=lambda _, before: 1 - before**2),
        f"{STEPS}:step:slope_of_the_step_before",
        _db(slope=lambda h, before: 1 - h * before),
    ),
    "Wh not turned over": (
        RNN,
        "db",
        _db(hand=lambda da, _, Wh: da @ Wh),
        f"{STEPS}:Mm:not_transposed",
        _db(hand=lambda da, _, Wh: da @ (Wh + Wh.T)),
    ),
    "forward in time": (
        RNN,
        "db",
        _db(forward=True),
        f"{STEPS}:step:walked_forward",
        _db(forward=True, gain=0.5),
    ),
    "the state of the same step": (
        RNN,
        "dWh",
        _dWh(lambda t, k: t.h[:, k]),
        f"{STEPS}:step:state_of_the_same_step",
        _dWh(lambda t, k: t.h[:, k].sin()),
    ),
    "the first state in every step": (
        RNN,
        "dWh",
        _dWh(lambda t, _: t.h0),
        f"{STEPS}:step:state_of_the_start:h0",
        _dWh(lambda t, k: (k + 1) * t.h0),
    ),
    "an index of -1": (
        RNN,
        "dWh",
        _dWh(lambda t, k: t.h[:, k - 1]),
        f"{STEPS}:step:state_of_the_end:h0",
        _dWh(lambda t, k: t.h[:, k - 2 if k > 1 else 0]),
    ),
    "one step assigned": (
        RNN,
        "dWx",
        lambda t: t.x[:, 0].T @ _walk(t)[:, 0],
        f"{STEPS}:step:first_step_only",
        lambda t: t.x[:, 0].T @ _walk(t).sum(1),
    ),
    "dc not added": (
        LSTM,
        "dx",
        lambda t: _lstm(t, memory=lambda t, bent: t.dh * t.o * (1 - bent**2)) @ t.Wx.T,
        "term:missing:c",
        lambda t: _lstm(t, memory=lambda t, bent: 0.8 * t.dh * t.o * (1 - bent**3)) @ t.Wx.T,
    ),
    "gates without a slope": (
        LSTM,
        "dx",
        lambda t: _lstm(t, gates=torch.ones_like, bend=torch.ones_like) @ t.Wx.T,
        "slip:i and f and o and g:step:activations_skipped",
        lambda t: _lstm(t, gates=torch.sqrt, bend=torch.ones_like) @ t.Wx.T,
    ),
    "gates in another order": (
        LSTM,
        "dx",
        lambda t: _lstm(t, order=(1, 0, 2, 3)) @ t.Wx.T,
        "slip:pre:step:upstream_reordered:1",
        lambda t: _lstm(t, order=(1, 1, 2, 3)) @ t.Wx.T,
    ),
    "each factor with itself": (
        LSTM,
        "dx",
        lambda t: _lstm(t, i=lambda t: t.i, g=lambda t: t.g) @ t.Wx.T,
        "slip:c:Mul:own_factors",
        lambda t: _lstm(t, i=lambda t: t.i + t.g, g=lambda t: t.g) @ t.Wx.T,
    ),
    "windows written over": (
        CONV,
        "dx",
        lambda t: _conv(t, adds=False),
        "slip:windows:step:windows_overwritten",
        lambda t: _conv(t) + 0.5 * _conv(t, adds=False),
    ),
    "windows one apart": (
        CONV,
        "dx",
        lambda t: _conv(t, stride=1),
        "slip:windows:step:windows_one_apart",
        lambda t: _conv(t, stride=1).sin(),
    ),
    "windows turned round": (
        CONV,
        "dx",
        lambda t: _conv(t, lambda part: part.flip(2, 3)),
        "slip:windows:step:windows_flipped",
        lambda t: _conv(t, lambda part: part + 0.3 * part.flip(3)),
    ),
    "a border cut at one side": (
        CONV,
        "dx",
        lambda t: t.dpadded[:, :, : t.x.shape[2], : t.x.shape[3]],
        "slip:padded:step:border_cut_at_one_side",
        lambda t: t.dpadded[:, :, : t.x.shape[2], : t.x.shape[3]] * 0.5 + 0.2 * t.dx.cos(),
    ),
    "a product with windows one apart": (
        CONV,
        "dw",
        lambda t: _dw(t, _windows(t, t.padded, 1)),
        "slip:out:step:of_windows_one_apart",
        lambda t: _dw(t, _windows(t, t.padded, 1).sin()),
    ),
    "a product with windows at the corner": (
        CONV,
        "dw",
        lambda t: _dw(t, _windows(t, F.pad(t.x, [0, 2 * t.padding] * 2), t.stride)),
        "slip:out:step:of_windows_at_the_corner",
        lambda t: _dw(t, _windows(t, F.pad(t.x, [0, 2 * t.padding] * 2), t.stride).sin()),
    ),
    "one place": (
        CONV,
        "db",
        lambda t: t.dout[:, :, 0, 0].sum(0),
        "slip:out:step:upstream_first:2 and 3",
        lambda t: t.dout[:, :, 0, -1].sum(0),
    ),
    "all of equal ones": (
        POOL,
        "dx",
        lambda t: _pool(t, _to_largest),
        "slip:out:Max:to_all_of_equal_ones",
        lambda t: _pool(t, lambda window, g: (window >= window.amax((2, 3), keepdim=True) - 0.2) * g),
    ),
    "the last of equal ones": (
        POOL,
        "dx",
        lambda t: _pool(t, _to_last),
        "slip:out:Max:last_of_equal_ones",
        lambda t: _pool(t, lambda window, g: 0.7 * _to_last(window, g) + 0.3 * _to_first(window, g)),
    ),
    "a pool of means": (
        POOL,
        "dx",
        lambda t: _pool(t, lambda window, g: g.expand_as(window) / t.size**2),
        "slip:out:Max:averaged",
        lambda t: _pool(t, lambda window, g: window.softmax(3) * g),
    ),
    "another activation": (
        "gelu_backward",
        "dx",
        lambda t: t.dout * _bend(t.x, 0.044715),
        "slip:out:Activation:other_activation:the GELU by tanh",
        lambda t: t.dout * _bend(t.x, 0.05),
    ),
    "a number typed wrong": (
        "gelu_tanh_backward",
        "dx",
        lambda t: t.dout * _bend(t.x, 0.0044715),
        "slip:out:Activation:cubic_exchanged:0.0044715",
        lambda t: t.dout * _bend(t.x, 0.0049),
    ),
    "a gate's slope without the input": (
        "silu_backward",
        "dx",
        lambda t: t.dout * (t.gate + t.gate * (1 - t.gate)),
        "slip:out:Activation:gate_slope_without_input",
        lambda t: t.dout * (t.gate + 0.9 * t.gate * (1 - t.gate)),
    ),
    "the gate of another activation": (
        "gelu_backward",
        "dx",
        lambda t: t.dout * ((1.702 * t.x).sigmoid() + t.x * (-t.x * t.x / 2).exp() / (2 * torch.pi) ** 0.5),
        "slip:out:Activation:gate_of_another",
        lambda t: t.dout * ((1.6 * t.x).sigmoid() + t.x * (-t.x * t.x / 2).exp() / (2 * torch.pi) ** 0.5),
    ),
    "another value of the same size": (
        "transformer_block_backward",
        "dWqkv",
        lambda t: torch.einsum("bte,btf->ef", t.x, t.dqkv),
        "slip:qkv:Mm:factor_exchanged:x",
        lambda t: torch.einsum("bte,btf->ef", t.x.sin(), t.dqkv),
    ),
    "rows that are not used": (
        "gpt_backward",
        "dwpe",
        lambda t: t.dx_0.sum(0),
        "shape:zeros_left_out:0",
        lambda t: t.dx_0.sum(0)[:-1],
    ),
    "ignored targets counted in the mean": (
        "gpt_backward",
        "dlnf_bias",
        lambda t: t.dlnf_bias * (t.Y >= 0).sum() / t.Y.numel(),
        "factor:(the entries of Y that count)/(all of them)",
        lambda t: t.dlnf_bias * (t.Y >= 0).sum() / t.Y.numel() + 0.01 * t.lnf_bias.sin(),
    ),
}


@pytest.mark.parametrize(("function", "name", "wrong", "expected"), [k[:4] for k in KINDS.values()], ids=KINDS)
def test_a_slip_is_named(function: str, name: str, wrong: Wrong, expected: str):
    found = explain(function, name, wrong)

    assert found is not None
    assert found.id == expected


@pytest.mark.parametrize(
    ("function", "name", "near", "kind"), [(k[0], k[1], k[4], k[3]) for k in KINDS.values()], ids=KINDS
)
def test_it_is_not_said_of_what_comes_near(function: str, name: str, near: Wrong, kind: str):
    found = explain(function, name, near)

    assert found is None or found.id != kind


def test_a_loop_is_spoken_of_as_a_whole():
    found = explain(RNN, "db", _db(hand=lambda da, *_: 0 * da))

    assert found is not None
    assert found.message == (
        "Your db leaves out what each step hands back to the one before it. Each of h1, h2, … also makes the next one, "
        "and what comes back from there is added."
    )


def test_the_upstream_of_one_of_two_outputs_is_told_from_all_that_comes_back_to_it():
    found = explain(LSTM, "dc_prev", lambda t: t.dc - t.dh * t.o * (1 - t.c.tanh() ** 2))

    assert found is not None
    assert found.message.startswith("Your dc_prev is exactly the upstream gradient dc, as it was given.")


def test_no_place_is_named_that_is_most_of_a_gradient():
    found = explain("gelu_backward", "dx", lambda t: torch.cat([t.dx[:, :1], t.dx[:, 1:] + t.x[:, 1:].sin()], dim=1))

    assert found is None
