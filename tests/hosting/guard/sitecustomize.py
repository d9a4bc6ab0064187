"""Imported by every Python that finds it: no socket reaches beyond this machine, and whoever tries is written down."""

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


def _connected(function):
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return function(self, address)

    return connect


def _looked_up(host, *arguments, **options):
    _check(host)
    return _lookup(host, *arguments, **options)


socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = (
    _connected(_connect),
    _connected(_connect_ex),
    _looked_up,
)
