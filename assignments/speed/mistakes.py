"""Wrong gradients that people write for the whole MLP. Each docstring is what the student is told."""

import torch
from torch.nn.functional import one_hot

# fast_mlp_backward. Three slips travel far, so the bank follows each of them to the gradients that it spoils:
# in the gradient of the logits, in the slope of tanh, and in batch norm.


def _rows(cache):
    return cache.Y.shape[0]


def _target(cache):
    return one_hot(cache.Y, cache.probs.shape[1]).to(cache.probs.dtype)


def _constant_statistics(cache, d):
    return cache.bn_gain * cache.bn_var_inv * d.dh_preact


def _without_variance(cache, d):
    scale = cache.bn_gain * cache.bn_var_inv
    return scale * (d.dh_preact - d.dh_preact.mean(dim=0))


def _without_mean(cache, d):
    scale = cache.bn_gain * cache.bn_var_inv
    return scale * (d.dh_preact - cache.bn_raw * (d.dh_preact * cache.bn_raw).mean(dim=0))


def _places(cache, rows):
    return torch.zeros_like(cache.C).index_put((cache.X,), rows.reshape(cache.emb.shape), accumulate=True)


# dC


# dC[X] += demb gives the same numbers, so one mistake stands for both slips.
def fast_mlp_backward__dC__overwritten(cache, d):
    """You wrote into the rows of dC by index, with = or +=. A repeated character then counts once, and its uses add."""
    table = torch.zeros_like(cache.C)
    table[cache.X] = d.demb
    return table


def fast_mlp_backward__dC__first_position(cache, d):
    """You used the first position of each context only. The forward looks up all three."""
    return torch.zeros_like(cache.C).index_put((cache.X[:, 0],), d.demb[:, 0], accumulate=True)


def fast_mlp_backward__dC__not_collected(d):
    """You returned the gradient of emb. A gradient has the shape of its value, one row for each character."""
    return d.demb.clone()


def fast_mlp_backward__dC__axes_mixed(cache, d):
    """You folded the rows back with the axes exchanged. In emb_cat the first E numbers are the first character."""
    N, T, E = cache.emb.shape
    return _places(cache, d.demb_cat.reshape(N, E, T).transpose(1, 2))


def fast_mlp_backward__dC__averaged(cache, d):
    """You divided by the number of rows once more. The mean of the loss is in the gradient already."""
    return _places(cache, d.demb / _rows(cache))


def fast_mlp_backward__dC__padding(cache, d):
    """You left out the dot, as if it stood for padding. It is a character like any other, and has a gradient."""
    return _places(cache, d.demb * (cache.X > 0).unsqueeze(-1))


def fast_mlp_backward__dC__weights_reshaped(cache, d):
    """You turned W1 over by reshaping. That keeps the order of the numbers, a transpose changes it."""
    return _places(cache, d.dh_prebn @ cache.W1.reshape(cache.W1.shape[1], cache.W1.shape[0]))


def fast_mlp_backward__dC__constant_statistics(cache, d):
    """In batch norm you took mean and variance for constants. They are made of the same column and move with it."""
    return _places(cache, _constant_statistics(cache, d) @ cache.W1.T)


def fast_mlp_backward__dC__variance_path_missing(cache, d):
    """In batch norm you left out the way through the variance. An entry far from the mean changes it."""
    return _places(cache, _without_variance(cache, d) @ cache.W1.T)


def fast_mlp_backward__dC__norm_skipped(cache, d):
    """You left batch norm out altogether. It lies between the first linear layer and tanh."""
    return _places(cache, d.dh_preact @ cache.W1.T)


# dW1


def fast_mlp_backward__dW1__constant_statistics(cache, d):
    """In batch norm you took mean and variance for constants. They are made of the same column and move with it."""
    return cache.emb_cat.T @ _constant_statistics(cache, d)


def fast_mlp_backward__dW1__variance_path_missing(cache, d):
    """In batch norm you left out the way through the variance. An entry far from the mean changes it."""
    return cache.emb_cat.T @ _without_variance(cache, d)


def fast_mlp_backward__dW1__mean_path_missing(cache, d):
    """In batch norm you left out the way through the mean. Lifting a whole column must change nothing."""
    return cache.emb_cat.T @ _without_mean(cache, d)


def fast_mlp_backward__dW1__gain_forgotten(cache, d):
    """In batch norm you left out the gain. It scales every column on the way forward, and on the way back too."""
    return cache.emb_cat.T @ (d.dh_prebn / cache.bn_gain)


def fast_mlp_backward__dW1__bessel(cache, d):
    """In the variance you divided by one less than the number of rows, as the lesson does. This forward does not."""
    n = _rows(cache)
    return cache.emb_cat.T @ (_without_variance(cache, d) * (1 - n / (n - 1)) + d.dh_prebn * n / (n - 1))


def fast_mlp_backward__dW1__variance_sign(cache, d):
    """In batch norm the way through the variance has the wrong sign. A larger variance makes bn_raw smaller."""
    return cache.emb_cat.T @ (2 * _without_variance(cache, d) - d.dh_prebn)


def fast_mlp_backward__dW1__sums_for_means(cache, d):
    """In batch norm you took sums where means belong. Each row has only its share in the mean and the variance."""
    n, direct = _rows(cache), _constant_statistics(cache, d)
    return cache.emb_cat.T @ (direct + n * (d.dh_prebn - direct))


def fast_mlp_backward__dW1__epsilon_forgotten(cache, d):
    """You left out the small number that is added to the variance. It counts where the variance is as small."""
    return cache.emb_cat.T @ (d.dh_prebn / cache.bn_var_inv * cache.bn_var**-0.5)


def fast_mlp_backward__dW1__norm_skipped(cache, d):
    """You left batch norm out altogether. It lies between the first linear layer and tanh."""
    return cache.emb_cat.T @ d.dh_preact


def fast_mlp_backward__dW1__transposed(cache, d):
    """Your result is turned over. W1 has a row for each entry of emb_cat, and a column for each hidden unit."""
    return d.dh_prebn.T @ cache.emb_cat


def fast_mlp_backward__dW1__averaged(cache, d):
    """You divided by the number of rows once more. The mean of the loss is in the gradient already."""
    return cache.emb_cat.T @ d.dh_prebn / _rows(cache)


# db1


def fast_mlp_backward__db1__norm_skipped(d):
    """You left batch norm out. What b1 adds to a column, the mean takes out again."""
    return d.dh_preact.sum(dim=0)


def fast_mlp_backward__db1__constant_statistics(cache, d):
    """In batch norm you took mean and variance for constants. The mean moves with b1, by as much."""
    return _constant_statistics(cache, d).sum(dim=0)


# dbn_gain


def fast_mlp_backward__dbn_gain__bias_instead(d):
    """This is the gradient of the bias. The gain is a factor, and the other factor scales its gradient."""
    return d.dh_preact.sum(dim=0)


def fast_mlp_backward__dbn_gain__not_summed(cache, d):
    """You kept one row for each example. Every row used the same gain, so its gradient collects over the rows."""
    return d.dh_preact * cache.bn_raw


def fast_mlp_backward__dbn_gain__averaged(cache, d):
    """You took the mean over the rows. The mean of the loss is in the gradient already, so the rows add up."""
    return (d.dh_preact * cache.bn_raw).mean(dim=0)


def fast_mlp_backward__dbn_gain__slope_forgotten(cache, d):
    """You left out the slope of tanh. It lies between h and what batch norm returns."""
    return (d.dh * cache.bn_raw).sum(dim=0)


def fast_mlp_backward__dbn_gain__not_normalised(cache, d):
    """You used the differences from the mean. The gain was multiplied by bn_raw, which is scaled as well."""
    return (d.dh_preact * cache.bn_diff).sum(dim=0)


def fast_mlp_backward__dbn_gain__output_as_factor(cache, d):
    """You used what batch norm returns. The gain was multiplied by bn_raw, before gain and bias came in."""
    return (d.dh_preact * cache.h_preact).sum(dim=0)


# dbn_bias


def fast_mlp_backward__dbn_bias__gain_instead(cache, d):
    """This is the gradient of the gain. The bias is added, so no factor scales its gradient."""
    return (d.dh_preact * cache.bn_raw).sum(dim=0)


def fast_mlp_backward__dbn_bias__not_summed(d):
    """You kept one row for each example. Every row used the same bias, so its gradient collects over the rows."""
    return d.dh_preact.clone()


def fast_mlp_backward__dbn_bias__averaged(d):
    """You took the mean over the rows. The mean of the loss is in the gradient already, so the rows add up."""
    return d.dh_preact.mean(dim=0)


def fast_mlp_backward__dbn_bias__slope_forgotten(d):
    """You left out the slope of tanh. It lies between h and what batch norm returns."""
    return d.dh.sum(dim=0)


def fast_mlp_backward__dbn_bias__slope_of_the_input(cache, d):
    """You put the input of tanh into its slope. The slope is said with the output, h."""
    return (d.dh * (1 - cache.h_preact**2)).sum(dim=0)


def fast_mlp_backward__dbn_bias__keepdim(d):
    """Your numbers are right and the shape is not. bn_bias has one axis, and yours has two because of keepdim."""
    return d.dh_preact.sum(dim=0, keepdim=True)


# dW2


def fast_mlp_backward__dW2__not_averaged(cache, d):
    """You left out the 1/N. The loss is a mean over the rows."""
    return cache.h.T @ (d.dlogits * _rows(cache))


def fast_mlp_backward__dW2__target_forgotten(cache):
    """You left out the target. The probabilities alone push every logit down, the right one as well."""
    return cache.h.T @ cache.probs / _rows(cache)


def fast_mlp_backward__dW2__parentheses_lost(cache):
    """You divided the target by N and not the probabilities. The mean of the loss is a factor of both."""
    return cache.h.T @ (cache.probs - _target(cache) / _rows(cache))


def fast_mlp_backward__dW2__sign(cache, d):
    """Your sign is flipped, so a step would raise the loss. The right character's logit has to go up."""
    return -cache.h.T @ d.dlogits


def fast_mlp_backward__dW2__input_of_tanh(cache, d):
    """You used the input of tanh. What W2 was multiplied by is h, its output."""
    return cache.h_preact.T @ d.dlogits


def fast_mlp_backward__dW2__transposed(cache, d):
    """Your result is turned over. W2 has a row for each hidden unit, and a column for each character."""
    return d.dlogits.T @ cache.h


def fast_mlp_backward__dW2__averaged_over_all(cache, d):
    """You divided by the number of characters as well. The loss is a mean over the rows only."""
    return cache.h.T @ d.dlogits / cache.probs.shape[1]


def fast_mlp_backward__dW2__target_only(cache):
    """You stopped at the target. Through the softmax, every other logit has a gradient too."""
    return cache.h.T @ (-_target(cache) * (1 - cache.probs)) / _rows(cache)


# db2


def fast_mlp_backward__db2__not_averaged(cache, d):
    """You left out the 1/N. The loss is a mean over the rows."""
    return (d.dlogits * _rows(cache)).sum(dim=0)


def fast_mlp_backward__db2__averaged_twice(d):
    """You took the mean over the rows. The mean of the loss is in the gradient already, so the rows add up."""
    return d.dlogits.mean(dim=0)


def fast_mlp_backward__db2__not_summed(d):
    """You returned the gradient of the logits. b2 was added to every row, so its gradient collects over the rows."""
    return d.dlogits.clone()


def fast_mlp_backward__db2__wrong_axis(d):
    """You summed along each row, where the sum is zero. b2 has one entry for each character, so sum the columns."""
    return d.dlogits.sum(dim=1)


def fast_mlp_backward__db2__keepdim(d):
    """Your numbers are right and the shape is not. b2 has one axis, and yours has two because of keepdim."""
    return d.dlogits.sum(dim=0, keepdim=True)


def fast_mlp_backward__db2__target_forgotten(cache):
    """You left out the target. The probabilities alone push every logit down, the right one as well."""
    return cache.probs.mean(dim=0)


def fast_mlp_backward__db2__parentheses_lost(cache):
    """You divided the target by N and not the probabilities. The mean of the loss is a factor of both."""
    return (cache.probs - _target(cache) / _rows(cache)).sum(dim=0)
