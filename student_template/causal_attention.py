"""Causal self-attention of several heads, as in GPT: the backward pass, with the gradient of every step.

B sequences of T positions, of width E = heads * d.
"""

# ruff: noqa: F401, F841, RUF059, RUF100

import math

import torch


def causal_attention_backward(dout, cache):
    """Pass the upstream gradient back through causal attention, one step of the forward at a time.

    The forward, for sequence b, head h, query t and position s:
        qkv = x @ Wqkv, and its columns are the queries, then the keys, then the values, each head by head
        Q[b, h, t, i] = qkv[b, t, h * d + i], K from column E on, V from column 2 * E on
        scores[b, h, t, s] = (sum over i of Q[b, h, t, i] * K[b, h, s, i]) / sqrt(d)
        masked[b, h, t, s] = scores[b, h, t, s] if causal[t, s], else minus infinity
        weights[b, h, t, s] = softmax of masked[b, h, t, s] over s
        dropped[b, h, t, s] = weights[b, h, t, s] * keep[b, h, t, s] / (1 - p)
        att[b, h, t, i] = sum over s of dropped[b, h, t, s] * V[b, h, s, i]
        merged[b, t, h * d + i] = att[b, h, t, i]
        out = merged @ Wo

    You are given:
        dout: (B, T, E), the upstream gradient of out
        cache: every value above by name. x (B, T, E), Wqkv (E, 3E), Wo (E, E), causal (T, T) of booleans,
            keep (B, heads, T, T) of 0 and 1, the numbers p and heads, and what the forward makes of them

    You return the gradient with respect to each value, in this order:
        dWo (E, E), dmerged (B, T, E), datt (B, heads, T, d), dV (B, heads, T, d), ddropped (B, heads, T, T),
        dweights, dmasked, dscores (B, heads, T, T), dQ, dK (B, heads, T, d), dqkv (B, T, 3E), dWqkv (E, 3E),
        dx (B, T, E)
    """
    x, Wqkv, Wo = cache.x, cache.Wqkv, cache.Wo
    Q, K, V = cache.Q, cache.K, cache.V
    causal, weights, keep, p = cache.causal, cache.weights, cache.keep, cache.p
    dropped, merged = cache.dropped, cache.merged
    B, T, E = x.shape
    heads, d = cache.heads, E // cache.heads
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dWo = None  # (E, E)
    dmerged = None  # (B, T, E)
    datt = None  # (B, heads, T, d)
    dV = None  # (B, heads, T, d)
    ddropped = None  # (B, heads, T, T)
    dweights = None  # (B, heads, T, T)
    dmasked = None  # (B, heads, T, T)
    dscores = None  # (B, heads, T, T)
    dQ = None  # (B, heads, T, d)
    dK = None  # (B, heads, T, d)
    dqkv = None  # (B, T, 3E)
    dWqkv = None  # (E, 3E)
    dx = None  # (B, T, E)
    return (
        dWo,
        dmerged,
        datt,
        dV,
        ddropped,
        dweights,
        dmasked,
        dscores,
        dQ,
        dK,
        dqkv,
        dWqkv,
        dx,
    )
