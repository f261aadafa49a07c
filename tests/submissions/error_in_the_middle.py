# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   message: "linear.py line 7 failed: NameError: name 'undefined' is not defined; the functions above and below it were graded all the same"
#   score: 5

print(undefined)


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
