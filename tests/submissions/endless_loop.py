# handed in as: linear.py
# linear_backward: {outcome: timed_out, message: "linear_backward did not finish within 1 s", score: 0}

def linear_backward(dout, x, W):
    while True:
        pass
