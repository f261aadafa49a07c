"""Activations."""

import torch


def relu_inputs(rng, N, D):
    return {"x": rng.normal(N, D)}


sigmoid_inputs = silu_inputs = gelu_inputs = relu_inputs


def relu(t):
    t.out = t.x.relu()


def sigmoid(t):
    t.out = t.x.sigmoid()


def silu(t):
    t.out = t.x * t.x.sigmoid()


def gelu(t):
    t.out = 0.5 * t.x * (1 + torch.erf(t.x / 2**0.5))
