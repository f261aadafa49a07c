# handed in as: linear.py
# linear_backward: {outcome: returned, score: 1.5}

def linear_backward(dout, x, W):
    return {"dx": dout @ W.T}
