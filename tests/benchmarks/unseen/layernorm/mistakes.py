"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""


def layernorm_steps_backward__dln_gain__not_normalised(dout, cache):
    """ln_diff in place of ln_raw."""
    return (dout * cache.ln_diff).sum((0, 1))


def layernorm_steps_backward__dln_gain__mean(dout, cache):
    """A mean over the batch."""
    return (dout * cache.ln_raw).mean((0, 1))


def layernorm_steps_backward__dln_bias__mean_over_batch(dout, cache):
    """Summed over positions, averaged over the batch."""
    return dout.sum(1).mean(0)


def layernorm_steps_backward__dln_raw__bias_added(dout, cache):
    """The bias is added as in the forward."""
    return dout * cache.ln_gain + cache.ln_bias


def layernorm_steps_backward__dln_rstd__raw_for_diff(dout, cache, d):
    """ln_raw in place of ln_diff."""
    return (d.dln_raw * cache.ln_raw).sum(-1, keepdim=True)


def layernorm_steps_backward__dln_rstd__mean(dout, cache, d):
    """A mean in place of the sum."""
    return (d.dln_raw * cache.ln_diff).mean(-1, keepdim=True)


def layernorm_steps_backward__dln_var__power_kept(cache, d):
    """-0.5 rstd in place of -0.5 rstd³."""
    return -0.5 * cache.ln_rstd * d.dln_rstd


def layernorm_steps_backward__dln_var__without_epsilon(cache, d):
    """ln_var without the epsilon."""
    return -0.5 * cache.ln_var**-1.5 * d.dln_rstd


def layernorm_steps_backward__dln_var__two(cache, d):
    """The half is forgotten."""
    return -(cache.ln_rstd**3) * d.dln_rstd


def layernorm_steps_backward__dln_diff_sq__not_divided(cache, d):
    """Not divided by D."""
    return d.dln_var.expand_as(cache.ln_diff).clone()


def layernorm_steps_backward__dln_diff_sq__over_the_batch(cache, d):
    """Divided by the number of rows."""
    return d.dln_var.expand_as(cache.ln_diff) / cache.x.shape[0]


def layernorm_steps_backward__dln_diff__first_path(cache, d):
    """Only through ln_raw."""
    return d.dln_raw * cache.ln_rstd


def layernorm_steps_backward__dln_diff__two_missing(cache, d):
    """The 2 of the square is missing."""
    return d.dln_raw * cache.ln_rstd + cache.ln_diff * d.dln_diff_sq


def layernorm_steps_backward__dln_mean__plus(d):
    """The sign is lost."""
    return d.dln_diff.sum(-1, keepdim=True)


def layernorm_steps_backward__dln_mean__over_time(d):
    """Summed over the positions, for a batch norm."""
    return -d.dln_diff.sum(1, keepdim=True)


def layernorm_steps_backward__dx__mean_not_divided(cache, d):
    """dln_mean is not divided by D."""
    return d.dln_diff + d.dln_mean


def layernorm_steps_backward__dx__mean_subtracted(cache, d):
    """Subtracted once more."""
    return d.dln_diff - d.dln_mean / cache.x.shape[2]


def layernorm_steps_backward__dx__mean_forgotten(d):
    """The way through the mean is forgotten."""
    return d.dln_diff.clone()


def _one_formula(q, raw, rstd, first=True, second=True, axis=-1):
    found = q
    if first:
        found = found - q.mean(axis, keepdim=True)
    if second:
        found = found - raw * (q * raw).mean(axis, keepdim=True)
    return rstd * found


def layernorm_backward__dx__gain_last(dout, ln_raw, ln_gain, ln_rstd):
    """The gain outside the bracket, as in a batch norm."""
    return ln_gain * _one_formula(dout, ln_raw, ln_rstd)


def layernorm_backward__dx__no_mean_term(dout, ln_raw, ln_gain, ln_rstd):
    """As an online formula has it: without the mean of what came back."""
    return _one_formula(dout * ln_gain, ln_raw, ln_rstd, first=False)


def layernorm_backward__dx__no_variance_term(dout, ln_raw, ln_gain, ln_rstd):
    """Without the part through the variance."""
    return _one_formula(dout * ln_gain, ln_raw, ln_rstd, second=False)


def layernorm_backward__dx__over_time(dout, ln_raw, ln_gain, ln_rstd):
    """Means over the positions."""
    return _one_formula(dout * ln_gain, ln_raw, ln_rstd, axis=1)


def layernorm_backward__dx__divided_by_one_less(dout, ln_raw, ln_gain, ln_rstd):
    """n - 1 in the term of the variance."""
    q, n = dout * ln_gain, dout.shape[-1]
    return ln_rstd * (q - q.mean(-1, keepdim=True) - ln_raw * (q * ln_raw).sum(-1, keepdim=True) / (n - 1))


def layernorm_backward__dx__raw_missing(dout, ln_raw, ln_gain, ln_rstd):
    """The last term is not multiplied by ln_raw."""
    q = dout * ln_gain
    return ln_rstd * (q - q.mean(-1, keepdim=True) - (q * ln_raw).mean(-1, keepdim=True))


def layernorm_backward__dx__rstd_divided(dout, ln_raw, ln_gain, ln_rstd):
    """Takes rstd for the standard deviation and divides."""
    return _one_formula(dout * ln_gain, ln_raw, 1 / ln_rstd)


def layernorm_backward__dx__projection_plain(dout, ln_raw, ln_gain, ln_rstd):
    """dout in the last mean, without the gain."""
    q = dout * ln_gain
    return ln_rstd * (q - q.mean(-1, keepdim=True) - ln_raw * (dout * ln_raw).mean(-1, keepdim=True))


def layernorm_backward__dx__plus(dout, ln_raw, ln_gain, ln_rstd):
    """Plus before the last term."""
    q = dout * ln_gain
    return ln_rstd * (q - q.mean(-1, keepdim=True) + ln_raw * (q * ln_raw).mean(-1, keepdim=True))


def layernorm_backward__dln_gain__last_axis(dout, ln_raw, ln_gain, ln_rstd):
    """Summed over the features."""
    return (dout * ln_raw).sum(-1)


def layernorm_backward__dln_bias__first_axis(dout, ln_raw, ln_gain, ln_rstd):
    """Summed over the batch only."""
    return dout.sum(0)


def rmsnorm_backward__dx__root_only(dout, x, rms_gain):
    """x / rms with the rms taken for a constant."""
    return dout * rms_gain * (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5


def rmsnorm_backward__dx__not_cubed(dout, x, rms_gain):
    """The second term has 1/rms² where 1/rms³ belongs."""
    r, q = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5, dout * rms_gain
    return q * r - x * r**2 * (q * x).mean(-1, keepdim=True)


def rmsnorm_backward__dx__sum_for_mean(dout, x, rms_gain):
    """A sum in place of the mean."""
    r, q = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5, dout * rms_gain
    return q * r - x * r**3 * (q * x).sum(-1, keepdim=True)


def rmsnorm_backward__dx__gain_outside(dout, x, rms_gain):
    """The gain is multiplied in at the end."""
    r = (x.square().mean(-1, keepdim=True) + 1e-5) ** -0.5
    return rms_gain * (dout * r - x * r**3 * (dout * x).mean(-1, keepdim=True))


def rmsnorm_backward__drms_gain__without_root(dout, x, rms_gain):
    """x not normalised."""
    return (dout * x).sum((0, 1))
