"""A mail server on a port of this machine: it keeps what it is sent."""

import socketserver
import threading
from dataclasses import dataclass, field


@dataclass
class Delivered:
    """One mail: who it is from and for, as the envelope has it, and its source."""

    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    source: bytes = b""


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1 in a thread of its own, and speaks as much SMTP (RFC 5321) as it takes to send a mail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails: list[Delivered] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(5)


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        mail = Delivered()
        self._say("220 ready")
        for line in self.rfile:
            command = line.decode().strip()
            match command[:4].upper():
                case "MAIL":
                    mail = Delivered(sender=_address(command))
                case "RCPT":
                    mail.recipients.append(_address(command))
                case "DATA":
                    self._say("354 go on")
                    mail.source = self._read_source()
                    self.server.mails.append(mail)
                case "QUIT":
                    self._say("221 bye")
                    return
            self._say("250 well")

    def _read_source(self) -> bytes:
        """The lines up to the one that is a dot; another that begins with a dot has one more (RFC 5321, 4.5.2)."""
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(line.removeprefix(b".") for line in lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
