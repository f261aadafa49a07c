"""Layer normalisation: backward step by step and by one formula, and its short form, RMSNorm."""

# ruff: noqa: F401, F841, RUF059, RUF100


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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dln_gain = None  # (D,)
    dln_bias = None  # (D,)
    dln_raw = None  # (B, T, D)
    dln_rstd = None  # (B, T, 1)
    dln_var = None  # (B, T, 1)
    dln_diff_sq = None  # (B, T, D)
    dln_diff = None  # (B, T, D)
    dln_mean = None  # (B, T, 1)
    dx = None  # (B, T, D)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (B, T, D)
    dln_gain = None  # (D,)
    dln_bias = None  # (D,)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (B, T, D)
    drms_gain = None  # (D,)
    return dx, drms_gain
