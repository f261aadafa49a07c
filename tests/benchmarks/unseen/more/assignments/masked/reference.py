"""Masks of bools."""

import torch


def bool_dropout_inputs(rng, N, D, p):
    return {"x": rng.normal(N, D), "keep": rng.uniform(N, D) >= p, "p": p}


def bool_dropout(t):
    t.out = t.x * t.keep / (1 - t.p)


def pooled_inputs(rng, N, T, D):
    lengths = 1 + rng.permutation(T)[:N]
    return {"x": rng.normal(N, T, D), "valid": torch.arange(T)[None] < lengths[:, None]}


def pooled(t):
    t.out = torch.where(t.valid[..., None], t.x, 0.0).sum(dim=1) / t.valid.sum(dim=1, keepdim=True)
