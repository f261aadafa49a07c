"""The network of the lesson, with the lesson's own names and sizes: its variance divides by n - 1."""

VOCAB_SIZE, BLOCK_SIZE, N_EMBD, N_HIDDEN, BATCH = 27, 3, 10, 64, 32


def makemore_inputs(rng, far=0.0, tiny=False):
    fan_in = N_EMBD * BLOCK_SIZE
    W1 = rng.normal(fan_in, N_HIDDEN) * (5 / 3) / fan_in**0.5
    Xb = rng.integers(0, VOCAB_SIZE, BATCH, BLOCK_SIZE)
    Yb = rng.integers(0, VOCAB_SIZE, BATCH)
    Xb[0] = 0  # as at the start of a word, "...": a row that uses one embedding three times
    bngain = rng.normal(1, N_HIDDEN) * 0.1 + 1.0
    b2 = rng.normal(VOCAB_SIZE) * 0.1
    if tiny:
        # A variance about as large as the 1e-5 that is added to it; the gain keeps the gradients as they are elsewhere.
        W1[:, 0] *= 0.002
        bngain[0, 0] *= 0.01
    b2[Yb[0]] += far
    return {
        "n": BATCH,
        "batch_size": BATCH,
        "vocab_size": VOCAB_SIZE,
        "block_size": BLOCK_SIZE,
        "n_embd": N_EMBD,
        "n_hidden": N_HIDDEN,
        "Xb": Xb,
        "Yb": Yb,
        "C": rng.normal(VOCAB_SIZE, N_EMBD),
        "W1": W1,
        "b1": rng.normal(N_HIDDEN) * 0.1,
        "W2": rng.normal(N_HIDDEN, VOCAB_SIZE) * 0.1,
        "b2": b2,
        "bngain": bngain,
        "bnbias": rng.normal(1, N_HIDDEN) * 0.1,
    }


def makemore(t):
    n = t.n
    # embedding and first linear layer
    t.emb = t.C[t.Xb]
    t.embcat = t.emb.view(n, -1)
    t.hprebn = t.embcat @ t.W1 + t.b1
    # batch norm
    t.bnmeani = 1 / n * t.hprebn.sum(0, keepdim=True)
    t.bndiff = t.hprebn - t.bnmeani
    t.bndiff2 = t.bndiff**2
    t.bnvar = 1 / (n - 1) * t.bndiff2.sum(0, keepdim=True)
    t.bnvar_inv = (t.bnvar + 1e-5) ** -0.5
    t.bnraw = t.bndiff * t.bnvar_inv
    t.hpreact = t.bngain * t.bnraw + t.bnbias
    # tanh and second linear layer
    t.h = t.hpreact.tanh()
    t.logits = t.h @ t.W2 + t.b2
    # softmax and cross-entropy
    t.logit_maxes = t.logits.max(1, keepdim=True).values
    t.norm_logits = t.logits - t.logit_maxes
    t.counts = t.norm_logits.exp()
    t.counts_sum = t.counts.sum(1, keepdim=True)
    t.counts_sum_inv = t.counts_sum**-1
    t.probs = t.counts * t.counts_sum_inv
    t.logprobs = t.probs.log()
    t.loss = -t.logprobs[range(n), t.Yb].mean()
