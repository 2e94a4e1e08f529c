"""A network namespace and a mount namespace for this process, as far as the machine permits them."""
import ctypes
import os
import subprocess

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
PERMITTED = set()  # what enter() has found
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def unshare(flag):
    return LIBC.unshare(flag) == 0


def runs(*command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def own_network():
    return unshare(CLONE_NEWNET) and runs("ip", "link", "set", "lo", "up")


def own_mounts():
    return unshare(CLONE_NEWNS) and runs("mount", "--make-rprivate", "/")


def has_netem():
    """Whether the kernel has netem."""
    return (runs("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
            and runs("tc", "qdisc", "del", "dev", "lo", "root"))


def enter():
    """Enters the namespaces, and returns the names of the permitted ones. Call this before the process has threads."""
    if own_mounts():
        PERMITTED.add("mount")
    if own_network():
        PERMITTED.add("network")
        if has_netem():
            PERMITTED.add("netem")
    if os.path.exists(FAKETIME):
        PERMITTED.add("faketime")
    return PERMITTED
