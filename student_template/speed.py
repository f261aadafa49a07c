"""A fast backward pass through the whole MLP: the gradients of its parameters, and nothing that they don't need."""

# ruff: noqa: F401, F841, RUF059, RUF100

import torch


def fast_mlp_backward(cache):
    """Backward of the whole MLP, from the loss to the seven parameters.

    Forward, for N contexts of 3 characters; V characters, vectors of size E, H hidden units:
    emb[n, t, e] = C[X[n, t], e], and emb_cat[n] is emb[n, 0], emb[n, 1], emb[n, 2] side by side
    h_prebn = emb_cat @ W1 + b1
    bn_mean, bn_var = the mean over the rows of h_prebn and of (h_prebn - bn_mean) ** 2
    bn_var_inv = (bn_var + 1e-5) ** -0.5
    bn_raw = (h_prebn - bn_mean) * bn_var_inv
    h_preact = bn_gain * bn_raw + bn_bias
    h = tanh(h_preact)
    logits = h @ W2 + b2
    probs = softmax over each row of logits
    loss = the mean over the rows of -log(probs[n, Y[n]])

    Given:
    - cache: every value of the forward by name. X (N, 3) and Y (N,) int64; C (V, E), W1 (3E, H), b1 (H,),
      bn_gain (H,), bn_bias (H,), W2 (H, V), b2 (V,); emb (N, 3, E), emb_cat (N, 3E), h_prebn (N, H);
      bn_mean, bn_var, bn_var_inv (1, H); bn_diff, bn_diff_sq, bn_raw, h_preact, h (N, H);
      logits, norm_logits, counts, probs, logprobs (N, V); logit_maxes, counts_sum, counts_sum_inv (N, 1);
      loss, a single number

    Return, in this order:
    - dC: gradient of C, of shape (V, E)
    - dW1: gradient of W1, of shape (3E, H)
    - db1: gradient of b1, of shape (H,)
    - dbn_gain: gradient of bn_gain, of shape (H,)
    - dbn_bias: gradient of bn_bias, of shape (H,)
    - dW2: gradient of W2, of shape (H, V)
    - db2: gradient of b2, of shape (V,)
    """
    X, Y = cache.X, cache.Y
    C, W1, W2 = cache.C, cache.W1, cache.W2
    b1, bn_gain = cache.b1, cache.bn_gain
    emb_cat, h, probs = cache.emb_cat, cache.h, cache.probs
    bn_raw, bn_var_inv = cache.bn_raw, cache.bn_var_inv
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dC = None  # (V, E)
    dW1 = None  # (3E, H)
    db1 = None  # (H,)
    dbn_gain = None  # (H,)
    dbn_bias = None  # (H,)
    dW2 = None  # (H, V)
    db2 = None  # (V,)
    return dC, dW1, db1, dbn_gain, dbn_bias, dW2, db2
