# handed in as: linear.py
# linear_backward: {outcome: unreadable, message: "linear.py line 8: SyntaxError: invalid syntax", line: 8, score: 0}

def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)


def (:
