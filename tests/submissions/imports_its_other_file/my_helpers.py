def collect(dout):
    return dout.sum(0)
