"""Causal attention of several heads, with a mask of bools."""

import math

import torch


def heads_inputs(rng, B, T, h, d, heads):
    E = h * d
    return {
        "x": rng.normal(B, T, E),
        "Wqkv": rng.normal(E, 3 * E) / math.sqrt(E),
        "Wo": rng.normal(E, E) / math.sqrt(E),
        "causal": torch.ones(T, T, dtype=torch.bool).tril(),
        "heads": heads,
    }


def heads(t):
    B, T, E = t.x.shape
    h, d = t.heads, E // t.heads
    t.qkv = t.x @ t.Wqkv
    t.Q = t.qkv[..., :E].view(B, T, h, d).transpose(1, 2)
    t.K = t.qkv[..., E : 2 * E].view(B, T, h, d).transpose(1, 2)
    t.V = t.qkv[..., 2 * E :].view(B, T, h, d).transpose(1, 2)
    t.scores = t.Q @ t.K.mT / math.sqrt(d)
    t.masked = t.scores.masked_fill(~t.causal, -math.inf)
    t.weights = t.masked.softmax(dim=-1)
    t.att = t.weights @ t.V
    t.merged = t.att.transpose(1, 2).reshape(B, T, E)
    t.out = t.merged @ t.Wo
