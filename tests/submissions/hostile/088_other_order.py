# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5}

def linear_backward(dout, x, W):
    return {"db": dout.sum(0), "dW": x.T @ dout, "dx": dout @ W.T}
