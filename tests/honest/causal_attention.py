"""Right answers for `causal_attention`, written in other ways than the solution."""

import torch

NAMES = "dWo dmerged datt dV ddropped dweights dmasked dscores dQ dK dqkv dWqkv dx".split()  # noqa: SIM905 # reads best


def causal_attention_backward__einsum(dout, cache):
    B, T, E = cache.x.shape
    h = cache.heads
    dmerged = torch.einsum("bto,ko->btk", dout, cache.Wo)
    datt = dmerged.unflatten(2, (h, E // h)).permute(0, 2, 1, 3)
    dV = torch.einsum("bhts,bhti->bhsi", cache.dropped, datt)
    ddropped = torch.einsum("bhti,bhsi->bhts", datt, cache.V)
    dweights = torch.where(cache.keep == 1, ddropped / (1 - cache.p), 0.0)
    P = cache.weights
    dmasked = P * dweights - P * torch.einsum("bhts,bhts->bht", P, dweights)[..., None]
    dscores = dmasked  # nothing is left where the weights are zero
    scale = (E // h) ** -0.5
    dQ = torch.einsum("bhts,bhsi->bhti", dscores, cache.K) * scale
    dK = torch.einsum("bhts,bhti->bhsi", dscores, cache.Q) * scale
    dqkv = torch.stack([dQ, dK, dV], dim=0).permute(1, 3, 0, 2, 4).flatten(2)
    dx = torch.einsum("btj,kj->btk", dqkv, cache.Wqkv)
    flat = dict(locals())
    flat["dWo"] = cache.merged.reshape(-1, E).T @ dout.reshape(-1, E)
    flat["dWqkv"] = cache.x.reshape(-1, E).T @ dqkv.reshape(-1, 3 * E)
    return {name: flat[name] for name in NAMES}


def causal_attention_backward__head_by_head(dout, cache):
    B, T, E = cache.x.shape
    d = E // cache.heads
    dWo = sum(cache.merged[b].T @ dout[b] for b in range(B))
    dmerged = dout @ cache.Wo.transpose(0, 1)
    shape = (B, cache.heads, T, d)
    datt, dV, dQ, dK = (torch.zeros(shape) for _ in range(4))
    ddropped, dweights, dmasked, dscores = (torch.zeros_like(cache.weights) for _ in range(4))
    dqkv = torch.zeros_like(cache.qkv)
    for h in range(cache.heads):
        columns = slice(h * d, (h + 1) * d)
        datt[:, h] = dmerged[:, :, columns]
        dV[:, h] = cache.dropped[:, h].mT @ datt[:, h]
        ddropped[:, h] = datt[:, h] @ cache.V[:, h].mT
        dweights[:, h] = ddropped[:, h] * cache.keep[:, h] / (1 - cache.p)
        for t in range(T):
            # Only what the query may see.
            p = cache.weights[:, h, t, : t + 1]
            g = dweights[:, h, t, : t + 1]
            dmasked[:, h, t, : t + 1] = p * (g - (p * g).sum(1, keepdim=True))
        dscores[:, h] = dmasked[:, h] * cache.causal
        dQ[:, h] = dscores[:, h] @ cache.K[:, h] / d**0.5
        dK[:, h] = (cache.Q[:, h].mT @ dscores[:, h]).mT / d**0.5
        for place, part in enumerate((dQ, dK, dV)):
            dqkv[:, :, place * E + h * d : place * E + (h + 1) * d] = part[:, h]
    dWqkv = (cache.x.mT @ dqkv).sum(0)
    dx = dqkv @ cache.Wqkv.T
    return dWo, dmerged, datt, dV, ddropped, dweights, dmasked, dscores, dQ, dK, dqkv, dWqkv, dx


def causal_attention_backward__jacobian(dout, cache):
    found = causal_attention_backward__einsum(dout, cache)
    P = cache.weights
    jacobian = torch.diag_embed(P) - P.unsqueeze(-1) * P.unsqueeze(-2)
    found["dmasked"] = torch.einsum("bhtij,bhtj->bhti", jacobian, found["dweights"])
    found["dscores"] = torch.where(cache.causal, found["dmasked"], torch.tensor(0.0))
    return tuple(found[name] for name in NAMES)
