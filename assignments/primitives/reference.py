"""The building blocks of every network in this course, each as a forward pass of its own."""


def add_inputs(rng, N, D):
    return {"a": rng.normal(N, D), "b": rng.normal(N, D)}


def add(t):
    t.out = t.a + t.b


def broadcast_add_inputs(rng, N, D):
    return {"a": rng.normal(N, D), "b": rng.normal(D)}


def broadcast_add(t):
    t.out = t.a + t.b


def multiply_inputs(rng, N, D, zero_rows=0):
    a = rng.normal(N, D)
    a[:zero_rows] = 0.0
    return {"a": a, "b": rng.normal(N, D)}


def multiply(t):
    t.out = t.a * t.b


def matmul_inputs(rng, N, K, M):
    return {"a": rng.normal(N, K), "b": rng.normal(K, M)}


def matmul(t):
    t.out = t.a @ t.b


def reuse_inputs(rng, N, D):
    return {"a": rng.normal(N, D), "b": rng.normal(N, D)}


def reuse(t):
    t.product = t.a * t.b
    t.out = t.product + t.a


def row_sum_inputs(rng, N, D):
    return {"x": rng.normal(N, D)}


def row_sum(t):
    t.out = t.x.sum(dim=1, keepdim=True)


def column_mean_inputs(rng, N, D):
    return {"x": rng.normal(N, D)}


def column_mean(t):
    t.out = t.x.mean(dim=0, keepdim=True)


def row_max_inputs(rng, N, D, shift=0.0):
    return {"x": rng.normal(N, D) + shift}


def row_max(t):
    t.out = t.x.max(dim=1, keepdim=True).values


def power_inputs(rng, N, D, exponent):
    x = 0.5 + rng.uniform(N, D)
    if exponent.is_integer():
        # A negative base has a real power only when the exponent is whole.
        x = x * (2 * rng.integers(0, 2, N, D) - 1)
    return {"x": x, "exponent": exponent}


def power(t):
    t.out = t.x**t.exponent


def exp_inputs(rng, N, D, scale=1.0):
    return {"x": rng.normal(N, D) * scale}


def exp(t):
    t.out = t.x.exp()


def log_inputs(rng, N, D, smallest):
    return {"x": smallest + 2 * rng.uniform(N, D)}


def log(t):
    t.out = t.x.log()


def tanh_inputs(rng, N, D, scale=1.0):
    return {"x": rng.normal(N, D) * scale}


def tanh(t):
    t.out = t.x.tanh()
