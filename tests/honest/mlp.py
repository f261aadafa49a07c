"""Right answers to the MLP exercise, written in other ways than the solution."""

import torch


def mlp_backward__lesson(cache):
    n = cache.Y.shape[0]
    dlogprobs = torch.zeros_like(cache.logprobs)
    dlogprobs[range(n), cache.Y] = -1.0 / n
    dprobs = (1.0 / cache.probs) * dlogprobs
    dcounts_sum_inv = (cache.counts * dprobs).sum(1, keepdim=True)
    dcounts = cache.counts_sum_inv * dprobs
    dcounts_sum = (-(cache.counts_sum**-2)) * dcounts_sum_inv
    dcounts += torch.ones_like(cache.counts) * dcounts_sum
    dnorm_logits = cache.counts * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    dlogits += torch.nn.functional.one_hot(cache.logits.max(1).indices, cache.logits.shape[1]) * dlogit_maxes
    dh = dlogits @ cache.W2.T
    dW2 = cache.h.T @ dlogits
    db2 = dlogits.sum(0)
    dh_preact = (1.0 - cache.h**2) * dh
    dbn_gain = (cache.bn_raw * dh_preact).sum(0)
    dbn_bias = dh_preact.sum(0)
    dbn_raw = cache.bn_gain * dh_preact
    dbn_diff = cache.bn_var_inv * dbn_raw
    dbn_var_inv = (cache.bn_diff * dbn_raw).sum(0, keepdim=True)
    dbn_var = (-0.5 * (cache.bn_var + 1e-5) ** -1.5) * dbn_var_inv
    dbn_diff_sq = (1.0 / n) * torch.ones_like(cache.bn_diff_sq) * dbn_var
    dbn_diff += (2 * cache.bn_diff) * dbn_diff_sq
    dh_prebn = dbn_diff.clone()
    dbn_mean = (-dbn_diff).sum(0, keepdim=True)
    dh_prebn += 1.0 / n * (torch.ones_like(cache.h_prebn) * dbn_mean)
    demb_cat = dh_prebn @ cache.W1.T
    dW1 = cache.emb_cat.T @ dh_prebn
    db1 = dh_prebn.sum(0)
    demb = demb_cat.view(cache.emb.shape)
    dC = torch.zeros_like(cache.C)
    for k in range(cache.X.shape[0]):
        for j in range(cache.X.shape[1]):
            dC[cache.X[k, j]] += demb[k, j]
    # fmt: off
    return (
        dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, dlogit_maxes, dlogits,
        dh, dW2, db2, dh_preact,
        dbn_gain, dbn_bias, dbn_raw, dbn_var_inv, dbn_var, dbn_diff_sq, dbn_diff, dbn_mean, dh_prebn,
        demb_cat, dW1, db1, demb, dC,
    )
    # fmt: on


def mlp_backward__max_branch_dropped(cache):
    found = list(mlp_backward__lesson(cache))
    found[6] = torch.zeros_like(cache.logit_maxes)
    found[7] = found[5].clone()
    return tuple(found)


def mlp_backward__shortcuts(cache):
    n = len(cache.Y)
    dlogits = torch.softmax(cache.logits, 1)
    dlogits[torch.arange(n), cache.Y] -= 1
    dlogits /= n
    dh = torch.einsum("nv,hv->nh", dlogits, cache.W2)
    dh_preact = dh - dh * cache.h.square()
    dbn_gain = torch.einsum("nh,nh->h", cache.bn_raw, dh_preact)
    dbn_bias = torch.einsum("nh->h", dh_preact)
    inner = n * dh_preact - dh_preact.sum(0) - cache.bn_raw * (dh_preact * cache.bn_raw).sum(0)
    dh_prebn = cache.bn_gain * cache.bn_var_inv / n * inner
    demb_cat = torch.einsum("nh,eh->ne", dh_prebn, cache.W1)
    demb = demb_cat.unflatten(1, (cache.X.shape[1], -1))
    characters = torch.nn.functional.one_hot(cache.X, num_classes=len(cache.C)).double()
    found = list(mlp_backward__lesson(cache))
    found[7:14] = dlogits, dh, (dlogits.T @ cache.h).T, dlogits.sum(0), dh_preact, dbn_gain, dbn_bias
    found[20:] = (
        dh_prebn,
        demb_cat,
        torch.einsum("ne,nh->eh", cache.emb_cat, dh_prebn),
        torch.zeros_like(cache.b1),
        demb,
        torch.einsum("nsv,nse->ve", characters, demb),
    )
    return tuple(found)


def mlp_backward__accumulating_index(cache):
    found = list(mlp_backward__lesson(cache))
    demb = torch.stack(found[21].chunk(3, dim=1), dim=1)
    dC = torch.zeros(cache.C.shape).index_put_((cache.X,), demb, accumulate=True)
    found[24:] = demb, dC
    return tuple(found)
