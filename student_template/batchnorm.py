"""Batch normalisation: backward step by step, and by the one formula that the steps collapse into."""

# ruff: noqa: F401, F841, RUF059, RUF100


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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dbn_gain = None  # (H,)
    dbn_bias = None  # (H,)
    dbn_raw = None  # (N, H)
    dbn_var_inv = None  # (1, H)
    dbn_var = None  # (1, H)
    dbn_diff_sq = None  # (N, H)
    dbn_diff = None  # (N, H)
    dbn_mean = None  # (1, H)
    dh_prebn = None  # (N, H)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dh_prebn = None  # (N, H)
    dbn_gain = None  # (H,)
    dbn_bias = None  # (H,)
    return dh_prebn, dbn_gain, dbn_bias
