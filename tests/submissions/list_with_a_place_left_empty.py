# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: not_returned, dW: correct, db: not_returned}

def linear_backward(dout, x, W):
    return [None, x.T @ dout, None]
