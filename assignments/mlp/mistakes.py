"""Wrong gradients of the whole MLP, step by step. Each docstring is what the student is told."""

import torch


def _target(logits, Y):
    return torch.nn.functional.one_hot(Y, num_classes=logits.shape[1]).double()


# softmax and cross-entropy


def mlp_backward__dlogprobs__not_divided_by_n(cache):
    """You gave every picked entry -1. The loss is a mean over the rows, so one row moves it by less than that."""
    return -_target(cache.logits, cache.Y)


def mlp_backward__dlogprobs__minus_lost(cache):
    """Your sign is flipped. The loss has a minus in front: when a picked entry rises, the loss falls."""
    return _target(cache.logits, cache.Y) / len(cache.Y)


def mlp_backward__dlogprobs__every_entry(cache):
    """You filled the whole tensor. The loss reads one entry of each row, and the others cannot change it."""
    return torch.full_like(cache.logprobs, -1 / len(cache.Y))


def mlp_backward__dlogprobs__every_row(cache):
    """You wrote to the columns in Y for every row: [:, Y] takes all pairs. The loss reads one entry of each row."""
    wrong = torch.zeros(cache.logprobs.shape)
    wrong[:, cache.Y] = -1 / len(cache.Y)
    return wrong


def mlp_backward__dlogprobs__mean_over_all_entries(cache):
    """You divided by the number of all entries. The mean runs over the picked ones only, one for each row."""
    return -_target(cache.logits, cache.Y) / cache.logprobs.numel()


def mlp_backward__dprobs__upstream_missing(cache):
    """This is the slope of log alone. What comes back from the loss must be multiplied in."""
    return 1 / cache.probs


def mlp_backward__dprobs__slope_at_the_output(cache, d):
    """You divided by logprobs, the output of log. The slope of log depends on its input."""
    return d.dlogprobs / cache.logprobs


def mlp_backward__dprobs__multiplied(cache, d):
    """You multiplied by probs. The slope of log is steep where its input is small, so a factor must grow there."""
    return d.dlogprobs * cache.probs


def mlp_backward__dprobs__small_number_added(cache, d):
    """You added a small number to probs to be safe. The forward takes the log of probs itself, so this is off."""
    return d.dlogprobs / (cache.probs + 1e-8)


def mlp_backward__dprobs__log_skipped(d):
    """You passed dlogprobs on unchanged. Between probs and logprobs stands a log, which has a slope."""
    return d.dlogprobs.clone()


def mlp_backward__dcounts_sum_inv__not_summed(cache, d):
    """One number per row was used for every class, and you kept one gradient per class. A broadcast adds them up."""
    return d.dprobs * cache.counts


def mlp_backward__dcounts_sum_inv__no_keepdim(cache, d):
    """The sum is right and its shape is not. counts_sum_inv has two axes, and the second has size 1."""
    return (cache.counts * d.dprobs).sum(1)


def mlp_backward__dcounts_sum_inv__summed_over_rows(cache, d):
    """You summed over the rows. counts_sum_inv is shared by the classes of one row, and every row has its own."""
    return (cache.counts * d.dprobs).sum(0, keepdim=True)


def mlp_backward__dcounts_sum_inv__other_factor_missing(d):
    """You summed the upstream gradient alone. In a product, each use of a factor counts as much as its partner."""
    return d.dprobs.sum(1, keepdim=True)


def mlp_backward__dcounts_sum_inv__times_probs(cache, d):
    """You multiplied by probs, the result of the product. The partner of counts_sum_inv in it is another tensor."""
    return (d.dprobs * cache.probs).sum(1, keepdim=True)


def mlp_backward__dcounts_sum_inv__averaged(cache, d):
    """You averaged over the classes. A number used several times collects all of what comes back, not a share."""
    return (cache.counts * d.dprobs).mean(1, keepdim=True)


def mlp_backward__dcounts_sum__minus_lost(cache, d):
    """Your sign is flipped. When a sum grows, its inverse shrinks."""
    return d.dcounts_sum_inv * cache.counts_sum_inv**2


def mlp_backward__dcounts_sum__exponent_kept(cache, d):
    """You left the exponent as it was. Taking the derivative of a power lowers its exponent by one."""
    return -d.dcounts_sum_inv * cache.counts_sum_inv


def mlp_backward__dcounts_sum__upstream_missing(cache):
    """This is the slope of the inverse alone. The upstream gradient of counts_sum_inv must be multiplied in."""
    return -(cache.counts_sum_inv**2)


def mlp_backward__dcounts_sum__power_inverted(cache, d):
    """You multiplied by the square of the sum. A large sum changes its inverse only a little, so its slope is small."""
    return -d.dcounts_sum_inv * cache.counts_sum**2


def mlp_backward__dcounts__only_through_probs(cache, d):
    """This is what comes back through probs. counts is used once more, in counts_sum, and two uses add."""
    return cache.counts_sum_inv * d.dprobs


def mlp_backward__dcounts__only_through_the_sum(cache, d):
    """This is what comes back through counts_sum. It has replaced what came through probs; two uses add."""
    return d.dcounts_sum.expand(cache.counts.shape)


def mlp_backward__dcounts__sum_times_counts(cache, d):
    """You multiplied dcounts_sum by counts. A sum treats all its entries alike, however large they are."""
    return cache.counts_sum_inv * d.dprobs + d.dcounts_sum * cache.counts


def mlp_backward__dcounts__sum_shared_out(cache, d):
    """You divided dcounts_sum among the classes. Raising any one entry raises the sum by the full amount."""
    return cache.counts_sum_inv * d.dprobs + d.dcounts_sum / cache.counts.shape[1]


def mlp_backward__dcounts__subtracted(cache, d):
    """You subtracted the second branch. Both uses add; the minus of the inverse is in dcounts_sum already."""
    return cache.counts_sum_inv * d.dprobs - d.dcounts_sum


def mlp_backward__dnorm_logits__exp_skipped(d):
    """You passed dcounts on unchanged. Between norm_logits and counts stands exp, which has a slope."""
    return d.dcounts.clone()


def mlp_backward__dnorm_logits__upstream_missing(cache):
    """This is the slope of exp alone. The upstream gradient dcounts must be multiplied in."""
    return cache.norm_logits.exp()


def mlp_backward__dnorm_logits__slope_at_the_input(cache, d):
    """You multiplied by the input of exp. The slope of exp is its own output."""
    return d.dcounts * cache.norm_logits


def mlp_backward__dnorm_logits__times_probs(cache, d):
    """You multiplied by probs, which is divided by the row's sum already. exp stands before that division."""
    return d.dcounts * cache.probs


def mlp_backward__dnorm_logits__power_rule(cache, d):
    """You used the power rule. In exp the exponent is the variable and the base is fixed."""
    return d.dcounts * cache.norm_logits * (cache.norm_logits - 1).exp()


def mlp_backward__dlogit_maxes__not_summed(d):
    """One maximum per row was subtracted from every class, and you kept one gradient per class. A broadcast sums."""
    return -d.dnorm_logits


def mlp_backward__dlogit_maxes__summed_over_rows(d):
    """You summed over the rows. A maximum belongs to one row and was subtracted from that row's classes."""
    return -d.dnorm_logits.sum(0, keepdim=True)


def mlp_backward__dlogits__only_through_the_max(cache, d):
    """This is what comes back through the max. It has replaced what came through the difference; two uses add."""
    return _target(cache.logits, cache.logits.argmax(1)) * d.dlogit_maxes


def mlp_backward__dlogits__difference_negated(d):
    """You turned the sign around. In the difference it is logit_maxes that has the minus, not logits."""
    return -d.dnorm_logits


def mlp_backward__dlogits__divided_by_n_again(cache, d):
    """You divided by the number of rows. The mean is one step of the forward, and its share came in at dlogprobs."""
    return d.dnorm_logits / len(cache.Y)


def mlp_backward__dlogits__target_not_subtracted(cache):
    """You returned the probabilities over n. The loss also reads Y, and rows of dlogits must sum to zero."""
    return cache.probs / len(cache.Y)


def mlp_backward__dlogits__not_divided_by_n(cache):
    """You took the shortcut without the mean. Each of the rows moves the loss by its share only."""
    return cache.probs - _target(cache.logits, cache.Y)


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
    """The numbers are right and the shape is not. bn_gain has one axis, and yours has a row axis of size 1."""
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
    """The numbers are right and the shape is not. bn_bias has one axis, and yours has a row axis of size 1."""
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


def mlp_backward__dbn_var_inv__not_summed(cache, d):
    """You kept one gradient for each row. One number per feature served all rows, and a broadcast adds them up."""
    return d.dbn_raw * cache.bn_diff


def mlp_backward__dbn_var_inv__no_keepdim(cache, d):
    """The sum is right and its shape is not. bn_var_inv keeps a row axis of size 1."""
    return (cache.bn_diff * d.dbn_raw).sum(0)


def mlp_backward__dbn_var_inv__averaged(cache, d):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return (cache.bn_diff * d.dbn_raw).mean(0, keepdim=True)


def mlp_backward__dbn_var_inv__wrong_axis(cache, d):
    """You summed over the features. Each feature has a variance of its own; it is the rows that share it."""
    return (cache.bn_diff * d.dbn_raw).sum(1, keepdim=True)


def mlp_backward__dbn_var_inv__times_bn_raw(cache, d):
    """You multiplied by bn_raw, the result of the product. The partner of bn_var_inv is its other factor."""
    return (d.dbn_raw * cache.bn_raw).sum(0, keepdim=True)


def mlp_backward__dbn_var_inv__other_factor_missing(d):
    """You summed the upstream gradient alone. In a product, each use of a factor counts as much as its partner."""
    return d.dbn_raw.sum(0, keepdim=True)


def mlp_backward__dbn_var__exponent_kept(cache, d):
    """You left the exponent as it was. Taking the derivative of a power lowers its exponent by one."""
    return -0.5 * d.dbn_var_inv * cache.bn_var_inv


def mlp_backward__dbn_var__exponent_raised(cache, d):
    """You moved the exponent up to +0.5. Taking the derivative of a power lowers its exponent by one."""
    return -0.5 * d.dbn_var_inv * (cache.bn_var + 1e-5) ** 0.5


def mlp_backward__dbn_var__minus_lost(cache, d):
    """Your sign is flipped. When the variance grows, bn_var_inv shrinks."""
    return 0.5 * d.dbn_var_inv * cache.bn_var_inv**3


def mlp_backward__dbn_var__half_missing(cache, d):
    """The exponent did not come down as a factor. Your answer is twice too large."""
    return -d.dbn_var_inv * cache.bn_var_inv**3


def mlp_backward__dbn_var__small_number_missing(cache, d):
    """You left out the 1e-5. The forward takes the power of the variance plus that number."""
    return -0.5 * d.dbn_var_inv * cache.bn_var**-1.5


def mlp_backward__dbn_var__upstream_missing(cache):
    """This is the slope of the power alone. What comes back to bn_var_inv must be multiplied in."""
    return -0.5 * cache.bn_var_inv**3


def mlp_backward__dbn_diff_sq__not_divided_by_n(cache, d):
    """You left out the mean. Each squared difference has only its share in the variance."""
    return d.dbn_var.expand(cache.bn_diff_sq.shape)


def mlp_backward__dbn_diff_sq__divided_by_one_less(cache, d):
    """You divided by one less than the number of rows. The variance of this forward is a plain mean of squares."""
    return d.dbn_var.expand(cache.bn_diff_sq.shape) / (len(cache.bn_diff_sq) - 1)


def mlp_backward__dbn_diff_sq__divided_twice(cache, d):
    """You divided by the number of rows twice. The forward divides once."""
    return d.dbn_var.expand(cache.bn_diff_sq.shape) / len(cache.bn_diff_sq) ** 2


def mlp_backward__dbn_diff_sq__not_broadcast(cache, d):
    """The numbers are right and there is one row of them. A sum hands its gradient to every row that was added."""
    return d.dbn_var / len(cache.bn_diff_sq)


def mlp_backward__dbn_diff_sq__divided_by_features(cache, d):
    """You divided by the number of features. The mean runs over the rows."""
    rows, features = cache.bn_diff_sq.shape
    return d.dbn_var.expand(rows, features) / features


def mlp_backward__dbn_diff_sq__times_bn_diff_sq(cache, d):
    """You scaled by the squares themselves. A sum treats all its entries alike, however large they are."""
    return d.dbn_var * cache.bn_diff_sq / len(cache.bn_diff_sq)


def mlp_backward__dbn_diff__only_through_bn_raw(cache, d):
    """This is what comes back through bn_raw. bn_diff is also squared, for the variance, and two uses add."""
    return cache.bn_var_inv * d.dbn_raw


def mlp_backward__dbn_diff__only_through_the_square(cache, d):
    """This is what comes back through the square. It has replaced what came through bn_raw; two uses add."""
    return 2 * d.dbn_diff_sq * cache.bn_diff


def mlp_backward__dbn_diff__two_missing(cache, d):
    """The square has lost its 2. The power rule brings the exponent down as a factor."""
    return cache.bn_var_inv * d.dbn_raw + d.dbn_diff_sq * cache.bn_diff


def mlp_backward__dbn_diff__slope_of_the_square_missing(cache, d):
    """The slope of the square is a constant in your answer. A square is steeper the farther it is from zero."""
    return cache.bn_var_inv * d.dbn_raw + 2 * d.dbn_diff_sq


def mlp_backward__dbn_diff__squared_slope(cache, d):
    """You multiplied by bn_diff_sq. The power rule lowers the exponent of the square by one."""
    return cache.bn_var_inv * d.dbn_raw + 2 * cache.bn_diff_sq * d.dbn_diff_sq


def mlp_backward__dbn_diff__subtracted(cache, d):
    """You subtracted the branch of the square. Two uses add; the minus of the power is in dbn_var already."""
    return cache.bn_var_inv * d.dbn_raw - 2 * d.dbn_diff_sq * cache.bn_diff


def mlp_backward__dbn_diff__divided_by_bn_var_inv(cache, d):
    """You divided by bn_var_inv in the first branch. The forward multiplies by it."""
    return d.dbn_raw / cache.bn_var_inv + 2 * d.dbn_diff_sq * cache.bn_diff


def mlp_backward__dbn_mean__minus_lost(d):
    """Your sign is flipped. The mean is subtracted: when it rises, every difference falls."""
    return d.dbn_diff.sum(0, keepdim=True)


def mlp_backward__dbn_mean__no_keepdim(d):
    """The sum is right and its shape is not. bn_mean keeps a row axis of size 1."""
    return -d.dbn_diff.sum(0)


def mlp_backward__dbn_mean__not_summed(d):
    """You kept one gradient for each row. The same mean was subtracted from all rows, and a broadcast adds them up."""
    return -d.dbn_diff


def mlp_backward__dbn_mean__averaged(d):
    """You took the mean over the rows. The 1/n belongs to the step before, where the mean was made."""
    return -d.dbn_diff.mean(0, keepdim=True)


def mlp_backward__dbn_mean__wrong_axis(d):
    """You summed over the features. Each feature has a mean of its own; it is the rows that share it."""
    return -d.dbn_diff.sum(1, keepdim=True)


def mlp_backward__dh_prebn__mean_path_missing(d):
    """This is what comes back through the difference. h_prebn also makes the mean, and two uses add."""
    return d.dbn_diff.clone()


def mlp_backward__dh_prebn__only_through_the_mean(cache, d):
    """This is what comes back through the mean. It has replaced what came through the difference; two uses add."""
    return d.dbn_mean.expand(cache.h_prebn.shape) / len(cache.h_prebn)


def mlp_backward__dh_prebn__mean_not_divided(d):
    """The mean came back undivided. Each row has only its share in the mean."""
    return d.dbn_diff + d.dbn_mean


def mlp_backward__dh_prebn__mean_subtracted(cache, d):
    """You subtracted the path of the mean. Two uses add; the minus of the difference is in dbn_mean already."""
    return d.dbn_diff - d.dbn_mean / len(cache.h_prebn)


def mlp_backward__dh_prebn__divided_by_one_less(cache, d):
    """You divided the path of the mean by one less than the number of rows. A mean counts every row."""
    return d.dbn_diff + d.dbn_mean / (len(cache.h_prebn) - 1)


def mlp_backward__dh_prebn__divided_by_features(cache, d):
    """You divided the path of the mean by the number of features. The mean runs over the rows."""
    return d.dbn_diff + d.dbn_mean / cache.h_prebn.shape[1]


def mlp_backward__dh_prebn__statistics_constant(cache, d):
    """You treated mean and variance as constants. They are made of the same rows and move along with each of them."""
    return cache.bn_gain * cache.bn_var_inv * d.dh_preact


def mlp_backward__dh_prebn__formula_for_n_minus_one(cache, d):
    """This is the formula of the lesson, where the variance divides by n - 1. This forward divides by n."""
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
