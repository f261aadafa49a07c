"""Softmax and cross-entropy: backward step by step, by the shortcut, and through softmax alone."""

# ruff: noqa: F401, F841, RUF059, RUF100

import torch
import torch.nn.functional as F


def cross_entropy_steps_backward(cache):
    """Walk back through softmax and cross-entropy, one step of the forward at a time.

    The forward, for row i and class k:
        logit_maxes[i, 0] = max over k of logits[i, k]
        norm_logits[i, k] = logits[i, k] - logit_maxes[i, 0]
        counts[i, k] = exp(norm_logits[i, k])
        counts_sum[i, 0] = sum over k of counts[i, k]
        counts_sum_inv[i, 0] = counts_sum[i, 0] ** -1
        probs[i, k] = counts[i, k] * counts_sum_inv[i, 0]
        logprobs[i, k] = log(probs[i, k])
        loss = -(mean over i of logprobs[i, Y[i]])

    You are given:
        cache: every value above by name, and
            logits (N, V), and Y (N,) int64 with the right class of each row

    You return the gradient of the loss with respect to each value:
        dlogprobs (N, V), dprobs (N, V), dcounts_sum_inv (N, 1), dcounts_sum (N, 1), dcounts (N, V),
        dnorm_logits (N, V), dlogit_maxes (N, 1), dlogits (N, V)
    """
    logits, Y = cache.logits, cache.Y
    norm_logits, counts = cache.norm_logits, cache.counts
    counts_sum, counts_sum_inv = cache.counts_sum, cache.counts_sum_inv
    probs, logprobs = cache.probs, cache.logprobs
    n = len(Y)  # rows in the batch
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dlogprobs = None  # (N, V)
    dprobs = None  # (N, V)
    dcounts_sum_inv = None  # (N, 1)
    dcounts_sum = None  # (N, 1)
    dcounts = None  # (N, V)
    dnorm_logits = None  # (N, V)
    dlogit_maxes = None  # (N, 1)
    dlogits = None  # (N, V)
    return (
        dlogprobs,
        dprobs,
        dcounts_sum_inv,
        dcounts_sum,
        dcounts,
        dnorm_logits,
        dlogit_maxes,
        dlogits,
    )


def cross_entropy_backward(logits, Y):
    """Go from the mean cross-entropy straight to the logits, without the steps between.

    The forward, for row i and class k:
        probs[i, k] = exp(logits[i, k]) / (sum over j of exp(logits[i, j]))
        loss = -(mean over i of log(probs[i, Y[i]]))

    You are given:
        logits: (N, V)
        Y: (N,) int64, the right class of each row

    You return:
        dlogits: (N, V), the gradient of the loss with respect to logits
    """
    n = len(Y)  # rows in the batch
    raise NotImplementedError("cross_entropy_backward is not written yet")


def softmax_backward(dout, probs):
    """Pass any upstream gradient back through softmax.

    The forward, for row i and class k:
        probs[i, k] = exp(logits[i, k]) / (sum over j of exp(logits[i, j]))

    You are given:
        dout: (N, V), the upstream gradient of probs
        probs: (N, V)

    You return:
        dlogits: (N, V), the gradient with respect to logits
    """
    raise NotImplementedError("softmax_backward is not written yet")
