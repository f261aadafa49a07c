# handed in as: work.py
# linear_backward: {outcome: returned, score: 5}

def set_up():
    global linear_backward

    def linear_backward(dout, x, W):
        return dout @ W.T, x.T @ dout, dout.sum(0)


set_up()
