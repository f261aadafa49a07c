"""Right answers to the softmax and cross-entropy exercises, written in other ways than the solution."""

import torch


def cross_entropy_steps_backward__lesson(cache):
    n = cache.logits.shape[0]
    dlogprobs = torch.zeros_like(cache.logprobs)
    dlogprobs[range(n), cache.Y] = -1.0 / n
    dprobs = (1.0 / cache.probs) * dlogprobs
    dcounts_sum_inv = (cache.counts * dprobs).sum(1, keepdim=True)
    dcounts = cache.counts_sum_inv * dprobs
    dcounts_sum = (-(cache.counts_sum**-2)) * dcounts_sum_inv
    dcounts += torch.ones_like(cache.counts) * dcounts_sum
    dnorm_logits = cache.norm_logits.exp() * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    dlogits += torch.nn.functional.one_hot(cache.logits.max(1).indices, cache.logits.shape[1]) * dlogit_maxes
    return dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits


def cross_entropy_steps_backward__max_branch_dropped(cache):
    found = cross_entropy_steps_backward__lesson(cache)
    dnorm_logits = found[5]
    return (*found[:6], torch.zeros_like(cache.logit_maxes), dnorm_logits)


def cross_entropy_steps_backward__shortcut(cache):
    found = cross_entropy_steps_backward__lesson(cache)
    return (*found[:7], cross_entropy_backward__soft_targets(cache.logits, cache.Y))


def cross_entropy_steps_backward__loops(cache):
    n, classes = cache.logits.shape
    dlogprobs, dprobs = torch.zeros(n, classes), torch.zeros(n, classes)
    dcounts_sum_inv, dcounts_sum = torch.zeros(n, 1), torch.zeros(n, 1)
    dcounts, dnorm_logits = torch.zeros(n, classes), torch.zeros(n, classes)
    dlogit_maxes, dlogits = torch.zeros(n, 1), torch.zeros(n, classes)
    for i in range(n):
        y = cache.Y[i]
        dlogprobs[i, y] = -1 / n
        dprobs[i, y] = -1 / n / cache.probs[i, y]
        for k in range(classes):
            dcounts_sum_inv[i, 0] += dprobs[i, k] * cache.counts[i, k]
        dcounts_sum[i, 0] = -dcounts_sum_inv[i, 0] / cache.counts_sum[i, 0] ** 2
        for k in range(classes):
            dcounts[i, k] = dprobs[i, k] / cache.counts_sum[i, 0] + dcounts_sum[i, 0]
            dnorm_logits[i, k] = dcounts[i, k] * cache.counts[i, k]
            dlogit_maxes[i, 0] -= dnorm_logits[i, k]
            dlogits[i, k] += dnorm_logits[i, k]
        dlogits[i, cache.logits[i].argmax()] += dlogit_maxes[i, 0]
    return dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits


def cross_entropy_backward__soft_targets(logits, Y):
    target = torch.nn.functional.one_hot(Y, num_classes=logits.shape[1])
    return (torch.softmax(logits, dim=1) - target) / len(Y)


def cross_entropy_backward__by_hand(logits, Y):
    counts = (logits - logits.max(1, keepdim=True).values).exp()
    dlogits = counts / counts.sum(1, keepdim=True) / logits.size(0)
    for i, y in enumerate(Y.tolist()):
        dlogits[i, y] -= 1 / logits.size(0)
    return dlogits


def cross_entropy_backward__log_sum_exp(logits, Y):
    dlogits = (logits - logits.logsumexp(1, keepdim=True)).exp()
    dlogits[torch.arange(len(Y)), Y] -= 1
    return dlogits.div(len(Y))


def cross_entropy_backward__row_mean_removed(logits, Y):
    dlogits = cross_entropy_backward__soft_targets(logits, Y)
    return dlogits - dlogits.mean(1, keepdim=True)


def softmax_backward__jacobian(dout, probs):
    jacobian = torch.diag_embed(probs) - probs[:, :, None] * probs[:, None, :]
    return torch.einsum("nij,ni->nj", jacobian, dout)


def softmax_backward__expanded(dout, probs):
    dlogits = probs * dout
    return dlogits - probs * torch.einsum("nk,nk->n", dout, probs).unsqueeze(1)


def softmax_backward__loops(dout, probs):
    dlogits = torch.zeros_like(probs)
    for i in range(probs.shape[0]):
        dlogits[i] = probs[i] * (dout[i] - dout[i] @ probs[i])
    return dlogits
