"""Layer normalisation: backward step by step and by one formula, and its short form, RMSNorm."""


def layernorm_steps_backward(dout, cache):
    """Walk back through layer normalisation, one step of the forward at a time.

    The forward, for sequence b, position t and feature d of D features:
        ln_mean[b, t, 0] = (sum over d of x[b, t, d]) / D
        ln_diff[b, t, d] = x[b, t, d] - ln_mean[b, t, 0]
        ln_diff_sq[b, t, d] = ln_diff[b, t, d] ** 2
        ln_var[b, t, 0] = (sum over d of ln_diff_sq[b, t, d]) / D
        ln_rstd[b, t, 0] = (ln_var[b, t, 0] + 1e-5) ** -0.5
        ln_raw[b, t, d] = ln_diff[b, t, d] * ln_rstd[b, t, 0]
        out[b, t, d] = ln_raw[b, t, d] * ln_gain[d] + ln_bias[d]

    You are given:
        dout: (B, T, D), the upstream gradient of out
        cache: every value above by name

    You return the gradient with respect to each value:
        dln_gain (D,), dln_bias (D,), dln_raw (B, T, D), dln_rstd (B, T, 1), dln_var (B, T, 1),
        dln_diff_sq (B, T, D), dln_diff (B, T, D), dln_mean (B, T, 1), dx (B, T, D)
    """
    ln_gain, ln_raw, ln_rstd = cache.ln_gain, cache.ln_raw, cache.ln_rstd
    ln_var, ln_diff_sq, ln_diff = cache.ln_var, cache.ln_diff_sq, cache.ln_diff
    D = dout.shape[2]  # features
    # BEGIN SOLUTION
    # All positions of all sequences share gain and bias.
    dln_gain = (dout * ln_raw).sum(dim=(0, 1))  # (D,)
    dln_bias = dout.sum(dim=(0, 1))  # (D,)
    dln_raw = dout * ln_gain  # (B, T, D)
    # One number per position was multiplied into all its features.
    dln_rstd = (dln_raw * ln_diff).sum(dim=2, keepdim=True)  # (B, T, 1)
    # The power rule on (ln_var + 1e-5) ** -0.5.
    dln_var = -0.5 * (ln_var + 1e-5) ** -1.5 * dln_rstd  # (B, T, 1)
    # A sum broadcasts: every feature gets the same share of what came back.
    dln_diff_sq = dln_var.expand_as(ln_diff_sq) / D  # (B, T, D)
    # ln_diff is used in ln_raw and in its own square. Two uses add.
    dln_diff = dln_raw * ln_rstd + 2 * ln_diff * dln_diff_sq  # (B, T, D)
    dln_mean = -dln_diff.sum(dim=2, keepdim=True)  # (B, T, 1)
    # x is used in the difference, and every feature has one D-th of the mean.
    dx = dln_diff + dln_mean / D  # (B, T, D)
    # END SOLUTION
    return (
        dln_gain,
        dln_bias,
        dln_raw,
        dln_rstd,
        dln_var,
        dln_diff_sq,
        dln_diff,
        dln_mean,
        dx,
    )


def layernorm_backward(dout, ln_raw, ln_gain, ln_rstd):
    """Go back through layer normalisation in one formula.

    The forward, for sequence b, position t and feature d of D features:
        ln_mean[b, t, 0] = mean over d of x[b, t, d]
        ln_var[b, t, 0] = mean over d of (x[b, t, d] - ln_mean[b, t, 0]) ** 2
        ln_rstd[b, t, 0] = (ln_var[b, t, 0] + 1e-5) ** -0.5
        ln_raw[b, t, d] = (x[b, t, d] - ln_mean[b, t, 0]) * ln_rstd[b, t, 0]
        out[b, t, d] = ln_raw[b, t, d] * ln_gain[d] + ln_bias[d]

    You are given:
        dout: (B, T, D), the upstream gradient of out
        ln_raw: (B, T, D)
        ln_gain: (D,)
        ln_rstd: (B, T, 1)

    You return:
        dx: (B, T, D)
        dln_gain: (D,)
        dln_bias: (D,)
    """
    # BEGIN SOLUTION
    dln_gain = (dout * ln_raw).sum(dim=(0, 1))  # (D,)
    dln_bias = dout.sum(dim=(0, 1))  # (D,)
    # The gain differs along the axis of the means, so it comes in before them.
    dln_raw = dout * ln_gain  # (B, T, D)
    through_mean = dln_raw.mean(dim=2, keepdim=True)  # (B, T, 1)
    through_variance = ln_raw * (dln_raw * ln_raw).mean(dim=2, keepdim=True)  # (B, T, D)
    dx = ln_rstd * (dln_raw - through_mean - through_variance)  # (B, T, D)
    # END SOLUTION
    return dx, dln_gain, dln_bias


def rmsnorm_backward(dout, x, rms_gain):
    """Go back through RMSNorm, which divides by the size of a position and subtracts no mean.

    The forward, for sequence b, position t and feature d of D features:
        rms_inv[b, t, 0] = (mean over d of x[b, t, d] ** 2 + 1e-5) ** -0.5
        out[b, t, d] = x[b, t, d] * rms_inv[b, t, 0] * rms_gain[d]

    You are given:
        dout: (B, T, D), the upstream gradient of out
        x: (B, T, D)
        rms_gain: (D,)

    You return:
        dx: (B, T, D)
        drms_gain: (D,)
    """
    # BEGIN SOLUTION
    rms_inv = ((x * x).mean(dim=2, keepdim=True) + 1e-5) ** -0.5  # (B, T, 1)
    normed = x * rms_inv  # (B, T, D)
    drms_gain = (dout * normed).sum(dim=(0, 1))  # (D,)
    dnormed = dout * rms_gain  # (B, T, D)
    # What points along the position itself is taken out: stretching it changes next to nothing.
    dx = rms_inv * (dnormed - normed * (dnormed * normed).mean(dim=2, keepdim=True))  # (B, T, D)
    # END SOLUTION
    return dx, drms_gain
