# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: not_returned, dW: correct, db: correct}
#   says: "it is a numpy array, not a tensor"

def linear_backward(dout, x, W):
    return (dout @ W.T).numpy(), x.T @ dout, dout.sum(0)
