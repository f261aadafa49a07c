"""Wrong lines; a docstring says what went wrong."""


def layernorm_backward__dx__gain_outside(dout, ln_raw, ln_gain, ln_rstd):
    """The gain is put outside the bracket, as in batch norm."""
    m, s = dout.mean(-1, keepdim=True), (dout * ln_raw).mean(-1, keepdim=True)
    return ln_gain * ln_rstd * (dout - m - ln_raw * s)


def layernorm_backward__dx__gain_in_the_mean_only(dout, ln_raw, ln_gain, ln_rstd):
    """The gain is forgotten in the variance's term."""
    g = dout * ln_gain
    return ln_rstd * (g - g.mean(-1, keepdim=True) - ln_raw * (dout * ln_raw).mean(-1, keepdim=True))


def layernorm_backward__dx__over_the_batch(dout, ln_raw, ln_gain, ln_rstd):
    """Means over axis 0, as in batch norm."""
    g = dout * ln_gain
    return ln_rstd * (g - g.mean(0, keepdim=True) - ln_raw * (g * ln_raw).mean(0, keepdim=True))


def layernorm_backward__dx__over_the_positions(dout, ln_raw, ln_gain, ln_rstd):
    """Means over axis 1."""
    g = dout * ln_gain
    return ln_rstd * (g - g.mean(1, keepdim=True) - ln_raw * (g * ln_raw).mean(1, keepdim=True))


def layernorm_backward__dx__sums(dout, ln_raw, ln_gain, ln_rstd):
    """Sums in place of means."""
    g = dout * ln_gain
    return ln_rstd * (g - g.sum(-1, keepdim=True) - ln_raw * (g * ln_raw).sum(-1, keepdim=True))


def layernorm_backward__dx__variance_missing(dout, ln_raw, ln_gain, ln_rstd):
    """The variance's path is missing."""
    g = dout * ln_gain
    return ln_rstd * (g - g.mean(-1, keepdim=True))


def layernorm_backward__dx__constants(dout, ln_gain, ln_rstd):
    """Both paths are missing."""
    return ln_rstd * dout * ln_gain


def layernorm_backward__dx__rstd_missing(dout, ln_raw, ln_gain):
    """1/sigma is missing."""
    g = dout * ln_gain
    return g - g.mean(-1, keepdim=True) - ln_raw * (g * ln_raw).mean(-1, keepdim=True)


def layernorm_backward__dx__bessel(dout, ln_raw, ln_gain, ln_rstd):
    """d - 1."""
    g, d = dout * ln_gain, dout.shape[-1]
    return ln_rstd * (g - g.mean(-1, keepdim=True) - ln_raw * (g * ln_raw).sum(-1, keepdim=True) / (d - 1))


def layernorm_backward__dx__gain_missing(dout, ln_raw, ln_rstd):
    """The gain is missing everywhere."""
    m, s = dout.mean(-1, keepdim=True), (dout * ln_raw).mean(-1, keepdim=True)
    return ln_rstd * (dout - m - ln_raw * s)


def layernorm_backward__dx__plus(dout, ln_raw, ln_gain, ln_rstd):
    """A plus before the variance's term."""
    g = dout * ln_gain
    return ln_rstd * (g - g.mean(-1, keepdim=True) + ln_raw * (g * ln_raw).mean(-1, keepdim=True))


def layernorm_backward__dx__mean_over_everything(dout, ln_raw, ln_gain, ln_rstd):
    """The mean is taken over all axes."""
    g = dout * ln_gain
    return ln_rstd * (g - g.mean() - ln_raw * (g * ln_raw).mean(-1, keepdim=True))


def layernorm_backward__dln_gain__batch_only(dout, ln_raw):
    """Summed over the batch only."""
    return (dout * ln_raw).sum(0)


def layernorm_backward__dln_gain__mean(dout, ln_raw):
    """A mean over both axes."""
    return (dout * ln_raw).mean((0, 1))


def layernorm_backward__dln_gain__last_axis(dout, ln_raw):
    """Summed over the last axis."""
    return (dout * ln_raw).sum(-1)


def layernorm_backward__dln_bias__of_raw(ln_raw):
    """The sum of ln_raw."""
    return ln_raw.sum((0, 1))


def layernorm_backward__dln_bias__one_axis_mean(dout):
    """A mean over the batch, a sum over the positions."""
    return dout.mean(0).sum(0)


def rmsnorm_backward__dx__constant(dout, x, rms_gain):
    """The root is a constant."""
    return dout * rms_gain * (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5


def rmsnorm_backward__dx__gain_outside(dout, x, rms_gain):
    """The gain is put outside the bracket."""
    r = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5
    return rms_gain * (dout * r - x * r**3 * (dout * x).mean(-1, keepdim=True))


def rmsnorm_backward__dx__sum_for_mean(dout, x, rms_gain):
    """A sum in place of a mean."""
    r = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5
    g = dout * rms_gain
    return g * r - x * r**3 * (g * x).sum(-1, keepdim=True)


def rmsnorm_backward__dx__power_of_one(dout, x, rms_gain):
    """r in place of r³ in the second term."""
    r = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5
    g = dout * rms_gain
    return g * r - x * r * (g * x).mean(-1, keepdim=True)


def rmsnorm_backward__dx__plus(dout, x, rms_gain):
    """A plus."""
    r = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5
    g = dout * rms_gain
    return g * r + x * r**3 * (g * x).mean(-1, keepdim=True)


def rmsnorm_backward__drms_gain__of_x(dout, x):
    """x, not normalised."""
    return (dout * x).sum((0, 1))


def rmsnorm_backward__drms_gain__not_summed(dout, x):
    """Summed over the batch only."""
    return (dout * x * (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5).sum(0)
