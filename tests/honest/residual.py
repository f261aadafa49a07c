"""Right answers for `residual`, written in other ways than the solution."""

import torch


def residual_backward__one_line_each(dout, x, W, h):
    return (
        dout + (dout * (1 - h**2)) @ W.T,
        x.T @ (dout * (1 - h**2)),
        (dout * (1 - h**2)).sum(0),
    )


def residual_backward__einsum(dout, x, W, h):
    dh_preact = dout - dout * h * h
    dx = dout + torch.einsum("nj,ij->ni", dh_preact, W)
    return dx, torch.einsum("ni,nj->ij", x, dh_preact), torch.einsum("nj->j", dh_preact)


def residual_backward__rows(dout, x, W, h):
    dx, dW, db = torch.zeros_like(x), torch.zeros_like(W), torch.zeros(W.shape[1], dtype=W.dtype)
    for n in range(x.shape[0]):
        reached = dout[n] * (1 - h[n]) * (1 + h[n])
        dx[n] = W @ reached + dout[n]
        dW += torch.outer(x[n], reached)
        db += reached
    return {"dW": dW, "db": db, "dx": dx}


def residual_backward__identity_weights(dout, x, W, h):
    slope = 1 - h.square()
    # out = x + tanh(x W + b) moves by dx + slope * (dx W): one matrix for each row.
    jacobian = torch.eye(W.shape[0], dtype=W.dtype) + W.unsqueeze(0) * slope.unsqueeze(1)
    return torch.einsum("nij,nj->ni", jacobian, dout), x.T @ (slope * dout), (slope * dout).sum(0)
