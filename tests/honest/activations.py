"""Right answers to the activations, written in other ways than the solution."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def relu_backward__where(dout, x):
    return torch.where(x > 0, dout, 0.0)


def relu_backward__in_place(dout, x):
    dx = dout.clone()
    dx[x <= 0] = 0
    return dx


def relu_backward__sign(dout, x):
    return dout * (x.sign() + 1) / 2


def sigmoid_backward__difference(dout, out):
    return dout * (out - out**2)


def sigmoid_backward__by_its_input(dout, out):
    x = torch.log(out / (1 - out))
    return dout / (torch.exp(x / 2) + torch.exp(-x / 2)) ** 2


def silu_backward__factored(dout, x):
    s = 1 / (1 + torch.exp(-x))
    return dout * (s * (1 + x * (1 - s)))


def silu_backward__by_its_output(dout, x):
    out = F.silu(x)
    return dout * (out + torch.sigmoid(x) * (1 - out))


def gelu_backward__distribution(dout, x):
    normal = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    return dout * (normal.cdf(x) + x * normal.log_prob(x).exp())


def gelu_backward__from_erf(dout, x):
    u = x / 2**0.5
    derf = 2 / math.pi**0.5 * torch.exp(-u.square())
    return dout * 0.5 * (1 + torch.erf(u)) + dout * x * 0.5 * derf / 2**0.5


def gelu_tanh_backward__steps(dout, x):
    k, a = (2 / torch.pi) ** 0.5, 0.044715
    inner = k * (x + a * torch.pow(x, 3))
    t = torch.tanh(inner)
    dt = dout * 0.5 * x
    dinner = dt * (1 - t * t)
    return dout * 0.5 * (1 + t) + dinner * k + dinner * k * a * 3 * x * x


def gelu_tanh_backward__llm_c(dout, x):
    scale = math.sqrt(2.0 / math.pi)
    cube = 0.044715 * x * x * x
    arg = scale * (x + cube)
    sech = 1.0 / torch.cosh(arg) ** 2
    local = 0.5 * (1.0 + torch.tanh(arg)) + x * 0.5 * sech * scale * (1.0 + 3.0 * 0.044715 * x * x)
    return local * dout
