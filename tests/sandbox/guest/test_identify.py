"""Which of the course's values a name stands for, by what is computed from it."""

from __future__ import annotations

import ast

import pytest
import torch

from grader.sandbox.guest.identify import identify

X, W = torch.randn(4, 3, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
DATA = {"x": X, "w": W, "out": X @ W, "h": (X @ W).tanh(), "n": 4, "size": 4}

# A text, and what its names stand for.
SHOWN = {
    "a result": ("y = x @ w", {"y": "out"}),
    "what a result is made of": ("out = x @ weights", {"weights": "w"}),
    "both": ("y = x @ weights", {"y": "out", "weights": "w"}),
    "one after the other": ("a = pre.tanh()\npre = x @ w", {"pre": "out", "a": "h"}),
    "in a function": ("def f():\n    y = x @ w", {"y": "out"}),
    "a size": ("x = out.view(m, 2) @ w.T", {}),
    "nothing that is known": ("y = a @ b", {}),
    "another number": ("y = x @ w + 1", {}),
    "what is drawn": ("y = torch.randn(4, 2)", {}),
    "a gradient": ("dy = x @ w", {}),
    "what may change something": ("y = x.add_(1) @ w", {}),
    "what would not end": ("y = x @ w * 9999 ** n ** n ** n", {}),
    "what would fill the memory": ("y = [0] * 999 * 999 * 999 @ w", {}),
    "what would not end by small steps": ("y = x @ w * (((n**4)**4)**4)", {}),
    "what is built in": ("y = x @ w * pow(9, 9)", {}),
    "a text": ("y = x @ w * len('0' * 10)", {}),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_a_name_is_a_value_if_the_numbers_say_so(text: str, shown: dict[str, str]):
    tree = ast.parse(text)
    known = {name: name for name in ("x", "w", "out") if name in text.replace("weights", "")}

    assert identify([tree], DATA, known) == shown
    assert torch.equal(DATA["out"], X @ W)
