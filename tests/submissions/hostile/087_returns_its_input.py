# handed in as: linear.py
# linear_backward: {outcome: returned, score: 0}

def linear_backward(dout, x, W):
    return x, W, W[0]
