"""Right answers for `attention`, written in other ways than the solution."""

import torch


def attention_steps_backward__einsum(dout, cache):
    Q, K, V, P = cache.Q, cache.K, cache.V, cache.weights
    dV = torch.einsum("bts,btv->bsv", P, dout)
    dweights = torch.einsum("btv,bsv->bts", dout, V)
    dscaled = P * dweights - P * torch.einsum("bts,bts->bt", P, dweights)[:, :, None]
    dscores = dscaled * Q.shape[2] ** -0.5
    return {
        "dV": dV,
        "dweights": dweights,
        "dscaled": dscaled,
        "dscores": dscores,
        "dQ": torch.einsum("bts,bsd->btd", dscores, K),
        "dK": torch.einsum("bts,btd->bsd", dscores, Q),
    }


def attention_steps_backward__jacobian(dout, cache):
    Q, K, V, weights = cache.Q, cache.K, cache.V, cache.weights
    dV = weights.mT @ dout
    dweights = dout @ V.mT
    # One matrix of slopes for each row of weights: diag(p) - p p^T.
    jacobian = torch.diag_embed(weights) - weights.unsqueeze(-1) * weights.unsqueeze(-2)
    dscaled = (jacobian @ dweights.unsqueeze(-1)).squeeze(-1)
    dscores = dscaled / Q.size(-1) ** 0.5
    return dV, dweights, dscaled, dscores, dscores @ K, dscores.mT @ Q


def attention_steps_backward__softmax_in_steps(dout, cache):
    Q, K, V, scaled = cache.Q, cache.K, cache.V, cache.scaled
    dV = (dout.mT @ cache.weights).mT
    dweights = (V @ dout.mT).mT
    maxes = scaled.max(2, keepdim=True)
    counts = (scaled - maxes.values).exp()
    counts_sum = counts.sum(2, keepdim=True)
    dcounts_sum = -(counts_sum**-2) * (counts * dweights).sum(2, keepdim=True)
    dnorm = counts * (dweights / counts_sum + dcounts_sum)
    # The maximum is shifted out of the softmax again, so this branch adds rounding and nothing else.
    dmaxes = -dnorm.sum(2, keepdim=True)
    dscaled = dnorm + torch.zeros_like(dnorm).scatter(2, maxes.indices, dmaxes)
    dscores = dscaled * (1 / Q.shape[-1] ** 0.5)
    return dV, dweights, dscaled, dscores, dscores @ K, (Q.mT @ dscores).mT


def attention_backward__one_sequence_at_a_time(dout, Q, K, V, weights):
    dQ, dK, dV = torch.zeros_like(Q), torch.zeros_like(K), torch.zeros_like(V)
    for b in range(Q.shape[0]):
        for t in range(Q.shape[1]):
            p = weights[b, t]
            dV[b] += torch.outer(p, dout[b, t])
            dp = V[b] @ dout[b, t]
            dscore = p * (dp - p @ dp) / Q.shape[-1] ** 0.5
            dQ[b, t] = dscore @ K[b]
            dK[b] += torch.outer(dscore, Q[b, t])
    return dQ, dK, dV


def attention_backward__through_the_output(dout, Q, K, V, weights):
    # The average of dweights is the product of dout with the output itself, as in flash attention.
    out = weights @ V
    average = (dout * out).sum(-1, keepdim=True)
    dscores = weights * (dout @ V.mT - average) / torch.tensor(Q.shape[-1], dtype=Q.dtype).sqrt()
    return dscores @ K, dscores.mT @ Q, weights.mT @ dout


def attention_backward__scale_late(dout, Q, K, V, weights):
    dweights = dout @ V.permute(0, 2, 1)
    dscaled = weights * (dweights - torch.sum(weights * dweights, -1, keepdim=True))
    scale = 1.0 / K.shape[2] ** 0.5
    return scale * (dscaled @ K), scale * (dscaled.permute(0, 2, 1) @ Q), weights.permute(0, 2, 1) @ dout


def cross_attention_backward__flattened(dout, cache):
    def flat(tensor):
        return tensor.reshape(-1, tensor.shape[-1])

    datt = dout @ cache.Wo.T
    dweights = datt @ cache.V.mT
    dscaled = cache.weights * (dweights - (datt * cache.att).sum(-1, keepdim=True))
    dscores = dscaled / cache.Q.shape[-1] ** 0.5
    dQ, dK, dV = dscores @ cache.K, dscores.mT @ cache.Q, cache.weights.mT @ datt
    return {
        "dWo": flat(cache.att).T @ flat(dout),
        "dWq": flat(cache.x).T @ flat(dQ),
        "dWk": flat(cache.context).T @ flat(dK),
        "dWv": flat(cache.context).T @ flat(dV),
        "dx": dQ @ cache.Wq.T,
        "dcontext": dV @ cache.Wv.T + dK @ cache.Wk.T,
    }


def cross_attention_backward__einsum(dout, cache):
    datt = torch.einsum("btm,vm->btv", dout, cache.Wo)
    dweights = torch.einsum("btv,bsv->bts", datt, cache.V)
    p = cache.weights
    dscores = (p * dweights - p * (p * dweights).sum(2, True)) / cache.Q.shape[2] ** 0.5
    dQ = torch.einsum("bts,bsd->btd", dscores, cache.K)
    dK = torch.einsum("bts,btd->bsd", dscores, cache.Q)
    dV = torch.einsum("bts,btv->bsv", p, datt)
    return (
        torch.einsum("btd,ed->bte", dQ, cache.Wq),
        torch.einsum("bsd,fd->bsf", dK, cache.Wk) + torch.einsum("bsv,fv->bsf", dV, cache.Wv),
        torch.einsum("bte,btd->ed", cache.x, dQ),
        torch.einsum("bsf,bsd->fd", cache.context, dK),
        torch.einsum("bsf,bsv->fv", cache.context, dV),
        torch.einsum("btv,btm->vm", cache.att, dout),
    )
