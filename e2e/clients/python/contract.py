"""The contract of e2e/clients: a question in JSON a line, an answer in JSON a line.

A program brings a class with one method per verb and calls serve. What a method raises is
the answer's "error"; verbs it lacks answer "unsupported".
"""

import base64
import json
import sys
import traceback


def read_records(path):
    with open(path) as lines:
        for line in lines:
            r = json.loads(line)
            yield {
                "partition": r["p"],
                "key": unpack(r["k"]),
                "value": unpack(r["v"]),
                "headers": [(h["k"], unpack(h["v"])) for h in r.get("h") or []],
                "timestamp": r["t"],
            }


class Writer:
    """Takes what a consumer read and writes it for the test to compare."""

    def __init__(self, path):
        self.file = open(path, "w")
        self.count = 0

    def add(self, partition, offset, timestamp, key, value, headers):
        line = {
            "p": partition, "o": offset, "t": timestamp, "k": pack(key), "v": pack(value),
            "h": [{"k": name, "v": pack(text)} for name, text in headers or []],
        }
        self.file.write(json.dumps(line) + "\n")
        self.count += 1

    def close(self):
        self.file.close()


def pack(b):
    return None if b is None else base64.b64encode(b).decode()


def unpack(text):
    return None if text is None else base64.b64decode(text)


def serve(client):
    out, sys.stdout = sys.stdout, sys.stderr  # libraries that print must not answer
    for line in sys.stdin:
        question = json.loads(line)
        verb = getattr(client, question["do"], None)
        try:
            answer = {"unsupported": True} if verb is None else verb(question) or {}
        except Exception as e:  # whatever the library raises is for the test to judge
            traceback.print_exc()
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), file=out, flush=True)
