"""Wrong gradients of softmax and cross-entropy. Each docstring is what the student is told."""

import torch


def _target(logits, Y):
    return torch.nn.functional.one_hot(Y, num_classes=logits.shape[1]).double()


# cross_entropy_steps_backward


def cross_entropy_steps_backward__dlogprobs__not_divided_by_n(cache):
    """You gave every picked entry -1. The loss is a mean over the rows, so one row moves it by less than that."""
    return -_target(cache.logits, cache.Y)


def cross_entropy_steps_backward__dlogprobs__minus_lost(cache):
    """Your sign is flipped. The loss has a minus in front: when a picked entry rises, the loss falls."""
    return _target(cache.logits, cache.Y) / len(cache.Y)


def cross_entropy_steps_backward__dlogprobs__every_entry(cache):
    """You filled the whole tensor. The loss reads one entry of each row, and the others cannot change it."""
    return torch.full_like(cache.logprobs, -1 / len(cache.Y))


def cross_entropy_steps_backward__dlogprobs__every_row(cache):
    """You wrote to the columns in Y for every row: [:, Y] takes all pairs. The loss reads one entry of each row."""
    wrong = torch.zeros(cache.logprobs.shape)
    wrong[:, cache.Y] = -1 / len(cache.Y)
    return wrong


def cross_entropy_steps_backward__dlogprobs__mean_over_all_entries(cache):
    """You divided by the number of all entries. The mean runs over the picked ones only, one for each row."""
    return -_target(cache.logits, cache.Y) / cache.logprobs.numel()


def cross_entropy_steps_backward__dprobs__upstream_missing(cache):
    """This is the slope of log alone. What comes back from the loss must be multiplied in."""
    return 1 / cache.probs


def cross_entropy_steps_backward__dprobs__slope_at_the_output(cache, d):
    """You divided by logprobs, the output of log. The slope of log depends on its input."""
    return d.dlogprobs / cache.logprobs


def cross_entropy_steps_backward__dprobs__multiplied(cache, d):
    """You multiplied by probs. The slope of log is steep where its input is small, so a factor must grow there."""
    return d.dlogprobs * cache.probs


def cross_entropy_steps_backward__dprobs__small_number_added(cache, d):
    """You added a small number to probs to be safe. The forward takes the log of probs itself, so this is off."""
    return d.dlogprobs / (cache.probs + 1e-8)


def cross_entropy_steps_backward__dprobs__log_skipped(d):
    """You passed dlogprobs on unchanged. Between probs and logprobs stands a log, which has a slope."""
    return d.dlogprobs.clone()


def cross_entropy_steps_backward__dcounts_sum_inv__not_summed(cache, d):
    """One number per row was used for every class, and you kept one gradient per class. A broadcast adds them up."""
    return d.dprobs * cache.counts


def cross_entropy_steps_backward__dcounts_sum_inv__no_keepdim(cache, d):
    """The sum is right and its shape is not. counts_sum_inv has two axes, and the second has size 1."""
    return (cache.counts * d.dprobs).sum(1)


def cross_entropy_steps_backward__dcounts_sum_inv__summed_over_rows(cache, d):
    """You summed over the rows. counts_sum_inv is shared by the classes of one row, and every row has its own."""
    return (cache.counts * d.dprobs).sum(0, keepdim=True)


def cross_entropy_steps_backward__dcounts_sum_inv__other_factor_missing(d):
    """You summed the upstream gradient alone. In a product, each use of a factor counts as much as its partner."""
    return d.dprobs.sum(1, keepdim=True)


def cross_entropy_steps_backward__dcounts_sum_inv__times_probs(cache, d):
    """You multiplied by probs, the result of the product. The partner of counts_sum_inv in it is another tensor."""
    return (d.dprobs * cache.probs).sum(1, keepdim=True)


def cross_entropy_steps_backward__dcounts_sum_inv__averaged(cache, d):
    """You averaged over the classes. A number used several times collects all of what comes back, not a share."""
    return (cache.counts * d.dprobs).mean(1, keepdim=True)


def cross_entropy_steps_backward__dcounts_sum__minus_lost(cache, d):
    """Your sign is flipped. When a sum grows, its inverse shrinks."""
    return d.dcounts_sum_inv * cache.counts_sum_inv**2


def cross_entropy_steps_backward__dcounts_sum__exponent_kept(cache, d):
    """You left the exponent as it was. Taking the derivative of a power lowers its exponent by one."""
    return -d.dcounts_sum_inv * cache.counts_sum_inv


def cross_entropy_steps_backward__dcounts_sum__upstream_missing(cache):
    """This is the slope of the inverse alone. The upstream gradient of counts_sum_inv must be multiplied in."""
    return -(cache.counts_sum_inv**2)


def cross_entropy_steps_backward__dcounts_sum__power_inverted(cache, d):
    """You multiplied by the square of the sum. A large sum changes its inverse only a little, so its slope is small."""
    return -d.dcounts_sum_inv * cache.counts_sum**2


def cross_entropy_steps_backward__dcounts__only_through_probs(cache, d):
    """This is what comes back through probs. counts is used once more, in counts_sum, and two uses add."""
    return cache.counts_sum_inv * d.dprobs


def cross_entropy_steps_backward__dcounts__only_through_the_sum(cache, d):
    """This is what comes back through counts_sum. It has replaced what came through probs; two uses add."""
    return d.dcounts_sum.expand(cache.counts.shape)


def cross_entropy_steps_backward__dcounts__sum_times_counts(cache, d):
    """You multiplied dcounts_sum by counts. A sum treats all its entries alike, however large they are."""
    return cache.counts_sum_inv * d.dprobs + d.dcounts_sum * cache.counts


def cross_entropy_steps_backward__dcounts__sum_shared_out(cache, d):
    """You divided dcounts_sum among the classes. Raising any one entry raises the sum by the full amount."""
    return cache.counts_sum_inv * d.dprobs + d.dcounts_sum / cache.counts.shape[1]


def cross_entropy_steps_backward__dcounts__subtracted(cache, d):
    """You subtracted the second branch. Both uses add; the minus of the inverse is in dcounts_sum already."""
    return cache.counts_sum_inv * d.dprobs - d.dcounts_sum


def cross_entropy_steps_backward__dnorm_logits__exp_skipped(d):
    """You passed dcounts on unchanged. Between norm_logits and counts stands exp, which has a slope."""
    return d.dcounts.clone()


def cross_entropy_steps_backward__dnorm_logits__upstream_missing(cache):
    """This is the slope of exp alone. The upstream gradient dcounts must be multiplied in."""
    return cache.norm_logits.exp()


def cross_entropy_steps_backward__dnorm_logits__slope_at_the_input(cache, d):
    """You multiplied by the input of exp. The slope of exp is its own output."""
    return d.dcounts * cache.norm_logits


def cross_entropy_steps_backward__dnorm_logits__times_probs(cache, d):
    """You multiplied by probs, which is divided by the row's sum already. exp stands before that division."""
    return d.dcounts * cache.probs


def cross_entropy_steps_backward__dnorm_logits__power_rule(cache, d):
    """You used the power rule. In exp the exponent is the variable and the base is fixed."""
    return d.dcounts * cache.norm_logits * (cache.norm_logits - 1).exp()


def cross_entropy_steps_backward__dlogit_maxes__not_summed(d):
    """One maximum per row was subtracted from every class, and you kept one gradient per class. A broadcast sums."""
    return -d.dnorm_logits


def cross_entropy_steps_backward__dlogit_maxes__summed_over_rows(d):
    """You summed over the rows. A maximum belongs to one row and was subtracted from that row's classes."""
    return -d.dnorm_logits.sum(0, keepdim=True)


def cross_entropy_steps_backward__dlogits__only_through_the_max(cache, d):
    """This is what comes back through the max. It has replaced what came through the difference; two uses add."""
    return _target(cache.logits, cache.logits.argmax(1)) * d.dlogit_maxes


def cross_entropy_steps_backward__dlogits__difference_negated(d):
    """You turned the sign around. In the difference it is logit_maxes that has the minus, not logits."""
    return -d.dnorm_logits


def cross_entropy_steps_backward__dlogits__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return d.dnorm_logits / len(cache.Y)


def cross_entropy_steps_backward__dlogits__target_not_subtracted(cache):
    """You returned the probabilities over n. The loss also reads Y, and rows of dlogits must sum to zero."""
    return cache.probs / len(cache.Y)


def cross_entropy_steps_backward__dlogits__not_divided_by_n(cache):
    """You took the shortcut without the mean. Each of the rows moves the loss by its share only."""
    return cache.probs - _target(cache.logits, cache.Y)


# cross_entropy_backward


def cross_entropy_backward__dlogits__not_divided_by_n(logits, Y):
    """You left out the mean. The loss is averaged over the rows, so a single row has only its share of the effect."""
    return torch.softmax(logits, 1) - _target(logits, Y)


def cross_entropy_backward__dlogits__target_not_subtracted(logits, Y):
    """You left out the target. Without it a descent step lowers every logit, the right one too."""
    return torch.softmax(logits, 1) / len(Y)


def cross_entropy_backward__dlogits__sign_flipped(logits, Y):
    """Your sign is flipped: a descent step would push the right class down and raise the loss."""
    return (_target(logits, Y) - torch.softmax(logits, 1)) / len(Y)


def cross_entropy_backward__dlogits__only_the_target_divided(logits, Y):
    """Only the target was divided by n: a division binds tighter than a minus. The mean covers the whole row."""
    return torch.softmax(logits, 1) - _target(logits, Y) / len(Y)


def cross_entropy_backward__dlogits__only_the_probabilities_divided(logits, Y):
    """Only the probabilities were divided by n. The mean covers the whole row, its target too."""
    return torch.softmax(logits, 1) / len(Y) - _target(logits, Y)


def cross_entropy_backward__dlogits__divided_by_classes(logits, Y):
    """You divided by the number of classes. The loss is a mean over the rows."""
    return (torch.softmax(logits, 1) - _target(logits, Y)) / logits.shape[1]


def cross_entropy_backward__dlogits__mean_over_all_entries(logits, Y):
    """You divided by the number of all logits. The loss has one term per row, and the mean is over those."""
    return (torch.softmax(logits, 1) - _target(logits, Y)) / logits.numel()


def cross_entropy_backward__dlogits__factor_two(logits, Y):
    """Your answer is twice too large. A factor 2 comes from a squared error, and nothing is squared here."""
    return 2 * (torch.softmax(logits, 1) - _target(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__softmax_missing(logits, Y):
    """You used the raw logits. The loss reads probabilities, which are positive and sum to one in each row."""
    return (logits - _target(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__log_probabilities(logits, Y):
    """You used log-probabilities where probabilities belong: your rows do not sum to zero."""
    return (torch.log_softmax(logits, 1) - _target(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__softmax_over_rows(logits, Y):
    """Your softmax runs down the columns. The classes of one row compete with each other, and rows do not."""
    return (torch.softmax(logits, 0) - _target(logits, Y)) / len(Y)


def cross_entropy_backward__dlogits__one_taken_from_every_row(logits, Y):
    """You took 1 away in the columns Y of every row: [:, Y] takes all pairs. Each row has one right class."""
    wrong = torch.softmax(logits, 1)
    wrong[:, Y] -= 1
    return wrong / len(Y)


def cross_entropy_backward__dlogits__stopped_at_logprobs(logits, Y):
    """You stopped at the log-probabilities. They depend on every logit of their row, through the shared sum."""
    return -_target(logits, Y) / len(Y)


def cross_entropy_backward__dlogits__stopped_at_probs(logits, Y):
    """You stopped at the probabilities. Softmax still lies between them and the logits."""
    return -_target(logits, Y) / torch.softmax(logits, 1) / len(Y)


def cross_entropy_backward__dlogits__only_the_right_class(logits, Y):
    """Only the right class has a gradient. The other logits raise the sum that its probability is divided by."""
    return _target(logits, Y) * (torch.softmax(logits, 1) - 1) / len(Y)


def cross_entropy_backward__dlogits__right_class_left_out(logits, Y):
    """You set the right class to zero. Its logit moves the loss most of all, and rows must sum to zero."""
    return (1 - _target(logits, Y)) * torch.softmax(logits, 1) / len(Y)


def cross_entropy_backward__dlogits__exp_overflows(logits, Y):
    """You took exp of the logits as they are. exp(800) is infinite; the forward subtracts each row's maximum first."""
    counts = logits.exp()
    return (counts / counts.sum(1, keepdim=True) - _target(logits, Y)) / len(Y)


# softmax_backward


def softmax_backward__dlogits__shared_sum_ignored(dout, probs):
    """You kept the sum of the row fixed. A logit also changes that sum, and with it the row's other probabilities."""
    return dout * probs


def softmax_backward__dlogits__diagonal_only(dout, probs):
    """You used the effect of each logit on its own probability. Every logit also moves all the others of its row."""
    return dout * probs * (1 - probs)


def softmax_backward__dlogits__sum_not_weighted(dout, probs):
    """You subtracted the plain sum of dout. A class of small probability has a small say in the shared sum."""
    return probs * (dout - dout.sum(1, keepdim=True))


def softmax_backward__dlogits__summed_over_rows(dout, probs):
    """You summed over the rows. Softmax ties together the classes of one row, never two rows."""
    return probs * (dout - (probs * dout).sum(0, keepdim=True))


def softmax_backward__dlogits__sum_added(dout, probs):
    """You added the part that comes through the shared sum. A larger sum makes every probability smaller."""
    return probs * (dout + (probs * dout).sum(1, keepdim=True))


def softmax_backward__dlogits__averaged(dout, probs):
    """You took a mean over the classes. The probabilities are weights that sum to one already; nothing is divided."""
    return probs * (dout - (probs * dout).mean(1, keepdim=True))


def softmax_backward__dlogits__parentheses_lost(dout, probs):
    """One part of the difference was not scaled by probs. Check that your rows sum to zero."""
    return probs * dout - (probs * dout).sum(1, keepdim=True)


def softmax_backward__dlogits__not_scaled(dout, probs):
    """Your difference is not scaled by probs. The logit of a class with almost no probability moves almost nothing."""
    return dout - (probs * dout).sum(1, keepdim=True)


def softmax_backward__dlogits__plain_mean_subtracted(dout, probs):
    """You subtracted the plain mean of dout. The classes do not weigh alike in the shared sum."""
    return probs * (dout - dout.mean(1, keepdim=True))


def softmax_backward__dlogits__cross_entropy_habit(dout, probs):
    """This is the shortcut of cross-entropy with dout as the target. Here no log and no target follows softmax."""
    return probs - dout


def softmax_backward__dlogits__scaled_twice(dout, probs):
    """You multiplied by probs once too often. Check the class with the smallest probability: it comes out too small."""
    return probs * probs * (dout - (probs * dout).sum(1, keepdim=True))


def softmax_backward__dlogits__log_softmax(dout, probs):
    """This is the gradient through log-softmax. The output here is probs itself, without a log."""
    return dout - probs * dout.sum(1, keepdim=True)
