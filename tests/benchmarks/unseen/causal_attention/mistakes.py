"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import math

import torch


def _merge(part):
    B, h, T, d = part.shape
    return part.transpose(1, 2).reshape(B, T, h * d)


def _backward(dout, cache, scale=None, softmax=None, keep=True, merge=_merge, order=(0, 1, 2)):
    """The whole way back, with a slip in it."""
    B, T, E = dout.shape
    d = E // cache.heads
    scale = 1 / math.sqrt(d) if scale is None else scale
    datt = (dout @ cache.Wo.T).view(B, T, cache.heads, d).transpose(1, 2)
    dV = cache.dropped.mT @ datt
    dweights = datt @ cache.V.mT
    if keep:
        dweights = dweights * cache.keep / (1 - cache.p)
    weights = cache.weights
    if softmax is None:
        dscores = weights * (dweights - (weights * dweights).sum(-1, keepdim=True))
    else:
        dscores = softmax(weights, dweights)
    dQ, dK = dscores @ cache.K * scale, dscores.mT @ cache.Q * scale
    parts = (dQ, dK, dV)
    dqkv = torch.cat([merge(parts[k]) for k in order], dim=-1)
    dWqkv = torch.einsum("bte,btf->ef", cache.x, dqkv)
    return {"dQ": dQ, "dK": dK, "dV": dV, "dqkv": dqkv, "dWqkv": dWqkv, "dx": dqkv @ cache.Wqkv.T, "dscores": dscores}


def causal_attention_backward__dWqkv__scale_missing(dout, cache):
    """1/√d is missing."""
    return _backward(dout, cache, scale=1)["dWqkv"]


def causal_attention_backward__dx__scale_missing(dout, cache):
    """1/√d is missing."""
    return _backward(dout, cache, scale=1)["dx"]


def causal_attention_backward__dQ__scale_missing(dout, cache, d):
    """1/√d is missing."""
    return d.dscores @ cache.K


def causal_attention_backward__dx__scale_of_the_width(dout, cache):
    """√E in place of √d."""
    return _backward(dout, cache, scale=1 / math.sqrt(dout.shape[-1]))["dx"]


def _row_sum_apart(w, g):
    return g - w * g.sum(-1, keepdim=True)


def causal_attention_backward__dmasked__row_sum_apart(cache, d):
    """dattn - attn * dattn.sum(...)."""
    return _row_sum_apart(cache.weights, d.dweights)


def causal_attention_backward__dx__row_sum_apart(dout, cache):
    """dattn - attn * dattn.sum(...)."""
    return _backward(dout, cache, softmax=_row_sum_apart)["dx"]


def causal_attention_backward__dWqkv__shared_sum(dout, cache):
    """attn * dattn."""
    return _backward(dout, cache, softmax=lambda w, g: w * g)["dWqkv"]


def causal_attention_backward__dmasked__diagonal(cache, d):
    """attn * (1 - attn) * dattn."""
    return cache.weights * (1 - cache.weights) * d.dweights


def causal_attention_backward__dx__dropout_forgotten(dout, cache):
    """Not through the dropout."""
    return _backward(dout, cache, keep=False)["dx"]


def causal_attention_backward__dweights__not_scaled(cache, d):
    """Not divided by 1 - p."""
    return d.ddropped * cache.keep


def causal_attention_backward__dweights__no_mask(cache, d):
    """Not multiplied by keep."""
    return d.ddropped / (1 - cache.p)


def causal_attention_backward__dV__before_dropout(cache, d):
    """weights in place of dropped."""
    return cache.weights.mT @ d.datt


def causal_attention_backward__dV__not_transposed(cache, d):
    """The transpose is missing."""
    return cache.dropped @ d.datt


def causal_attention_backward__dK__not_transposed(cache, d):
    """The transpose of dscores is missing."""
    return d.dscores @ cache.Q / math.sqrt(cache.Q.shape[-1])


def causal_attention_backward__dQ__swapped(cache, d):
    """What belongs to K."""
    return d.dscores.mT @ cache.Q / math.sqrt(cache.Q.shape[-1])


def causal_attention_backward__dQ__of_q(cache, d):
    """dscores @ Q."""
    return d.dscores @ cache.Q / math.sqrt(cache.Q.shape[-1])


def causal_attention_backward__dscores__not_masked(dout, cache, d):
    """The softmax without the mask: scores where the mask was."""
    w = cache.scores.softmax(-1)
    return w * (d.dweights - (w * d.dweights).sum(-1, keepdim=True))


def causal_attention_backward__dscores__ones_added(dout, cache, d):
    """masked_fill with the mask the wrong way round."""
    return d.dmasked.masked_fill(cache.causal, 0.0)


def causal_attention_backward__dqkv__k_and_q_swapped(dout, cache):
    """K before Q."""
    return _backward(dout, cache, order=(1, 0, 2))["dqkv"]


def causal_attention_backward__dx__v_first(dout, cache):
    """V before Q and K."""
    return _backward(dout, cache, order=(2, 0, 1))["dx"]


def _viewed(part):
    B, h, T, d = part.shape
    return part.reshape(B, T, h * d)


def causal_attention_backward__dqkv__merged_without_transpose(dout, cache):
    """reshape without the transpose."""
    return _backward(dout, cache, merge=_viewed)["dqkv"]


def causal_attention_backward__dWqkv__merged_without_transpose(dout, cache):
    """reshape without the transpose."""
    return _backward(dout, cache, merge=_viewed)["dWqkv"]


def causal_attention_backward__datt__split_without_transpose(cache, d):
    """view(B, h, T, d) without the transpose."""
    return d.dmerged.reshape(d.datt.shape)


def causal_attention_backward__dWo__of_out(dout, cache):
    """x in place of merged."""
    return torch.einsum("bte,btf->ef", cache.x, dout)


def causal_attention_backward__dWo__turned(dout, cache):
    """Turned over."""
    return torch.einsum("bte,btf->fe", cache.merged, dout)


def causal_attention_backward__dmerged__not_turned(dout, cache):
    """Wo without a transpose."""
    return dout @ cache.Wo


def causal_attention_backward__dx__not_turned(dout, cache, d):
    """The part of Q only."""
    E = dout.shape[-1]
    return d.dqkv[..., :E] @ cache.Wqkv[:, :E].T


def causal_attention_backward__dx__v_forgotten(dout, cache, d):
    """The part of V is forgotten."""
    E = dout.shape[-1]
    return d.dqkv[..., : 2 * E] @ cache.Wqkv[:, : 2 * E].T


def causal_attention_backward__dWqkv__first_sequence(cache, d):
    """Only the first sequence."""
    return cache.x[0].T @ d.dqkv[0]


def causal_attention_backward__dWqkv__mean(cache, d):
    """A mean over the batch."""
    return torch.einsum("bte,btf->ef", cache.x, d.dqkv) / cache.x.shape[0]


# A second list, written when the first had been used to mend with.


def causal_attention_backward__dmasked__later_of_scores(cache, d):
    """The softmax is taken over the rows' axis in the sum."""
    w = cache.weights
    return w * (d.dweights - (w * d.dweights).sum(2, keepdim=True))


def causal_attention_backward__dQ__later_scale_twice(cache, d):
    """1/d in place of 1/√d."""
    return d.dscores @ cache.K / cache.Q.shape[-1]


def causal_attention_backward__dqkv__later_all_the_same(cache, d):
    """K's part turned over by a view."""
    return torch.cat([_merge(d.dQ), _viewed(d.dK), _merge(d.dV)], dim=-1)


def causal_attention_backward__ddropped__later_of_k(cache, d):
    """K in place of V."""
    return d.datt @ cache.K.mT


def causal_attention_backward__dV__later_masked(cache, d):
    """The scores in place of what is left after the dropout."""
    return cache.scores.mT @ d.datt


def causal_attention_backward__dx__later_k_twice(dout, cache, d):
    """K's part is used for V, too."""
    E = dout.shape[-1]
    k = d.dqkv[..., E : 2 * E]
    return torch.cat([d.dqkv[..., :E], k, k], dim=-1) @ cache.Wqkv.T
