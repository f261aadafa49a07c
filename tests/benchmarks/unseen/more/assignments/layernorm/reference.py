"""Layer norm over the last axis."""


def layernorm_inputs(rng, B, T, D):
    return {"x": rng.normal(B, T, D), "ln_gain": rng.normal(D), "ln_bias": rng.normal(D)}


def layernorm(t):
    d = t.x.shape[-1]
    t.ln_mean = t.x.sum(dim=-1, keepdim=True) / d
    t.ln_diff = t.x - t.ln_mean
    t.ln_diff_sq = t.ln_diff**2
    t.ln_var = t.ln_diff_sq.sum(dim=-1, keepdim=True) / d
    t.ln_rstd = (t.ln_var + 1e-5) ** -0.5
    t.ln_raw = t.ln_diff * t.ln_rstd
    t.out = t.ln_raw * t.ln_gain + t.ln_bias


def rmsnorm_inputs(rng, B, T, D):
    return {"x": rng.normal(B, T, D), "rms_gain": rng.normal(D)}


def rmsnorm(t):
    t.out = t.x * (t.x.square().mean(dim=-1, keepdim=True) + 1e-5) ** -0.5 * t.rms_gain
