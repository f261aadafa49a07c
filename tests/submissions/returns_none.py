# handed in as: linear.py
# linear_backward: {outcome: not_written, message: returned None for every gradient, score: 0}

def linear_backward(dout, x, W):
    dx = dout @ W.T
