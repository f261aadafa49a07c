"""Batch normalisation in training, one step at a time."""


def batchnorm_inputs(rng, N, H, tiny=False):
    h_prebn = rng.normal(N, H) + rng.normal(H)
    bn_gain = rng.normal(H)
    if tiny:
        # A variance about as large as the 1e-5 that the forward adds to it. The gain is small as well:
        # gradients far above 1 would make the rounding of their sums larger than atol.
        h_prebn[:, 0] = 0.003 * rng.normal(N)
        bn_gain[0] *= 0.003
    return {"h_prebn": h_prebn, "bn_gain": bn_gain, "bn_bias": rng.normal(H)}


def batchnorm(t):
    n = len(t.h_prebn)
    t.bn_mean = t.h_prebn.sum(dim=0, keepdim=True) / n
    t.bn_diff = t.h_prebn - t.bn_mean
    t.bn_diff_sq = t.bn_diff**2
    t.bn_var = t.bn_diff_sq.sum(dim=0, keepdim=True) / n
    t.bn_var_inv = (t.bn_var + 1e-5) ** -0.5
    t.bn_raw = t.bn_diff * t.bn_var_inv
    t.h_preact = t.bn_gain * t.bn_raw + t.bn_bias
