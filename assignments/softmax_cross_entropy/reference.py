"""Softmax and cross-entropy one step at a time, and softmax alone."""

import torch


def softmax_cross_entropy_inputs(rng, N=0, V=0, gap=0.0, offset=0.0, logits=None, Y=None):
    if logits is not None:
        return {"logits": torch.tensor(logits, dtype=torch.float64), "Y": torch.tensor(Y)}
    logits = rng.normal(N, V) + offset
    Y = rng.integers(0, V, N)
    if gap:
        # One row is sure and right, the next is sure and wrong.
        logits[0, Y[0]] += gap
        logits[1, (Y[1] + 1) % V] += gap
    return {"logits": logits, "Y": Y}


def softmax_cross_entropy(t):
    t.logit_maxes = t.logits.max(dim=1, keepdim=True).values
    t.norm_logits = t.logits - t.logit_maxes
    t.counts = t.norm_logits.exp()
    t.counts_sum = t.counts.sum(dim=1, keepdim=True)
    t.counts_sum_inv = t.counts_sum**-1
    t.probs = t.counts * t.counts_sum_inv
    t.logprobs = t.probs.log()
    t.loss = -t.logprobs[range(len(t.Y)), t.Y].mean()


def softmax_inputs(rng, N=0, V=0, gap=0.0, logits=None):
    if logits is not None:
        return {"logits": torch.tensor(logits, dtype=torch.float64)}
    logits = rng.normal(N, V)
    logits[0, -1] += gap
    return {"logits": logits}


def softmax(t):
    t.logit_maxes = t.logits.max(dim=1, keepdim=True).values
    t.norm_logits = t.logits - t.logit_maxes
    t.counts = t.norm_logits.exp()
    t.counts_sum = t.counts.sum(dim=1, keepdim=True)
    t.counts_sum_inv = t.counts_sum**-1
    t.probs = t.counts * t.counts_sum_inv
