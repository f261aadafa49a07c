# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: correct, dW: correct, db: correct}
#   score: 5
#   flags: [requires_grad]

def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx.requires_grad_(), x.T @ dout, dout.sum(0)
