"""A block of GPT: back through two residuals, two layer norms, attention and a small network.

B sequences of T positions, of width E = heads * d; the small network has F hidden units.
"""

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
    # BEGIN SOLUTION
    # The small network. What serves every position collects over all of them.
    dW2 = torch.einsum("btf,bte->fe", act, dout)  # (F, E)
    db2 = dout.sum(dim=(0, 1))  # (E,)
    dpre = gelu_tanh_backward(dout @ W2.T, pre)
    dW1 = torch.einsum("bte,btf->ef", ln2, dpre)  # (E, F)
    db1 = dpre.sum(dim=(0, 1))  # (F,)
    # mid goes on beside the network and into it. Two uses add.
    dln2 = dpre @ W1.T
    dmid, dln2_gain, dln2_bias = layernorm_backward(dln2, ln2_raw, ln2_gain, ln2_rstd)  # (B, T, E), (E,), (E,)
    dmid = dmid + dout
    # Attention. What the mask has made 0 stays without a gradient.
    dWo = torch.einsum("btk,bto->ko", merged, dmid)  # (E, E)
    datt = (dmid @ Wo.T).view(B, T, heads, d).transpose(1, 2)
    dV = weights.mT @ datt
    dweights = datt @ V.mT
    dscores = weights * (dweights - (weights * dweights).sum(dim=3, keepdim=True)) / math.sqrt(d)
    dQ, dK = dscores @ K, dscores.mT @ Q
    dqkv = torch.cat([part.transpose(1, 2).reshape(B, T, E) for part in (dQ, dK, dV)], dim=2)
    dWqkv = torch.einsum("btk,btj->kj", ln1, dqkv)  # (E, 3E)
    # x goes on beside attention and into it.
    dln1 = dqkv @ Wqkv.T
    dx, dln1_gain, dln1_bias = layernorm_backward(dln1, ln1_raw, ln1_gain, ln1_rstd)  # (B, T, E), (E,), (E,)
    dx = dx + dmid
    # END SOLUTION
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
