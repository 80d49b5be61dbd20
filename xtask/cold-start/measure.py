"""Starts functions as AWS Lambda does, and measures each until it has answered its first request.

A stub of Lambda's Runtime API hands out one request; a stub of DynamoDB, over real TLS, answers the one read that it takes. Both are the same for
every function. Prints one line of JSON for each function, with the median of each figure.

    measure.py ROUNDS SIZES.json
"""

import datetime
import http.server
import ipaddress
import json
import os
import pathlib
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EVENT = {
    "version": "2.0", "routeKey": "$default", "rawPath": "/dev/photos", "rawQueryString": "limit=50",
    "headers": {"host": "id.execute-api.eu-central-1.amazonaws.com", "authorization": "Bearer " + "a" * 43},
    "requestContext": {
        "accountId": "1", "apiId": "id", "stage": "dev", "requestId": "r", "routeKey": "$default", "timeEpoch": 1,
        "http": {"method": "GET", "path": "/dev/photos", "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7", "userAgent": "it"},
    },
    "isBase64Encoded": False,
}
# Nothing is found, by whatever is asked.
NOTHING = {"GetItem": {}, "Query": {"Items": [], "Count": 0, "ScannedCount": 0}, "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}}}


class Stub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else an answer's second part waits for the first to be acknowledged.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0)) if not self.chunked() else self.chunks()

    def chunked(self):
        return "chunked" in (self.headers.get("transfer-encoding") or "")

    def chunks(self):
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class RuntimeApi(Stub):
    def do_GET(self):
        run = self.server.run
        if run.asked.is_set():
            # There is nothing more to do; the function is stopped while it waits.
            run.over.wait()
            return
        run.asked.set()
        deadline = str(int((time.time() + 29) * 1000))
        headers = [("Lambda-Runtime-Aws-Request-Id", "1"), ("Lambda-Runtime-Deadline-Ms", deadline), ("content-type", "application/json"),
                   ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:it")]
        self.answer(200, json.dumps(EVENT).encode(), headers)

    def do_POST(self):
        self.server.run.said = json.loads(self.body())
        self.server.run.answered = time.perf_counter()
        self.answer(202, b"")
        self.server.run.over.set()


class DynamoDb(Stub):
    def do_POST(self):
        self.body()
        self.server.reads += 1
        operation = self.headers["x-amz-target"].rsplit(".", 1)[-1]
        self.answer(200, json.dumps(NOTHING[operation]).encode(), [("content-type", "application/x-amz-json-1.0")])


class Run:
    def __init__(self):
        self.asked, self.over, self.said, self.answered = threading.Event(), threading.Event(), None, None


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A function that is stopped breaks its connections off, which is no error."""


def serve(handler, context=None):
    server = Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def certificate(folder):
    """A certificate for localhost by an authority of its own, and a bundle that trusts it beside everybody whom this machine trusts."""
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def signed(subject, key, issuer, issuer_key, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = signed("a test", authority_key, "a test", authority_key, (x509.BasicConstraints(True, None), True))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = signed("localhost", key, "a test", authority_key, (names, False), (x509.BasicConstraints(False, None), True))
    pem = serialization.Encoding.PEM
    chain, bundle = folder / "server.pem", folder / "bundle.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(private + leaf.public_bytes(pem))
    trusted = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    bundle.write_bytes((trusted.read_bytes() if trusted.exists() else b"") + authority.public_bytes(pem))
    return chain, bundle


def environment(runtime_api, store, bundle):
    place = "region=eu-central-1"
    return {
        "PATH": os.environ["PATH"], "HOME": "/tmp", "LANG": "C.UTF-8", "_HANDLER": "api", "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": "it", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "it", "AWS_LAMBDA_LOG_STREAM_NAME": "it", "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
        "SSL_CERT_FILE": str(bundle), "AWS_CA_BUNDLE": str(bundle), "STORE_ENDPOINT": store,
        "GALLERY_STORE": f"dynamodb://PhotoGallery?{place}&endpoint={store}", "GALLERY_BLOBS": f"s3://photos?{place}",
        "GALLERY_IDENTITY": "cognito://eu-central-1_AbCdEfGhI?client_id=1a2b3c4d5e", "GALLERY_COGNITO_CLIENT_SECRET": "secret",
        "GALLERY_MAIL": f"ses:?from=gallery@example.org&{place}", "GALLERY_PUBLIC_URL": "https://photos.example.org",
    }


def resident(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def start(command, server, env):
    """CPU and wall time in ms until the first answer, and MiB in memory after it."""
    run = server.run = Run()
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not run.over.wait(60):
        process.kill()
        sys.exit(f"{command[-1]} did not answer")
    memory = resident(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return (used.ru_utime + used.ru_stime) * 1000, (run.answered - begun) * 1000, memory, run.said


def main():
    rounds, functions = int(sys.argv[1]), json.loads(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        chain, bundle = certificate(pathlib.Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        store, runtime_api = serve(DynamoDb, context), serve(RuntimeApi)
        env = environment(f"127.0.0.1:{runtime_api.server_port}", f"https://localhost:{store.server_port}", bundle)
        figures = {name: [] for name in functions}
        # In turn, so that whatever else the machine does meets all of them.
        for _ in range(rounds):
            for name, function in functions.items():
                store.reads = 0
                *measured, said = start(function["command"], runtime_api, env)
                if said.get("statusCode") != function["status"] or store.reads != function["reads"]:
                    sys.exit(f"{name} answered {said}, after {store.reads} reads")
                figures[name].append(measured)
        for name, runs in figures.items():
            cpu, wall, memory = (statistics.median(column) for column in zip(*runs))
            print(json.dumps({"name": name, "cpu_ms": round(cpu, 1), "wall_ms": round(wall, 1), "memory_mib": round(memory, 1)}))


main()
