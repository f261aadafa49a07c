"""A block of GPT: back through two residuals, two layer norms, attention and a small network.

B sequences of T positions, of width E = heads * d; the small network has F hidden units.
"""

# ruff: noqa: F401, F841, RUF059, RUF100

import math

import torch

# Your own functions from before. If you have not written them, write what you need in this file.
from activations import gelu_tanh_backward
from layernorm import layernorm_backward


def transformer_block_backward(dout, cache):
    """Pass the upstream gradient back through a transformer block with its layer norms in front (pre-norm).

    The forward, with matrices over the last axis:
        ln1 = ln1_raw * ln1_gain + ln1_bias, and ln1_raw is x with its mean and spread taken out (ln1_rstd = 1 / spread)
        qkv = ln1 @ Wqkv, cut into Q, K, V and into heads: (B, heads, T, d)
        weights = softmax of Q K^T / sqrt(d) over the last axis, where causal; 0 elsewhere
        merged = weights V, with the heads side by side: (B, T, E)
        mid = x + merged @ Wo
        ln2 = ln2_raw * ln2_gain + ln2_bias, of mid as ln1 is of x
        pre = ln2 @ W1 + b1
        act = gelu of pre, the approximation by tanh
        out = mid + act @ W2 + b2

    You are given:
        dout: (B, T, E), the upstream gradient of out
        cache: every value above by name. x, ln1, ln1_raw, merged, mid, ln2, ln2_raw, out (B, T, E),
            ln1_rstd, ln2_rstd (B, T, 1), Q, K, V (B, heads, T, d), weights (B, heads, T, T), pre, act (B, T, F),
            causal (T, T) of booleans, the number heads, and the parameters

    You return the gradient with respect to each, in this order:
        dx (B, T, E), dln1_gain (E,), dln1_bias (E,), dWqkv (E, 3E), dWo (E, E),
        dln2_gain (E,), dln2_bias (E,), dW1 (E, F), db1 (F,), dW2 (F, E), db2 (E,)
    """
    ln1, ln1_raw, ln1_gain, ln1_rstd = (
        cache.ln1,
        cache.ln1_raw,
        cache.ln1_gain,
        cache.ln1_rstd,
    )
    Wqkv, Q, K, V, weights = cache.Wqkv, cache.Q, cache.K, cache.V, cache.weights
    merged, Wo = cache.merged, cache.Wo
    ln2, ln2_raw, ln2_gain, ln2_rstd = (
        cache.ln2,
        cache.ln2_raw,
        cache.ln2_gain,
        cache.ln2_rstd,
    )
    W1, pre, act, W2 = cache.W1, cache.pre, cache.act, cache.W2
    B, T, E = dout.shape
    heads, d = cache.heads, E // cache.heads
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (B, T, E)
    dln1_gain = None  # (E,)
    dln1_bias = None  # (E,)
    dWqkv = None  # (E, 3E)
    dWo = None  # (E, E)
    dln2_gain = None  # (E,)
    dln2_bias = None  # (E,)
    dW1 = None  # (E, F)
    db1 = None  # (F,)
    dW2 = None  # (F, E)
    db2 = None  # (E,)
    return (
        dx,
        dln1_gain,
        dln1_bias,
        dWqkv,
        dWo,
        dln2_gain,
        dln2_bias,
        dW1,
        db1,
        dW2,
        db2,
    )
