"""A block of GPT: causal attention and a small network, each behind a layer norm and beside a residual."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def transformer_block_inputs(rng, B, T, heads, d, hidden):
    return {
        "x": rng.normal(B, T, heads * d),
        "causal": torch.ones(T, T).tril().bool(),
        "heads": heads,
        **block_parameters(rng, heads * d, hidden),
    }


def block_parameters(rng, E, hidden):
    """Return the parameters of a block, away from where training begins: no gain is 1, and no bias 0."""
    return {
        "ln1_gain": 1 + 0.5 * rng.normal(E),
        "ln1_bias": 0.5 * rng.normal(E),
        "Wqkv": rng.normal(E, 3 * E) / math.sqrt(E),
        "Wo": rng.normal(E, E) / math.sqrt(E),
        "ln2_gain": 1 + 0.5 * rng.normal(E),
        "ln2_bias": 0.5 * rng.normal(E),
        "W1": rng.normal(E, hidden) / math.sqrt(E),
        "b1": 0.5 * rng.normal(hidden),
        "W2": rng.normal(hidden, E) / math.sqrt(hidden),
        "b2": 0.5 * rng.normal(E),
    }


def transformer_block(t):
    B, T, E = t.x.shape
    d = E // t.heads
    # layer norm
    t.ln1_diff = t.x - t.x.mean(dim=2, keepdim=True)
    t.ln1_rstd = ((t.ln1_diff**2).mean(dim=2, keepdim=True) + 1e-5) ** -0.5
    t.ln1_raw = t.ln1_diff * t.ln1_rstd
    t.ln1 = t.ln1_raw * t.ln1_gain + t.ln1_bias
    # causal attention
    t.qkv = t.ln1 @ t.Wqkv
    t.Q = t.qkv[..., :E].reshape(B, T, t.heads, d).transpose(1, 2)
    t.K = t.qkv[..., E : 2 * E].reshape(B, T, t.heads, d).transpose(1, 2)
    t.V = t.qkv[..., 2 * E :].reshape(B, T, t.heads, d).transpose(1, 2)
    t.scores = t.Q @ t.K.transpose(2, 3) / math.sqrt(d)
    t.masked = t.scores.masked_fill(~t.causal, -math.inf)
    t.weights = t.masked.softmax(dim=3)
    t.att = t.weights @ t.V
    t.merged = t.att.transpose(1, 2).reshape(B, T, E)
    # residual
    t.mid = t.x + t.merged @ t.Wo
    # layer norm
    t.ln2_diff = t.mid - t.mid.mean(dim=2, keepdim=True)
    t.ln2_rstd = ((t.ln2_diff**2).mean(dim=2, keepdim=True) + 1e-5) ** -0.5
    t.ln2_raw = t.ln2_diff * t.ln2_rstd
    t.ln2 = t.ln2_raw * t.ln2_gain + t.ln2_bias
    # a small network, and a residual
    t.pre = t.ln2 @ t.W1 + t.b1
    t.act = F.gelu(t.pre, approximate="tanh")
    t.out = t.mid + t.act @ t.W2 + t.b2
