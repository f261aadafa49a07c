# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: correct, dW: correct, db: wrong_shape}
#   says: "shape (1, 4), expected (4,)"

def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0, keepdim=True)
