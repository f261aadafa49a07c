"""Wrong gradients that people write for attention. Each docstring is what the student is told."""

import math

import torch


def _turned(tensor):
    return tensor.transpose(1, 2)


# Slips in the backward of the softmax: what reaches its input when it is written like this.


def _without_the_sum(weights, dweights):
    return weights * dweights


def _diagonal(weights, dweights):
    return weights * (1 - weights) * dweights


def _unweighted(weights, dweights):
    return weights * (dweights - dweights.sum(dim=2, keepdim=True))


def _over_queries(weights, dweights):
    return weights * (dweights - (weights * dweights).sum(dim=1, keepdim=True))


def _plus(weights, dweights):
    return weights * (dweights + (weights * dweights).sum(dim=2, keepdim=True))


# attention_steps_backward: scores = Q K^T, scaled = scores / sqrt(d), weights = softmax(scaled), out = weights V


def attention_steps_backward__dV__not_transposed(dout, cache):
    """You multiplied by the weights as they stand. They have a row for each query, and V has one for each position."""
    return cache.weights @ dout


def attention_steps_backward__dV__reshaped(dout, cache):
    """You turned the weights over by reshaping. That keeps the order of the numbers, a transpose changes it."""
    B, T, S = cache.weights.shape
    return cache.weights.reshape(B, S, T) @ dout


def attention_steps_backward__dV__weights_forgotten(dout, cache):
    """You gave every position the whole upstream gradient of every query. A query reads a position with a weight."""
    return dout.sum(dim=1, keepdim=True).expand_as(cache.V)


def attention_steps_backward__dV__scores_as_weights(dout, cache):
    """You used the scores where the weights belong. The values are mixed after the softmax."""
    return _turned(cache.scaled) @ dout


def attention_steps_backward__dV__batch_summed(dout, cache):
    """You summed over the batch. Each sequence has values of its own, so V keeps its batch axis."""
    return torch.einsum("bts,btv->sv", cache.weights, dout)


def attention_steps_backward__dV__averaged(dout, cache):
    """You took the mean over the queries. Each query reads the values by itself, so what they send back adds up."""
    return _turned(cache.weights) @ dout / dout.shape[1]


def attention_steps_backward__dweights__not_transposed(dout, cache):
    """You multiplied by V as it stands. dout has v columns, and they must meet the v axis of V."""
    return dout @ cache.V


def attention_steps_backward__dweights__reshaped(dout, cache):
    """You turned V over by reshaping. That keeps the order of the numbers, a transpose changes it."""
    B, S, v = cache.V.shape
    return dout @ cache.V.reshape(B, v, S)


def attention_steps_backward__dweights__transposed(dout, cache):
    """Your result is turned over. The weights have T rows, one for each query, and S columns."""
    return cache.V @ _turned(dout)


def attention_steps_backward__dweights__upstream_forgotten(dout, cache):
    """You put ones where the upstream gradient belongs. Each output has an upstream gradient of its own."""
    return torch.ones_like(dout) @ _turned(cache.V)


def attention_steps_backward__dweights__values_forgotten(dout, cache):
    """You left the values out. A weight moves the output by the value that it scales."""
    return dout.sum(dim=2, keepdim=True).expand_as(cache.weights)


def attention_steps_backward__dweights__one_step_ahead(dout, cache):
    """You multiplied by the weights as well. That belongs to the softmax, which is the next step back."""
    return cache.weights * (dout @ _turned(cache.V))


def attention_steps_backward__dscaled__sum_forgotten(cache, d):
    """You left out what the weights of a row do to each other. If one rises, the others fall, so rows sum to zero."""
    return _without_the_sum(cache.weights, d.dweights)


def attention_steps_backward__dscaled__diagonal(cache, d):
    """You used each score's effect on its own weight only. It also lowers every other weight of the row."""
    return _diagonal(cache.weights, d.dweights)


def attention_steps_backward__dscaled__sum_unweighted(cache, d):
    """You subtracted the plain sum of the row. Rows of this gradient must sum to zero, so the sum needs the weights."""
    return _unweighted(cache.weights, d.dweights)


def attention_steps_backward__dscaled__over_queries(cache, d):
    """You summed over the queries. The softmax runs along each row, over the positions, and so does its backward."""
    return _over_queries(cache.weights, d.dweights)


def attention_steps_backward__dscaled__sign(cache, d):
    """You added the row's sum. The weights compete for a total of one, so the effect of the others is subtracted."""
    return _plus(cache.weights, d.dweights)


def attention_steps_backward__dscaled__softmax_skipped(d):
    """You passed the gradient through the softmax unchanged. The softmax bends, and couples the entries of a row."""
    return d.dweights.clone()


def attention_steps_backward__dscaled__not_weighted(cache, d):
    """You subtracted the right number and stopped. A tiny weight barely moves with its score: the weight scales it."""
    return d.dweights - torch.einsum("bts,bts->bt", cache.weights, d.dweights).unsqueeze(2)


def attention_steps_backward__dscaled__mean(cache, d):
    """You subtracted a mean over the positions. The weights average already, so dividing by S makes it too small."""
    return cache.weights * (d.dweights - (cache.weights * d.dweights).mean(dim=2, keepdim=True))


def attention_steps_backward__dscores__scale_forgotten(d):
    """You passed the gradient on unchanged. The forward divides the scores, so their gradient is divided as well."""
    return d.dscaled.clone()


# Dividing by sqrt(d) twice gives the same numbers.
def attention_steps_backward__dscores__divided_by_d(cache, d):
    """You divided by d, or by its root twice. The forward divides by the root of d, once."""
    return d.dscaled / cache.Q.shape[-1]


def attention_steps_backward__dscores__multiplied(cache, d):
    """You multiplied by the root of d. A gradient passes a division by being divided, not by undoing it."""
    return d.dscaled * math.sqrt(cache.Q.shape[-1])


def attention_steps_backward__dscores__size_of_the_values(cache, d):
    """You took the root of the size of V. The scores were divided by the root of the size of a query."""
    return d.dscaled / math.sqrt(cache.V.shape[-1])


def attention_steps_backward__dscores__number_of_positions(cache, d):
    """You took the root of the number of positions. The scores were divided by the root of the size of a query."""
    return d.dscaled / math.sqrt(cache.K.shape[1])


def attention_steps_backward__dQ__scale_skipped(cache, d):
    """You started from dscaled. The division lies between it and the scores, and the queries are behind the scores."""
    return d.dscaled @ cache.K


def attention_steps_backward__dQ__scale_twice(cache, d):
    """You divided by the root of d again. dscores has passed that division already."""
    return d.dscores @ cache.K / math.sqrt(cache.Q.shape[-1])


def attention_steps_backward__dQ__softmax_skipped(cache, d):
    """You started from dweights. The softmax lies between the weights and the scores."""
    return d.dweights @ cache.K / math.sqrt(cache.Q.shape[-1])


def attention_steps_backward__dQ__weights_as_gradient(cache):
    """You mixed the keys with the weights, as the forward mixes the values. The backward mixes with a gradient."""
    return cache.weights @ cache.K


def attention_steps_backward__dQ__reshaped(cache, d):
    """You reshaped K on the way. That keeps the order of the numbers, so keys get mixed with one another."""
    B, S, size = cache.K.shape
    return d.dscores @ _turned(cache.K.reshape(B, size, S))


def attention_steps_backward__dQ__values_as_keys(cache, d):
    """You used the values. The scores are products of queries and keys, and the values come in later."""
    return d.dscores @ cache.V


def attention_steps_backward__dK__not_transposed(cache, d):
    """You multiplied by dscores as they stand. They have a row for each query, and K has a row for each position."""
    return d.dscores @ cache.Q


def attention_steps_backward__dK__reshaped(cache, d):
    """You turned dscores over by reshaping. That keeps the order of the numbers, a transpose changes it."""
    B, T, S = cache.scores.shape
    return d.dscores.reshape(B, S, T) @ cache.Q


def attention_steps_backward__dK__scale_skipped(cache, d):
    """You started from dscaled. The division lies between it and the scores, and the keys are behind the scores."""
    return _turned(d.dscaled) @ cache.Q


def attention_steps_backward__dK__scale_twice(cache, d):
    """You divided by the root of d again. dscores has passed that division already."""
    return _turned(d.dscores) @ cache.Q / math.sqrt(cache.Q.shape[-1])


def attention_steps_backward__dK__softmax_skipped(cache, d):
    """You started from dweights. The softmax lies between the weights and the scores."""
    return _turned(d.dweights) @ cache.Q / math.sqrt(cache.Q.shape[-1])


def attention_steps_backward__dK__weights_as_gradient(cache):
    """You mixed the queries with the weights. The weights are a value of the forward, and a gradient is needed."""
    return _turned(cache.weights) @ cache.Q


def attention_steps_backward__dK__batch_summed(cache, d):
    """You summed over the batch. Each sequence has keys of its own, so K keeps its batch axis."""
    return torch.einsum("bts,btd->sd", d.dscores, cache.Q)


# attention_backward: the same in one function, out = softmax(Q K^T / sqrt(d)) V


def attention_backward__dQ__scale_forgotten(K, d):
    """You left out the root of d. The forward divides the scores by it, so the gradient of Q is divided as well."""
    return d.dscaled @ K


# Dividing by sqrt(d) twice gives the same numbers.
def attention_backward__dQ__divided_by_d(K, d):
    """You divided by d, or by its root twice. The forward divides by the root of d, once."""
    return d.dscaled @ K / K.shape[-1]


def attention_backward__dQ__size_of_the_values(K, V, d):
    """You took the root of the size of V. The scores were divided by the root of the size of a query."""
    return d.dscaled @ K / math.sqrt(V.shape[-1])


def attention_backward__dQ__sum_forgotten(K, weights, d):
    """In the softmax you left out what the weights of a row do to each other. When one rises, the others fall."""
    return _without_the_sum(weights, d.dweights) @ K / math.sqrt(K.shape[-1])


def attention_backward__dQ__diagonal(K, weights, d):
    """In the softmax you used each score's effect on its own weight only. It also lowers the others of its row."""
    return _diagonal(weights, d.dweights) @ K / math.sqrt(K.shape[-1])


def attention_backward__dQ__sum_unweighted(K, weights, d):
    """In the softmax you subtracted the plain sum of a row. It has to be taken with the weights."""
    return _unweighted(weights, d.dweights) @ K / math.sqrt(K.shape[-1])


def attention_backward__dQ__over_queries(K, weights, d):
    """In the softmax you summed over the queries. It runs along each row, over the positions."""
    return _over_queries(weights, d.dweights) @ K / math.sqrt(K.shape[-1])


def attention_backward__dQ__sign(K, weights, d):
    """In the softmax you added the row's sum. The weights compete for a total of one, so it is subtracted."""
    return _plus(weights, d.dweights) @ K / math.sqrt(K.shape[-1])


def attention_backward__dQ__softmax_skipped(K, d):
    """You left out the softmax. It lies between the weights and the scores, and couples the entries of a row."""
    return d.dweights @ K / math.sqrt(K.shape[-1])


def attention_backward__dK__scale_forgotten(Q, d):
    """You left out the root of d. The forward divides the scores by it, so the gradient of K is divided as well."""
    return _turned(d.dscaled) @ Q


# Dividing by sqrt(d) twice gives the same numbers.
def attention_backward__dK__divided_by_d(Q, d):
    """You divided by d, or by its root twice. The forward divides by the root of d, once."""
    return _turned(d.dscaled) @ Q / Q.shape[-1]


def attention_backward__dK__sum_forgotten(Q, weights, d):
    """In the softmax you left out what the weights of a row do to each other. When one rises, the others fall."""
    return _turned(_without_the_sum(weights, d.dweights)) @ Q / math.sqrt(Q.shape[-1])


def attention_backward__dK__diagonal(Q, weights, d):
    """In the softmax you used each score's effect on its own weight only. It also lowers the others of its row."""
    return _turned(_diagonal(weights, d.dweights)) @ Q / math.sqrt(Q.shape[-1])


def attention_backward__dK__sum_unweighted(Q, weights, d):
    """In the softmax you subtracted the plain sum of a row. It has to be taken with the weights."""
    return _turned(_unweighted(weights, d.dweights)) @ Q / math.sqrt(Q.shape[-1])


def attention_backward__dK__over_queries(Q, weights, d):
    """In the softmax you summed over the queries. It runs along each row, over the positions."""
    return _turned(_over_queries(weights, d.dweights)) @ Q / math.sqrt(Q.shape[-1])


def attention_backward__dK__softmax_skipped(Q, d):
    """You left out the softmax. It lies between the weights and the scores, and couples the entries of a row."""
    return _turned(d.dweights) @ Q / math.sqrt(Q.shape[-1])


def attention_backward__dK__not_transposed(Q, d):
    """You multiplied by the gradient of the scores as it stands. Its rows are queries, and the rows of K positions."""
    return d.dscores @ Q


def attention_backward__dK__reshaped(Q, d):
    """You turned the gradient of the scores over by reshaping. That keeps the order of the numbers."""
    B, T, S = d.dscores.shape
    return d.dscores.reshape(B, S, T) @ Q


def attention_backward__dV__not_transposed(dout, weights):
    """You multiplied by the weights as they stand. They have a row for each query, and V has one for each position."""
    return weights @ dout


def attention_backward__dV__reshaped(dout, weights):
    """You turned the weights over by reshaping. That keeps the order of the numbers, a transpose changes it."""
    B, T, S = weights.shape
    return weights.reshape(B, S, T) @ dout


def attention_backward__dV__weights_forgotten(dout, V):
    """You gave every position the whole upstream gradient of every query. A query reads a position with a weight."""
    return dout.sum(dim=1, keepdim=True).expand_as(V)


def attention_backward__dV__scores_as_weights(dout, Q, K):
    """You used the scores where the weights belong. The values are mixed after the softmax."""
    return K @ _turned(Q) / math.sqrt(Q.shape[-1]) @ dout


def attention_backward__dV__scaled(dout, weights, Q):
    """You divided by the root of d. It belongs to the scores, and the values never meet them."""
    return _turned(weights) @ dout / math.sqrt(Q.shape[-1])


def attention_backward__dV__averaged(dout, weights):
    """You took the mean over the queries. Each query reads the values by itself, so what they send back adds up."""
    return _turned(weights) @ dout / dout.shape[1]


# cross_attention_backward: Q = x Wq, K = context Wk, V = context Wv, att = weights V, out = att Wo


def cross_attention_backward__dx__scale_forgotten(cache, d):
    """You left out the root of d on the way to the queries. The forward divides the scores by it."""
    return d.dscaled @ cache.K @ cache.Wq.T


# Dividing by sqrt(d) twice gives the same numbers.
def cross_attention_backward__dx__divided_by_d(cache, d):
    """You divided by d, or by its root twice. The forward divides the scores by the root of d, once."""
    return d.dscaled @ cache.K @ cache.Wq.T / cache.Q.shape[-1]


def cross_attention_backward__dx__context_added(cache, d):
    """You added the gradient of the keys, as in self-attention. Here x makes the queries only."""
    return d.dQ @ cache.Wq.T + d.dK @ cache.Wk.T


def cross_attention_backward__dx__sum_forgotten(cache, d):
    """In the softmax you left out what the weights of a row do to each other. When one rises, the others fall."""
    dQ = _without_the_sum(cache.weights, d.dweights) @ cache.K / math.sqrt(cache.K.shape[-1])
    return dQ @ cache.Wq.T


def cross_attention_backward__dx__diagonal(cache, d):
    """In the softmax you used each score's effect on its own weight only. It also lowers the others of its row."""
    dQ = _diagonal(cache.weights, d.dweights) @ cache.K / math.sqrt(cache.K.shape[-1])
    return dQ @ cache.Wq.T


def cross_attention_backward__dx__softmax_skipped(cache, d):
    """You left out the softmax. It lies between the weights and the scores, and couples the entries of a row."""
    return d.dweights @ cache.K @ cache.Wq.T / math.sqrt(cache.K.shape[-1])


def cross_attention_backward__dx__stopped_at_the_queries(d):
    """You returned the gradient of Q. One matmul still lies between x and the queries."""
    return d.dQ.clone()


def cross_attention_backward__dcontext__keys_dropped(cache, d):
    """You followed context through the values only. It makes the keys as well, and two uses add."""
    return d.dV @ cache.Wv.T


def cross_attention_backward__dcontext__values_dropped(cache, d):
    """You followed context through the keys only. It makes the values as well, and two uses add."""
    return d.dK @ cache.Wk.T


def cross_attention_backward__dcontext__multiplied(cache, d):
    """You multiplied the gradients of the two uses. Each use moves the output by itself, so they add."""
    return (d.dK @ cache.Wk.T) * (d.dV @ cache.Wv.T)


def cross_attention_backward__dcontext__subtracted(cache, d):
    """You subtracted one use from the other. Both raise or lower the output by themselves, so they add."""
    return d.dV @ cache.Wv.T - d.dK @ cache.Wk.T


def cross_attention_backward__dcontext__scale_forgotten(cache, d):
    """On the way through the keys you left out the root of d. The forward divides the scores by it."""
    return _turned(d.dscaled) @ cache.Q @ cache.Wk.T + d.dV @ cache.Wv.T


def cross_attention_backward__dcontext__sum_forgotten(cache, d):
    """On the way through the keys, in the softmax, you left out what the weights of a row do to each other."""
    dK = _turned(_without_the_sum(cache.weights, d.dweights)) @ cache.Q / math.sqrt(cache.Q.shape[-1])
    return dK @ cache.Wk.T + d.dV @ cache.Wv.T


def cross_attention_backward__dWq__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same Wq, so what they send back adds up."""
    return _turned(cache.x) @ d.dQ


def cross_attention_backward__dWq__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so what the sequences send back adds up in full."""
    return torch.einsum("bte,btd->ed", cache.x, d.dQ) / cache.x.shape[0]


def cross_attention_backward__dWq__last_position(cache, d):
    """You used the last position of each sequence only. Wq makes the query of every position."""
    return cache.x[:, -1].T @ d.dQ[:, -1]


def cross_attention_backward__dWq__transposed(cache, d):
    """Your result is turned over. Wq has a row for each column of x, and a column for each of Q."""
    return torch.einsum("btd,bte->de", d.dQ, cache.x)


def cross_attention_backward__dWq__wrong_stream(cache, d):
    """You used context. The queries are made from x, and Wq was multiplied by x."""
    return (_turned(cache.context) @ d.dQ).sum(dim=0)


def cross_attention_backward__dWq__scale_forgotten(cache, d):
    """You left out the root of d on the way to the queries. The forward divides the scores by it."""
    return torch.einsum("bte,btd->ed", cache.x, d.dscaled @ cache.K)


# Dividing by sqrt(d) twice gives the same numbers.
def cross_attention_backward__dWq__divided_by_d(cache, d):
    """You divided by d, or by its root twice. The forward divides the scores by the root of d, once."""
    return torch.einsum("bte,btd->ed", cache.x, d.dscaled @ cache.K / cache.Q.shape[-1])


def cross_attention_backward__dWk__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same Wk, so what they send back adds up."""
    return _turned(cache.context) @ d.dK


def cross_attention_backward__dWk__last_position(cache, d):
    """You used the last position of each context only. Wk makes the key of every position."""
    return cache.context[:, -1].T @ d.dK[:, -1]


def cross_attention_backward__dWk__transposed(cache, d):
    """Your result is turned over. Wk has a row for each column of context, and a column for each of K."""
    return torch.einsum("bsd,bsf->df", d.dK, cache.context)


def cross_attention_backward__dWk__wrong_stream(cache, d):
    """You used x. The keys are made from context, and Wk was multiplied by context."""
    return (_turned(cache.x) @ d.dK).sum(dim=0)


def cross_attention_backward__dWk__scale_forgotten(cache, d):
    """You left out the root of d on the way to the keys. The forward divides the scores by it."""
    return torch.einsum("bsf,bsd->fd", cache.context, _turned(d.dscaled) @ cache.Q)


def cross_attention_backward__dWk__sum_forgotten(cache, d):
    """In the softmax you left out what the weights of a row do to each other. When one rises, the others fall."""
    dK = _turned(_without_the_sum(cache.weights, d.dweights)) @ cache.Q / math.sqrt(cache.Q.shape[-1])
    return torch.einsum("bsf,bsd->fd", cache.context, dK)


def cross_attention_backward__dWk__diagonal(cache, d):
    """In the softmax you used each score's effect on its own weight only. It also lowers the others of its row."""
    dK = _turned(_diagonal(cache.weights, d.dweights)) @ cache.Q / math.sqrt(cache.Q.shape[-1])
    return torch.einsum("bsf,bsd->fd", cache.context, dK)


def cross_attention_backward__dWk__sum_unweighted(cache, d):
    """In the softmax you subtracted the plain sum of a row. It has to be taken with the weights."""
    dK = _turned(_unweighted(cache.weights, d.dweights)) @ cache.Q / math.sqrt(cache.Q.shape[-1])
    return torch.einsum("bsf,bsd->fd", cache.context, dK)


def cross_attention_backward__dWk__softmax_skipped(cache, d):
    """You left out the softmax. It lies between the weights and the scores, and couples the entries of a row."""
    dK = _turned(d.dweights) @ cache.Q / math.sqrt(cache.Q.shape[-1])
    return torch.einsum("bsf,bsd->fd", cache.context, dK)


def cross_attention_backward__dWk__reshaped(cache, d):
    """You turned the gradient of the scores over by reshaping. That keeps the order of the numbers."""
    B, T, S = cache.scores.shape
    return torch.einsum("bsf,bsd->fd", cache.context, d.dscores.reshape(B, S, T) @ cache.Q)


def cross_attention_backward__dWv__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same Wv, so what they send back adds up."""
    return _turned(cache.context) @ d.dV


def cross_attention_backward__dWv__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so what the sequences send back adds up in full."""
    return torch.einsum("bsf,bsv->fv", cache.context, d.dV) / cache.context.shape[0]


def cross_attention_backward__dWv__last_position(cache, d):
    """You used the last position of each context only. Wv makes the value of every position."""
    return cache.context[:, -1].T @ d.dV[:, -1]


def cross_attention_backward__dWv__transposed(cache, d):
    """Your result is turned over. Wv has a row for each column of context, and a column for each of V."""
    return torch.einsum("bsv,bsf->vf", d.dV, cache.context)


def cross_attention_backward__dWv__weights_forgotten(cache, d):
    """You gave every position the whole gradient of att. A query reads a position with a weight."""
    return torch.einsum("bsf,btv->fv", cache.context, d.datt)


def cross_attention_backward__dWv__scores_as_weights(cache, d):
    """You used the scores where the weights belong. The values are mixed after the softmax."""
    return torch.einsum("bsf,bts,btv->fv", cache.context, cache.scaled, d.datt)


def cross_attention_backward__dWv__reshaped(cache, d):
    """You turned the weights over by reshaping. That keeps the order of the numbers, a transpose changes it."""
    B, T, S = cache.weights.shape
    return torch.einsum("bsf,bsv->fv", cache.context, cache.weights.reshape(B, S, T) @ d.datt)


def cross_attention_backward__dWo__batch_not_summed(dout, cache):
    """You kept one gradient for each sequence. They all use the same Wo, so what they send back adds up."""
    return _turned(cache.att) @ dout


def cross_attention_backward__dWo__averaged(dout, cache):
    """You took the mean over the batch. The forward takes none, so what the sequences send back adds up in full."""
    return torch.einsum("btv,btm->vm", cache.att, dout) / dout.shape[0]


def cross_attention_backward__dWo__last_position(dout, cache):
    """You used the last position of each sequence only. Wo makes the output of every position."""
    return cache.att[:, -1].T @ dout[:, -1]


def cross_attention_backward__dWo__transposed(dout, cache):
    """Your result is turned over. Wo has a row for each column of att, and a column for each of out."""
    return torch.einsum("btm,btv->mv", dout, cache.att)


def cross_attention_backward__dWo__values_as_input(dout, cache):
    """You used the values themselves. What Wo was multiplied by is att, the mixture that the weights made of them."""
    return torch.einsum("bsv,btm->vm", cache.V, dout)


def cross_attention_backward__dWo__upstream_forgotten(dout, cache):
    """You put ones where the upstream gradient belongs. Each output has an upstream gradient of its own."""
    return torch.einsum("btv,btm->vm", cache.att, torch.ones_like(dout))
