"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import math

import torch


def _gelu(x):
    t = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)


def _exact(x):
    return 0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _norm(q, raw, rstd):
    return rstd * (q - q.mean(-1, keepdim=True) - raw * (q * raw).mean(-1, keepdim=True))


def _merge(part):
    B, h, T, d = part.shape
    return part.transpose(1, 2).reshape(B, T, h * d)


def _soft(w, g):
    return w * (g - (w * g).sum(-1, keepdim=True))


def _outer(a, b):
    return torch.einsum("btk,btj->kj", a, b)


def _backward(dout, c, slope=_gelu, skip=(True, True), scale=True, softmax=_soft, norm=_norm, turned=True):
    """The whole way back, with a slip in it."""
    B, T, E = dout.shape
    d = E // c.heads
    dpre = (dout @ c.W2.T) * slope(c.pre)
    dln2 = dpre @ c.W1.T
    dmid = norm(dln2 * c.ln2_gain, c.ln2_raw, c.ln2_rstd) + (dout if skip[1] else 0)
    datt = (dmid @ c.Wo.T).view(B, T, c.heads, d).transpose(1, 2)
    dscores = softmax(c.weights, datt @ c.V.mT) / (math.sqrt(d) if scale else 1)
    dQ, dK, dV = dscores @ c.K, (dscores.mT if turned else dscores) @ c.Q, c.weights.mT @ datt
    dqkv = torch.cat([_merge(part) for part in (dQ, dK, dV)], dim=-1)
    dln1 = dqkv @ c.Wqkv.T
    return {
        "dx": norm(dln1 * c.ln1_gain, c.ln1_raw, c.ln1_rstd) + (dmid if skip[0] else 0),
        "dln1_gain": (dln1 * c.ln1_raw).sum((0, 1)),
        "dln1_bias": dln1.sum((0, 1)),
        "dWqkv": _outer(c.ln1, dqkv),
        "dWo": _outer(c.merged, dmid),
        "dln2_gain": (dln2 * c.ln2_raw).sum((0, 1)),
        "dln2_bias": dln2.sum((0, 1)),
        "dW1": _outer(c.ln2, dpre),
        "db1": dpre.sum((0, 1)),
        "dW2": _outer(c.act, dout),
        "db2": dout.sum((0, 1)),
    }


def transformer_block_backward__dx__first_skip_forgotten(dout, cache):
    """The residual around attention is forgotten."""
    return _backward(dout, cache, skip=(False, True))["dx"]


def transformer_block_backward__dWo__second_skip_forgotten(dout, cache):
    """The residual around the network is forgotten."""
    return _backward(dout, cache, skip=(True, False))["dWo"]


def transformer_block_backward__dx__second_skip_forgotten(dout, cache):
    """The residual around the network is forgotten."""
    return _backward(dout, cache, skip=(True, False))["dx"]


def transformer_block_backward__dx__dout_for_dmid(dout, cache):
    """dout is added once more in place of dmid."""
    return _backward(dout, cache, skip=(False, True))["dx"] + dout


def transformer_block_backward__db1__exact_gelu(dout, cache):
    """The exact GELU's slope."""
    return _backward(dout, cache, slope=_exact)["db1"]


def transformer_block_backward__dln2_bias__relu(dout, cache):
    """A ReLU's slope."""
    return _backward(dout, cache, slope=lambda x: (x > 0).double())["dln2_bias"]


def transformer_block_backward__dW1__slope_forgotten(dout, cache):
    """The activation is passed by."""
    return _backward(dout, cache, slope=torch.ones_like)["dW1"]


def transformer_block_backward__db1__slope_of_act(dout, cache):
    """The slope at act in place of pre."""
    return ((dout @ cache.W2.T) * _gelu(cache.act)).sum((0, 1))


def transformer_block_backward__dW1__sigmoid_gelu(dout, cache):
    """The slope of x * sigmoid(1.702 x)."""

    def slope(x):
        s = torch.sigmoid(1.702 * x)
        return s + 1.702 * x * s * (1 - s)

    return _backward(dout, cache, slope=slope)["dW1"]


def transformer_block_backward__dWqkv__scale_missing(dout, cache):
    """1/√d is missing."""
    return _backward(dout, cache, scale=False)["dWqkv"]


def transformer_block_backward__dln1_gain__scale_missing(dout, cache):
    """1/√d is missing."""
    return _backward(dout, cache, scale=False)["dln1_gain"]


def transformer_block_backward__dln1_bias__shared_sum(dout, cache):
    """attn * dattn."""
    return _backward(dout, cache, softmax=lambda w, g: w * g)["dln1_bias"]


def transformer_block_backward__dWqkv__row_sum_apart(dout, cache):
    """dattn - attn * dattn.sum(...)."""
    return _backward(dout, cache, softmax=lambda w, g: g - w * g.sum(-1, keepdim=True))["dWqkv"]


def transformer_block_backward__dWqkv__dk_not_turned(dout, cache):
    """dscores is not turned for dK."""
    return _backward(dout, cache, turned=False)["dWqkv"]


def transformer_block_backward__dx__norms_constant(dout, cache):
    """Mean and spread of both norms are taken for constants."""
    return _backward(dout, cache, norm=lambda q, _, rstd: q * rstd)["dx"]


def transformer_block_backward__dWo__norm_constant(dout, cache):
    """Mean and spread of the second norm are taken for constants."""
    return _backward(dout, cache, norm=lambda q, _, rstd: q * rstd)["dWo"]


def transformer_block_backward__dWo__mean_forgotten(dout, cache):
    """The second norm without its mean."""
    return _backward(dout, cache, norm=lambda q, raw, r: r * (q - raw * (q * raw).mean(-1, keepdim=True)))["dWo"]


def transformer_block_backward__dWqkv__of_x(dout, cache, d):
    """x in place of ln1."""
    return _outer(cache.x, d.dqkv)


def transformer_block_backward__dW1__of_raw(dout, cache, d):
    """ln2_raw in place of ln2."""
    return _outer(cache.ln2_raw, d.dpre)


def transformer_block_backward__dW1__of_mid(dout, cache, d):
    """mid in place of ln2."""
    return _outer(cache.mid, d.dpre)


def transformer_block_backward__dW2__of_pre(dout, cache):
    """pre in place of act."""
    return _outer(cache.pre, dout)


def transformer_block_backward__dln1_gain__of_ln1(dout, cache, d):
    """ln1 in place of ln1_raw."""
    return (d.dln1 * cache.ln1).sum((0, 1))


def transformer_block_backward__dln2_gain__of_the_skip(dout, cache, d):
    """dmid in place of dln2."""
    return (d.dmid * cache.ln2_raw).sum((0, 1))


def transformer_block_backward__dln2_bias__dout(dout, cache):
    """dout in place of dln2."""
    return dout.sum((0, 1))


def transformer_block_backward__db2__mean(dout, cache):
    """A mean."""
    return dout.mean((0, 1))
