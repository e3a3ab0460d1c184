"""The mail server of scripts/smtpd."""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

args = dict(a.split("=", 1) for a in sys.argv[1:])


def mode():
    with open(args["mode"]) as f:
        return f.read().strip()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode() == "wrong":
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        m = mode()
        if m == "broken":
            return "451 4.3.0 try again later"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        with open(args["inbox"], "a") as f:
            f.write(json.dumps({
                "from": envelope.mail_from, "to": envelope.rcpt_tos, "headers": {k.lower(): str(v) for k, v in mail.items()},
                "body": mail.get_content(), "tls": session.ssl is not None, "login": session.authenticated,
            }) + "\n")
        if m == "deaf":
            await asyncio.sleep(60)
        if m == "cut":
            server.transport.abort()
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = (args["user"].encode(), args["password"].encode())
    return AuthResult(success=mode() != "locked" and (data.login, data.password) == good, handled=False)


def session():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args["cert"], args["key"])
    return SMTP(Handler(), hostname="smtp.test", tls_context=context, require_starttls=True, auth_required=True, authenticator=authenticate)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0)
    print("host=127.0.0.1")
    print("port=%d" % server.sockets[0].getsockname()[1])
    print("ready=yes", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
