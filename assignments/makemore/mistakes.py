"""Wrong gradients that people write in the lesson's notebook."""

import torch
import torch.nn.functional as F  # noqa: N812 # the lesson's name for it


def exercise_1__dlogprobs__not_the_mean(cache, d):
    """The loss is a mean over the batch, so each entry that it reads moves it by 1/n only."""
    return d.dlogprobs * cache.n


def exercise_1__dlogprobs__wrong_sign(d):
    """The loss has a minus in front: raising the log-probability of a right class lowers it."""
    return -d.dlogprobs


def exercise_1__dlogprobs__every_entry(cache):
    """The loss reads one entry of each row, the one at Yb. All the others get zero."""
    return torch.full_like(cache.logprobs, -1.0 / cache.n)


def exercise_1__dprobs__without_upstream(cache):
    """1 / probs is the slope of the log alone. Multiply it by what comes from above, dlogprobs."""
    return 1.0 / cache.probs


def exercise_1__dprobs__times_probs(cache, d):
    """The slope of log at x is 1/x: divide by probs, where you multiplied."""
    return d.dlogprobs * cache.probs


def exercise_1__dcounts_sum_inv__not_summed(cache, d):
    """counts_sum_inv has one number for each row, used for 27 columns. What they send back is summed over them."""
    return d.dprobs * cache.counts


def exercise_1__dcounts_sum_inv__without_counts(d):
    """In a product each factor gets the upstream times the other factor, and that is counts."""
    return d.dprobs.sum(1, keepdim=True)


def exercise_1__dcounts_sum__wrong_power(cache, d):
    """The power rule lowers the exponent: -1 becomes -2, and the -1 comes in front."""
    return -d.dcounts_sum_inv * cache.counts_sum**-1


def exercise_1__dcounts_sum__wrong_sign(cache, d):
    """If the sum grows, its inverse shrinks: the slope of x to the -1 has a minus."""
    return d.dcounts_sum_inv * cache.counts_sum**-2


def exercise_1__dcounts__first_use_only(cache, d):
    """counts is read twice. This is what comes back from probs; the part from counts_sum is to be added."""
    return cache.counts_sum_inv * d.dprobs


def exercise_1__dcounts__second_use_only(cache, d):
    """counts is read twice. This is what comes back from counts_sum; the part from probs is to be added."""
    return torch.ones_like(cache.counts) * d.dcounts_sum


def exercise_1__dcounts__first_use_twice(cache, d):
    """The first part is in it twice: the line that adds to dcounts may have run on a dcounts that was complete."""
    return 2 * cache.counts_sum_inv * d.dprobs + d.dcounts_sum


def exercise_1__dnorm_logits__without_exp(d):
    """dcounts went through unchanged. exp has a slope of its own, and that is counts."""
    return d.dcounts


def exercise_1__dnorm_logits__exp_of_counts(cache, d):
    """The slope of exp is taken at norm_logits: it is counts, not exp of counts."""
    return cache.counts.exp() * d.dcounts


def exercise_1__dlogit_maxes__the_values_themselves(cache):
    """This is logit_maxes itself. Its gradient is what all its row sends back, with a minus."""
    return cache.logit_maxes


def exercise_1__dlogits__without_counts_path(cache, d):
    """One of the two paths through counts is missing before it: this is not softmax minus the right class."""
    return cache.counts * cache.counts_sum_inv * d.dprobs


def exercise_1__dlogits__softmax_alone(cache):
    """This is the softmax divided by n. The right class of each row has a further -1/n."""
    return F.softmax(cache.logits, 1) / cache.n


def exercise_1__dh__with_h_in_it(cache, d):
    """The slope of tanh belongs to the next step. Here it is the product with W2 alone."""
    return (1.0 - cache.h**2) * (d.dlogits @ cache.W2.T)


def exercise_1__dW2__not_from_the_batch(cache, d):
    """Each of the 32 rows uses W2, and their parts are summed, not averaged."""
    return cache.h.T @ d.dlogits / cache.n


def exercise_1__dW2__from_hpreact(cache, d):
    """W2 was multiplied with h, which is behind the tanh; this has hpreact in its place."""
    return cache.hpreact.T @ d.dlogits


def exercise_1__db2__mean(d):
    """b2 was added to each row, and what the rows send back is summed, not averaged."""
    return d.dlogits.mean(0)


def exercise_1__dhpreact__of_hpreact(cache, d):
    """The slope of tanh is 1 minus the square of its output. This takes the square of its input."""
    return (1.0 - cache.hpreact**2) * d.dh


def exercise_1__dhpreact__not_squared(cache, d):
    """The slope of tanh is 1 - h**2, and the square is missing."""
    return (1.0 - cache.h) * d.dh


def exercise_1__dbngain__not_summed(cache, d):
    """bngain is one row, used for all 32. What they send back is summed over them."""
    return cache.bnraw * d.dhpreact


def exercise_1__dbngain__with_bndiff(cache, d):
    """bngain is multiplied with bnraw, the one that is divided by the deviation already."""
    return (cache.bndiff * d.dhpreact).sum(0, keepdim=True)


def exercise_1__dbnbias__mean(d):
    """bnbias was added to each row, and what the rows send back is summed, not averaged."""
    return d.dhpreact.mean(0, keepdim=True)


def exercise_1__dbnraw__without_gain(d):
    """bnraw is multiplied with bngain on its way, and so is its gradient."""
    return d.dhpreact


def exercise_1__dbnvar_inv__not_summed(cache, d):
    """bnvar_inv is one row, used for all 32. What they send back is summed over them."""
    return cache.bndiff * d.dbnraw


def exercise_1__dbnvar_inv__with_bnraw(cache, d):
    """The other factor of the product is bndiff. bnraw is what comes out of it."""
    return (cache.bnraw * d.dbnraw).sum(0, keepdim=True)


def exercise_1__dbnvar__without_eps(cache, d):
    """The 1e-5 is missing: the power is of bnvar + 1e-5, and so is its slope."""
    return -0.5 * cache.bnvar**-1.5 * d.dbnvar_inv


def exercise_1__dbnvar__exponent_not_lowered(cache, d):
    """The power rule lowers the exponent by one: -0.5 becomes -1.5."""
    return -0.5 * (cache.bnvar + 1e-5) ** -0.5 * d.dbnvar_inv


def exercise_1__dbnvar__without_sign(cache, d):
    """The exponent -0.5 comes in front, with its minus."""
    return 0.5 * (cache.bnvar + 1e-5) ** -1.5 * d.dbnvar_inv


def exercise_1__dbndiff2__divided_by_n(cache, d):
    """The lesson's variance divides by n - 1, and this divides by n."""
    return torch.ones_like(cache.bndiff2) * d.dbnvar / cache.n


def exercise_1__dbndiff2__not_divided(cache, d):
    """Each row goes into the variance times 1/(n - 1), which is missing here."""
    return torch.ones_like(cache.bndiff2) * d.dbnvar


def exercise_1__dbndiff2__not_spread(cache, d):
    """bndiff2 has 32 rows, and each of them gets the gradient of the sum. This is one row only."""
    return d.dbnvar / (cache.n - 1)


def exercise_1__dbndiff__first_use_only(cache, d):
    """bndiff is read twice. This is what comes back from bnraw; the part from bndiff2 is to be added."""
    return cache.bnvar_inv * d.dbnraw


def exercise_1__dbndiff__second_use_only(cache, d):
    """bndiff is read twice. This is what comes back from bndiff2; the part from bnraw is to be added."""
    return 2 * cache.bndiff * d.dbndiff2


def exercise_1__dbndiff__square_without_two(cache, d):
    """The slope of a square is twice what was squared, and the 2 is missing."""
    return cache.bnvar_inv * d.dbnraw + cache.bndiff * d.dbndiff2


def exercise_1__dbnmeani__wrong_sign(d):
    """bnmeani is subtracted, so its gradient has a minus."""
    return d.dbndiff.sum(0, keepdim=True)


def exercise_1__dbnmeani__mean(d):
    """What the 32 rows send back is summed here. The 1/n comes in with the next step."""
    return -d.dbndiff.mean(0, keepdim=True)


def exercise_1__dhprebn__first_use_only(d):
    """hprebn is read twice. This is what comes back from the difference; the part from the mean is to be added."""
    return d.dbndiff


def exercise_1__dhprebn__mean_not_divided(d):
    """The mean hands each row 1/n of its gradient, and the 1/n is missing."""
    return d.dbndiff + d.dbnmeani


def exercise_1__dembcat__without_bn(cache, d):
    """This starts from dhpreact. Between it and the linear layer lies batch norm: dhprebn is what comes in here."""
    return d.dhpreact @ cache.W1.T


def exercise_1__dW1__without_bn(cache, d):
    """This starts from dhpreact. Between it and the linear layer lies batch norm: dhprebn is what comes in here."""
    return cache.embcat.T @ d.dhpreact


def exercise_1__db1__without_bn(d):
    """This starts from dhpreact. Behind batch norm a shift of a column has no effect, so db1 is zero."""
    return d.dhpreact.sum(0)


def exercise_1__demb__in_another_order(cache, d):
    """The numbers are in another order: a view only cuts each row into three pieces again."""
    return d.dembcat.view(cache.n, cache.n_embd, cache.block_size).transpose(1, 2)


def exercise_1__dC__last_use_only(cache, d):
    """Each row of C has what its last use sent back. `dC[Xb] = demb` and `dC[Xb] += demb` write a row once only."""
    dC = torch.zeros_like(cache.C)
    for context, gradients in zip(cache.Xb, d.demb, strict=True):
        for index, gradient in zip(context, gradients, strict=True):
            dC[index] = gradient
    return dC


def exercise_1__dC__first_character_only(cache, d):
    """Only the first character of each context is in it; all three of them used a row of C."""
    return torch.zeros_like(cache.C).index_add_(0, cache.Xb[:, 0], d.demb[:, 0])


def exercise_2__dlogits__not_divided(cache):
    """The loss is a mean over the batch: divide by n."""
    return F.softmax(cache.logits, 1) - F.one_hot(cache.Yb, cache.vocab_size)


def exercise_2__dlogits__softmax_alone(cache):
    """This is the softmax divided by n. The right class of each row has a further -1/n."""
    return F.softmax(cache.logits, 1) / cache.n


def exercise_2__dlogits__softmax_over_the_batch(cache):
    """The softmax goes over the classes of a row, dim 1. This one goes over the batch."""
    return (F.softmax(cache.logits, 0) - F.one_hot(cache.Yb, cache.vocab_size)) / cache.n


def exercise_2__dlogits__wrong_sign(cache):
    """The sign is the other way round: raising the logit of the right class lowers the loss."""
    return (F.one_hot(cache.Yb, cache.vocab_size) - F.softmax(cache.logits, 1)) / cache.n


def exercise_3__dhprebn__divided_by_n(cache, dhpreact):
    """This is right for a variance that divides by n. The lesson's divides by n - 1: one part has n / (n - 1)."""
    n, bnraw = cache.n, cache.bnraw
    rest = n * dhpreact - dhpreact.sum(0) - bnraw * (dhpreact * bnraw).sum(0)
    return cache.bngain * cache.bnvar_inv / n * rest


def exercise_3__dhprebn__without_gain(cache, dhpreact):
    """bngain is missing in front."""
    n, bnraw = cache.n, cache.bnraw
    rest = n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return cache.bnvar_inv / n * rest


def exercise_3__dhprebn__statistics_as_constants(cache, dhpreact):
    """Mean and variance are taken for constants here. Each number of the column acts on both of them."""
    return cache.bngain * cache.bnvar_inv * dhpreact


def exercise_3__dhprebn__without_the_mean(cache, dhpreact):
    """The part that goes through the mean of the column is missing: dhpreact.sum(0)."""
    n, bnraw = cache.n, cache.bnraw
    return cache.bngain * cache.bnvar_inv / n * (n * dhpreact - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))


def exercise_3__dhprebn__without_the_variance(cache, dhpreact):
    """The part that goes through the variance of the column is missing."""
    return cache.bngain * cache.bnvar_inv / cache.n * (cache.n * dhpreact - dhpreact.sum(0))
