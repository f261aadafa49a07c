"""The whole MLP of the makemore lesson: backward through every intermediate value."""

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
    # BEGIN SOLUTION
    # Cross-entropy: the loss reads one entry of each row. All the others have no effect on it.
    dlogprobs = torch.zeros_like(logprobs)  # (N, V)
    dlogprobs[range(n), Y] = -1.0 / n
    dprobs = dlogprobs / probs  # (N, V)
    # Softmax: counts_sum_inv is one number per row, and counts is used twice.
    dcounts_sum_inv = (dprobs * counts).sum(dim=1, keepdim=True)  # (N, 1)
    dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv  # (N, 1)
    dcounts = dprobs * counts_sum_inv + dcounts_sum  # (N, V)
    dnorm_logits = norm_logits.exp() * dcounts  # (N, V)
    # Zero up to rounding: shifting a row of logits does not change its probs.
    dlogit_maxes = -dnorm_logits.sum(dim=1, keepdim=True)  # (N, 1)
    dlogits = dnorm_logits.clone()  # (N, V)
    dlogits += F.one_hot(logits.argmax(dim=1), num_classes=logits.shape[1]) * dlogit_maxes
    # Second linear layer: the shapes leave one way to write each product.
    dh = dlogits @ W2.T  # (N, H)
    dW2 = h.T @ dlogits  # (H, V)
    db2 = dlogits.sum(dim=0)  # (V,)
    # The slope of tanh, written with its own output.
    dh_preact = (1 - h**2) * dh  # (N, H)
    # Batch norm: gain and bias are shared by all rows, and so are mean and variance.
    dbn_gain = (bn_raw * dh_preact).sum(dim=0)  # (H,)
    dbn_bias = dh_preact.sum(dim=0)  # (H,)
    dbn_raw = bn_gain * dh_preact  # (N, H)
    dbn_var_inv = (bn_diff * dbn_raw).sum(dim=0, keepdim=True)  # (1, H)
    dbn_var = -0.5 * (bn_var + 1e-5) ** -1.5 * dbn_var_inv  # (1, H)
    dbn_diff_sq = dbn_var.expand_as(bn_diff_sq) / n  # (N, H)
    # bn_diff is used in bn_raw and in its own square; h_prebn in the difference and in the mean.
    dbn_diff = bn_var_inv * dbn_raw + 2 * bn_diff * dbn_diff_sq  # (N, H)
    dbn_mean = -dbn_diff.sum(dim=0, keepdim=True)  # (1, H)
    dh_prebn = dbn_diff + dbn_mean / n  # (N, H)
    # First linear layer. db1 is zero up to rounding: batch norm subtracts whatever b1 adds.
    demb_cat = dh_prebn @ W1.T  # (N, 3E)
    dW1 = emb_cat.T @ dh_prebn  # (3E, H)
    db1 = dh_prebn.sum(dim=0)  # (H,)
    # Embedding: a row of C was copied to each place where its character stands. Copies add up.
    demb = demb_cat.view(emb.shape)  # (N, 3, E)
    dC = torch.zeros_like(C)  # (V, E)
    dC.index_add_(0, X.flatten(), demb.flatten(0, 1))
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
