"""Right answers for `speed`, written in other ways than the solution."""

import torch
from torch.nn.functional import one_hot


def fast_mlp_backward__the_lesson(cache):
    c, n = cache, len(cache.Y)
    dlogprobs = torch.zeros_like(c.logprobs)
    dlogprobs[range(n), c.Y] = -1.0 / n
    dprobs = (1.0 / c.probs) * dlogprobs
    dcounts_sum_inv = (c.counts * dprobs).sum(1, keepdim=True)
    dcounts = c.counts_sum_inv * dprobs
    dcounts_sum = (-(c.counts_sum**-2)) * dcounts_sum_inv
    dcounts += torch.ones_like(c.counts) * dcounts_sum
    dnorm_logits = c.counts * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    dlogits += one_hot(c.logits.max(1).indices, num_classes=c.logits.shape[1]) * dlogit_maxes
    dh = dlogits @ c.W2.T
    dW2 = c.h.T @ dlogits
    db2 = dlogits.sum(0)
    dh_preact = (1.0 - c.h**2) * dh
    dbn_gain = (c.bn_raw * dh_preact).sum(0)
    dbn_raw = c.bn_gain * dh_preact
    dbn_bias = dh_preact.sum(0)
    dbn_diff = c.bn_var_inv * dbn_raw
    dbn_var_inv = (c.bn_diff * dbn_raw).sum(0, keepdim=True)
    dbn_var = (-0.5 * (c.bn_var + 1e-5) ** -1.5) * dbn_var_inv
    dbn_diff_sq = (1.0 / n) * torch.ones_like(c.bn_diff_sq) * dbn_var
    dbn_diff += (2 * c.bn_diff) * dbn_diff_sq
    dh_prebn = dbn_diff.clone()
    dbn_mean = (-dbn_diff).sum(0)
    dh_prebn += 1.0 / n * (torch.ones_like(c.h_prebn) * dbn_mean)
    demb_cat = dh_prebn @ c.W1.T
    dW1 = c.emb_cat.T @ dh_prebn
    db1 = dh_prebn.sum(0)
    demb = demb_cat.view(c.emb.shape)
    dC = torch.zeros_like(c.C)
    for k in range(c.X.shape[0]):
        for j in range(c.X.shape[1]):
            dC[c.X[k, j]] += demb[k, j]
    return dC, dW1, db1, dbn_gain, dbn_bias, dW2, db2


def fast_mlp_backward__one_formula(cache):
    c, n = cache, cache.X.shape[0]
    dlogits = (c.probs - one_hot(c.Y, c.probs.shape[1])) / n
    dh_preact = (dlogits @ c.W2.T) * (1 - c.h**2)
    dbn_gain, dbn_bias = torch.einsum("nh,nh->h", dh_preact, c.bn_raw), torch.einsum("nh->h", dh_preact)
    dh_prebn = c.bn_gain * c.bn_var_inv / n * (n * dh_preact - dh_preact.sum(0) - c.bn_raw * dbn_gain)
    demb = torch.einsum("nh,qh->nq", dh_prebn, c.W1).view(n, 3, -1)
    return {
        "dC": torch.einsum("ntv,nte->ve", one_hot(c.X, c.C.shape[0]).double(), demb),
        "dW1": torch.einsum("nq,nh->qh", c.emb_cat, dh_prebn),
        "db1": dh_prebn.sum(0),
        "dbn_gain": dbn_gain,
        "dbn_bias": dbn_bias,
        "dW2": torch.einsum("nh,nv->hv", c.h, dlogits),
        "db2": dlogits.sum(0),
    }


def fast_mlp_backward__in_place(cache):
    c, n = cache, cache.Y.numel()
    dlogits = c.probs.clone()
    dlogits[torch.arange(n), c.Y] -= 1
    dlogits.div_(n)
    dh_preact = dlogits.mm(c.W2.t()).mul_(1 - c.h.square())
    dbn_gain = (c.bn_raw * dh_preact).sum(0)
    dbn_bias = dh_preact.sum(0)
    dbn_raw = dh_preact.mul_(c.bn_gain)
    # Centred twice: the mean of dbn_raw goes, and then its part along bn_raw.
    dh_prebn = (dbn_raw - dbn_raw.mean(0) - c.bn_raw * (dbn_raw * c.bn_raw).mean(0)).mul_(c.bn_var_inv)
    rows = dh_prebn.mm(c.W1.t()).view(-1, c.C.shape[1])
    dC = torch.zeros_like(c.C).index_put_((c.X.flatten(),), rows, accumulate=True)
    dW2 = c.h.t().mm(dlogits)
    return dC, c.emb_cat.t().mm(dh_prebn), torch.zeros_like(c.b1), dbn_gain, dbn_bias, dW2, dlogits.sum(0)
