"""GPT, the whole of it: back from the loss to every parameter, with the functions that you have written before.

B sequences of T positions, of width E = heads * d; V tokens; F hidden units in the small network of each block.
"""

from types import SimpleNamespace

import torch

# Your own functions from before. If you have not written them, write what you need in this file.
from embedding import embedding_backward
from layernorm import layernorm_backward
from softmax_cross_entropy import cross_entropy_backward
from transformer_block import transformer_block_backward


def block_cache(cache, number):
    """Return the cache of one block: its values, without the number behind their names."""
    ending = f"_{number}"
    values = {}
    for name, value in vars(cache).items():
        if name.endswith(ending):
            values[name.removesuffix(ending)] = value
    out = getattr(cache, f"x_{number + 1}")
    return SimpleNamespace(**values, out=out, causal=cache.causal, heads=cache.heads)


def gpt_backward(cache):
    """Go back from the loss of a GPT with two blocks to every parameter.

    The forward:
        x_0[b, t] = wte[X[b, t]] + wpe[t]
        x_1 = block of x_0, and x_2 = block of x_1. Their values have _0 and _1 behind their names: ln1_raw_0, W1_1, ...
        lnf = lnf_raw * lnf_gain + lnf_bias, and lnf_raw is x_2 with its mean and spread taken out
        logits = lnf @ wte.T
        loss = mean of -log softmax(logits[b, t])[Y[b, t]], over the targets that are not ignore_index

    You are given:
        cache: every value above by name. X, Y (B, T) of whole numbers, the number ignore_index, wte (V, E),
            wpe (P, E) with P of at least T, x_0, x_1, x_2, lnf, lnf_raw (B, T, E), lnf_rstd (B, T, 1),
            logits (B, T, V), causal (T, T), heads, and all values of both blocks: block_cache(cache, 0)
            has those of the first

    You return the gradient with respect to every parameter, in this order:
        dwte, dwpe, then those of the first block, those of the second, as transformer_block_backward has them
        but for dx, then dlnf_gain, dlnf_bias
    """
    X, Y, wte, wpe = cache.X, cache.Y, cache.wte, cache.wpe
    logits, lnf, lnf_raw, lnf_gain, lnf_rstd = (
        cache.logits,
        cache.lnf,
        cache.lnf_raw,
        cache.lnf_gain,
        cache.lnf_rstd,
    )
    # BEGIN SOLUTION
    # The mean runs over the targets that count, and the others have no gradient.
    counts = cache.ignore_index != Y
    dlogits = torch.zeros_like(logits)
    dlogits[counts] = cross_entropy_backward(logits[counts], Y[counts])
    # logits = lnf @ wte.T
    dlnf = dlogits @ wte
    dwte = torch.einsum("btv,bte->ve", dlogits, lnf)  # (V, E)
    dx_2, dlnf_gain, dlnf_bias = layernorm_backward(dlnf, lnf_raw, lnf_gain, lnf_rstd)  # (B, T, E), (E,), (E,)
    # The last block comes first, and what it returns for its x is the upstream gradient of the one before.
    dx_1, *second = transformer_block_backward(dx_2, block_cache(cache, 1))
    dx_0, *first = transformer_block_backward(dx_1, block_cache(cache, 0))
    # Each row of wpe was added in every sequence. Those behind the last position were not used.
    dwpe = torch.zeros_like(wpe)  # (P, E)
    dwpe[: X.shape[1]] = dx_0.sum(dim=0)
    # wte is used at both ends. Two uses add.
    dwte = dwte + embedding_backward(dx_0, X, wte)
    dln1_gain_0, dln1_bias_0, dWqkv_0, dWo_0 = first[:4]  # (E,), (E,), (E, 3E), (E, E)
    dln2_gain_0, dln2_bias_0 = first[4:6]  # (E,), (E,)
    dW1_0, db1_0, dW2_0, db2_0 = first[6:]  # (E, F), (F,), (F, E), (E,)
    dln1_gain_1, dln1_bias_1, dWqkv_1, dWo_1 = second[:4]  # (E,), (E,), (E, 3E), (E, E)
    dln2_gain_1, dln2_bias_1 = second[4:6]  # (E,), (E,)
    dW1_1, db1_1, dW2_1, db2_1 = second[6:]  # (E, F), (F,), (F, E), (E,)
    # END SOLUTION
    return (
        *(dwte, dwpe),
        *(
            dln1_gain_0,
            dln1_bias_0,
            dWqkv_0,
            dWo_0,
            dln2_gain_0,
            dln2_bias_0,
            dW1_0,
            db1_0,
            dW2_0,
            db2_0,
        ),
        *(
            dln1_gain_1,
            dln1_bias_1,
            dWqkv_1,
            dWo_1,
            dln2_gain_1,
            dln2_bias_1,
            dW1_1,
            db1_1,
            dW2_1,
            db2_1,
        ),
        *(dlnf_gain, dlnf_bias),
    )
