"""Wrong gradients that people write for a transformer block. Each docstring is what the student is told."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def _over_positions(values, upstream):
    """Return what a weight gets that was multiplied by these values at every position."""
    return torch.einsum("btk,btj->kj", values, upstream)


def _joined(*heads):
    """Return heads (B, h, T, d) of several parts side by side behind the positions."""
    return torch.cat([part.transpose(1, 2).flatten(2) for part in heads], dim=2)


def _of_scores(dscores, cache, d):
    """Return what comes back to qkv from another gradient of the scaled scores."""
    root = math.sqrt(cache.Q.shape[3])
    return _joined(dscores @ cache.K / root, dscores.mT @ cache.Q / root, d.dV)


def _scale_forgotten(cache, d):
    root = math.sqrt(cache.Q.shape[3])
    return _joined(d.dQ * root, d.dK * root, d.dV)


def _root_of_the_width(cache, d):
    factor = 1 / math.sqrt(cache.heads)
    return _joined(d.dQ * factor, d.dK * factor, d.dV)


def _sum_forgotten(cache, d):
    return _of_scores(cache.weights * d.dweights, cache, d)


def _diagonal(cache, d):
    return _of_scores(cache.weights * (1 - cache.weights) * d.dweights, cache, d)


def _not_turned(cache, d):
    return _joined(d.dQ, d.dscores @ cache.Q / math.sqrt(cache.Q.shape[3]), d.dV)


def _backward_order(d):
    return _joined(d.dV, d.dK, d.dQ)


def _heads_not_moved(d):
    B, heads, T, size = d.dQ.shape
    return torch.cat([each.reshape(B, T, heads * size) for each in (d.dQ, d.dK, d.dV)], dim=2)


def _gelu_exact(cache, d):
    x = cache.pre
    density = (-(x**2) / 2).exp() / math.sqrt(2 * math.pi)
    return d.dact * (0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * density)


def _gelu_as_relu(cache, d):
    return d.dact * (cache.pre > 0)


def transformer_block_backward__dx__residual_forgotten(d):
    """This is what comes back through attention. x goes on beside it as well, and two uses add."""
    return d.dx - d.dmid


def transformer_block_backward__dx__attention_forgotten(d):
    """This is what goes on beside attention. x goes into it as well, and two uses add."""
    return d.dmid.clone()


def transformer_block_backward__dx__only_the_residuals(dout):
    """You returned the upstream gradient. It goes back beside both parts, but also through them."""
    return dout.clone()


def transformer_block_backward__dx__network_forgotten_beside(dout, d):
    """Beside attention you passed dout on. mid receives what comes back through the small network as well."""
    return d.dx - d.dmid + dout


def transformer_block_backward__dx__norm_skipped(d):
    """You left out the first layer norm. It lies between x and attention."""
    return d.dmid + d.dln1


def transformer_block_backward__dx__gain_only(cache, d):
    """Of the first layer norm you went back through the gain only. Mean and spread move with x."""
    return d.dmid + d.dln1 * cache.ln1_gain


def transformer_block_backward__dx__norm_constant(cache, d):
    """In the first layer norm you took mean and spread for constants. They move with every feature of the position."""
    return d.dmid + d.dln1_raw * cache.ln1_rstd


def transformer_block_backward__dx__variance_forgotten(cache, d):
    """In the first layer norm the path through the variance is missing."""
    return d.dmid + cache.ln1_rstd * (d.dln1_raw - d.dln1_raw.mean(2, keepdim=True))


def transformer_block_backward__dx__gain_too_late(cache, d):
    """In the layer norm you put the gain in front of all. It differs along the averaged axis, so it comes first."""
    inner = d.dln1 - d.dln1.mean(2, keepdim=True) - cache.ln1_raw * (d.dln1 * cache.ln1_raw).mean(2, keepdim=True)
    return d.dmid + cache.ln1_gain * cache.ln1_rstd * inner


def transformer_block_backward__dx__residual_twice(dout, d):
    """You added dout as well. It is in the gradient of mid already."""
    return d.dx + dout


def transformer_block_backward__dln1_gain__not_summed(cache, d):
    """You kept one gradient for each position. All used the same gain, and what comes back from them adds up."""
    return d.dln1 * cache.ln1_raw


def transformer_block_backward__dln1_gain__batch_only(cache, d):
    """You summed over the batch only. All positions of a sequence share the gain as well, so two axes are summed."""
    return (d.dln1 * cache.ln1_raw).sum(0)


def transformer_block_backward__dln1_gain__averaged(cache, d):
    """You took the mean. The forward takes none, so what the positions send back adds up in full."""
    return (d.dln1 * cache.ln1_raw).mean((0, 1))


def transformer_block_backward__dln1_gain__times_x(cache, d):
    """You multiplied by x. The gain is multiplied by values that are normalised already."""
    return (d.dln1 * cache.x).sum((0, 1))


def transformer_block_backward__dln1_gain__times_the_result(cache, d):
    """You multiplied by ln1, which has gain and bias in it already. The gain's partner is ln1_raw."""
    return (d.dln1 * cache.ln1).sum((0, 1))


def transformer_block_backward__dln1_gain__of_the_residual(cache, d):
    """You used the gradient of mid. What reaches the gain has come back through attention."""
    return (d.dmid * cache.ln1_raw).sum((0, 1))


def transformer_block_backward__dln1_bias__not_summed(d):
    """You kept one gradient for each position. All used the same bias, and what comes back from them adds up."""
    return d.dln1.clone()


def transformer_block_backward__dln1_bias__batch_only(d):
    """You summed over the batch only. All positions of a sequence share the bias as well, so two axes are summed."""
    return d.dln1.sum(0)


def transformer_block_backward__dln1_bias__averaged(d):
    """You took the mean. The forward takes none, so what the positions send back adds up in full."""
    return d.dln1.mean((0, 1))


def transformer_block_backward__dln1_bias__times_gain(cache, d):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (d.dln1 * cache.ln1_gain).sum((0, 1))


def transformer_block_backward__dln1_bias__of_the_residual(d):
    """You used the gradient of mid. What reaches the bias has come back through attention."""
    return d.dmid.sum((0, 1))


def transformer_block_backward__dWqkv__scale_forgotten(cache, d):
    """In attention you left out the root of d. The forward divides the scores by it."""
    return _over_positions(cache.ln1, _scale_forgotten(cache, d))


def transformer_block_backward__dWqkv__root_of_the_width(cache, d):
    """In attention you took the root of the whole width. d is the size of one head."""
    return _over_positions(cache.ln1, _root_of_the_width(cache, d))


def transformer_block_backward__dWqkv__sum_forgotten(cache, d):
    """In the softmax you left out what the weights of a row do to each other. If one rises, the others fall."""
    return _over_positions(cache.ln1, _sum_forgotten(cache, d))


def transformer_block_backward__dWqkv__diagonal(cache, d):
    """In the softmax you used each score's effect on its own weight only. It also lowers the others of its row."""
    return _over_positions(cache.ln1, _diagonal(cache, d))


def transformer_block_backward__dWqkv__not_turned(cache, d):
    """For the keys you did not turn the scores' gradient over. Its rows are queries, and it is square."""
    return _over_positions(cache.ln1, _not_turned(cache, d))


def transformer_block_backward__dWqkv__backward_order(cache, d):
    """The parts of dqkv stand in the order in which you found them. The forward has queries, keys, values."""
    return _over_positions(cache.ln1, _backward_order(d))


def transformer_block_backward__dWqkv__heads_not_moved(cache, d):
    """You joined the heads without moving them behind the positions first."""
    return _over_positions(cache.ln1, _heads_not_moved(d))


def transformer_block_backward__dWqkv__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same Wqkv, so what they send back adds up."""
    return cache.ln1.mT @ d.dqkv


def transformer_block_backward__dWqkv__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so the sequences add up in full."""
    return d.dWqkv / cache.x.shape[0]


def transformer_block_backward__dWqkv__of_x(cache, d):
    """You multiplied by x. Wqkv stands behind the layer norm and was multiplied by ln1."""
    return _over_positions(cache.x, d.dqkv)


def transformer_block_backward__dWqkv__of_ln1_raw(cache, d):
    """You multiplied by ln1_raw. Wqkv was multiplied by ln1, which has gain and bias."""
    return _over_positions(cache.ln1_raw, d.dqkv)


def transformer_block_backward__dWo__network_forgotten(dout, cache):
    """You used dout. mid receives what comes back through the small network as well, and two uses add."""
    return _over_positions(cache.merged, dout)


def transformer_block_backward__dWo__residual_forgotten(dout, cache, d):
    """You used what comes back through the small network. mid goes on beside it as well, and two uses add."""
    return _over_positions(cache.merged, d.dmid - dout)


def transformer_block_backward__dWo__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same Wo, so what they send back adds up."""
    return cache.merged.mT @ d.dmid


def transformer_block_backward__dWo__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so the sequences add up in full."""
    return d.dWo / cache.x.shape[0]


def transformer_block_backward__dWo__transposed(d):
    """Your result is turned over. Its rows belong to merged. Wo is square and does not warn you."""
    return d.dWo.T


def transformer_block_backward__dWo__of_ln1(cache, d):
    """You multiplied by ln1. Wo was multiplied by merged, what attention has made of it."""
    return _over_positions(cache.ln1, d.dmid)


def transformer_block_backward__dWo__of_mid(cache, d):
    """You multiplied by mid, which is the result. Wo was multiplied by merged."""
    return _over_positions(cache.mid, d.dmid)


def transformer_block_backward__dWo__heads_not_moved(cache, d):
    """You joined the heads without moving them behind the positions first. Use merged."""
    return _over_positions(cache.att.reshape(cache.merged.shape), d.dmid)


def transformer_block_backward__dln2_gain__not_summed(cache, d):
    """You kept one gradient for each position. All used the same gain, and what comes back from them adds up."""
    return d.dln2 * cache.ln2_raw


def transformer_block_backward__dln2_gain__batch_only(cache, d):
    """You summed over the batch only. All positions of a sequence share the gain as well, so two axes are summed."""
    return (d.dln2 * cache.ln2_raw).sum(0)


def transformer_block_backward__dln2_gain__averaged(cache, d):
    """You took the mean. The forward takes none, so what the positions send back adds up in full."""
    return (d.dln2 * cache.ln2_raw).mean((0, 1))


def transformer_block_backward__dln2_gain__times_mid(cache, d):
    """You multiplied by mid. The gain is multiplied by values that are normalised already."""
    return (d.dln2 * cache.mid).sum((0, 1))


def transformer_block_backward__dln2_gain__times_the_result(cache, d):
    """You multiplied by ln2, which has gain and bias in it already. The gain's partner is ln2_raw."""
    return (d.dln2 * cache.ln2).sum((0, 1))


def transformer_block_backward__dln2_gain__of_the_residual(cache, d):
    """You used the gradient of out. What reaches the gain has come back through the small network."""
    return (d.dout * cache.ln2_raw).sum((0, 1))


def transformer_block_backward__dln2_bias__not_summed(d):
    """You kept one gradient for each position. All used the same bias, and what comes back from them adds up."""
    return d.dln2.clone()


def transformer_block_backward__dln2_bias__batch_only(d):
    """You summed over the batch only. All positions of a sequence share the bias as well, so two axes are summed."""
    return d.dln2.sum(0)


def transformer_block_backward__dln2_bias__averaged(d):
    """You took the mean. The forward takes none, so what the positions send back adds up in full."""
    return d.dln2.mean((0, 1))


def transformer_block_backward__dln2_bias__times_gain(cache, d):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (d.dln2 * cache.ln2_gain).sum((0, 1))


def transformer_block_backward__dln2_bias__of_the_residual(d):
    """You used the gradient of out. What reaches the bias has come back through the small network."""
    return d.dout.sum((0, 1))


def transformer_block_backward__dW1__gelu_skipped(cache, d):
    """You left out the gelu. It lies between W1 and act."""
    return _over_positions(cache.ln2, d.dact)


def transformer_block_backward__dW1__gelu_exact(cache, d):
    """You used the slope of the exact gelu. The forward goes by tanh."""
    return _over_positions(cache.ln2, _gelu_exact(cache, d))


def transformer_block_backward__dW1__gelu_as_relu(cache, d):
    """You used the slope of a relu. The gelu is smooth."""
    return _over_positions(cache.ln2, _gelu_as_relu(cache, d))


def transformer_block_backward__dW1__of_mid(cache, d):
    """You multiplied by mid. W1 stands behind the layer norm and was multiplied by ln2."""
    return _over_positions(cache.mid, d.dpre)


def transformer_block_backward__dW1__of_ln2_raw(cache, d):
    """You multiplied by ln2_raw. W1 was multiplied by ln2, which has gain and bias."""
    return _over_positions(cache.ln2_raw, d.dpre)


def transformer_block_backward__dW1__batch_not_summed(cache, d):
    """You kept one gradient for each sequence. They all use the same W1, so what they send back adds up."""
    return cache.ln2.mT @ d.dpre


def transformer_block_backward__dW1__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so the sequences add up in full."""
    return d.dW1 / cache.x.shape[0]


def transformer_block_backward__dW1__transposed(d):
    """Your result is turned over. Its rows belong to ln2."""
    return d.dW1.T


def transformer_block_backward__db1__gelu_skipped(d):
    """You left out the gelu. It lies between b1 and act."""
    return d.dact.sum((0, 1))


def transformer_block_backward__db1__gelu_exact(cache, d):
    """You used the slope of the exact gelu. The forward goes by tanh."""
    return _gelu_exact(cache, d).sum((0, 1))


def transformer_block_backward__db1__gelu_as_relu(cache, d):
    """You used the slope of a relu. The gelu is smooth."""
    return _gelu_as_relu(cache, d).sum((0, 1))


def transformer_block_backward__db1__not_summed(d):
    """You kept one gradient for each position. All used the same bias, and what comes back from them adds up."""
    return d.dpre.clone()


def transformer_block_backward__db1__batch_only(d):
    """You summed over the batch only. All positions of a sequence share the bias as well, so two axes are summed."""
    return d.dpre.sum(0)


def transformer_block_backward__db1__averaged(d):
    """You took the mean. The forward takes none, so what the positions send back adds up in full."""
    return d.dpre.mean((0, 1))


def transformer_block_backward__dW2__of_pre(dout, cache):
    """You multiplied by pre. W2 stands behind the gelu and was multiplied by act."""
    return _over_positions(cache.pre, dout)


def transformer_block_backward__dW2__of_a_relu(dout, cache):
    """You multiplied by a relu of pre. W2 was multiplied by act, which a gelu made."""
    return _over_positions(F.relu(cache.pre), dout)


def transformer_block_backward__dW2__of_the_gradient_of_mid(cache, d):
    """You used the gradient of mid. W2 is behind mid, so all it gets is dout."""
    return _over_positions(cache.act, d.dmid)


def transformer_block_backward__dW2__batch_not_summed(dout, cache):
    """You kept one gradient for each sequence. They all use the same W2, so what they send back adds up."""
    return cache.act.mT @ dout


def transformer_block_backward__dW2__averaged(dout, d):
    """You took the mean over the batch. The forward takes none, so the sequences add up in full."""
    return d.dW2 / dout.shape[0]


def transformer_block_backward__dW2__transposed(d):
    """Your result is turned over. Its rows belong to act."""
    return d.dW2.T


def transformer_block_backward__db2__not_summed(dout):
    """You kept one gradient for each position. All used the same bias, and what comes back from them adds up."""
    return dout.clone()


def transformer_block_backward__db2__batch_only(dout):
    """You summed over the batch only. All positions of a sequence share the bias as well, so two axes are summed."""
    return dout.sum(0)


def transformer_block_backward__db2__averaged(dout):
    """You took the mean. The forward takes none, so what the positions send back adds up in full."""
    return dout.mean((0, 1))


def transformer_block_backward__db2__of_the_gradient_of_mid(d):
    """You used the gradient of mid. b2 is behind mid, so all it gets is dout."""
    return d.dmid.sum((0, 1))
