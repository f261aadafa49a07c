"""Activations: the slopes of relu, sigmoid, silu and gelu."""

# ruff: noqa: F401, F841, RUF059, RUF100

import math

import torch


def relu_backward(dout, x):
    """Pass the upstream gradient back through a relu.

    The forward, for row n and column d:
        out[n, d] = max(x[n, d], 0)

    You are given:
        dout: (N, D), the upstream gradient of out
        x: (N, D)

    You return:
        dx: (N, D)
    """
    raise NotImplementedError("relu_backward is not written yet")


def sigmoid_backward(dout, out):
    """Pass the upstream gradient back through a sigmoid.

    The forward, for row n and column d:
        out[n, d] = 1 / (1 + exp(-x[n, d]))

    You are given:
        dout: (N, D), the upstream gradient of out
        out: (N, D), the output of the sigmoid

    You return:
        dx: (N, D)
    """
    raise NotImplementedError("sigmoid_backward is not written yet")


def silu_backward(dout, x):
    """Pass the upstream gradient back through a silu, also called swish.

    The forward, for row n and column d:
        gate[n, d] = 1 / (1 + exp(-x[n, d]))
        out[n, d] = x[n, d] * gate[n, d]

    You are given:
        dout: (N, D), the upstream gradient of out
        x: (N, D)

    You return:
        dx: (N, D)
    """
    raise NotImplementedError("silu_backward is not written yet")


def gelu_backward(dout, x):
    """Pass the upstream gradient back through a gelu, the exact one.

    The forward, for row n and column d:
        gate[n, d] = (1 + erf(x[n, d] / sqrt(2))) / 2
        out[n, d] = x[n, d] * gate[n, d]

    You are given:
        dout: (N, D), the upstream gradient of out
        x: (N, D)

    You return:
        dx: (N, D)
    """
    raise NotImplementedError("gelu_backward is not written yet")


def gelu_tanh_backward(dout, x):
    """Pass the upstream gradient back through the approximation of a gelu by tanh.

    The forward, for row n and column d:
        inner[n, d] = sqrt(2 / pi) * (x[n, d] + 0.044715 * x[n, d] ** 3)
        gate[n, d] = (1 + tanh(inner[n, d])) / 2
        out[n, d] = x[n, d] * gate[n, d]

    You are given:
        dout: (N, D), the upstream gradient of out
        x: (N, D)

    You return:
        dx: (N, D)
    """
    raise NotImplementedError("gelu_tanh_backward is not written yet")
