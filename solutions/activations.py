"""Activations: the slopes of relu, sigmoid, silu and gelu."""

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
    # BEGIN SOLUTION
    # Open where x is positive, shut where it is not.
    return torch.where(x > 0, dout, 0.0)  # (N, D)
    # END SOLUTION


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
    # BEGIN SOLUTION
    # e^-x / (1 + e^-x)^2 is out, times what out lacks to 1.
    return dout * out * (1 - out)  # (N, D)
    # END SOLUTION


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
    # BEGIN SOLUTION
    gate = torch.sigmoid(x)  # (N, D)
    # x is the factor beside the gate, and it opens the gate. Two uses add.
    return dout * gate + sigmoid_backward(dout * x, gate)  # (N, D)
    # END SOLUTION


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
    # BEGIN SOLUTION
    gate = (1 + torch.erf(x / math.sqrt(2))) / 2  # (N, D)
    # The gate is the share of a normal distribution below x, and its slope is the density.
    density = torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)  # (N, D)
    return dout * (gate + x * density)  # (N, D)
    # END SOLUTION


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
    # BEGIN SOLUTION
    root = math.sqrt(2 / math.pi)
    bend = torch.tanh(root * (x + 0.044715 * x**3))  # (N, D)
    # A chain of three slopes: of the half, of tanh, and of the polynomial.
    slope = 0.5 * (1 - bend**2) * root * (1 + 3 * 0.044715 * x**2)  # (N, D)
    return dout * (0.5 * (1 + bend) + x * slope)  # (N, D)
    # END SOLUTION
