"""A submission that the process which forks plays through once, so that no child pays for a first time.

Operators that were never called take ten times as long, and every page that they write a child has to
copy. No line of a real submission runs there.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from typing import Any

import torch

from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.inputs import Call
from grader.sandbox.guest.protocol import Frame
from grader.sandbox.guest.requests import Responder
from grader.sandbox.guest.tensors import pack_tensors

FILE = "rehearsal.py"
# The operators that backward passes are written with.
SOURCE = """
import torch
import torch.nn.functional as F


def rehearse(dout, cache):
    x, W, X = cache.x, cache.W, cache.X
    b = torch.tensor([1.0, 2.0, 3.0])
    n, rows = x.shape[0], torch.arange(x.shape[0])
    h = x @ W + b
    maxes = h.max(1, keepdim=True)
    counts = (h - maxes.values).exp()
    probs = counts * counts.sum(1, keepdims=True) ** -1
    probs = counts / counts.sum(dim=1, keepdim=True)
    dlogprobs = torch.zeros_like(probs)
    dlogprobs[range(n), X] = -1.0 / n
    dlogits = F.softmax(h, 1)
    dlogits[rows, X] -= 1
    dlogits /= n
    dlogits = dlogits - F.one_hot(h.max(1).indices, num_classes=h.shape[1]).to(h.dtype)
    dlogits = dlogits - torch.softmax(h, dim=-1) + torch.eye(3)[X]
    dW = x.T @ dlogits
    dW = dW + x.t().mm(dlogits) + torch.einsum("ni,nj->ij", x, dlogits) + x.transpose(0, 1).matmul(dlogits)
    mask = torch.where(h == maxes.values, torch.ones_like(h), 0.0) + (h > 0).double() + (h >= h.mean(0)).to(h.dtype)
    dh = (1.0 - torch.tanh(h) ** 2) * mask * dlogits + (1 - h.tanh().pow(2)) - h.abs().sqrt().log1p()
    dvar = (-0.5 * (h**2).mean(0, keepdim=True) + (h.var(0, keepdim=True, unbiased=True) + 1e-5) ** -1.5).sum(0)
    dC = torch.zeros(5, 3).index_add_(0, X, dh)
    for k in range(X.shape[0]):
        dC[X[k]] += dh[k]
    dC.index_put_((X,), dh, accumulate=True)
    dC.scatter_add_(0, X.unsqueeze(1).expand(-1, 3), dh)
    deep = torch.stack([dh, dh]).bmm(W.reshape(1, 3, 3).expand(2, 3, 3)) @ W.transpose(-2, -1)
    deep = (deep * deep.softmax(-1)).sum(-1, keepdim=True).expand_as(deep) + deep.permute(0, 2, 1).contiguous().view(
        2, 3, n
    ).sum(dim=(0, 1)).reshape(1, n, 1)
    flat = torch.cat([deep.flatten(), deep.view(-1), torch.full((2,), 0.5)])[None, :].squeeze(0)
    dW[:, 0] += flat.mean() + flat.sum().item() + dvar.numel() + x.norm() + torch.outer(b, b).max()
    dW += torch.ones(3, 3).masked_fill_(dW > 1, 0.0).fill_diagonal_(1.0).mul_(2.0).neg_().clamp(min=0.0).reciprocal()
    print("", end="")
    return dW, dC
"""


GIVEN = {"given": ["dout", "cache"], "gradients": ["dW", "dC"], "room": []}


def rehearse(guard: Guard) -> list[Mapping[str, Any]]:
    """Have a submission read, loaded and called in this process, with probes, too; return what was answered.

    Where torch does not know one of the operators the children are a little slower, and nothing else.
    """
    x = torch.arange(12, dtype=torch.float64).reshape(4, 3)
    values = {"dout": x + 1, "cache/x": x, "cache/W": x[:3].clone(), "cache/X": torch.tensor([0, 2, 2, 1])}
    responder = Responder(guard, [[Call(values)]])
    source = SOURCE.encode()
    question = {"index": 0, "function": "rehearse", "home": FILE, "order": [0], **GIVEN}
    lines = [{"index": 0, "function": "rehearse", "home": FILE, **GIVEN}]
    entries, data = pack_tensors({"dW": x[:3].clone(), "dC": torch.ones(5, 3)})
    case = {"number": 0, "tensors": entries, "length": len(data), "sums": []}
    again = {"index": 0, "number": 0, "repeat": False, "numbers": {}, "tensors": [], "length": 0}
    probed = {"index": 0, "cases": [case], "replaced": ["dW", "dC"]}
    requests: list[tuple[dict[str, Any], bytes]] = [
        (
            {
                "do": "answer",
                "files": [[FILE, len(source)]],
                "wanted": ["rehearse"],
                "lost": [],
                "questions": [question],
            },
            source,
        ),
        ({"do": "again", "calls": [again], "lines": lines, "probed": [probed], "repairs": []}, data),
    ]
    answers: list[Mapping[str, Any]] = []
    for message, payload in requests:
        answers += [answer for answer, _ in responder.answers(Frame(message, payload))]
    guard.end()
    repr(x)
    # No submission finds it.
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Modules)]
    sys.modules.pop(FILE.removesuffix(".py"), None)
    linecache.cache.pop(FILE, None)
    return answers


def use_course_settings() -> None:
    """Set what a submission finds set, and its output to come line by line."""
    # What a student's plain torch.zeros(...) gives is float64, as everything in the course is.
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    # Its kernels are written at run time into executable memory, which the box denies.
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call] # torch leaves it bare
    for descriptor, stream in ((1, "stdout"), (2, "stderr")):
        # Line by line, so that what was printed before a crash is not lost with the process.
        file = open(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115 # stays open
        setattr(sys, stream, file)
