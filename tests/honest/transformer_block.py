"""Right answers for `transformer_block`, written in other ways than the solution."""

import math

import torch
from causal_attention import causal_attention_backward


def _flat(tensor):
    return tensor.reshape(-1, tensor.shape[-1])


def _norm_backward(g, raw, gain, rstd):
    dgain, dbias = (g * raw).sum(0).sum(0), g.sum(0).sum(0)
    g = g * gain
    D = g.shape[-1]
    dx = rstd / D * (D * g - g.sum(-1, keepdim=True) - raw * (g * raw).sum(-1, keepdim=True))
    return dx, dgain, dbias


def _gelu_backward(g, x):
    k = math.sqrt(2 / math.pi)
    t = torch.tanh(k * (x + 0.044715 * x**3))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * k * (1 + 3 * 0.044715 * x * x))


def transformer_block_backward__flattened(dout, cache):
    B, T, E = dout.shape
    h, d = cache.heads, E // cache.heads
    dact = dout @ cache.W2.T
    dpre = _gelu_backward(dact, cache.pre)
    through, dln2_gain, dln2_bias = _norm_backward(dpre @ cache.W1.T, cache.ln2_raw, cache.ln2_gain, cache.ln2_rstd)
    dmid = dout.clone()
    dmid += through
    dmerged = dmid @ cache.Wo.T
    datt = dmerged.reshape(B, T, h, d).permute(0, 2, 1, 3)
    P = cache.weights
    dP = torch.einsum("bhti,bhsi->bhts", datt, cache.V)
    # The average of dP is the product of datt with the output of attention itself.
    att = P @ cache.V
    dS = P * (dP - (datt * att).sum(-1, keepdim=True)) * d**-0.5
    dS = dS.tril()
    dqkv = torch.zeros(B, T, 3, h, d)
    dqkv[:, :, 0] = (dS @ cache.K).transpose(1, 2)
    dqkv[:, :, 1] = (dS.transpose(-1, -2) @ cache.Q).transpose(1, 2)
    dqkv[:, :, 2] = (P.transpose(-1, -2) @ datt).transpose(1, 2)
    dqkv = dqkv.view(B, T, 3 * E)
    dln1 = dqkv @ cache.Wqkv.T
    through, dln1_gain, dln1_bias = _norm_backward(dln1, cache.ln1_raw, cache.ln1_gain, cache.ln1_rstd)
    return {
        "dx": dmid + through,
        "dln1_gain": dln1_gain,
        "dln1_bias": dln1_bias,
        "dWqkv": _flat(cache.ln1).T @ _flat(dqkv),
        "dWo": _flat(cache.merged).T @ _flat(dmid),
        "dln2_gain": dln2_gain,
        "dln2_bias": dln2_bias,
        "dW1": _flat(cache.ln2).T @ _flat(dpre),
        "db1": _flat(dpre).sum(0),
        "dW2": _flat(cache.act).T @ _flat(dout),
        "db2": _flat(dout).sum(0),
    }


def transformer_block_backward__with_causal_attention(dout, cache):
    # The function from before, on a cache in which nothing is dropped.
    dpre = _gelu_backward(torch.einsum("bte,fe->btf", dout, cache.W2), cache.pre)
    dln2 = torch.einsum("btf,ef->bte", dpre, cache.W1)
    through, dln2_gain, dln2_bias = _norm_backward(dln2, cache.ln2_raw, cache.ln2_gain, cache.ln2_rstd)
    dmid = through + dout
    own = type(cache)(**vars(cache))
    own.x, own.keep, own.p, own.dropped = cache.ln1, torch.ones_like(cache.weights), 0.0, cache.weights
    found = causal_attention_backward(dmid, own)
    dWo, dWqkv, dln1 = found[0], found[11], found[12]
    through, dln1_gain, dln1_bias = _norm_backward(dln1, cache.ln1_raw, cache.ln1_gain, cache.ln1_rstd)
    dW1 = torch.tensordot(cache.ln2, dpre, dims=([0, 1], [0, 1]))
    dW2 = torch.tensordot(cache.act, dout, dims=([0, 1], [0, 1]))
    db1, db2 = torch.einsum("btf->f", dpre), torch.einsum("bte->e", dout)
    return dmid + through, dln1_gain, dln1_bias, dWqkv, dWo, dln2_gain, dln2_bias, dW1, db1, dW2, db2
