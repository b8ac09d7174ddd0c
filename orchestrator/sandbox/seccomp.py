"""A filter of system calls for the kernel: those a Python program has no business with, refused.

They are the ones that reach memory no limit counts (System V shared memory and semaphores, memory files,
shared mappings without a file, extended attributes), other processes' memory, new namespaces (where much of
the kernel is reachable that is closed otherwise), keys, mounts, and sockets of other families than Unix,
Internet and netlink: some, such as those to a virtual machine's host (vsock), are of no network namespace.
Classic BPF as `bwrap --seccomp` takes it: 8 bytes an instruction (Linux, `struct sock_filter`).
"""

from __future__ import annotations

import errno
import platform
import struct

__all__ = ["filter_of_system_calls"]

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT, FOURTH_ARGUMENT_AT = (
    0,
    4,
    16,
    40,
)  # offsets in `struct seccomp_data`

NEW_NAMESPACES = 0x7E020000
"""Flags of `clone` that make a namespace of any kind."""

SHARED, ANONYMOUS = 0x01, 0x20
"""Flags of `mmap`: together they make a file in memory that is kept whole while one page of it is mapped, so that
what a process has mapped does not tell how much it holds."""

X32 = 0x40000000
"""Numbers from here on are the x32 ABI's: the same calls by other numbers."""

_SAME_EVERYWHERE = {
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "pidfd_getfd": 438, "mount_setattr": 442, "memfd_secret": 447, "setxattrat": 463,
}  # fmt: skip

_REFUSED: dict[str, dict[str, int]] = {
    "x86_64": {
        "shmget": 29, "msgget": 68, "ptrace": 101, "syslog": 103, "pivot_root": 155, "chroot": 161, "acct": 163,
        "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169, "init_module": 175, "delete_module": 176,
        "quotactl": 179, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
        "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "finit_module": 313, "memfd_create": 319, "bpf": 321, "userfaultfd": 323,
        "vmsplice": 278, "semget": 64, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, **_SAME_EVERYWHERE,
    },
    "aarch64": {
        "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "quotactl": 60, "vmsplice": 75, "acct": 89,
        "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106, "syslog": 116, "ptrace": 117,
        "reboot": 142, "msgget": 186, "shmget": 194, "add_key": 217, "request_key": 218, "keyctl": 219,
        "swapon": 224, "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "finit_module": 273, "memfd_create": 279, "bpf": 280, "userfaultfd": 282,
        "semget": 190, "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, **_SAME_EVERYWHERE,
    },
}  # fmt: skip

_ARCHITECTURE = {"x86_64": (0xC000003E, 56, 41, 9), "aarch64": (0xC00000B7, 220, 198, 222)}
"""The kernel's name of the architecture, and the numbers of `clone`, `socket` and `mmap`."""

FAMILIES = (1, 2, 10, 16)
"""Unix, Internet, IPv6, netlink: the families of sockets that a network namespace holds."""

CLONE3 = (
    435  # its flags are in memory, where a filter cannot look: "not there" makes the C library use `clone`
)


def filter_of_system_calls(machine: str | None = None) -> bytes | None:
    """The filter for `machine` (default: this one), or None where it is not known: then there is none."""
    machine = machine or platform.machine()
    if machine not in _REFUSED:
        return None
    architecture, clone, socket, mmap = _ARCHITECTURE[machine]
    refuse = ERROR | errno.EPERM
    program = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),  # a 32-bit call
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, refuse),
        (JUMP_EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, ERROR | errno.ENOSYS),
    ]
    for number in sorted(_REFUSED[machine].values()):
        program += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, refuse)]
    program += [(JUMP_EQUAL, 0, len(FAMILIES) + 3, socket), (LOAD, 0, 0, FIRST_ARGUMENT_AT)]
    program += [(JUMP_EQUAL, len(FAMILIES) - at, 0, family) for at, family in enumerate(FAMILIES)]
    program += [
        (RETURN, 0, 0, ERROR | errno.EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
        (JUMP_EQUAL, 0, 5, mmap),
        (LOAD, 0, 0, FOURTH_ARGUMENT_AT),
        (JUMP_ANY_BIT, 0, 2, ANONYMOUS),
        (JUMP_ANY_BIT, 0, 1, SHARED),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
        (JUMP_EQUAL, 0, 3, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
