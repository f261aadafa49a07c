# coding: utf-7
def linear_backward(dout, x, W):
    return dout +AEA- W.T, x.T +AEA- dout, dout.sum(0)
