# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: correct, dW: not_returned, db: correct}

def linear_backward(dout, x, W):
    return {"db": dout.sum(0), "dx": dout @ W.T}
