"""Softmax and cross-entropy: backward step by step, by the shortcut, and through softmax alone."""

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
    # BEGIN SOLUTION
    # The loss reads one entry of each row. All the others have no effect on it.
    dlogprobs = torch.zeros_like(logprobs)  # (N, V)
    dlogprobs[range(n), Y] = -1.0 / n
    dprobs = dlogprobs / probs  # (N, V)
    # One number per row was broadcast over the classes, so its gradient sums over them.
    dcounts_sum_inv = (dprobs * counts).sum(dim=1, keepdim=True)  # (N, 1)
    # The power rule on counts_sum ** -1.
    dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv  # (N, 1)
    # counts is used in probs and in counts_sum. Two uses add, and a sum broadcasts.
    dcounts = dprobs * counts_sum_inv + dcounts_sum  # (N, V)
    # exp is its own derivative.
    dnorm_logits = norm_logits.exp() * dcounts  # (N, V)
    # Zero up to rounding: shifting a row of logits does not change its probs.
    dlogit_maxes = -dnorm_logits.sum(dim=1, keepdim=True)  # (N, 1)
    # logits goes straight into the difference, and its largest entry also into the max.
    dlogits = dnorm_logits.clone()  # (N, V)
    dlogits += F.one_hot(logits.argmax(dim=1), num_classes=logits.shape[1]) * dlogit_maxes
    # END SOLUTION
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
    # BEGIN SOLUTION
    # torch.softmax subtracts the largest logit of each row first, so large logits do not overflow.
    dlogits = torch.softmax(logits, dim=1)  # (N, V)
    # Each row is its probabilities minus the one-hot target, and the mean divides every row by n.
    dlogits[range(n), Y] -= 1.0
    return dlogits / n  # (N, V)
    # END SOLUTION


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
    # BEGIN SOLUTION
    # Every logit of a row also moves the sum that its whole row is divided by. What comes back
    # through that sum is the same number for the whole row: dout averaged with the weights probs.
    through_the_sum = (dout * probs).sum(dim=1, keepdim=True)  # (N, 1)
    return probs * (dout - through_the_sum)  # (N, V)
    # END SOLUTION
