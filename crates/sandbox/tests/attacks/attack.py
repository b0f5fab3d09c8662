"""Runs as a function. Tries what a hostile one would, and tells its Runtime API address what came of each attempt."""
import ctypes
import errno
import json
import os
import socket
import struct
import sys

left_open = [fd for fd in range(3, 1024) if os.path.lexists(f"/proc/self/fd/{fd}")]
target = json.loads(os.environ["TARGET"])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
done = {}


def attempt(name):
    """The attempt succeeded when its function returns; whatever it raises is the refusal."""
    def run(tried):
        try:
            done[name] = {"refused": False, "how": repr(tried())}
        except (OSError, ValueError) as refusal:
            done[name] = {"refused": True, "how": repr(refusal)}
    return run


def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def reading(path):
    def tried():
        with open(path, "rb") as file:
            return file.read(16)
    return tried


def writing(path):
    def tried():
        with open(path, "r+b") as file:
            file.write(b"x")
    return tried


pid, key, store, data = target["pid"], target["key"], target["store"], target["data"]

# Files.
attempt("read the key")(reading(key))
attempt("read the store")(reading(store))
attempt("list the data folder")(lambda: os.listdir(data))
attempt("stat the key")(lambda: os.stat(key))
attempt("chmod the key")(lambda: os.chmod(key, 0o644))
attempt("chown the key")(lambda: os.chown(key, os.getuid(), os.getgid()))
attempt("set the key's times")(lambda: os.utime(key))
attempt("set an attribute of the key")(lambda: os.setxattr(key, "user.attack", b"1"))
attempt("truncate the store")(lambda: os.truncate(store, 0))
attempt("write the store")(writing(store))
attempt("unlink the store")(lambda: os.unlink(store))
attempt("write beside the store")(lambda: open(os.path.join(data, "new"), "w").close())
attempt("rename into the data folder")(lambda: (open(os.path.join(target["tmp"], "a"), "w").close(),
                                                os.rename(os.path.join(target["tmp"], "a"), os.path.join(data, "a"))))
attempt("link the key")(lambda: os.link(key, os.path.join(target["tmp"], "key")))
attempt("read another function's code")(reading(target["neighbour_code"]))
attempt("change the function's own code")(lambda: open(__file__, "r+b").close())
attempt("add to the function's own code")(lambda: open(__file__ + "x", "w").close())
attempt("write to the machine's programs")(lambda: open("/usr/attack", "w").close())
attempt("read the machine's shadow file")(reading("/etc/shadow"))
attempt("read kernel memory")(reading("/proc/kcore"))
attempt("write a kernel setting")(lambda: open("/proc/sys/kernel/core_pattern", "w").close())

# Processes.
for what in ("environ", "mem", "cmdline", "maps", "fd/0"):
    attempt(f"read {what} of Homeport")(reading(f"/proc/{pid}/{what}"))
attempt("signal Homeport")(lambda: os.kill(pid, 0))
if target["alone"]:
    attempt("setpriority on all of a user")(lambda: os.setpriority(os.PRIO_USER, 0, 5))
attempt("signal the other function")(lambda: os.kill(target["neighbour"], 0))
attempt("prlimit on Homeport")(lambda: call(302, pid, 7, ctypes.byref((ctypes.c_ulong * 2)(64, 64)), 0))
attempt("setpriority on Homeport")(lambda: os.setpriority(os.PRIO_PROCESS, pid, 5))
attempt("affinity of Homeport")(lambda: os.sched_setaffinity(pid, {0}))
attempt("ptrace Homeport")(lambda: call(101, 16, pid, 0, 0))
attempt("ptrace process 1")(lambda: call(101, 16, 1, 0, 0))
attempt("read the memory of process 1")(reading("/proc/1/mem"))
attempt("read the environment of process 1")(reading("/proc/1/environ"))
attempt("process_vm_readv")(lambda: call(310, pid, 0, 0, 0, 0, 0))
attempt("pidfd_getfd")(lambda: call(438, os.pidfd_open(pid), 0, 0))


# Sockets.
def connecting(family, kind, address, protocol=0):
    def tried():
        with socket.socket(family, kind, protocol) as s:
            s.settimeout(1)
            s.connect(address)
            return "connected"
    return tried


def fast_open():
    with socket.socket() as s:
        s.settimeout(1)
        return s.sendto(b"x", 0x20000000, ("127.0.0.1", target["tcp"]))


def fast_open_message():
    with socket.socket() as s:
        s.settimeout(1)
        return s.sendmsg([b"x"], [], 0x20000000, ("127.0.0.1", target["tcp"]))


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"attack", ("127.0.0.1", target["udp"]))
        s.connect(("127.0.0.1", target["udp"]))
        s.send(b"attack")
        s.settimeout(0.5)
        return s.recv(16)


def pair_turned_to(path):
    here, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return here.sendto(b"attack", path)


attempt("connect to a port of Homeport's")(connecting(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", target["tcp"])))
attempt("connect by IPv6 mapping")(
    connecting(socket.AF_INET6, socket.SOCK_STREAM, ("::ffff:127.0.0.1", target["tcp"])))
if target["alone"]:  # With namespaces this address is the function's own.
    attempt("connect to another function's Runtime API")(
        connecting(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", target["neighbour_api"])))
attempt("connect by MPTCP")(connecting(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", target["tcp"]), 262))
attempt("connect by fast open")(fast_open)
attempt("connect by a fast open message")(fast_open_message)
attempt("send a datagram to Homeport")(datagram)
attempt("connect to a unix socket")(connecting(socket.AF_UNIX, socket.SOCK_STREAM, target["unix"]))
attempt("send to a unix socket from a pair")(lambda: pair_turned_to(target["unix_datagram"]))
attempt("connect to an abstract socket")(connecting(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + target["abstract"]))
attempt("netlink sock_diag")(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4).close())
attempt("vsock")(lambda: socket.socket(40, socket.SOCK_STREAM).close())
attempt("packet socket")(lambda: socket.socket(17, socket.SOCK_RAW).close())
attempt("alg socket")(lambda: socket.socket(38, socket.SOCK_SEQPACKET).close())
attempt("raw socket")(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close())

# The kernel.
null = ctypes.c_void_p(None)
attempt("io_uring")(lambda: call(425, 1, ctypes.create_string_buffer(256)))
attempt("bpf")(lambda: call(321, 0, ctypes.create_string_buffer(256), 128))
attempt("perf_event_open")(lambda: call(298, ctypes.create_string_buffer(struct.pack("II", 1, 128) + bytes(120)), 0, -1, -1, 0))
attempt("userfaultfd")(lambda: call(323, 1))
attempt("keyctl")(lambda: call(250, 0, -3, 0))
attempt("new user namespace")(lambda: call(272, 0x10000000))
attempt("new network namespace")(lambda: call(272, 0x40000000))
attempt("setns")(lambda: call(308, os.open("/proc/self/ns/net", os.O_RDONLY), 0))
attempt("clone a user namespace")(lambda: call(56, 0x10000000 | 17, null, null, null, null) or os._exit(0))
attempt("clone3 a user namespace")(
    lambda: call(435, ctypes.create_string_buffer(struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0)), 64) or os._exit(0))
attempt("mount")(lambda: call(165, b"x", target["tmp"].encode(), b"tmpfs", 0, null))
attempt("unmount /proc")(lambda: call(166, b"/proc", 2))
attempt("open_tree")(lambda: call(428, -100, b"/", 1))
attempt("chroot")(lambda: os.chroot(target["tmp"]))
attempt("call by x32 numbers")(lambda: call(0x40000000 + 39))
attempt("memfd")(lambda: os.memfd_create("m"))
attempt("System V memory")(lambda: call(29, 0, 4096, 0o1600))
attempt("become another user")(lambda: os.setuid(12345))
attempt("become another group")(lambda: os.setgid(12345))
attempt("raise a limit")(lambda: call(302, 0, 7, ctypes.byref((ctypes.c_ulong * 2)(4096, 4096)), null))

# What was inherited.
done["find a descriptor that was left open"] = {"refused": not left_open, "how": repr(left_open)}
done["find what Homeport has in its environment"] = {"refused": "PLANTED" not in os.environ, "how": ""}
strange = set(os.environ) - {"TARGET", "API", "LC_CTYPE"}
done["find anything in the environment that wasn't put there"] = {"refused": not strange, "how": repr(strange)}

# What an honest function needs.
with open(os.path.join(target["tmp"], "mine"), "w") as file:
    file.write("mine")
os.rename(os.path.join(target["tmp"], "mine"), os.path.join(target["tmp"], "renamed"))
child = os.fork()
if child == 0:
    os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
assert os.cpu_count() >= 1
here, there = socket.socketpair()
here.sendall(b"x")
assert there.recv(1) == b"x"
if not target["alone"]:
    os.chmod(os.path.join(target["tmp"], "renamed"), 0o600)
    assert socket.gethostbyname("name.of.homeport") == "127.0.0.1"
    big = os.path.join(target["tmp"], "big")
    try:
        with open(big, "wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        done["fill more than /tmp may hold"] = {"refused": False, "how": "64 MiB"}
    except OSError as refusal:
        done["fill more than /tmp may hold"] = {"refused": True, "how": errno.errorcode[refusal.errno]}
    os.unlink(big)

host, port = os.environ["API"].rsplit(":", 1)
with socket.create_connection((host, int(port))) as api:
    api.sendall(json.dumps(done).encode())
sys.exit(0)
