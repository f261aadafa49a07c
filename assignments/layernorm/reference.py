"""Layer normalisation, one step at a time, and its short form, RMSNorm."""


def layernorm_inputs(rng, B, T, D, tiny=0):
    x = rng.normal(B, T, D) + rng.normal(B, T, 1)
    # Positions with a variance about as large as the 1e-5 that the forward adds to it.
    x[0, :tiny] = 0.003 * rng.normal(tiny, D)
    return {"x": x, "ln_gain": 1 + 0.5 * rng.normal(D), "ln_bias": rng.normal(D)}


def layernorm(t):
    D = t.x.shape[2]
    t.ln_mean = t.x.sum(dim=2, keepdim=True) / D
    t.ln_diff = t.x - t.ln_mean
    t.ln_diff_sq = t.ln_diff**2
    t.ln_var = t.ln_diff_sq.sum(dim=2, keepdim=True) / D
    t.ln_rstd = (t.ln_var + 1e-5) ** -0.5
    t.ln_raw = t.ln_diff * t.ln_rstd
    t.out = t.ln_raw * t.ln_gain + t.ln_bias


def rmsnorm_inputs(rng, B, T, D, tiny=0):
    inputs = layernorm_inputs(rng, B, T, D, tiny)
    return {"x": inputs["x"], "rms_gain": inputs["ln_gain"]}


def rmsnorm(t):
    t.mean_sq = (t.x**2).mean(dim=2, keepdim=True)
    t.rms_inv = (t.mean_sq + 1e-5) ** -0.5
    t.rms_raw = t.x * t.rms_inv
    t.out = t.rms_raw * t.rms_gain
