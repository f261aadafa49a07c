import torch


def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx.to_sparse_csr(), x.T @ dout, dout.sum(0)
