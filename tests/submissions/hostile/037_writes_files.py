# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5, printed: 'change its owner: denied'}

import os

import places
import torch
from attempt import attempt


def linear_backward(dout, x, W):
    for folder in (places.SUBMISSION, places.HOME, os.path.dirname(torch.__file__), "/tmp", "/dev/shm", "/var/tmp", ".", "/"):
        path = os.path.join(folder, "planted-by-a-submission")
        attempt(f"write {folder}", lambda: open(path, "w"))
        attempt(f"make {folder}", lambda: os.mkdir(path))
        attempt(f"link {folder}", lambda: os.symlink("/etc/passwd", path))
        attempt(f"pipe {folder}", lambda: os.mkfifo(path))
    own = os.path.join(places.SUBMISSION, "linear.py")
    attempt("append", lambda: open(own, "a"))
    attempt("truncate", lambda: os.truncate(own, 0))
    attempt("remove", lambda: os.remove(own))
    attempt("rename", lambda: os.rename(own, own + ".old"))
    attempt("change its mode", lambda: os.chmod(own, 0o777))
    attempt("change its time", lambda: os.utime(own))
    attempt("change its owner", lambda: os.chown(own, 0, 0))
    return dout @ W.T, x.T @ dout, dout.sum(0)
