"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def _onehot(logits, Y):
    return torch.nn.functional.one_hot(Y, logits.shape[1]).double()


def cross_entropy_steps_backward__dlogprobs__minus_one(cache):
    """-1 at the targets, without 1/n, and 1/n everywhere else."""
    n = len(cache.Y)
    found = torch.full_like(cache.logprobs, 1 / n)
    found[range(n), cache.Y] = -1.0 / n
    return found


def cross_entropy_steps_backward__dlogprobs__divided_by_classes(cache):
    """Divided by the number of classes."""
    found = torch.zeros_like(cache.logprobs)
    found[range(len(cache.Y)), cache.Y] = -1.0 / cache.logprobs.shape[1]
    return found


def cross_entropy_steps_backward__dlogprobs__logprobs_themselves(cache):
    """The log probability of the target, divided by n."""
    found = torch.zeros_like(cache.logprobs)
    n = len(cache.Y)
    found[range(n), cache.Y] = -cache.logprobs[range(n), cache.Y] / n
    return found


def cross_entropy_steps_backward__dlogprobs__columns_first(cache):
    """Target and row are exchanged where that fits."""
    found = torch.zeros_like(cache.logprobs)
    n = len(cache.Y)
    found[:, cache.Y[0]] = -1.0 / n
    return found


def cross_entropy_steps_backward__dprobs__exp(cache, d):
    """exp(probs) in place of 1/probs."""
    return cache.probs.exp() * d.dlogprobs


def cross_entropy_steps_backward__dprobs__minus(cache, d):
    """A minus too many, from the loss."""
    return -d.dlogprobs / cache.probs


def cross_entropy_steps_backward__dcounts_sum_inv__sum_of_counts(cache, d):
    """counts.sum(1, keepdim=True) * dprobs: the sum is taken of one factor only."""
    return cache.counts.sum(1, keepdim=True) * d.dprobs


def cross_entropy_steps_backward__dcounts_sum_inv__sums_multiplied(cache, d):
    """Both are summed and then multiplied."""
    return cache.counts.sum(1, keepdim=True) * d.dprobs.sum(1, keepdim=True)


def cross_entropy_steps_backward__dcounts_sum_inv__max(cache, d):
    """The largest of the products, not their sum."""
    return (cache.counts * d.dprobs).amax(1, keepdim=True)


def cross_entropy_steps_backward__dcounts_sum__one_over(cache, d):
    """-1/s in place of -1/s²."""
    return -d.dcounts_sum_inv / cache.counts_sum


def cross_entropy_steps_backward__dcounts_sum__log(cache, d):
    """log of the sum: as if counts_sum_inv were its logarithm."""
    return d.dcounts_sum_inv * cache.counts_sum.log()


def cross_entropy_steps_backward__dcounts__sum_of_sum(cache, d):
    """dcounts_sum summed over the rows before it is spread."""
    return d.dprobs * cache.counts_sum_inv + d.dcounts_sum.sum(0)


def cross_entropy_steps_backward__dcounts__sum_inv_twice(cache, d):
    """dcounts_sum_inv is added in place of dcounts_sum."""
    return d.dprobs * cache.counts_sum_inv + d.dcounts_sum_inv


def cross_entropy_steps_backward__dcounts__divided(cache, d):
    """dprobs / counts_sum_inv."""
    return d.dprobs / cache.counts_sum_inv + d.dcounts_sum


def cross_entropy_steps_backward__dnorm_logits__norm_logits_used(cache, d):
    """dcounts times norm_logits."""
    return d.dcounts * cache.norm_logits


def cross_entropy_steps_backward__dnorm_logits__exp_of_logits(cache, d):
    """exp(logits): the maximum is not taken off."""
    return d.dcounts * cache.logits.exp()


def cross_entropy_steps_backward__dlogits__max_only_added(cache, d):
    """dnorm_logits with dlogit_maxes in every column, not at the maximum."""
    return d.dnorm_logits - d.dnorm_logits.sum(1, keepdim=True) + d.dnorm_logits.mean(1, keepdim=True)


def cross_entropy_steps_backward__dlogits__probs_minus_one(cache):
    """probs - 1 at all places."""
    return (cache.probs - 1) / len(cache.Y)


def cross_entropy_steps_backward__dlogits__twice(d):
    """dnorm_logits added twice."""
    return d.dnorm_logits + d.dnorm_logits


def cross_entropy_backward__dlogits__one_not_taken_off_but_set(logits, Y):
    """p[y] = 1 in place of p[y] -= 1."""
    p = logits.softmax(1)
    p[range(len(Y)), Y] = 1
    return p / len(Y)


def cross_entropy_backward__dlogits__added(logits, Y):
    """p + onehot."""
    return (logits.softmax(1) + _onehot(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__exp_not_normalised(logits, Y):
    """exp(logits) without the division."""
    return (logits.exp() - _onehot(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__n_squared(logits, Y):
    """Divided by n twice."""
    return (logits.softmax(1) - _onehot(logits, Y)) / len(Y) ** 2


def cross_entropy_backward__dlogits__times_p(logits, Y):
    """Times p once more, as of a squared error."""
    p = logits.softmax(1)
    return p * (p - _onehot(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__sigmoid(logits, Y):
    """A sigmoid in place of the softmax."""
    return (logits.sigmoid() - _onehot(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__sum_over_rows(logits, Y):
    """counts / counts.sum(0)."""
    counts = logits.exp()
    return (counts / counts.sum(0, keepdim=True) - _onehot(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__whole_sum(logits, Y):
    """counts / counts.sum()."""
    counts = logits.exp()
    return (counts / counts.sum() - _onehot(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__targets_of_the_next(logits, Y):
    """The targets are shifted by one row."""
    return (logits.softmax(1) - _onehot(logits, Y.roll(1))) / len(Y)


def softmax_backward__dlogits__row_sum_apart(dout, probs):
    """Dout - probs * dout.sum(...)."""
    return dout - probs * dout.sum(1, keepdim=True)


def softmax_backward__dlogits__row_sum_inside(dout, probs):
    """Probs * (dout - probs * dout.sum(...))."""
    return probs * (dout - probs * dout.sum(1, keepdim=True))


def softmax_backward__dlogits__one_minus(dout, probs):
    """Dout * (1 - probs)."""
    return dout * (1 - probs)


def softmax_backward__dlogits__matrix_of_batch(dout, probs):
    """probs.T @ dout is used for the sum: the whole batch is mixed."""
    return probs * (dout - (probs * dout).sum())


def softmax_backward__dlogits__sign_flipped(dout, probs):
    """Probs * (sum - dout)."""
    return probs * ((probs * dout).sum(1, keepdim=True) - dout)


def softmax_backward__dlogits__squared_term(dout, probs):
    """Probs * dout - probs² * sum(dout)."""
    return probs * dout - probs**2 * dout.sum(1, keepdim=True)


def softmax_backward__dlogits__squared_diagonal(dout, probs):
    """Probs * dout - probs² * dout: the diagonal only, written otherwise."""
    return probs * dout - probs**2 * dout
