"""Causal self-attention of several heads, as in GPT: the backward pass, with the gradient of every step.

B sequences of T positions, of width E = heads * d.
"""

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
    # BEGIN SOLUTION
    # out = merged @ Wo. One Wo serves all positions of all sequences.
    dWo = torch.einsum("btk,bto->ko", merged, dout)  # (E, E)
    dmerged = dout @ Wo.T  # (B, T, E)
    # merged laid the heads side by side. Cut them apart, and put them in front of the positions.
    datt = dmerged.view(B, T, heads, d).transpose(1, 2)  # (B, heads, T, d)
    # att = dropped @ V
    dV = dropped.transpose(2, 3) @ datt  # (B, heads, T, d)
    ddropped = datt @ V.transpose(2, 3)  # (B, heads, T, T)
    # Each weight was multiplied by one fixed number: zero, or one over the share that is kept.
    dweights = ddropped * (keep / (1 - p))  # (B, heads, T, T)
    # weights = softmax(masked), whose result is weights and not what dropout left of them.
    average = (weights * dweights).sum(dim=3, keepdim=True)
    dmasked = weights * (dweights - average)  # (B, heads, T, T)
    # A score that was replaced has no way to the output. The weights are zero there, so nothing is left to cut.
    dscores = dmasked.masked_fill(~causal, 0.0)  # (B, heads, T, T)
    # scores = Q @ K transposed, over the root of d
    dQ = dscores @ K / math.sqrt(d)  # (B, heads, T, d)
    dK = dscores.transpose(2, 3) @ Q / math.sqrt(d)  # (B, heads, T, d)
    # qkv holds all three side by side, and each has its heads side by side, as merged has.
    parts = [part.transpose(1, 2).reshape(B, T, E) for part in (dQ, dK, dV)]
    dqkv = torch.cat(parts, dim=2)  # (B, T, 3E)
    # qkv = x @ Wqkv
    dWqkv = torch.einsum("btk,btj->kj", x, dqkv)  # (E, 3E)
    dx = dqkv @ Wqkv.T  # (B, T, E)
    # END SOLUTION
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
