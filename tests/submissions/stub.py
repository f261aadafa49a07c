# handed in as: linear.py
# linear_backward: {outcome: not_written, score: 0}

def linear_backward(dout, x, W):
    raise NotImplementedError('linear_backward is not written yet')
