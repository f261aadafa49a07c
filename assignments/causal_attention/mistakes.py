"""Wrong gradients that people write for causal attention. Each docstring is what the student is told."""

import math

import torch


def _split(tensor, cache):
    """Return the heads of a tensor (B, T, E) as they were cut: (B, h, T, d)."""
    B, T, E = tensor.shape
    return tensor.reshape(B, T, cache.heads, E // cache.heads).transpose(1, 2)


def _joined(tensor):
    B, heads, T, d = tensor.shape
    return tensor.transpose(1, 2).reshape(B, T, heads * d)


def _root(cache):
    return math.sqrt(cache.Q.shape[3])


def causal_attention_backward__dWo__batch_not_summed(dout, cache):
    """You kept one gradient for each sequence. They all use the same Wo, so what they send back adds up."""
    return cache.merged.mT @ dout


def causal_attention_backward__dWo__averaged(dout, cache):
    """You took the mean over the batch. The forward takes none, so what the sequences send back adds up in full."""
    return (cache.merged.mT @ dout).mean(0)


def causal_attention_backward__dWo__transposed(dout, cache):
    """Your result is turned over. Wo has a row for each column of merged, and a column for each of out."""
    return torch.einsum("btj,btk->jk", dout, cache.merged)


def causal_attention_backward__dWo__input_as_partner(dout, cache):
    """You used x. What Wo was multiplied by is merged, what attention has made of x."""
    return torch.einsum("btk,btj->kj", cache.x, dout)


def causal_attention_backward__dWo__heads_not_moved(dout, cache):
    """You joined the heads of att without moving them behind the positions first. Use merged, as the forward did."""
    return torch.einsum("btk,btj->kj", cache.att.reshape(dout.shape), dout)


def causal_attention_backward__dmerged__not_transposed(dout, cache):
    """You multiplied by Wo as it stands. Its columns belong to out, so they must meet dout: turn it over."""
    return dout @ cache.Wo


def causal_attention_backward__dmerged__projection_skipped(dout):
    """You returned the upstream gradient. Between merged and the output stands one more matmul."""
    return dout.clone()


def causal_attention_backward__datt__heads_not_moved(cache, d):
    """You cut the numbers into heads and did not move them. Split the last axis, then exchange heads and positions."""
    return d.dmerged.reshape(cache.att.shape)


def causal_attention_backward__datt__split_the_other_way(cache, d):
    """You split the last axis into d and heads. The forward put the heads side by side: first the head, then its d."""
    B, T, E = d.dmerged.shape
    return d.dmerged.reshape(B, T, E // cache.heads, cache.heads).permute(0, 3, 1, 2)


def causal_attention_backward__dV__dropout_forgotten(cache, d):
    """You used the weights before dropout. The values were multiplied by what dropout left of them."""
    return cache.weights.mT @ d.datt


def causal_attention_backward__dV__scale_of_dropout_forgotten(cache, d):
    """You used the weights that were kept and left out their scale. Dropout also divides by 1 - p."""
    return (cache.weights * cache.keep).mT @ d.datt


def causal_attention_backward__dV__not_transposed(cache, d):
    """You multiplied by the weights as they stand. A row of them is a query, and V has a row for each position."""
    return cache.dropped @ d.datt


def causal_attention_backward__dV__averaged(cache, d):
    """You took the mean over the queries. Each query reads the values by itself, so what they send back adds up."""
    return cache.dropped.mT @ d.datt / cache.x.shape[1]


def causal_attention_backward__dV__head_of_queries(cache, d):
    """You multiplied by the queries. The values met the weights that dropout left, and nothing else."""
    return cache.Q * d.datt


def causal_attention_backward__ddropped__one_step_ahead(cache, d):
    """You went through dropout as well. That is the next step back."""
    return d.datt @ cache.V.mT * cache.keep / (1 - cache.p)


def causal_attention_backward__ddropped__values_of_keys(cache, d):
    """You multiplied by the keys. The weights mix the values."""
    return d.datt @ cache.K.mT


def causal_attention_backward__ddropped__transposed(cache, d):
    """Your result is turned over. Its rows are queries and its columns positions."""
    return cache.V @ d.datt.mT


def causal_attention_backward__ddropped__masked_too_soon(cache, d):
    """You cut off the future here. That is the mask's, two steps back; a weight of zero may well have a slope."""
    return d.datt @ cache.V.mT * cache.causal


def causal_attention_backward__dweights__mask_forgotten(cache, d):
    """You scaled all entries. A weight that was dropped cannot change the output."""
    return d.ddropped / (1 - cache.p)


def causal_attention_backward__dweights__scale_forgotten(cache, d):
    """You left out the scale. What was kept was divided by 1 - p in the forward, and so is its gradient."""
    return d.ddropped * cache.keep


def causal_attention_backward__dweights__passed_on(d):
    """You passed the gradient through dropout unchanged. It drops some entries and enlarges the others."""
    return d.ddropped.clone()


def causal_attention_backward__dweights__kept_share(cache, d):
    """You took p for the share that is kept. It is the share that is dropped, as in torch."""
    return d.ddropped * cache.keep / cache.p


def causal_attention_backward__dweights__mask_turned(cache, d):
    """You kept the entries that were dropped. keep is 1 where a weight goes on."""
    return d.ddropped * (1 - cache.keep) / (1 - cache.p)


def causal_attention_backward__dweights__scale_turned(cache, d):
    """You multiplied by 1 - p. The forward divides by it, and a division stays one on the way back."""
    return d.ddropped * cache.keep * (1 - cache.p)


def causal_attention_backward__dweights__causal_for_keep(cache, d):
    """You used the causal mask. This step is dropout's, and keep says what it left."""
    return d.ddropped * cache.causal / (1 - cache.p)


def causal_attention_backward__dmasked__sum_forgotten(cache, d):
    """You left out what the weights of a row do to each other. If one rises, the others fall, so rows sum to zero."""
    return cache.weights * d.dweights


def causal_attention_backward__dmasked__diagonal(cache, d):
    """You used each score's effect on its own weight only. It also lowers every other weight of the row."""
    return cache.weights * (1 - cache.weights) * d.dweights


def causal_attention_backward__dmasked__sum_unweighted(cache, d):
    """You subtracted the plain sum of the row. Rows of this gradient must sum to zero, so the sum needs the weights."""
    return cache.weights * (d.dweights - d.dweights.sum(3, keepdim=True))


def causal_attention_backward__dmasked__over_queries(cache, d):
    """You summed over the queries. The softmax runs along each row, over the positions, and so does its backward."""
    return cache.weights * (d.dweights - (cache.weights * d.dweights).sum(2, keepdim=True))


def causal_attention_backward__dmasked__sign(cache, d):
    """You added the row's sum. The weights compete for a total of one, so the effect of the others is subtracted."""
    return cache.weights * (d.dweights + (cache.weights * d.dweights).sum(3, keepdim=True))


def causal_attention_backward__dmasked__with_dropped(cache, d):
    """You used the weights after dropout. The softmax's own result comes before it, and its rows sum to one."""
    return cache.dropped * (d.dweights - (cache.dropped * d.dweights).sum(3, keepdim=True))


def causal_attention_backward__dmasked__dropout_skipped(cache, d):
    """You took the gradient from behind dropout. Go back through it first."""
    return cache.weights * (d.ddropped - (cache.weights * d.ddropped).sum(3, keepdim=True))


def causal_attention_backward__dmasked__softmax_skipped(d):
    """You passed the gradient through the softmax unchanged. The softmax bends, and couples the entries of a row."""
    return d.dweights.clone()


def causal_attention_backward__dscores__one_step_ahead(cache, d):
    """You divided by the root of d. It is inside scores, so it belongs to dQ and dK, the next steps back."""
    return d.dmasked / _root(cache)


def causal_attention_backward__dscores__mask_turned(cache, d):
    """You kept what the mask hides. causal is True where a query may look."""
    return d.dmasked * ~cache.causal


def causal_attention_backward__dscores__mask_transposed(cache, d):
    """You turned the mask over. A row is a query, and it may look at positions before it, not behind it."""
    return d.dmasked * cache.causal.T


def causal_attention_backward__dscores__minus_infinity(cache, d):
    """You put minus infinity into the gradient. That is for scores; a gradient that is cut off is zero."""
    return d.dmasked.masked_fill(~cache.causal, -math.inf)


def causal_attention_backward__dQ__scale_forgotten(cache, d):
    """You left out the root of d. The forward divides the scores by it, so the gradient of Q is divided as well."""
    return d.dscores @ cache.K


def causal_attention_backward__dQ__divided_by_d(cache, d):
    """You divided by d, or by its root twice. The forward divides the scores by the root of d, once."""
    return d.dscores @ cache.K / _root(cache) ** 2


def causal_attention_backward__dQ__root_of_the_width(cache, d):
    """You took the root of the whole width. d is the size of one head."""
    return d.dscores @ cache.K / math.sqrt(cache.x.shape[2])


def causal_attention_backward__dQ__times_itself(cache, d):
    """You multiplied by the queries. In a product each factor's partner is the other one, here the keys."""
    return d.dscores @ cache.Q / _root(cache)


def causal_attention_backward__dQ__transposed(cache, d):
    """You turned dscores over. That is for the keys; its rows are queries already."""
    return d.dscores.mT @ cache.K / _root(cache)


def causal_attention_backward__dK__scale_forgotten(cache, d):
    """You left out the root of d. The forward divides the scores by it, so the gradient of K is divided as well."""
    return d.dscores.mT @ cache.Q


def causal_attention_backward__dK__divided_by_d(cache, d):
    """You divided by d, or by its root twice. The forward divides the scores by the root of d, once."""
    return d.dscores.mT @ cache.Q / _root(cache) ** 2


def causal_attention_backward__dK__not_transposed(cache, d):
    """You multiplied by dscores as it stands. Its rows are queries, and the rows of K are positions."""
    return d.dscores @ cache.Q / _root(cache)


def causal_attention_backward__dK__times_itself(cache, d):
    """You multiplied by the keys. In a product each factor's partner is the other one, here the queries."""
    return d.dscores.mT @ cache.K / _root(cache)


def causal_attention_backward__dqkv__heads_not_moved(d):
    """You joined the heads without moving them behind the positions first, so the numbers stand in other places."""
    B, heads, T, size = d.dQ.shape
    return torch.cat([each.reshape(B, T, heads * size) for each in (d.dQ, d.dK, d.dV)], dim=2)


def causal_attention_backward__dqkv__other_order(d):
    """The three parts are in another order than the forward cut them off. It is queries, keys, values."""
    return torch.cat([_joined(each) for each in (d.dK, d.dQ, d.dV)], dim=2)


def causal_attention_backward__dqkv__backward_order(d):
    """The three parts are in the order in which you found them. The forward has queries, keys, values."""
    return torch.cat([_joined(each) for each in (d.dV, d.dK, d.dQ)], dim=2)


def causal_attention_backward__dqkv__head_by_head(d):
    """You put the three parts of each head side by side. The forward has all queries, all keys, all values."""
    B, heads, T, size = d.dQ.shape
    return torch.cat([d.dQ, d.dK, d.dV], dim=3).transpose(1, 2).reshape(B, T, 3 * heads * size)


def causal_attention_backward__dqkv__added(d):
    """You added the three parts. They lie side by side in qkv, and each goes back to its own columns."""
    return _joined(d.dQ + d.dK + d.dV).repeat(1, 1, 3)


def causal_attention_backward__dWqkv__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same Wqkv, so what they send back adds up."""
    return cache.x.mT @ d.dqkv


def causal_attention_backward__dWqkv__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so what the sequences send back adds up in full."""
    return (cache.x.mT @ d.dqkv).mean(0)


def causal_attention_backward__dWqkv__last_position(cache, d):
    """You used the last position of each sequence only. Wqkv serves every position."""
    return cache.x[:, -1].T @ d.dqkv[:, -1]


def causal_attention_backward__dWqkv__merged_as_partner(cache, d):
    """You multiplied by merged. Wqkv stands in front of attention, and was multiplied by x."""
    return torch.einsum("btk,btj->kj", cache.merged, d.dqkv)


def causal_attention_backward__dx__queries_only(cache, d):
    """You followed x through the queries only. It makes keys and values as well, and three uses add."""
    E = cache.x.shape[2]
    return d.dqkv[..., :E] @ cache.Wqkv[:, :E].T


def causal_attention_backward__dx__values_forgotten(cache, d):
    """You followed x through queries and keys. It makes the values as well, and three uses add."""
    E = cache.x.shape[2]
    return d.dqkv[..., : 2 * E] @ cache.Wqkv[:, : 2 * E].T


def causal_attention_backward__dx__averaged(cache, d):
    """You took the mean of the three uses. Each moves the output by itself, so they add up in full."""
    return d.dqkv @ cache.Wqkv.T / 3


def causal_attention_backward__dx__residual_added(dout, cache, d):
    """You added the upstream gradient. That is for a residual connection, and this forward has none."""
    return dout + d.dqkv @ cache.Wqkv.T
