"""Right answers for `gpt`, written in other ways than the solution."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it
from layernorm import layernorm_backward
from transformer_block import transformer_block_backward

PARAMETERS = ("ln1_gain", "ln1_bias", "Wqkv", "Wo", "ln2_gain", "ln2_bias", "W1", "b1", "W2", "b2")


class Block:
    """A view of the cache in which the values of one block have their plain names."""

    def __init__(self, cache, number):
        self.cache, self.number = cache, number

    def __getattr__(self, name):
        own = f"{name}_{self.number}"
        return getattr(self.cache, own if hasattr(self.cache, own) else name)


def gpt_backward__one_hot(cache):
    B, T, V = cache.logits.shape
    weight = (cache.ignore_index != cache.Y).to(torch.float64)
    target = F.one_hot(cache.Y.clamp(min=0), V)
    dlogits = (torch.softmax(cache.logits, -1) - target) * (weight / weight.sum()).unsqueeze(-1)
    g, dlnf_gain, dlnf_bias = layernorm_backward(dlogits @ cache.wte, cache.lnf_raw, cache.lnf_gain, cache.lnf_rstd)
    found = {"dlnf_gain": dlnf_gain, "dlnf_bias": dlnf_bias}
    for number in (1, 0):
        g, *rest = transformer_block_backward(g, Block(cache, number))
        found |= {f"d{name}_{number}": each for name, each in zip(PARAMETERS, rest, strict=True)}
    flat = g.reshape(B * T, -1)
    found["dwte"] = dlogits.reshape(B * T, V).T @ cache.lnf.reshape(B * T, -1)
    found["dwte"].index_add_(0, cache.X.reshape(-1), flat)
    found["dwpe"] = F.pad(g.sum(0), (0, 0, 0, len(cache.wpe) - T))
    return found


def gpt_backward__only_what_counts(cache):
    n = int((cache.Y != -1).sum())
    T = cache.X.shape[1]
    dlogits = torch.zeros_like(cache.logits)
    for b, t in (cache.Y >= 0).nonzero().tolist():
        dlogits[b, t] = cache.logits[b, t].softmax(0) / n
        dlogits[b, t, cache.Y[b, t]] -= 1 / n
    dlnf = torch.einsum("btv,ve->bte", dlogits, cache.wte)
    dx, dlnf_gain, dlnf_bias = layernorm_backward(dlnf, cache.lnf_raw, cache.lnf_gain, cache.lnf_rstd)
    blocks = []
    for number in reversed(range(2)):
        dx, *rest = transformer_block_backward(dx, Block(cache, number))
        blocks = [*rest, *blocks]
    looked_up = F.one_hot(cache.X, len(cache.wte)).double()
    dwte = torch.einsum("btv,bte->ve", dlogits, cache.lnf) + torch.einsum("btv,bte->ve", looked_up, dx)
    dwpe = torch.zeros_like(cache.wpe)
    for t in range(T):
        dwpe[t] += dx[:, t].sum(0)
    return dwte, dwpe, *blocks, dlnf_gain, dlnf_bias
