"""Wrong lines; a docstring says what went wrong."""

import torch


def _split(cache, tensor):
    B, T, E = tensor.shape
    return tensor.view(B, T, cache.heads, E // cache.heads).transpose(1, 2)


def _merge(tensor):
    B, h, T, d = tensor.shape
    return tensor.transpose(1, 2).reshape(B, T, h * d)


def _wrong_merge(tensor):
    B, h, T, d = tensor.shape
    return tensor.reshape(B, T, h * d)


def heads_backward__dWo__of_att(dout, cache):
    """The heads are merged in the wrong order."""
    return (_wrong_merge(cache.att).mT @ dout).sum(0)


def heads_backward__dWo__batch(dout, cache):
    """Not summed over the batch."""
    return cache.merged.mT @ dout


def heads_backward__dmerged__not_transposed(dout, cache):
    """Wo is not transposed."""
    return dout @ cache.Wo


def heads_backward__datt__wrong_view(cache, d):
    """The heads are split without a transpose: view(B, h, T, d)."""
    return d.dmerged.reshape(cache.att.shape)


def heads_backward__dV__not_transposed(cache, d):
    """The weights are not transposed."""
    return cache.weights @ d.datt


def heads_backward__dV__mask_lost(cache, d):
    """The weights without the mask."""
    return cache.scores.softmax(-1).mT @ d.datt


def heads_backward__dweights__wrong_split(dout, cache):
    """The heads are split without a transpose."""
    return (dout @ cache.Wo.T).reshape(cache.att.shape) @ cache.V.mT


def heads_backward__dmasked__row_sum_apart(cache, d):
    """Dattn - attn * dattn.sum(...), times attn."""
    return cache.weights * (d.dweights - cache.weights * d.dweights.sum(-1, keepdim=True))


def heads_backward__dmasked__diagonal(cache, d):
    """attn * (1 - attn) * dattn."""
    return d.dweights * cache.weights * (1 - cache.weights)


def heads_backward__dmasked__sum_over_heads(cache, d):
    """The sum goes over the heads."""
    return cache.weights * (d.dweights - (d.dweights * cache.weights).sum(1, keepdim=True))


def heads_backward__dmasked__skipped(d):
    """The softmax is passed by."""
    return d.dweights.clone()


def heads_backward__dscores__mask_inverted(cache, d):
    """What is kept and what is masked are exchanged."""
    return d.dmasked.masked_fill(cache.causal, 0.0)


def heads_backward__dscores__scaled_too_early(cache, d):
    """Divided by √d, one step too early."""
    return d.dmasked / cache.Q.shape[-1] ** 0.5


def heads_backward__dscores__mask_as_factor_of_weights(cache, d):
    """The weights are multiplied in once more."""
    return d.dmasked * cache.weights


def heads_backward__dQ__scale_missing(cache, d):
    """1/√d is missing."""
    return d.dscores @ cache.K


def heads_backward__dQ__scale_of_all_heads(cache, d):
    """1/√E in place of 1/√d."""
    return d.dscores @ cache.K / (cache.heads * cache.Q.shape[-1]) ** 0.5


def heads_backward__dQ__of_q(cache, d):
    """Q in place of K."""
    return d.dscores @ cache.Q / cache.Q.shape[-1] ** 0.5


def heads_backward__dK__of_k(cache, d):
    """K in place of Q."""
    return d.dscores.mT @ cache.K / cache.Q.shape[-1] ** 0.5


def heads_backward__dK__not_transposed(cache, d):
    """dscores is not transposed."""
    return d.dscores @ cache.Q / cache.Q.shape[-1] ** 0.5


def heads_backward__dQ__swapped(cache, d):
    """dQ and dK are exchanged."""
    return d.dscores.mT @ cache.Q / cache.Q.shape[-1] ** 0.5


def heads_backward__dqkv__k_first(d):
    """K, q, v in place of q, k, v."""
    return torch.cat([_merge(d.dK), _merge(d.dQ), _merge(d.dV)], -1)


def heads_backward__dqkv__wrong_merge(d):
    """The heads are merged without a transpose."""
    return torch.cat([_wrong_merge(each) for each in (d.dQ, d.dK, d.dV)], -1)


def heads_backward__dqkv__v_missing(d):
    """The part of V is zero."""
    return torch.cat([_merge(d.dQ), _merge(d.dK), 0 * _merge(d.dV)], -1)


def heads_backward__dqkv__v_first(d):
    """V, k, q in place of q, k, v."""
    return torch.cat([_merge(d.dV), _merge(d.dK), _merge(d.dQ)], -1)


def heads_backward__dWqkv__mean(cache, d):
    """A mean over the batch."""
    return (cache.x.mT @ d.dqkv).mean(0)


def heads_backward__dWqkv__last_position(cache, d):
    """The last position only."""
    return cache.x[:, -1].T @ d.dqkv[:, -1]


def heads_backward__dx__q_only(cache, d):
    """The part of the queries only."""
    E = cache.x.shape[-1]
    return d.dqkv[..., :E] @ cache.Wqkv[:, :E].T


def heads_backward__dx__thirds_added(cache, d):
    """A residual that is not there is added."""
    return d.dqkv @ cache.Wqkv.T + d.dmerged


def self_attention_backward__dx__values_only(cache, d):
    """Only what comes through the values."""
    E = cache.x.shape[-1]
    return d.dqkv[..., 2 * E :] @ cache.Wqkv[:, 2 * E :].T


def self_attention_backward__dWqkv__row_sum_apart(dout, cache):
    """Dattn - attn * dattn.sum(...), in the middle of everything."""
    datt = _split(cache, dout @ cache.Wo.T)
    dV = cache.weights.mT @ datt
    dattn = datt @ cache.V.mT
    dscores = (dattn - cache.weights * dattn.sum(-1, keepdim=True)) * cache.weights / cache.Q.shape[-1] ** 0.5
    dqkv = torch.cat([_merge(dscores @ cache.K), _merge(dscores.mT @ cache.Q), _merge(dV)], -1)
    return (cache.x.mT @ dqkv).sum(0)


def self_attention_backward__dx__scale_missing(dout, cache):
    """1/√d is missing."""
    datt = _split(cache, dout @ cache.Wo.T)
    dV = cache.weights.mT @ datt
    dattn = datt @ cache.V.mT
    dscores = cache.weights * (dattn - (cache.weights * dattn).sum(-1, keepdim=True))
    dqkv = torch.cat([_merge(dscores @ cache.K), _merge(dscores.mT @ cache.Q), _merge(dV)], -1)
    return dqkv @ cache.Wqkv.T


def self_attention_backward__dx__wrong_merge(dout, cache):
    """The heads are merged in the wrong order."""
    datt = _split(cache, dout @ cache.Wo.T)
    dV = cache.weights.mT @ datt
    dattn = datt @ cache.V.mT
    dscores = cache.weights * (dattn - (cache.weights * dattn).sum(-1, keepdim=True)) / cache.Q.shape[-1] ** 0.5
    dqkv = torch.cat([_wrong_merge(each) for each in (dscores @ cache.K, dscores.mT @ cache.Q, dV)], -1)
    return dqkv @ cache.Wqkv.T


def self_attention_backward__dx__swapped_q_and_k(dout, cache):
    """dQ and dK are exchanged."""
    datt = _split(cache, dout @ cache.Wo.T)
    dV = cache.weights.mT @ datt
    dattn = datt @ cache.V.mT
    dscores = cache.weights * (dattn - (cache.weights * dattn).sum(-1, keepdim=True)) / cache.Q.shape[-1] ** 0.5
    dqkv = torch.cat([_merge(dscores.mT @ cache.Q), _merge(dscores @ cache.K), _merge(dV)], -1)
    return dqkv @ cache.Wqkv.T
