"""A fast backward pass through the whole MLP: the gradients of its parameters, and nothing that they don't need."""

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
    # BEGIN SOLUTION
    N = Y.shape[0]
    # Eight steps from the loss to the logits, in one: probabilities minus one-hot, over N.
    dlogits = probs / N  # (N, V)
    dlogits[torch.arange(N), Y] -= 1.0 / N
    # logits = h @ W2 + b2
    dW2 = h.T @ dlogits  # (H, V)
    db2 = dlogits.sum(dim=0)  # (V,)
    dh = dlogits @ W2.T  # (N, H)
    # h = tanh(h_preact)
    dh_preact = dh * (1.0 - h * h)  # (N, H)
    # h_preact = bn_gain * bn_raw + bn_bias
    dbn_gain = (dh_preact * bn_raw).sum(dim=0)  # (H,)
    dbn_bias = dh_preact.sum(dim=0)  # (H,)
    # All of batch norm in one: the mean and the variance take back what a column moves together.
    # The two sums that they need are the gradients of gain and bias, which are there already.
    together = (dbn_bias + bn_raw * dbn_gain) / N  # (N, H)
    dh_prebn = bn_gain * bn_var_inv * (dh_preact - together)  # (N, H)
    # h_prebn = emb_cat @ W1 + b1
    dW1 = emb_cat.T @ dh_prebn  # (3E, H)
    # b1 lifts a whole column, and the mean takes it out again: no need to add up the zero.
    db1 = torch.zeros_like(b1)  # (H,)
    demb_cat = dh_prebn @ W1.T  # (N, 3E)
    # emb = C[X]: the places of a character add up.
    dC = torch.zeros_like(C)  # (V, E)
    dC.index_add_(0, X.view(-1), demb_cat.view(-1, C.shape[1]))
    # END SOLUTION
    return dC, dW1, db1, dbn_gain, dbn_bias, dW2, db2
