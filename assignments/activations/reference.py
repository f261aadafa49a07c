"""The activations that networks use in place of tanh."""

import math

import torch


def relu_inputs(rng, N, D, spread=1.0):
    x = rng.normal(N, D)
    # Away from zero, where a relu has no slope of its own and each is as good as another.
    return {"x": spread * (x + 0.1 * x.sign())}


sigmoid_inputs = silu_inputs = gelu_inputs = gelu_tanh_inputs = relu_inputs


def relu(t):
    t.out = t.x.relu()


def sigmoid(t):
    t.out = 1 / (1 + (-t.x).exp())


def silu(t):
    t.gate = t.x.sigmoid()
    t.out = t.x * t.gate


def gelu(t):
    t.gate = 0.5 * (1 + torch.erf(t.x / math.sqrt(2)))
    t.out = t.x * t.gate


def gelu_tanh(t):
    t.inner = math.sqrt(2 / math.pi) * (t.x + 0.044715 * t.x**3)
    t.bend = t.inner.tanh()
    t.gate = 0.5 * (1 + t.bend)
    t.out = t.x * t.gate
