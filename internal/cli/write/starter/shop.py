#!/usr/bin/env python3
# Stands for a service that breaks: GET /health/NAME answers 200 or 503, POST /break/NAME and /restart/NAME change that.
import http.server, sys

down = set()


class Shop(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        what, _, name = self.path.strip("/").partition("/")
        if what != "health":
            self.answer(404, "no such page")
        elif name in down:
            self.answer(503, "no database connection left")
        else:
            self.answer(200, "open")

    def do_POST(self):
        what, _, name = self.path.strip("/").partition("/")
        if what == "break":
            down.add(name)
        elif what == "restart":
            down.discard(name)
        else:
            return self.answer(404, "no such page")
        self.answer(200, "done\n")

    def log_message(self, form, *words):
        print(form % words, flush=True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8421), Shop)
print("shops answer on http://127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
