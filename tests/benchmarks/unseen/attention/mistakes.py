"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def attention_steps_backward__dV__shared_out(dout, cache):
    """The weights are replaced by an equal share for each position."""
    return (torch.ones_like(cache.weights) / cache.K.shape[1]).mT @ dout


def attention_steps_backward__dV__scaled_once_more(dout, cache):
    """Divided by √d, which is not in this path."""
    return cache.weights.mT @ dout / cache.Q.shape[-1] ** 0.5


def attention_steps_backward__dV__scaled_scores(dout, cache):
    """The scaled scores are used where the weights belong."""
    return cache.scaled.mT @ dout


def attention_steps_backward__dweights__scaled(dout, cache):
    """Divided by √d too early."""
    return dout @ cache.V.mT / cache.Q.shape[-1] ** 0.5


def attention_steps_backward__dscaled__row_sum_apart(cache, d):
    """Dattn - attn * dattn.sum(...): the product is not taken before the sum, nor outside."""
    return d.dweights - cache.weights * d.dweights.sum(-1, keepdim=True)


def attention_steps_backward__dscaled__product_then_plain_sum(cache, d):
    """Dattn -= attn * dattn.sum(...), then times attn."""
    return (d.dweights - cache.weights * d.dweights.sum(-1, keepdim=True)) * cache.weights


def attention_steps_backward__dscaled__row_sum_without_attn(cache, d):
    """The outer weight is missing on the row sum."""
    return cache.weights * d.dweights - (cache.weights * d.dweights).sum(-1, keepdim=True)


def attention_steps_backward__dscaled__weights_squared(cache, d):
    """The weight is squared in the row sum."""
    a = cache.weights
    return a * d.dweights - a * (a * a * d.dweights).sum(-1, keepdim=True)


def attention_steps_backward__dscaled__mean_for_sum(cache, d):
    """A mean over the row in place of a sum."""
    a = cache.weights
    return a * (d.dweights - (a * d.dweights).mean(-1, keepdim=True))


def attention_steps_backward__dscaled__keys_axis(cache, d):
    """The sum goes over axis 1."""
    a = cache.weights
    return a * d.dweights - a * (a * d.dweights).sum(1, keepdim=True)


def attention_steps_backward__dscaled__sum_of_everything(cache, d):
    """One sum over all rows and batches."""
    a = cache.weights
    return a * (d.dweights - (a * d.dweights).sum())


def attention_steps_backward__dscaled__minus_weights(cache, d):
    """The weights are taken off as if they were a target's probabilities."""
    return d.dweights - cache.weights


def attention_steps_backward__dscores__multiplied_by_d(cache, d):
    """Multiplied by √d in place of divided."""
    return d.dscaled * cache.Q.shape[-1] ** 0.5


def attention_steps_backward__dscores__power_of_minus_one(cache, d):
    """Divided by d, not by its root."""
    return d.dscaled / cache.Q.shape[-1]


def attention_steps_backward__dQ__scale_missing(cache, d):
    """dscaled is used in place of dscores, so 1/√d is missing."""
    return d.dscaled @ cache.K


def attention_steps_backward__dQ__scaled_twice(cache, d):
    """Divided by √d once more."""
    return d.dscores @ cache.K / cache.Q.shape[-1] ** 0.5


def attention_steps_backward__dK__negative(cache, d):
    """A minus too many."""
    return -d.dscores.mT @ cache.Q


def attention_steps_backward__dK__from_weights(cache, d):
    """dweights is used in place of dscores."""
    return d.dweights.mT @ cache.Q


def attention_steps_backward__dK__first_query(cache, d):
    """Only the first query counts."""
    return d.dscores[:, :1].mT @ cache.Q[:, :1]


def _dscores(dout, Q, V, weights):
    dweights = dout @ V.mT
    return weights * (dweights - (weights * dweights).sum(-1, keepdim=True)) / Q.shape[-1] ** 0.5


def attention_backward__dQ__one_line_without_scale(dout, K, V, weights):
    """1/√d is missing in a formula of one line."""
    return (weights * (dout @ V.mT - ((dout @ V.mT) * weights).sum(-1, keepdim=True))) @ K


def attention_backward__dQ__row_sum_apart(dout, Q, K, V, weights):
    """Dattn - attn * dattn.sum(...)."""
    dattn = dout @ V.mT
    return (dattn - weights * dattn.sum(-1, keepdim=True)) @ K / Q.shape[-1] ** 0.5


def attention_backward__dK__row_sum_apart(dout, Q, V, weights):
    """Attn * (dattn - attn * dattn.sum(...))."""
    dattn = dout @ V.mT
    return (weights * (dattn - weights * dattn.sum(-1, keepdim=True))).mT @ Q / Q.shape[-1] ** 0.5


def attention_backward__dK__weights_transposed_too_early(dout, Q, V, weights):
    """The sum goes over the queries, for the transpose was taken before it."""
    dattn = (dout @ V.mT).mT
    w = weights.mT
    return (w * (dattn - (w * dattn).sum(-1, keepdim=True))) @ Q / Q.shape[-1] ** 0.5


def attention_backward__dQ__swapped_with_dK(dout, Q, V, weights):
    """dQ and dK are exchanged: what is computed for K is returned here."""
    return _dscores(dout, Q, V, weights).mT @ Q


def attention_backward__dQ__scaled_by_values(dout, Q, K, V, weights):
    """The root of the size of V, not of Q."""
    return _dscores(dout, Q, V, weights) @ K * Q.shape[-1] ** 0.5 / V.shape[-1] ** 0.5


def attention_backward__dK__no_softmax(dout, Q, V):
    """The softmax is passed by."""
    return (dout @ V.mT).mT @ Q / Q.shape[-1] ** 0.5


def attention_backward__dQ__output_used(dout, Q, K, V, weights):
    """Flash attention's delta taken without dout: out.sum in place of (dout * out).sum."""
    out = weights @ V
    return (weights * (dout @ V.mT - out.sum(-1, keepdim=True))) @ K / Q.shape[-1] ** 0.5


def attention_backward__dV__upstream_missing(dout, weights):
    """The weights are summed alone."""
    return weights.mT @ torch.ones_like(dout)


def attention_backward__dV__softmax_again(dout, weights):
    """A softmax is taken of the weights."""
    return weights.softmax(-1).mT @ dout


def cross_attention_backward__dWq__row_sum_apart(cache, d):
    """Dattn - attn * dattn.sum(...)."""
    a = cache.weights
    dattn = cache.weights * 0 + d.datt @ cache.V.mT
    dscores = (dattn - a * dattn.sum(-1, keepdim=True)) / cache.Q.shape[-1] ** 0.5
    return (cache.x.mT @ (dscores @ cache.K)).sum(0)


def cross_attention_backward__dx__first_batch(d, cache):
    """Wq is applied to the transposed gradient of the first batch only."""
    found = torch.zeros_like(cache.x)
    found[0] = (d.dQ @ cache.Wq.T)[0]
    return found


def cross_attention_backward__dcontext__keys_twice(cache, d):
    """The keys' path is added twice, the values' not at all."""
    return 2 * d.dK @ cache.Wk.T


def cross_attention_backward__dWo__mean_over_the_batch(dout, cache):
    """A mean over the batch in place of a sum."""
    return (cache.att.mT @ dout).mean(0)
