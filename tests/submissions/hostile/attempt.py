"""Shared by the hostile submissions: try something, and say in one line whether it was denied."""

import ctypes


def attempt(what, act):
    """Print `denied`, or REACHED with a little of what was got."""
    try:
        got = act()
    except BaseException as error:
        print(f"{what}: denied ({type(error).__name__})")
    else:
        print(f"{what}: REACHED {got!r:.300}")


def call(name, *arguments):
    """Call a function of the C library; raise what errno says if it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    longs = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return done(getattr(library, name)(*longs))


def done(result):
    """Raise if a result of the C library says that it failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "failed")
    return result
