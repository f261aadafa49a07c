"""One small change of a formula that is wrong makes it what the right one is, and it is named."""

from __future__ import annotations

import ast
import contextlib
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from grader.sandbox.guest.formula import Formula, Written, find_formula
from grader.sandbox.guest.guard import Watch
from grader.sandbox.guest.inputs import Call, Form
from grader.sandbox.guest.places import Change
from grader.sandbox.guest.repair import Products, Setting, Workshop, directions
from grader.sandbox.guest.state import rest_on_state

GIVEN = ["dout", "x", "W", "h", "p", "cache"]
GRADIENTS = ["dh", "dW", "dx"]


class Unguarded:
    """Watches nothing: what replaces autograd would do so for all tests of this process."""

    def __init__(self) -> None:
        self.inference = torch.inference_mode()

    @contextlib.contextmanager
    def watch(self, files: Any) -> Iterator[Watch]:
        yield Watch(files)


def _setting(n: int, d: int, m: int, given: Sequence[str] = ()) -> Setting:
    draw = torch.Generator().manual_seed(100 * n + 10 * d + m)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=draw)

    x, W = random(n, d), random(d, m)  # the course's names
    values = {"dout": random(n, m), "x": x, "W": W, "h": torch.tanh(x @ W), "p": 0.3, "cache/gain": random(m)}
    values["cache/index"] = torch.randint(0, d, (n,), generator=draw)
    shapes = {"dh": (n, m), "dW": (d, m), "dx": (n, d)}
    gradients = {"dh": random(n, m), "dW": random(d, m)}
    return Setting(Call(values), {name: gradients[name] for name in given}, shapes)


def _written(body: str, helper: str = "") -> Written:
    source = f"{helper}\n\ndef backward({', '.join(GIVEN)}):\n{textwrap.indent(body, '    ')}\n"
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    return Written(functions.pop("backward"), GRADIENTS, functions)


def _formula(body: str, wanted: Sequence[str], given: Sequence[str] = (), helper: str = "") -> Formula:
    found = find_formula(_written(body, helper), wanted, given)
    assert found is not None
    return found


def _tried(
    body: str, wanted: Sequence[str] = ("dx",), given: Sequence[str] = (), helper: str = "", seconds: float = 60
) -> Iterator[tuple[tuple[Change, ...], Products]]:
    settings = [_setting(4, 3, 5, given), _setting(3, 6, 2, given)]
    workshop = Workshop(_formula(body, wanted, given, helper), Form(GIVEN), settings, {"torch": torch}, seed=7)
    return workshop.try_all(Unguarded(), seconds)  # type: ignore[arg-type]


def _is_same(one: Products, other: Products) -> bool:
    return all(
        own is not None
        and (right := other[name]) is not None
        and torch.allclose(torch.tensor(own), torch.tensor(right))
        for name, own in one.items()
    )


def _found(right: str, wrong: str, helper: str = "") -> list[tuple[str, str, str]]:
    """Return the changes that make of the wrong body what the right one makes: kind, before, after."""
    _, expected = next(_tried(right, helper=helper))
    changes = next(own for own, made in _tried(wrong, helper=helper) if _is_same(made, expected))
    return [(each.kind, each.before(), each.after()) for each in changes]


RETURN = "\nreturn None, None, dx"
# The right body, the wrong one, and the change.
SLIPS = {
    "a sign": ("dx = dout @ W.T - x", "dx = dout @ W.T + x", ("sign", "dout @ W.T + x", "dout @ W.T - x")),
    "another value": ("dx = (dout * h) @ W.T", "dx = (dout * dout) @ W.T", ("name", "dout", "h")),
    "a value of the cache": (
        "dx = (dout * cache.gain) @ W.T",
        "dx = (dout * p) @ W.T",
        ("name", "p", "cache.gain"),
    ),
    "a value that was unpacked": (
        "gain = cache.gain\ndx = (dout * gain) @ W.T",
        "gain = cache.gain\ndx = (dout * h) @ W.T + 0 * gain.sum()",
        ("name", "h", "gain"),
    ),
    "a number": ("dx = (dout * (1 - h**2)) @ W.T", "dx = (dout * (1 - h**3)) @ W.T", ("number", "3", "2")),
    "a size": ("dx = dout @ W.T / len(x)", "dx = dout @ W.T", ("factor", "dout @ W.T", "/ dout.shape[0]")),
    "an axis": (
        "dx = x - x.mean(1, True)",
        "dx = x - x.mean(0, True)",
        ("axis", "mean(0, True)", "mean(1, keepdim=True)"),
    ),
    "an axis by its name": (
        "dx = x - x.sum(dim=1, keepdim=True)",
        "dx = x - x.sum(dim=0, keepdim=True)",
        ("axis", "sum(dim=0, keepdim=True)", "sum(dim=1, keepdim=True)"),
    ),
    "an axis that is left out": (
        "dx = x - x.sum(1, keepdim=True)",
        "dx = x - x.sum()",
        ("axis and keepdim", "sum()", "sum(dim=1, keepdim=True)"),
    ),
    "a transposition": ("dx = dout @ W.T", "dx = dout @ W", ("not turned", "W", "W.T")),
    "an operator": ("dx = dout * h @ W.T", "dx = dout / h @ W.T", ("operator", "dout / h", "* belongs in place of /")),
    "two sides": (
        "dx = dout @ W.T - x / (x**2 + 1)",
        "dx = dout @ W.T - (x**2 + 1) / x",
        ("swapped", "(x ** 2 + 1) / x", "x / (x ** 2 + 1)"),
    ),
    "brackets": (
        "dx = (dout * (1 - h**2)) @ W.T",
        "dx = (dout * 1 - h**2) @ W.T",
        ("brackets", "dout * 1 - h ** 2", "dout * (1 - h ** 2)"),
    ),
    "a part too much": (
        "dx = dout @ W.T",
        "dx = dout.exp() @ W.T",
        ("too much", ".exp()", "dout.exp()"),
    ),
    "a slope that is missing": (
        "dx = (dout * (1 - h**2)) @ W.T",
        "dx = dout @ W.T",
        ("slope missing", "dout", "h"),
    ),
    "a curve that is missing": ("dx = x.tanh()", "dx = x", ("wrapped", "x", "….tanh()")),
    "what is added": (
        "dx = dout @ W.T\ndx += x",
        "dx = dout @ W.T\ndx = x",
        ("overwritten", "dx = x", "dx += x"),
    ),
    "an index that occurs twice": (
        "dx = torch.zeros_like(x)\ndx.index_put_((torch.zeros(len(x), dtype=int),), x, accumulate=True)",
        "dx = torch.zeros_like(x)\ndx[torch.zeros(len(x), dtype=int)] += x",
        (
            "repeated index",
            "dx[torch.zeros(len(x), dtype=int)] += x",
            "dx.index_put_((torch.zeros(len(x), dtype=int),), x, accumulate=True)",
        ),
    ),
    "parts in another order": (
        "dx = torch.cat([x[:, :1], x[:, 1:].exp()], 1)",
        "dx = torch.cat([x[:, 1:].exp(), x[:, :1]], 1)",
        ("argument", "[x[:, 1:].exp(), x[:, :1]]", "[x[:, :1], x[:, 1:].exp()]"),
    ),
    "the end of a loop": (
        "dx = torch.zeros_like(x)\nfor k in range(len(x)):\n    dx[k] += x[k]",
        "dx = torch.zeros_like(x)\nfor k in range(len(x) - 1):\n    dx[k] += x[k]",
        ("number", "1", "0"),
    ),
    "a value of one's own": (
        "slope = 1 - h**2\ndx = (dout * slope) @ W.T",
        "slope = 1 + h**2\ndx = (dout * slope) @ W.T",
        ("sign", "1 + h ** 2", "1 - h ** 2"),
    ),
}


@pytest.mark.parametrize(("right", "wrong", "change"), SLIPS.values(), ids=SLIPS)
def test_the_change_that_makes_a_formula_right_is_found(right: str, wrong: str, change: tuple[str, str, str]):
    assert _found(right + RETURN, wrong + RETURN) == [change]


def test_a_slip_in_a_helper_is_found():
    helper = "def slope(h):\n    return 1 {} h**2"
    body = "dx = (dout * slope(h)) @ W.T" + RETURN
    _, expected = next(_tried(body, helper=helper.format("-")))

    tried = _tried(body, helper=helper.format("+"))

    found = next(own for own, made in tried if _is_same(made, expected))
    assert [(each.kind, each.before()) for each in found] == [("sign", "1 + h ** 2")]


def test_two_slips_in_one_formula_are_found():
    right, wrong = "dx = (dout * h) @ W.T", "dx = -(dout / h) @ W.T"

    assert {kind for kind, _, _ in _found(right + RETURN, wrong + RETURN)} == {"sign", "operator"}


# Ways to keep two gradients, of which dh is given to the formula of dx.
GIVEN_ONE = {
    "names": "dh = dout * 5\ndx = dh @ W.T\nreturn dh, None, dx",
    "items": "g = {}\ng['dh'] = dout * 5\ng['dx'] = g['dh'] @ W.T\nreturn g",
    "attributes": "g = cache\ng.dh = dout * 5\ng.dx = g.dh @ W.T\nreturn g.dh, None, g.dx",
    "a running variable": "d = dout * 5\ndh = d\nd = d @ W.T\nreturn dh, None, d",
    "two targets": "dh = d = dout * 5\nreturn dh, None, d @ W.T",
    "other names": "upstream = dout * 5\nreturn upstream, None, upstream @ W.T",
    "a block": "with torch.no_grad():\n    dh = dout * 5\n    dx = dh @ W.T\nreturn dict(dh=dh, dW=None, dx=dx)",
}


@pytest.mark.parametrize("body", GIVEN_ONE.values(), ids=GIVEN_ONE)
def test_a_formula_goes_on_from_what_is_given_and_not_from_what_was_made(body: str):
    _, made = next(_tried(body, given=["dh"]))
    settings = [_setting(4, 3, 5, ["dh"]), _setting(3, 6, 2, ["dh"])]

    expected = [each.gradients["dh"] @ each.call.values["W"].T for each in settings]
    direct = Workshop(
        _formula("dx = dh @ W.T\nreturn dh, None, dx", ["dx"], ["dh"]), Form(GIVEN), settings, {"torch": torch}, seed=7
    )
    _, right = next(direct.try_all(Unguarded(), seconds=60))  # type: ignore[arg-type]
    assert expected[0].shape == (4, 3)
    assert _is_same(made, right)


def test_a_slip_that_several_have_in_common_is_looked_for_where_just_they_rest():
    body = "slope = 1 + h**2\nd = dout * slope\ndW = x.T @ d\ndx = d @ W.T\nother = 2 * x\nreturn slope, dW, dx"

    formula = _formula(body, ["dW", "dx"])

    assert [[ast.unparse(formula.statements[place]) for place in tier] for tier in formula.tiers] == [
        ["d = dout * slope"],
        [],
    ]


def test_one_change_may_make_several_right():
    body = "d = dout * (1 {} h**2)\ndW = x.T @ d\ndx = d @ W.T\nreturn None, dW, dx"
    _, expected = next(_tried(body.format("-"), ["dW", "dx"]))

    tried = _tried(body.format("+"), ["dW", "dx"])

    (change,) = next(own for own, made in tried if _is_same(made, expected))
    assert (change.kind, change.line) == ("sign", 4)


NOT_FOUND = {
    "a loop without an end of its own": "while True:\n    dx = dout\nreturn None, None, dx",
    "nothing returned": "pass",
    "None": "dx = None\nreturn None, None, None",
}


@pytest.mark.parametrize("body", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_has_no_formula_is_left_alone(body: str):
    assert find_formula(_written(body), ["dx"], []) is None


def test_what_a_formula_changes_in_place_is_there_again_for_the_next_change():
    tried = list(_tried("x *= 2\ndx = x" + RETURN, seconds=0.5))

    _, right = next(_tried("dx = 2 * x" + RETURN))
    assert len(tried) > 2
    assert [_is_same(made, right) for _, made in tried] == [True] + [False] * (len(tried) - 1)


def test_a_search_ends_when_its_time_is_used_up():
    settings = [_setting(4, 3, 5)]
    workshop = Workshop(_formula("dx = x" + RETURN, ["dx"]), Form(GIVEN), settings, {"torch": torch}, seed=7)

    assert [own for own, _ in workshop.try_all(Unguarded(), seconds=0)] == [()]  # type: ignore[arg-type]


def test_of_random_tensors_a_few_are_kept_however_many_searches_there_are():
    for seed in range(100):
        directions(seed, 3)

    assert directions.cache_info().currsize < 100


# What stands in the file, what the function reads, and whether that may be another thing at the next call.
AROUND = {
    "a library": ("import torch", "torch.exp(dout)", False),
    "a part of one": ("from torch.nn import functional as F", "F.relu(dout)", False),
    "a function of one": ("from math import sqrt", "dout * sqrt(2)", False),
    "a number": ("SCALE = 2", "dout * SCALE", False),
    "a function of one's own": ("def f(x):\n    return x + x", "f(dout)", False),
    "one that rests on a number": ("N = 3\ndef f(x):\n    return x * N", "f(dout)", False),
    "what is counted": ("calls = []", "dout * len(calls)", True),
    "what a function counts": ("calls = []\ndef f(x):\n    calls.append(x)\n    return x", "f(dout)", True),
    "what a function has kept": ("def f(x, seen=[]):\n    return x", "f(dout)", True),
    "an attribute of a function": ("def f(x):\n    return x\nf.calls = 0", "f(dout)", True),
    "what is drawn": ("import random", "dout * random.random()", True),
    "what torch draws": ("import torch", "dout * torch.rand(1)", True),
    "what numpy draws": ("import numpy as np", "dout * np.random.normal()", True),
    "a function of numpy's": ("import numpy as np\nfrom numpy import exp, sum", "exp(sum(dout)) * np.pi", False),
    "which of two it is": ("", "dout if dout is not x else x", True),
    "whether it is there": ("", "dout if dout is not None else 0", False),
    "where it lies": ("", "dout * dout.data_ptr()", True),
    "the time": ("from time import time", "dout * time()", True),
    "an object": ("class C: pass\nc = C()", "dout * c.n", True),
}


@pytest.mark.parametrize(("around", "read", "does"), AROUND.values(), ids=AROUND)
def test_what_rests_on_something_remembered_or_drawn_is_seen(around: str, read: str, *, does: bool):
    names: dict[str, Any] = {"__name__": "submission.linear"}
    exec(around, names)  # what a file of a submission does

    assert rest_on_state(ast.parse(f"dx = {read}").body, names, ["dout"]) is does
