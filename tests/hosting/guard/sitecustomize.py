"""Imported at start by Python: blocks and logs connections of sockets to other machines."""

import ipaddress
import os
import socket

_connect, _connect_ex, _lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _check(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return
    try:
        if (address := ipaddress.ip_address(host)).is_loopback or address.is_unspecified:
            return
    except ValueError:
        pass
    with open(os.environ["ATOMIZER_TEST_OUTSIDE"], "a") as log:
        log.write(f"{host}\n")
    raise OSError(f"there is no network: {host}")


def _guarded_connect(function):
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return function(self, address)

    return connect


def _guarded_lookup(host, *arguments, **options):
    _check(host)
    return _lookup(host, *arguments, **options)


socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = (
    _guarded_connect(_connect),
    _guarded_connect(_connect_ex),
    _guarded_lookup,
)
