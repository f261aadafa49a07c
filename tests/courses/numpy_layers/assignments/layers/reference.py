def affine_inputs(rng, N, axes, M):
    D = 1
    for size in axes:
        D *= size
    return {"x": rng.normal(N, *axes), "w": rng.normal(D, M), "b": rng.normal(M)}


def affine(t):
    t.out = t.x.flatten(1) @ t.w + t.b


def relu_inputs(rng, N, D):
    return {"x": rng.normal(N, D)}


def relu(t):
    t.out = t.x.clamp(min=0.0)


def batchnorm_inputs(rng, N, D):
    return {"x": rng.normal(N, D), "gamma": rng.normal(D), "beta": rng.normal(D), "eps": 1e-5}


def batchnorm(t):
    t.mean = t.x.mean(0)
    t.var = ((t.x - t.mean) ** 2).mean(0)
    t.x_hat = (t.x - t.mean) / (t.var + t.eps).sqrt()
    t.out = t.gamma * t.x_hat + t.beta


def dropout_inputs(rng, N, D):
    settings = {"p": 1 / 3, "mode": "train"}
    return {"x": rng.normal(N, D), "mask": rng.uniform(N, D) > settings["p"], "dropout_param": settings}


def dropout(t):
    t.out = t.x * t.mask / (1 - t.dropout_param["p"])
