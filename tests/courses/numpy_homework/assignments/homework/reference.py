def layernorm_inputs(rng, N, D):
    return {"x": 3 + rng.normal(N, D), "gamma": rng.normal(D), "beta": rng.normal(D), "ln_param": {"eps": 1e-5}}


def layernorm(t):
    t.centred = t.x - t.x.mean(1, keepdim=True)
    t.var = (t.centred**2).mean(1, keepdim=True)
    t.x_hat = t.centred / (t.var + t.ln_param["eps"]).sqrt()
    t.out = t.gamma * t.x_hat + t.beta


def softmax_inputs(rng, N, C):
    return {"x": rng.normal(N, C), "y": rng.integers(0, C, N)}


def softmax(t):
    t.log_probs = t.x.log_softmax(1)
    t.loss = -t.log_probs[range(len(t.y)), t.y].mean()
