"""The whole MLP of the makemore lesson: backward through every intermediate value."""

# ruff: noqa: F401, F841, RUF059, RUF100

import torch
import torch.nn.functional as F


def mlp_backward(cache):
    """Walk back through the whole network, from the loss to the embedding table.

    N rows with 3 characters of context each, V characters, E numbers for each character, H hidden units.

    The forward, for row i, context position s, embedding entry e, hidden unit j and class k:
        emb[i, s, e] = C[X[i, s], e]
        emb_cat[i, s * E + e] = emb[i, s, e]
        h_prebn[i, j] = (sum over q of emb_cat[i, q] * W1[q, j]) + b1[j]
        bn_mean[0, j] = (sum over i of h_prebn[i, j]) / N
        bn_diff[i, j] = h_prebn[i, j] - bn_mean[0, j]
        bn_diff_sq[i, j] = bn_diff[i, j] ** 2
        bn_var[0, j] = (sum over i of bn_diff_sq[i, j]) / N
        bn_var_inv[0, j] = (bn_var[0, j] + 1e-5) ** -0.5
        bn_raw[i, j] = bn_diff[i, j] * bn_var_inv[0, j]
        h_preact[i, j] = bn_gain[j] * bn_raw[i, j] + bn_bias[j]
        h[i, j] = tanh(h_preact[i, j])
        logits[i, k] = (sum over j of h[i, j] * W2[j, k]) + b2[k]
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
            X (N, 3) int64 and Y (N,) int64, C (V, E), W1 (3E, H), b1 (H,), bn_gain (H,), bn_bias (H,),
            W2 (H, V), b2 (V,)

    You return the gradient of the loss with respect to each value:
        dlogprobs (N, V), dprobs (N, V), dcounts_sum_inv (N, 1), dcounts_sum (N, 1), dcounts (N, V),
        dnorm_logits (N, V), dlogit_maxes (N, 1), dlogits (N, V), dh (N, H), dW2 (H, V), db2 (V,),
        dh_preact (N, H), dbn_gain (H,), dbn_bias (H,), dbn_raw (N, H), dbn_var_inv (1, H), dbn_var (1, H),
        dbn_diff_sq (N, H), dbn_diff (N, H), dbn_mean (1, H), dh_prebn (N, H), demb_cat (N, 3E),
        dW1 (3E, H), db1 (H,), demb (N, 3, E), dC (V, E)
    """
    X, Y, C = cache.X, cache.Y, cache.C
    emb, emb_cat, W1 = cache.emb, cache.emb_cat, cache.W1
    bn_diff, bn_diff_sq, bn_var = cache.bn_diff, cache.bn_diff_sq, cache.bn_var
    bn_var_inv, bn_raw, bn_gain = cache.bn_var_inv, cache.bn_raw, cache.bn_gain
    h, W2, logits = cache.h, cache.W2, cache.logits
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
    dh = None  # (N, H)
    dW2 = None  # (H, V)
    db2 = None  # (V,)
    dh_preact = None  # (N, H)
    dbn_gain = None  # (H,)
    dbn_bias = None  # (H,)
    dbn_raw = None  # (N, H)
    dbn_var_inv = None  # (1, H)
    dbn_var = None  # (1, H)
    dbn_diff_sq = None  # (N, H)
    dbn_diff = None  # (N, H)
    dbn_mean = None  # (1, H)
    dh_prebn = None  # (N, H)
    demb_cat = None  # (N, 3E)
    dW1 = None  # (3E, H)
    db1 = None  # (H,)
    demb = None  # (N, 3, E)
    dC = None  # (V, E)
    return (
        dlogprobs,
        dprobs,
        dcounts_sum_inv,
        dcounts_sum,
        dcounts,
        dnorm_logits,
        dlogit_maxes,
        dlogits,
        dh,
        dW2,
        db2,
        dh_preact,
        dbn_gain,
        dbn_bias,
        dbn_raw,
        dbn_var_inv,
        dbn_var,
        dbn_diff_sq,
        dbn_diff,
        dbn_mean,
        dh_prebn,
        demb_cat,
        dW1,
        db1,
        demb,
        dC,
    )
