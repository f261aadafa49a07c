"""Right answers to the layer normalisation exercises, written in other ways than the solution."""

import torch


def layernorm_steps_backward__as_the_lesson(dout, cache):
    D = cache.x.shape[-1]
    dln_gain = (cache.ln_raw * dout).sum(0).sum(0)
    dln_bias = dout.sum(0).sum(0)
    dln_raw = cache.ln_gain * dout
    dln_diff = cache.ln_rstd * dln_raw
    dln_rstd = (cache.ln_diff * dln_raw).sum(-1, keepdim=True)
    dln_var = -0.5 * cache.ln_rstd**3 * dln_rstd
    dln_diff_sq = 1.0 / D * torch.ones_like(cache.ln_diff_sq) * dln_var
    dln_diff += 2 * cache.ln_diff * dln_diff_sq
    dx = dln_diff.clone()
    dln_mean = (-dln_diff).sum(-1, keepdim=True)
    dx += 1.0 / D * (torch.ones_like(cache.x) * dln_mean)
    return dln_gain, dln_bias, dln_raw, dln_rstd, dln_var, dln_diff_sq, dln_diff, dln_mean, dx


def layernorm_steps_backward__flattened(dout, cache):
    B, T, D = dout.shape
    flat = {name: value.reshape(B * T, -1) for name, value in vars(cache).items() if value.dim() == 3}
    g = dout.reshape(B * T, D)
    draw = g * cache.ln_gain
    drstd = torch.einsum("nd,nd->n", draw, flat["ln_diff"])[:, None]
    dvar = drstd / -2 / (flat["ln_var"] + 1e-5) ** 1.5
    ddiff_sq = (dvar / D).repeat(1, D)
    ddiff = draw * flat["ln_rstd"] + flat["ln_diff"] * dvar * (2 / D)
    # The part through the square sums to zero.
    dmean = -(draw * flat["ln_rstd"]).sum(1, keepdim=True)
    dx = ddiff - ddiff.mean(1, keepdim=True)
    return {
        "dx": dx.view(B, T, D),
        "dln_mean": dmean.view(B, T, 1),
        "dln_diff": ddiff.view(B, T, D),
        "dln_diff_sq": ddiff_sq.view(B, T, D),
        "dln_var": dvar.view(B, T, 1),
        "dln_rstd": drstd.view(B, T, 1),
        "dln_raw": draw.view(B, T, D),
        "dln_bias": torch.ones(B * T) @ g,
        "dln_gain": torch.einsum("nd,nd->d", g, flat["ln_raw"]),
    }


def layernorm_backward__llm_c(dout, ln_raw, ln_gain, ln_rstd):
    dw = (dout * ln_raw).sum((0, 1))
    db = dout.sum((0, 1))
    dnorm = dout * ln_gain
    dx = dnorm - dnorm.mean(-1, keepdim=True) - ln_raw * (dnorm * ln_raw).mean(-1, keepdim=True)
    dx *= ln_rstd
    return dx, dw, db


def layernorm_backward__d_times(dout, ln_raw, ln_gain, ln_rstd):
    D = dout.size(-1)
    g = dout * ln_gain
    inner = D * g - g.sum(-1, keepdim=True) - ln_raw * (g * ln_raw).sum(-1, keepdim=True)
    return ln_rstd / D * inner, torch.einsum("btd,btd->d", dout, ln_raw), torch.einsum("btd->d", dout)


def layernorm_backward__loops(dout, ln_raw, ln_gain, ln_rstd):
    B, T, D = dout.shape
    dx, dgain, dbias = torch.zeros(B, T, D), torch.zeros(D), torch.zeros(D)
    for b in range(B):
        for t in range(T):
            g = dout[b, t] * ln_gain
            mean, along = g.sum() / D, (g @ ln_raw[b, t]) / D
            for d in range(D):
                dgain[d] += dout[b, t, d] * ln_raw[b, t, d]
                dbias[d] += dout[b, t, d]
                dx[b, t, d] = ln_rstd[b, t, 0] * (g[d] - mean - ln_raw[b, t, d] * along)
    return dx, dgain, dbias


def rmsnorm_backward__steps(dout, x, rms_gain):
    D = x.shape[-1]
    mean_sq = x.pow(2).mean(-1, keepdim=True)
    inv = torch.rsqrt(mean_sq + 1e-5)
    drms_gain = (dout * x * inv).sum((0, 1))
    dnormed = dout * rms_gain
    dinv = (dnormed * x).sum(-1, keepdim=True)
    dmean_sq = -0.5 * inv**3 * dinv
    dx = dnormed * inv
    dx += dmean_sq * 2 * x / D
    return dx, drms_gain


def rmsnorm_backward__projection(dout, x, rms_gain):
    D = x.shape[-1]
    size = torch.sqrt(x.square().sum(-1, keepdim=True) / D + 1e-5)
    u = x / size
    away = torch.eye(D) - u.unsqueeze(-1) * u.unsqueeze(-2) / D
    return (away @ (dout * rms_gain).unsqueeze(-1)).squeeze(-1) / size, (dout * u).flatten(0, 1).sum(0)
