"""A proxy before a MariaDB that loses the answer to a COMMIT."""
import socket
import threading

from servers.sinks import accept_each


class LostAnswer:
    """When `is_due` is set, the next COMMIT of a connection that has put a batch reaches the server, and the proxy drops all further
    answers to this connection."""

    def __init__(self, port):
        self.to, self.is_due = port, False
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        accept_each(self.server, self._serve)

    def _serve(self, client):
        onward = socket.create_connection(("127.0.0.1", self.to))
        is_lost = threading.Event()
        threading.Thread(target=self._answer, args=(onward, client, is_lost), daemon=True).start()
        puts = False
        try:
            while data := client.recv(65536):
                puts = puts or b"INSERT INTO batches" in data
                if self.is_due and puts and b"COMMIT" in data:
                    self.is_due = False
                    is_lost.set()
                onward.sendall(data)
        except OSError:
            pass
        onward.close()

    @staticmethod
    def _answer(onward, client, is_lost):
        try:
            while data := onward.recv(65536):
                if not is_lost.is_set():
                    client.sendall(data)
        except OSError:
            pass
        client.close()

    def stop(self):
        self.server.close()
