"""Wrong gradients of the whole MLP, step by step. Each docstring is what the student is told."""

import torch

# From the loss to the logits, and inside batch norm, they are those of softmax_cross_entropy and batchnorm: the
# rubric names them under `mistakes_of`.


# second linear layer


def mlp_backward__dh__weights_not_transposed(cache, d):
    """You multiplied by W2 as it stands. W2 leads from h to the logits, and a gradient goes the other way."""
    return d.dlogits @ cache.W2


def mlp_backward__dh__transposed(cache, d):
    """Your numbers are right and stand on their side: rows and columns are swapped. dh has the shape of h."""
    return cache.W2 @ d.dlogits.T


def mlp_backward__dh__from_probs(cache):
    """You sent the probabilities back. What comes back to the logits is their gradient, and it knows the target."""
    return cache.probs @ cache.W2.T


def mlp_backward__dh__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return d.dlogits @ cache.W2.T / len(cache.Y)


def mlp_backward__dh__tanh_included(cache, d):
    """You went through tanh as well. That is the next step back; h is what comes out of tanh."""
    return (1 - cache.h**2) * (d.dlogits @ cache.W2.T)


def mlp_backward__dW2__transposed(cache, d):
    """Your dW2 lies on its side: it has the layout of nn.Linear.weight, and W2 here is (hidden, classes)."""
    return d.dlogits.T @ cache.h


def mlp_backward__dW2__from_h_preact(cache, d):
    """You multiplied by the input of tanh. The weights were multiplied by its output."""
    return cache.h_preact.T @ d.dlogits


def mlp_backward__dW2__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return cache.h.T @ d.dlogits / len(cache.Y)


def mlp_backward__dW2__first_row_only(cache, d):
    """You used the first row. Every row goes through the same weights, and what comes back is added up."""
    return cache.h[0].outer(d.dlogits[0])


def mlp_backward__dW2__sums_multiplied(cache, d):
    """You summed over the rows before you multiplied. That mixes the units of one row with the logits of another."""
    return cache.h.sum(0).outer(d.dlogits.sum(0))


def mlp_backward__db2__not_summed(d):
    """You passed dlogits on. b2 was added to every row, so its gradient collects over them."""
    return d.dlogits.clone()


def mlp_backward__db2__axis_kept(d):
    """The numbers are right and the shape is not. b2 has one axis, and yours has a row axis of size 1."""
    return d.dlogits.sum(0, keepdim=True)


def mlp_backward__db2__averaged(d):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return d.dlogits.mean(0)


def mlp_backward__db2__wrong_axis(d):
    """You summed over the classes. Each class has its own entry of b2; it is the rows that share it."""
    return d.dlogits.sum(1)


# tanh


def mlp_backward__dh_preact__tanh_skipped(d):
    """You passed dh on unchanged. Between h_preact and h stands tanh, and it has a slope."""
    return d.dh.clone()


def mlp_backward__dh_preact__upstream_missing(cache):
    """This is the slope of tanh alone. What comes back to h must be multiplied in."""
    return 1 - cache.h**2


def mlp_backward__dh_preact__slope_at_the_input(cache, d):
    """You squared the input of tanh. Written with a square, the slope of tanh takes the output."""
    return d.dh * (1 - cache.h_preact**2)


def mlp_backward__dh_preact__tanh_taken_twice(cache, d):
    """You took tanh of h. But h is the output of tanh already."""
    return d.dh * (1 - cache.h.tanh() ** 2)


def mlp_backward__dh_preact__square_missing(cache, d):
    """You wrote 1 - h. The slope of tanh is the same at a point and at its mirror image, and yours is not."""
    return d.dh * (1 - cache.h)


def mlp_backward__dh_preact__sigmoid_slope(cache, d):
    """This is the slope of a sigmoid. The slope of tanh is largest where h is 0, and yours is 0 there."""
    return d.dh * cache.h * (1 - cache.h)


def mlp_backward__dh_preact__relu_slope(cache, d):
    """This is the slope of a ReLU. tanh also rises on the negative side, and it flattens on both sides."""
    return d.dh * (cache.h > 0)


def mlp_backward__dh_preact__sign_of_the_square(cache, d):
    """Your slope grows away from 0. tanh flattens there, so its slope must fall."""
    return d.dh * (1 + cache.h**2)


def mlp_backward__dh_preact__parentheses_lost(cache, d):
    """Only the 1 was multiplied by dh, and the square was not: a product binds tighter than a minus."""
    return d.dh * 1 - cache.h**2


def mlp_backward__dh_preact__swapped(cache, d):
    """You squared the upstream gradient in place of h. Twice the upstream must give twice the answer."""
    return (1 - d.dh**2) * cache.h


# batch norm


def mlp_backward__dbn_gain__not_summed(cache, d):
    """You kept one gradient for each row. All rows used the same gain, and a broadcast in the forward adds them up."""
    return d.dh_preact * cache.bn_raw


def mlp_backward__dbn_gain__axis_kept(cache, d):
    """The numbers are right. The lesson keeps bn_gain as (1, H); here it is (H,), one axis, and so is its gradient."""
    return (cache.bn_raw * d.dh_preact).sum(0, keepdim=True)


def mlp_backward__dbn_gain__averaged(cache, d):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return (cache.bn_raw * d.dh_preact).mean(0)


def mlp_backward__dbn_gain__wrong_axis(cache, d):
    """You summed over the features. Each feature has its own gain; it is the rows that share it."""
    return (cache.bn_raw * d.dh_preact).sum(1)


def mlp_backward__dbn_gain__times_h_prebn(cache, d):
    """You multiplied by the input of the layer. The gain is multiplied by values that are normalised already."""
    return (d.dh_preact * cache.h_prebn).sum(0)


def mlp_backward__dbn_gain__times_bn_diff(cache, d):
    """You multiplied by the differences. They are divided by the spread before the gain comes in."""
    return (d.dh_preact * cache.bn_diff).sum(0)


def mlp_backward__dbn_gain__times_the_output(cache, d):
    """You multiplied by the output of the layer. Gain and bias are in it already; the gain's partner has neither."""
    return (d.dh_preact * cache.h_preact).sum(0)


def mlp_backward__dbn_gain__swapped_with_bias(d):
    """This is the gradient of the bias. The gain is multiplied by something before it reaches the output."""
    return d.dh_preact.sum(0)


def mlp_backward__dbn_bias__not_summed(d):
    """You passed dh_preact on. The bias was added to every row, so its gradient collects over them."""
    return d.dh_preact.clone()


def mlp_backward__dbn_bias__axis_kept(d):
    """The numbers are right. The lesson keeps bn_bias as (1, H); here it is (H,), one axis, and so is its gradient."""
    return d.dh_preact.sum(0, keepdim=True)


def mlp_backward__dbn_bias__averaged(d):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return d.dh_preact.mean(0)


def mlp_backward__dbn_bias__wrong_axis(d):
    """You summed over the features. Each feature has its own bias; it is the rows that share it."""
    return d.dh_preact.sum(1)


def mlp_backward__dbn_bias__times_gain(cache, d):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (d.dh_preact * cache.bn_gain).sum(0)


def mlp_backward__dbn_raw__gain_missing(d):
    """You passed dh_preact on. bn_raw is scaled by the gain before it reaches the output."""
    return d.dh_preact.clone()


def mlp_backward__dbn_raw__divided_by_gain(cache, d):
    """You divided by the gain. A larger gain makes the output more sensitive to bn_raw, not less."""
    return d.dh_preact / cache.bn_gain


def mlp_backward__dbn_raw__bias_added(cache, d):
    """You ran the forward on dh_preact. The bias is a constant next to bn_raw and has no part in its slope."""
    return d.dh_preact * cache.bn_gain + cache.bn_bias


def mlp_backward__dbn_raw__upstream_missing(cache, d):
    """Your answer does not depend on dh_preact. The gain must be multiplied by what comes back from the output."""
    return cache.bn_gain.expand(d.dh_preact.shape)


def mlp_backward__dbn_raw__times_bn_raw(cache, d):
    """This is the gradient of the gain before the sum. In a product, each factor's partner is the other one."""
    return d.dh_preact * cache.bn_raw


def mlp_backward__dh_prebn__statistics_constant(cache, d):
    """You treated mean and variance as constants. They are made of the same rows and move along with each of them."""
    return cache.bn_gain * cache.bn_var_inv * d.dh_preact


def mlp_backward__dh_prebn__formula_for_n_minus_one(cache, d):
    """This is the formula of the lesson, where the variance divides by n - 1.

    The forward of this course is another one: it divides by n. Its table is in the text of the assignment, its code in
    reference.py.
    """
    n = len(cache.Y)
    along_raw = n / (n - 1) * cache.bn_raw * (d.dh_preact * cache.bn_raw).sum(0)
    return cache.bn_gain * cache.bn_var_inv / n * (n * d.dh_preact - d.dh_preact.sum(0) - along_raw)


# first linear layer


def mlp_backward__demb_cat__weights_not_transposed(cache, d):
    """You multiplied by W1 as it stands. W1 leads from emb_cat to h_prebn, and a gradient goes the other way."""
    return d.dh_prebn @ cache.W1


def mlp_backward__demb_cat__transposed(cache, d):
    """Your numbers are right and stand on their side: rows and columns are swapped."""
    return cache.W1 @ d.dh_prebn.T


def mlp_backward__demb_cat__batch_norm_skipped(cache, d):
    """You started from dh_preact, which comes after batch norm. The linear layer made h_prebn."""
    return d.dh_preact @ cache.W1.T


def mlp_backward__demb_cat__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return d.dh_prebn @ cache.W1.T / len(cache.Y)


def mlp_backward__dW1__transposed(cache, d):
    """Your dW1 lies on its side: it has the layout of nn.Linear.weight, and W1 here is (inputs, hidden)."""
    return d.dh_prebn.T @ cache.emb_cat


def mlp_backward__dW1__batch_norm_skipped(cache, d):
    """You started from dh_preact, which comes after batch norm. The linear layer made h_prebn."""
    return cache.emb_cat.T @ d.dh_preact


def mlp_backward__dW1__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return cache.emb_cat.T @ d.dh_prebn / len(cache.Y)


def mlp_backward__dW1__first_row_only(cache, d):
    """You used the first row. Every row goes through the same weights, and what comes back is added up."""
    return cache.emb_cat[0].outer(d.dh_prebn[0])


# db1 is zero in truth, so only slips that clearly differ from zero are named.


def mlp_backward__db1__not_summed(d):
    """You passed dh_prebn on. b1 was added to every row, so its gradient collects over them."""
    return d.dh_prebn.clone()


def mlp_backward__db1__axis_kept(d):
    """The numbers are right and the shape is not. b1 has one axis, and yours has a row axis of size 1."""
    return d.dh_prebn.sum(0, keepdim=True)


def mlp_backward__db1__batch_norm_skipped(d):
    """You started from dh_preact, which comes after batch norm. Batch norm removes whatever b1 adds to a column."""
    return d.dh_preact.sum(0)


# embedding


def _scattered(cache, gradient):
    """Add the rows of a (N, 3, E) gradient up where their characters stand in the table."""
    table = torch.zeros(cache.C.shape)
    return table.index_put((cache.X,), gradient, accumulate=True)


def mlp_backward__demb__not_folded(d):
    """You passed demb_cat on. Its numbers are right, and emb has three axes: row, position, embedding."""
    return d.demb_cat.clone()


def mlp_backward__demb__axes_swapped(cache, d):
    """You folded to (N, E, 3). The forward laid whole embeddings side by side, so the position comes first."""
    return d.demb_cat.reshape(len(cache.X), -1, cache.X.shape[1])


def mlp_backward__demb__numbers_mixed(cache, d):
    """The shape is right and the numbers are in wrong places. The first E numbers of a row are its first position."""
    return d.demb_cat.reshape(len(cache.X), -1, cache.X.shape[1]).transpose(1, 2)


def mlp_backward__demb__rows_mixed(cache, d):
    """You put the position axis in front and swapped afterwards. That spreads the numbers of one row over others."""
    rows, positions = cache.X.shape
    return d.demb_cat.reshape(positions, rows, -1).transpose(0, 1)


def mlp_backward__demb__divided_by_positions(cache, d):
    """You divided by the number of positions. The forward laid the embeddings side by side and averaged nothing."""
    return d.demb_cat.reshape(cache.emb.shape) / cache.X.shape[1]


def mlp_backward__dC__repeats_overwrite(cache, d):
    """A repeated character kept one of its gradients only: indexing with = or += counts an index once. All must add."""
    wrong = torch.zeros(cache.C.shape)
    wrong[cache.X] = d.demb
    return wrong


def mlp_backward__dC__first_position_only(cache, d):
    """You collected from the first position of the context. The same table serves all three positions."""
    kept = d.demb.clone()
    kept[:, 1:] = 0
    return _scattered(cache, kept)


def mlp_backward__dC__last_position_only(cache, d):
    """You collected from the last position of the context. The same table serves all three positions."""
    kept = d.demb.clone()
    kept[:, :-1] = 0
    return _scattered(cache, kept)


def mlp_backward__dC__averaged_over_repeats(cache, d):
    """You took the mean over the places where a character stands. Copies add up, and a frequent one learns more."""
    times = _scattered(cache, torch.ones_like(d.demb)).clamp(min=1)
    return _scattered(cache, d.demb) / times


def mlp_backward__dC__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return _scattered(cache, d.demb) / len(cache.Y)


def mlp_backward__dC__same_for_all(cache, d):
    """Every character that occurs got the same gradient. Each row of C collects only from where it was copied to."""
    used = _scattered(cache, torch.ones_like(d.demb)) > 0
    return used * d.demb.sum((0, 1))


def mlp_backward__dC__not_collected(d):
    """You passed demb on. It has a row for each place in the batch, and C has a row for each character."""
    return d.demb.clone()


def mlp_backward__dC__index_shifted(cache, d):
    """Every gradient landed one row too early. Character 0 is the dot, and the table has a row for it."""
    return _scattered(cache, d.demb).roll(-1, 0)


def mlp_backward__dC__numbers_mixed(cache, d):
    """The numbers were folded in a wrong order first. The first E numbers of a row belong to its first position."""
    mixed = d.demb_cat.reshape(len(cache.X), -1, cache.X.shape[1]).transpose(1, 2)
    return _scattered(cache, mixed)


def mlp_backward__dC__by_target(cache, d):
    """You collected by the targets in Y. The embeddings were looked up with the contexts in X."""
    table = torch.zeros(cache.C.shape)
    return table.index_put((cache.Y[:, None].expand(cache.X.shape),), d.demb, accumulate=True)
