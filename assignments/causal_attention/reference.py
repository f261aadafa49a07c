"""Causal self-attention of several heads, with dropout on the weights."""

import math

import torch


def causal_attention_inputs(rng, B, T, heads, d, p):
    E = heads * d
    return {
        "x": rng.normal(B, T, E),
        # Scaled so that queries, keys and values are of order one.
        "Wqkv": rng.normal(E, 3 * E) / math.sqrt(E),
        "Wo": rng.normal(E, E) / math.sqrt(E),
        "causal": torch.ones(T, T).tril().bool(),
        "keep": (rng.uniform(B, heads, T, T) >= p).double(),
        "p": p,
        "heads": heads,
    }


def causal_attention(t):
    B, T, E = t.x.shape
    d = E // t.heads
    t.qkv = t.x @ t.Wqkv
    t.Q = t.qkv[..., :E].reshape(B, T, t.heads, d).transpose(1, 2)
    t.K = t.qkv[..., E : 2 * E].reshape(B, T, t.heads, d).transpose(1, 2)
    t.V = t.qkv[..., 2 * E :].reshape(B, T, t.heads, d).transpose(1, 2)
    t.scores = t.Q @ t.K.transpose(2, 3) / math.sqrt(d)
    t.masked = t.scores.masked_fill(~t.causal, -math.inf)
    t.weights = t.masked.softmax(dim=3)
    t.dropped = t.weights * t.keep / (1 - t.p)
    t.att = t.dropped @ t.V
    t.merged = t.att.transpose(1, 2).reshape(B, T, E)
    t.out = t.merged @ t.Wo
