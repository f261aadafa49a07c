"""Batch normalisation: backward step by step, and by the one formula that the steps collapse into."""


def batchnorm_steps_backward(dout, cache):
    """Walk back through batch normalisation, one step of the forward at a time.

    The forward, for row i and feature j of N rows and H features:
        bn_mean[0, j] = (sum over i of h_prebn[i, j]) / N
        bn_diff[i, j] = h_prebn[i, j] - bn_mean[0, j]
        bn_diff_sq[i, j] = bn_diff[i, j] ** 2
        bn_var[0, j] = (sum over i of bn_diff_sq[i, j]) / N
        bn_var_inv[0, j] = (bn_var[0, j] + 1e-5) ** -0.5
        bn_raw[i, j] = bn_diff[i, j] * bn_var_inv[0, j]
        h_preact[i, j] = bn_gain[j] * bn_raw[i, j] + bn_bias[j]

    You are given:
        dout: (N, H), the upstream gradient of h_preact
        cache: every value above by name

    You return the gradient with respect to each value:
        dbn_gain (H,), dbn_bias (H,), dbn_raw (N, H), dbn_var_inv (1, H), dbn_var (1, H),
        dbn_diff_sq (N, H), dbn_diff (N, H), dbn_mean (1, H), dh_prebn (N, H)
    """
    bn_gain, bn_raw, bn_var_inv = cache.bn_gain, cache.bn_raw, cache.bn_var_inv
    bn_var, bn_diff_sq, bn_diff = cache.bn_var, cache.bn_diff_sq, cache.bn_diff
    n = len(dout)  # rows in the batch
    # BEGIN SOLUTION
    # Gain and bias are shared by all rows. A broadcast in the forward is a sum in the backward.
    dbn_gain = (bn_raw * dout).sum(dim=0)  # (H,)
    dbn_bias = dout.sum(dim=0)  # (H,)
    dbn_raw = bn_gain * dout  # (N, H)
    dbn_var_inv = (bn_diff * dbn_raw).sum(dim=0, keepdim=True)  # (1, H)
    # The power rule on (bn_var + 1e-5) ** -0.5.
    dbn_var = -0.5 * (bn_var + 1e-5) ** -1.5 * dbn_var_inv  # (1, H)
    # A sum broadcasts: every row gets the same share of what came back.
    dbn_diff_sq = dbn_var.expand_as(bn_diff_sq) / n  # (N, H)
    # bn_diff is used in bn_raw and in its own square. Two uses add.
    dbn_diff = bn_var_inv * dbn_raw + 2 * bn_diff * dbn_diff_sq  # (N, H)
    dbn_mean = -dbn_diff.sum(dim=0, keepdim=True)  # (1, H)
    # h_prebn is used in the difference, and every row has one n-th of the mean.
    dh_prebn = dbn_diff + dbn_mean / n  # (N, H)
    # END SOLUTION
    return (
        dbn_gain,
        dbn_bias,
        dbn_raw,
        dbn_var_inv,
        dbn_var,
        dbn_diff_sq,
        dbn_diff,
        dbn_mean,
        dh_prebn,
    )


def batchnorm_backward(dout, bn_raw, bn_gain, bn_var_inv):
    """Go back through batch normalisation in one formula.

    The forward, for row i and feature j of N rows and H features:
        bn_mean[0, j] = mean over i of h_prebn[i, j]
        bn_var[0, j] = mean over i of (h_prebn[i, j] - bn_mean[0, j]) ** 2
        bn_var_inv[0, j] = (bn_var[0, j] + 1e-5) ** -0.5
        bn_raw[i, j] = (h_prebn[i, j] - bn_mean[0, j]) * bn_var_inv[0, j]
        h_preact[i, j] = bn_gain[j] * bn_raw[i, j] + bn_bias[j]

    You are given:
        dout: (N, H), the upstream gradient of h_preact
        bn_raw: (N, H)
        bn_gain: (H,)
        bn_var_inv: (1, H)

    You return:
        dh_prebn: (N, H)
        dbn_gain: (H,)
        dbn_bias: (H,)
    """
    n = len(dout)  # rows in the batch
    # BEGIN SOLUTION
    dbn_gain = (bn_raw * dout).sum(dim=0)  # (H,)
    dbn_bias = dout.sum(dim=0)  # (H,)
    # The three parts are the direct path, the path through the mean and the path through the variance.
    # Their sums over the rows are the two gradients above. The mean has no path through the variance:
    # the differences sum to zero.
    dh_prebn = bn_gain * bn_var_inv / n * (n * dout - dbn_bias - bn_raw * dbn_gain)  # (N, H)
    # END SOLUTION
    return dh_prebn, dbn_gain, dbn_bias
