"""Right answers for `primitives`, written in other ways than the solution."""

import torch


def add_backward__upstream_twice(dout):
    return dout, dout


def add_backward__times_one(dout):
    return {"db": 1.0 * dout, "da": 1.0 * dout}


def broadcast_add_backward__loop(dout, a, b):
    db = torch.zeros_like(b)
    for row in dout:
        db += row
    return dout.expand_as(a), db


def broadcast_add_backward__einsum(dout, a, b):  # the exercise's signature
    return dout, torch.einsum("nd->d", dout)


def broadcast_add_backward__ones(dout, a, b):  # the exercise's signature
    return dout, torch.ones(a.shape[0], dtype=dout.dtype) @ dout


def multiply_backward__einsum(dout, a, b):
    return torch.einsum("nd,nd->nd", dout, b), torch.einsum("nd,nd->nd", dout, a)


def multiply_backward__loop(dout, a, b):
    da, db = torch.zeros_like(a), torch.zeros_like(b)
    for n in range(a.shape[0]):
        for d in range(a.shape[1]):
            da[n, d] = b[n, d] * dout[n, d]
            db[n, d] = a[n, d] * dout[n, d]
    return da, db


def matmul_backward__einsum(dout, a, b):
    return torch.einsum("nm,km->nk", dout, b), torch.einsum("nk,nm->km", a, dout)


def matmul_backward__transposed_twice(dout, a, b):
    return (b @ dout.T).T, (dout.T @ a).T


def matmul_backward__rows(dout, a, b):
    da, db = torch.zeros_like(a), torch.zeros_like(b)
    for n in range(a.shape[0]):
        da[n] = (b * dout[n]).sum(1)
        db += torch.outer(a[n], dout[n])
    return da, db


def reuse_backward__factored(dout, a, b):
    return dout * (b + 1), a * dout


def reuse_backward__accumulated(dout, a, b):
    da, db = torch.zeros_like(a), torch.zeros_like(b)
    da += dout.clone()
    dproduct = dout.clone()
    da += b * dproduct
    db += a * dproduct
    return da, db


def sum_backward__expand(dout, x):
    return dout.expand(x.shape)


def sum_backward__repeat(dout, x):
    return dout.repeat(1, x.shape[1])


def sum_backward__matmul(dout, x):
    return dout @ torch.ones(1, x.shape[1], dtype=x.dtype)


def mean_backward__expand(dout, x):
    return (dout / len(x)).expand_as(x)


def mean_backward__ones_times(dout, x):
    return torch.ones_like(x) * dout / x.shape[0]


def mean_backward__full_like(dout, x):
    return dout * torch.full_like(x, 1.0 / x.shape[0])


def max_backward__one_hot(dout, x):
    return dout * torch.nn.functional.one_hot(x.max(1).indices, num_classes=x.shape[1])


def max_backward__mask(dout, x):
    return dout * (x == x.max(dim=1, keepdim=True).values)


def max_backward__scatter(dout, x):
    return torch.zeros_like(x).scatter_(1, x.argmax(1, keepdim=True), dout)


def max_backward__loop(dout, x):
    dx = torch.zeros_like(x)
    for n in range(x.shape[0]):
        dx[n, x[n].argmax()] = dout[n, 0]
    return dx


def power_backward__by_the_value(dout, x, exponent):
    return dout * exponent * x**exponent / x


def power_backward__pow(dout, x, exponent):
    return torch.pow(x, exponent - 1.0).mul(exponent).mul(dout)


def exp_backward__exchanged_factors(dout, out):
    return out.mul(dout)


def exp_backward__through_x(dout, out):
    return out.log().exp() * dout


def log_backward__reciprocal(dout, x):
    return dout * x.reciprocal()


def log_backward__power(dout, x):
    return dout * x**-1


def tanh_backward__factored(dout, out):
    return dout * (1 - out) * (1 + out)


def tanh_backward__distributed(dout, out):
    return dout - dout * out.square()


def tanh_backward__through_cosh(dout, out):
    return dout / torch.cosh(torch.atanh(out)) ** 2
