"""Wrong gradients of batch normalisation. Each docstring is what the student is told."""

import torch

# batchnorm_steps_backward


def batchnorm_steps_backward__dbn_gain__not_summed(dout, cache):
    """You kept one gradient for each row. All rows used the same gain, and a broadcast in the forward adds them up."""
    return dout * cache.bn_raw


def batchnorm_steps_backward__dbn_gain__axis_kept(dout, cache):
    """The numbers are right. The lesson keeps bn_gain as (1, H); here it is (H,), one axis, and so is its gradient."""
    return (cache.bn_raw * dout).sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_gain__averaged(dout, cache):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return (cache.bn_raw * dout).mean(0)


def batchnorm_steps_backward__dbn_gain__wrong_axis(dout, cache):
    """You summed over the features. Each feature has its own gain; it is the rows that share it."""
    return (cache.bn_raw * dout).sum(1)


def batchnorm_steps_backward__dbn_gain__times_h_prebn(dout, cache):
    """You multiplied by the input of the layer. The gain is multiplied by values that are normalised already."""
    return (dout * cache.h_prebn).sum(0)


def batchnorm_steps_backward__dbn_gain__times_bn_diff(dout, cache):
    """You multiplied by the differences. They are divided by the spread before the gain comes in."""
    return (dout * cache.bn_diff).sum(0)


def batchnorm_steps_backward__dbn_gain__times_the_output(dout, cache):
    """You multiplied by the output of the layer. Gain and bias are in it already; the gain's partner has neither."""
    return (dout * cache.h_preact).sum(0)


def batchnorm_steps_backward__dbn_gain__swapped_with_bias(dout):
    """This is the gradient of the bias. The gain is multiplied by something before it reaches the output."""
    return dout.sum(0)


def batchnorm_steps_backward__dbn_bias__not_summed(dout):
    """You returned the upstream gradient. The bias was added to every row, so its gradient collects over them."""
    return dout.clone()


def batchnorm_steps_backward__dbn_bias__axis_kept(dout):
    """The numbers are right. The lesson keeps bn_bias as (1, H); here it is (H,), one axis, and so is its gradient."""
    return dout.sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_bias__averaged(dout):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return dout.mean(0)


def batchnorm_steps_backward__dbn_bias__wrong_axis(dout):
    """You summed over the features. Each feature has its own bias; it is the rows that share it."""
    return dout.sum(1)


def batchnorm_steps_backward__dbn_bias__times_gain(dout, cache):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (dout * cache.bn_gain).sum(0)


def batchnorm_steps_backward__dbn_raw__gain_missing(dout):
    """You returned the upstream gradient. bn_raw is scaled by the gain before it reaches the output."""
    return dout.clone()


def batchnorm_steps_backward__dbn_raw__divided_by_gain(dout, cache):
    """You divided by the gain. A larger gain makes the output more sensitive to bn_raw, not less."""
    return dout / cache.bn_gain


def batchnorm_steps_backward__dbn_raw__bias_added(dout, cache):
    """You ran the forward on dout. The bias is a constant next to bn_raw and has no part in its slope."""
    return dout * cache.bn_gain + cache.bn_bias


def batchnorm_steps_backward__dbn_raw__upstream_missing(dout, cache):
    """Your answer does not depend on dout. The gain must be multiplied by what comes back from the output."""
    return cache.bn_gain.expand(dout.shape)


def batchnorm_steps_backward__dbn_raw__times_bn_raw(dout, cache):
    """This is the gradient of the gain before the sum. In a product, each factor's partner is the other one."""
    return dout * cache.bn_raw


def batchnorm_steps_backward__dbn_var_inv__not_summed(cache, d):
    """You kept one gradient for each row. One number per feature served all rows, and a broadcast adds them up."""
    return d.dbn_raw * cache.bn_diff


def batchnorm_steps_backward__dbn_var_inv__no_keepdim(cache, d):
    """The sum is right and its shape is not. bn_var_inv keeps a row axis of size 1."""
    return (cache.bn_diff * d.dbn_raw).sum(0)


def batchnorm_steps_backward__dbn_var_inv__averaged(cache, d):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return (cache.bn_diff * d.dbn_raw).mean(0, keepdim=True)


def batchnorm_steps_backward__dbn_var_inv__wrong_axis(cache, d):
    """You summed over the features. Each feature has a variance of its own; it is the rows that share it."""
    return (cache.bn_diff * d.dbn_raw).sum(1, keepdim=True)


def batchnorm_steps_backward__dbn_var_inv__times_bn_raw(cache, d):
    """You multiplied by bn_raw, the result of the product. The partner of bn_var_inv is its other factor."""
    return (d.dbn_raw * cache.bn_raw).sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_var_inv__other_factor_missing(d):
    """You summed the upstream gradient alone. In a product, each use of a factor counts as much as its partner."""
    return d.dbn_raw.sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_var__exponent_kept(cache, d):
    """You left the exponent as it was. Taking the derivative of a power lowers its exponent by one."""
    return -0.5 * d.dbn_var_inv * cache.bn_var_inv


def batchnorm_steps_backward__dbn_var__exponent_raised(cache, d):
    """You moved the exponent up to +0.5. Taking the derivative of a power lowers its exponent by one."""
    return -0.5 * d.dbn_var_inv * (cache.bn_var + 1e-5) ** 0.5


def batchnorm_steps_backward__dbn_var__minus_lost(cache, d):
    """Your sign is flipped. When the variance grows, bn_var_inv shrinks."""
    return 0.5 * d.dbn_var_inv * cache.bn_var_inv**3


def batchnorm_steps_backward__dbn_var__half_missing(cache, d):
    """The exponent did not come down as a factor. Your answer is twice too large."""
    return -d.dbn_var_inv * cache.bn_var_inv**3


def batchnorm_steps_backward__dbn_var__small_number_missing(cache, d):
    """You left out the 1e-5. The forward takes the power of the variance plus that number."""
    return -0.5 * d.dbn_var_inv * cache.bn_var**-1.5


def batchnorm_steps_backward__dbn_var__upstream_missing(cache):
    """This is the slope of the power alone. What comes back to bn_var_inv must be multiplied in."""
    return -0.5 * cache.bn_var_inv**3


def batchnorm_steps_backward__dbn_diff_sq__not_divided_by_n(cache, d):
    """You left out the mean. Each squared difference has only its share in the variance."""
    return d.dbn_var.expand(cache.bn_diff_sq.shape)


def batchnorm_steps_backward__dbn_diff_sq__divided_by_one_less(cache, d):
    """This is right for the makemore lesson, where the variance divides by n - 1.

    The forward of this course is another one: it divides by n. Its table is in the text of the assignment, its code in
    reference.py.
    """
    return d.dbn_var.expand(cache.bn_diff_sq.shape) / (len(cache.bn_diff_sq) - 1)


def batchnorm_steps_backward__dbn_diff_sq__divided_twice(cache, d):
    """You divided by the number of rows twice. The forward divides once."""
    return d.dbn_var.expand(cache.bn_diff_sq.shape) / len(cache.bn_diff_sq) ** 2


def batchnorm_steps_backward__dbn_diff_sq__not_broadcast(cache, d):
    """The numbers are right and there is one row of them. A sum hands its gradient to every row that was added."""
    return d.dbn_var / len(cache.bn_diff_sq)


def batchnorm_steps_backward__dbn_diff_sq__divided_by_features(cache, d):
    """You divided by the number of features. The mean runs over the rows."""
    rows, features = cache.bn_diff_sq.shape
    return d.dbn_var.expand(rows, features) / features


def batchnorm_steps_backward__dbn_diff_sq__times_bn_diff_sq(cache, d):
    """You scaled by the squares themselves. A sum treats all its entries alike, however large they are."""
    return d.dbn_var * cache.bn_diff_sq / len(cache.bn_diff_sq)


def batchnorm_steps_backward__dbn_diff__only_through_bn_raw(cache, d):
    """This is what comes back through bn_raw. bn_diff is also squared, for the variance, and two uses add."""
    return cache.bn_var_inv * d.dbn_raw


def batchnorm_steps_backward__dbn_diff__only_through_the_square(cache, d):
    """This is what comes back through the square. It has replaced what came through bn_raw; two uses add."""
    return 2 * d.dbn_diff_sq * cache.bn_diff


def batchnorm_steps_backward__dbn_diff__two_missing(cache, d):
    """The square has lost its 2. The power rule brings the exponent down as a factor."""
    return cache.bn_var_inv * d.dbn_raw + d.dbn_diff_sq * cache.bn_diff


def batchnorm_steps_backward__dbn_diff__slope_of_the_square_missing(cache, d):
    """The slope of the square is a constant in your answer. A square is steeper the farther it is from zero."""
    return cache.bn_var_inv * d.dbn_raw + 2 * d.dbn_diff_sq


def batchnorm_steps_backward__dbn_diff__squared_slope(cache, d):
    """You multiplied by bn_diff_sq. The power rule lowers the exponent of the square by one."""
    return cache.bn_var_inv * d.dbn_raw + 2 * cache.bn_diff_sq * d.dbn_diff_sq


def batchnorm_steps_backward__dbn_diff__subtracted(cache, d):
    """You subtracted the branch of the square. Two uses add; the minus of the power is in dbn_var already."""
    return cache.bn_var_inv * d.dbn_raw - 2 * d.dbn_diff_sq * cache.bn_diff


def batchnorm_steps_backward__dbn_diff__divided_by_bn_var_inv(cache, d):
    """You divided by bn_var_inv in the first branch. The forward multiplies by it."""
    return d.dbn_raw / cache.bn_var_inv + 2 * d.dbn_diff_sq * cache.bn_diff


def batchnorm_steps_backward__dbn_mean__minus_lost(d):
    """Your sign is flipped. The mean is subtracted: when it rises, every difference falls."""
    return d.dbn_diff.sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_mean__no_keepdim(d):
    """The sum is right and its shape is not: bn_mean is (1, H). The lesson's cmp lets (H,) pass; here it costs."""
    return -d.dbn_diff.sum(0)


def batchnorm_steps_backward__dbn_mean__not_summed(d):
    """You kept one gradient for each row. The same mean was subtracted from all rows, and a broadcast adds them up."""
    return -d.dbn_diff


def batchnorm_steps_backward__dbn_mean__averaged(d):
    """You took the mean over the rows. The 1/n belongs to the step before, where the mean was made."""
    return -d.dbn_diff.mean(0, keepdim=True)


def batchnorm_steps_backward__dbn_mean__wrong_axis(d):
    """You summed over the features. Each feature has a mean of its own; it is the rows that share it."""
    return -d.dbn_diff.sum(1, keepdim=True)


def batchnorm_steps_backward__dh_prebn__mean_path_missing(d):
    """This is what comes back through the difference. h_prebn also makes the mean, and two uses add."""
    return d.dbn_diff.clone()


def batchnorm_steps_backward__dh_prebn__only_through_the_mean(cache, d):
    """This is what comes back through the mean. It has replaced what came through the difference; two uses add."""
    return d.dbn_mean.expand(cache.h_prebn.shape) / len(cache.h_prebn)


def batchnorm_steps_backward__dh_prebn__mean_not_divided(d):
    """The mean came back undivided. Each row has only its share in the mean."""
    return d.dbn_diff + d.dbn_mean


def batchnorm_steps_backward__dh_prebn__mean_subtracted(cache, d):
    """You subtracted the path of the mean. Two uses add; the minus of the difference is in dbn_mean already."""
    return d.dbn_diff - d.dbn_mean / len(cache.h_prebn)


def batchnorm_steps_backward__dh_prebn__divided_by_one_less(cache, d):
    """You divided the path of the mean by one less than the number of rows. A mean counts every row."""
    return d.dbn_diff + d.dbn_mean / (len(cache.h_prebn) - 1)


def batchnorm_steps_backward__dh_prebn__divided_by_features(cache, d):
    """You divided the path of the mean by the number of features. The mean runs over the rows."""
    return d.dbn_diff + d.dbn_mean / cache.h_prebn.shape[1]


# batchnorm_backward


def batchnorm_backward__dh_prebn__statistics_constant(dout, bn_gain, bn_var_inv):
    """You treated mean and variance as constants. They are made of the same rows and move along with each of them."""
    return bn_gain * bn_var_inv * dout


def batchnorm_backward__dh_prebn__variance_path_missing(dout, bn_gain, bn_var_inv):
    """The path through the variance is missing. A row far from the mean widens the spread for all rows."""
    return bn_gain * bn_var_inv * (dout - dout.mean(0))


def batchnorm_backward__dh_prebn__mean_path_missing(dout, bn_raw, bn_gain, bn_var_inv):
    """The path through the mean is missing. Each row shifts the mean that is subtracted from all rows."""
    return bn_gain * bn_var_inv * (dout - bn_raw * (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__gain_missing(dout, bn_raw, bn_var_inv):
    """The gain is missing. bn_raw is scaled by it before it reaches the output."""
    return bn_var_inv * (dout - dout.mean(0) - bn_raw * (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__spread_missing(dout, bn_raw, bn_gain):
    """bn_var_inv is missing. The differences are scaled by it to make bn_raw, so a wide feature moves it less."""
    return bn_gain * (dout - dout.mean(0) - bn_raw * (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__variance_path_added(dout, bn_raw, bn_gain, bn_var_inv):
    """The path through the variance has the wrong sign. More spread makes the normalised values smaller."""
    return bn_gain * bn_var_inv * (dout - dout.mean(0) + bn_raw * (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__mean_path_added(dout, bn_raw, bn_gain, bn_var_inv):
    """The path through the mean has the wrong sign. The mean is subtracted in the forward."""
    return bn_gain * bn_var_inv * (dout + dout.mean(0) - bn_raw * (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__divided_by_one_less(dout, bn_raw, bn_gain, bn_var_inv):
    """This is right for the makemore lesson, where the variance divides by n - 1.

    The forward of this course is another one: it divides by n. Its table is in the text of the assignment, its code in
    reference.py.
    """
    through_variance = bn_raw * (dout * bn_raw).sum(0) / (len(dout) - 1)
    return bn_gain * bn_var_inv * (dout - dout.mean(0) - through_variance)


def batchnorm_backward__dh_prebn__variance_path_divided_twice(dout, bn_raw, bn_gain, bn_var_inv):
    """Your path through the variance is divided by the number of rows twice. The forward divides once."""
    through_variance = bn_raw * (dout * bn_raw).mean(0) / len(dout)
    return bn_gain * bn_var_inv * (dout - dout.mean(0) - through_variance)


def batchnorm_backward__dh_prebn__two_missing(dout, bn_raw, bn_gain, bn_var_inv):
    """Your path through the variance is half of what it should be: the 2 of the square is missing."""
    return bn_gain * bn_var_inv * (dout - dout.mean(0) - bn_raw * (dout * bn_raw).mean(0) / 2)


def batchnorm_backward__dh_prebn__exponent_kept(dout, bn_raw, bn_gain, bn_var_inv):
    """In your path through the variance the power kept its exponent. Its derivative has one that is lower by one."""
    return bn_gain * (bn_var_inv * (dout - dout.mean(0)) - bn_raw * (dout * bn_raw).mean(0) / bn_var_inv)


def batchnorm_backward__dh_prebn__mean_not_divided(dout, bn_raw, bn_gain, bn_var_inv):
    """The path through the mean is too strong. Each row has only its share in the mean."""
    return bn_gain * bn_var_inv * (dout - dout.sum(0) - bn_raw * (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__no_path_divided(dout, bn_raw, bn_gain, bn_var_inv):
    """Both sums over the rows are undivided. Mean and variance are means: each row has only its share in them."""
    return bn_gain * bn_var_inv * (dout - dout.sum(0) - bn_raw * (dout * bn_raw).sum(0))


def batchnorm_backward__dh_prebn__parentheses_lost(dout, bn_raw, bn_gain, bn_var_inv):
    """The factor in front reached only the first of three parts: a product binds tighter than a minus."""
    return bn_gain * bn_var_inv * dout - dout.mean(0) - bn_raw * (dout * bn_raw).mean(0)


def batchnorm_backward__dh_prebn__not_along_bn_raw(dout, bn_raw, bn_gain, bn_var_inv):
    """Your path through the variance is the same for all rows. A row moves the variance by how far out it lies."""
    return bn_gain * bn_var_inv * (dout - dout.mean(0) - (dout * bn_raw).mean(0))


def batchnorm_backward__dh_prebn__over_the_features(dout, bn_raw, bn_gain, bn_var_inv):
    """You averaged over the features. Mean and variance are taken down the rows, for each feature alone."""
    inner = dout - dout.mean(1, keepdim=True) - bn_raw * (dout * bn_raw).mean(1, keepdim=True)
    return bn_gain * bn_var_inv * inner


def batchnorm_backward__dbn_gain__not_summed(dout, bn_raw):
    """You kept one gradient for each row. All rows used the same gain, and a broadcast in the forward adds them up."""
    return dout * bn_raw


def batchnorm_backward__dbn_gain__axis_kept(dout, bn_raw):
    """The numbers are right. The lesson keeps bn_gain as (1, H); here it is (H,), one axis, and so is its gradient."""
    return (bn_raw * dout).sum(0, keepdim=True)


def batchnorm_backward__dbn_gain__averaged(dout, bn_raw):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return (bn_raw * dout).mean(0)


def batchnorm_backward__dbn_gain__wrong_axis(dout, bn_raw):
    """You summed over the features. Each feature has its own gain; it is the rows that share it."""
    return (bn_raw * dout).sum(1)


def batchnorm_backward__dbn_gain__swapped_with_bias(dout):
    """This is the gradient of the bias. The gain is multiplied by something before it reaches the output."""
    return dout.sum(0)


def batchnorm_backward__dbn_gain__times_the_gain(dout, bn_raw, bn_gain):
    """You multiplied by the gain itself. In a product, each factor gets the upstream gradient times the other one."""
    return (dout * bn_gain * bn_raw).sum(0)


def batchnorm_backward__dbn_gain__times_bn_diff(dout, bn_raw, bn_var_inv):
    """You multiplied by the differences. They are divided by the spread before the gain comes in."""
    return (dout * bn_raw / bn_var_inv).sum(0)


def batchnorm_backward__dbn_bias__not_summed(dout):
    """You returned the upstream gradient. The bias was added to every row, so its gradient collects over them."""
    return dout.clone()


def batchnorm_backward__dbn_bias__axis_kept(dout):
    """The numbers are right. The lesson keeps bn_bias as (1, H); here it is (H,), one axis, and so is its gradient."""
    return dout.sum(0, keepdim=True)


def batchnorm_backward__dbn_bias__averaged(dout):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return dout.mean(0)


def batchnorm_backward__dbn_bias__wrong_axis(dout):
    """You summed over the features. Each feature has its own bias; it is the rows that share it."""
    return dout.sum(1)


def batchnorm_backward__dbn_bias__rows_counted(dout):
    """You counted the rows. That is the answer for an upstream gradient of ones, and dout is not ones."""
    return torch.ones_like(dout).sum(0)


def batchnorm_backward__dbn_bias__times_gain(dout, bn_gain):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (dout * bn_gain).sum(0)
