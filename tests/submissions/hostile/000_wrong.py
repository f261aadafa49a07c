# handed in as: linear.py
# linear_backward: {outcome: returned, score: 3.5}

def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout
