"""A connection that breaks: passes bytes on to a server, and hangs up for good after a number of them."""

import socket
import threading
from urllib.parse import urlsplit


class CutProxy:
    """Listens from `with` on; hangs up once it has passed on `size` bytes of the server's answers."""

    def __init__(self, address, size):
        parts = urlsplit(address)
        self._server, self._left = (parts.hostname, parts.port), size
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]

    @property
    def address(self):
        return "http://127.0.0.1:{}".format(self._listener.getsockname()[1])

    @property
    def broken(self):
        return self._left <= 0

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._hang_up()

    def _accept(self):
        while not self.broken:
            try:
                client = self._listener.accept()[0]
                server = socket.create_connection(self._server)
            except OSError:
                return
            self._sockets += [client, server]
            threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source, target, counted):
        try:
            while data := source.recv(65536):
                if counted:
                    self._left -= len(data)
                    if self.broken:
                        target.sendall(data[:len(data) // 2])
                        return self._hang_up()
                target.sendall(data)
        except OSError:
            pass
        finally:
            target.close()

    def _hang_up(self):
        for each in list(self._sockets):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
