"""Inverted dropout, alone and after a tanh."""

import torch


def _mask(rng, N, D, p):
    # The count of dropped entries is fixed: a small mask drawn freely may drop none or all of them.
    kept = rng.permutation(N * D) >= round(p * N * D)
    return kept.reshape(N, D).to(torch.float64)


def dropout_inputs(rng, N, D, p):
    return {"h": rng.normal(N, D), "mask": _mask(rng, N, D, p), "p": p}


def dropout(t):
    t.out = t.h * t.mask / (1 - t.p)


def tanh_dropout_inputs(rng, N, D, p):
    return {"h_preact": rng.normal(N, D), "mask": _mask(rng, N, D, p), "p": p}


def tanh_dropout(t):
    t.h = t.h_preact.tanh()
    t.out = t.h * t.mask / (1 - t.p)
