#!/usr/bin/python3
"""JSON and logfmt are read as others read them.

    formats.py [--build DIR] [--records N] [--seed N]

Random records, well-formed ones, damaged ones and noise, go through the formats' readers and through Python's json or, for
logfmt, through a reading of its grammar by regular expressions that is written here.  Every field must have the same text.
The last line is `N passed, N failed`.
"""

import argparse
import codecs
import json
import os
import random
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JSON_NAMES = ["a", "b", "a.b", "a.b.0", "a.0", "a.0.b", "a.1.2", "b.c", "b.c.d", "c", "c.d.a", "a.b.c.d", "0", "1.0", "a..b", ".",
              "request.path", "käse", "emoji😀.a", "a b", "a\"b", "a.10", "a.01", "b.a.b.a", "long-key-of-more-than-thirty-two-bytes.a",
              "long-key-of-more-than-thirty-two-bytez", "a\nb"]
LOGFMT_NAMES = ["a", "b", "level", "msg", "request.path", "käse", "0", "a.b", "true", "a,b", "\\", "'", "{a}"]
KEYS = ["a", "a", "a", "b", "b", "b", "c", "c", "d", "0", "1", "", "a.b", "b.c", "request", "path", "request.path", "käse", "emoji😀", "a b", 'a"b', ".", "c.d",
        "long-key-of-more-than-thirty-two-bytes", "long-key-of-more-than-thirty-two-bytez", "a\nb", "b.c.d", "x"]


def keep_bytes(error):
    """What is no UTF-8 becomes characters that nothing else here uses (no \\udbff is written), and comes back from there."""
    return "".join(chr(0x10FF00 + byte) for byte in error.object[error.start:error.end]), error.end


codecs.register_error("keep_bytes", keep_bytes)


def to_bytes(text):
    """The text in UTF-8, lone surrogates as U+FFFD, bytes that were kept as they were."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return b"".join(bytes([ord(part) - 0x10FF00]) if ord(part[:1] or "a") >= 0x10FF00 else part.encode()
                    for part in re.split("([\U0010ff00-\U0010ffff])", text) if part)


# -- JSON --------------------------------------------------------------------

class Source(str):
    """A number or word as it is written."""


def find(value, name):
    """The field as the documentation says; None: missing."""
    if isinstance(value, dict):
        if value.get(name) is not None:
            return value[name]
        first, dot, rest = name.partition(".")
        return find(value[first], rest) if dot and first in value else None
    if isinstance(value, list):
        first, dot, rest = name.partition(".")
        if not re.fullmatch("0|[1-9][0-9]*", first) or int(first) >= len(value):
            return None
        return find(value[int(first)], rest) if dot else value[int(first)]
    return None


def read_json(line):
    text = line.decode("utf-8", "keep_bytes")
    if not text.strip(" \t\r\n"):
        return {}
    try:
        value = json.loads(text, strict=False, parse_int=Source, parse_float=Source, parse_constant=Source)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def check_json(line, names, answers):
    value = read_json(line)
    if value is None or answers is None:
        return value is None and answers is None
    return all(same_json(find(value, name), answer, line) for name, answer in zip(names, answers))


def same_json(want, got, line):
    if want is None or got is None:
        return want is None and got is None
    if isinstance(want, bool):
        return got == (b"true" if want else b"false")
    if isinstance(want, str):
        return got == to_bytes(want)
    return got in line and got[:1] in b"{[" and read_nested(got) == want


def read_nested(source):
    return json.loads(source.decode("utf-8", "keep_bytes"), strict=False, parse_int=Source, parse_float=Source, parse_constant=Source)


class JsonWriter:
    def __init__(self, chance):
        self.chance = chance

    def blanks(self):
        return self.chance.choice(["", "", "", "", " ", "\t", "\r", "  "]).encode()

    def character(self):
        c = self.chance
        kind = c.randrange(16)
        if kind < 6:
            return c.choice("abc xyz0189.,:{}[]=/'").encode()
        if kind == 6:
            return c.choice(["é", "ß", "日", "😀", "\u2028", "\x7f"]).encode()
        if kind == 7:
            return c.choice([b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f", b"\x80", b"\t", b"\x01"])
        if kind < 11:
            return b"\\" + c.choice('"\\/bfnrt').encode()
        if kind == 11:
            return b"\\ud83d\\ude00"
        if kind == 12:
            return b"\\u" + c.choice(["d83d", "DE00", "dBfE", "dc00", "D800"]).encode()
        return b"\\u" + (f"{c.choice([0, 0x41, 0xe9, 0x7ff, 0x800, 0xfffe, c.randrange(0xdbff), c.randrange(0xdc00, 0x10000)]):0{4}{c.choice('xX')}}").encode()

    def string(self):
        return b'"' + b"".join(self.character() for _ in range(self.chance.choice([0, 1, 2, 5, 9, 17, 40]))) + b'"'

    def key(self):
        key = self.chance.choice(KEYS)
        return json.dumps(key, ensure_ascii=self.chance.random() < 0.3).replace("a", "\\u0061" if self.chance.random() < 0.1 else "a").encode()

    def number(self):
        c = self.chance
        return c.choice(["0", "-0", "429", "1.50", "-12.25e+10", "1E5", "2e-3", "9" * 40, "NaN", "Infinity", "-Infinity",
                         "1" + "0" * c.randrange(20)]).encode()

    def value(self, depth):
        c = self.chance
        kind = c.randrange(10 if depth > 0 else 7)
        if kind < 3:
            return self.string()
        if kind < 5:
            return self.number()
        if kind < 7:
            return c.choice([b"true", b"false", b"null", b"null"])
        return self.object(depth - 1) if c.random() < 0.6 else self.array(depth - 1)

    def object(self, depth):
        members = [self.blanks() + self.key() + self.blanks() + b":" + self.blanks() + self.value(depth) + self.blanks()
                   for _ in range(self.chance.choice([0, 1, 3, 6, 9]))]
        return b"{" + (b",".join(members) or self.blanks()) + b"}"

    def array(self, depth):
        items = [self.blanks() + self.value(depth) + self.blanks() for _ in range(self.chance.choice([0, 1, 2, 3, 12]))]
        return b"[" + (b",".join(items) or self.blanks()) + b"]"

    def record(self):
        record = self.blanks() + self.object(5) + self.blanks()
        return self.damage(record) if self.chance.random() < 0.3 else record

    def damage(self, record):
        c = self.chance
        at = c.randrange(len(record) + 1)
        return c.choice([
            record[:at],
            record[at:],
            record[:at] + record[at + 1:],
            record[:at] + c.choice([b'"', b"\\", b",", b":", b"}", b"]", b"{", b"0", b".", b"e", b"-", b" ", b"\\u12", b"\0", b"\xff"]) + record[at:],
            record + c.choice([b"x", b"{}", b",", b"\0"]),
            b"[" + record + b"]",
            bytes(c.randrange(256) for _ in range(c.randrange(30))),
            c.choice([b"", b"  ", b"null", b"1", b'"a"', b"{]", b"[}", b"{,}", b'{"a":1,}', b'{"a":[1,]}', b'{"a":01}', b'{"a":1.}', b'{"a":.5}',
                      b'{"a":+1}', b'{"a":-}', b'{"a":tru}', b'{"a":True}', b'{"a" 1}', b'{a:1}', b"{'a':1}", b'{"a":1e}', b'{"a":-NaN}',
                      b'{"a":"\\x41"}', b'{"a":"\\u12g4"}', b'{"a":1}\x0b', b"\xef\xbb\xbf{}"])])


# -- logfmt ------------------------------------------------------------------

PAIR = re.compile(rb'[\x00- ]*(?:(?P<key>[^\x00- ="]+)(?:(?P<is>=)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"(?=[\x00- ]|$)|(?P<bare>(?!")[^\x00- ]*))|(?=[\x00- ]|\Z)))',
                  re.DOTALL)
ESCAPE = re.compile(rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b'"': b'"', b"\\": b"\\", b"/": b"/"}


def decode(match):
    text = match[0]
    if len(text) == 12:
        return bytes.fromhex(text.replace(b"\\u", b"").decode()).decode("utf-16-be").encode()
    if text[1:2] in b"uU" and len(text) > 2:
        code = int(text[2:], 16)
        return (chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd").encode()
    if text[1:2] == b"x" and len(text) > 2:
        return bytes([int(text[2:], 16)])
    return LETTERS.get(text[1:], text)


def read_logfmt(line):
    fields, at = {}, 0
    while line[at:].strip(bytes(range(33))):
        pair = PAIR.match(line, at)
        if not pair:
            return None
        at = pair.end()
        if pair["quoted"] is not None:
            fields[pair["key"]] = ESCAPE.sub(decode, pair["quoted"])
        else:
            fields[pair["key"]] = pair["bare"] if pair["is"] else b"true"
    return fields


def check_logfmt(line, names, answers):
    fields = read_logfmt(line)
    if fields is None or answers is None:
        return fields is None and answers is None
    return [fields.get(name.encode()) for name in names] == answers


class LogfmtWriter:
    def __init__(self, chance):
        self.chance = chance

    def quoted(self):
        c = self.chance
        return b'"' + b"".join(c.choice([
            b"a", b" ", b"=", "é".encode(), b"\xff", b'\\"', b"\\\\", b"\\n", b"\\t", b"\\v", b"\\a", b"\\/", b"\\d", b"\\x41", b"\\xff", b"\\x4",
            b"\\u00e9", b"\\ud83d\\ude00", b"\\ud83d", b"\\ud83d\\u0041", b"\\U0001f600", b"\\U00110000", b"\\U0000d800", b"\\u12", b"'", b"\t"])
            for _ in range(c.randrange(12))) + b'"'

    def pair(self):
        c = self.chance
        key = c.choice(LOGFMT_NAMES).encode()
        return key + c.choice([
            b"", b"=", b"=" + self.quoted(), b"=" + self.quoted(), b"=" + c.choice([b"1", b"a=b", b'a"b', b"\\n", b"\xff", b"12.5ms", "é".encode()])])

    def record(self):
        c = self.chance
        record = b"".join(c.choice([b" ", b" ", b"", b"\t", b"  "]) + self.pair() + b" " for _ in range(c.randrange(7)))
        if c.random() < 0.3:
            at = c.randrange(len(record) + 1)
            record = c.choice([record[:at], record[:at] + c.choice([b'"', b"=", b"\\", b" ", b"\0"]) + record[at:], record[at:] + b"\\",
                               bytes(c.randrange(256) for _ in range(c.randrange(30)))])
        return record


# -- both --------------------------------------------------------------------

def ask(program, name, names, records):
    data = b"".join(b"%d\n%s" % (len(record), record) for record in records)
    done = subprocess.run([program, name, *names], input=data, capture_output=True, timeout=300)
    if done.returncode:
        sys.exit(f"{program} failed: {done.stderr.decode(errors='replace')[-3000:]}")
    return [answer(line) for line in done.stdout.decode().splitlines()]


def answer(line):
    if line == "malformed":
        return None
    return [None if field == "-" else bytes.fromhex(field.lstrip("s")[1:]) for field in line.split()]


def compare(program, name, names, writer, check, count):
    records = [writer.record() for _ in range(count)]
    answers = ask(program, name, names, records)
    failed = [(record, got) for record, got in zip(records, answers) if not check(record, names, got)]
    for record, got in failed[:5]:
        print(f"{name}: {record!r} gave {got}")
    malformed = answers.count(None)
    found = sum(field is not None for got in answers if got for field in got)
    print(f"{name}: {count} records, {malformed} malformed, {found} fields")
    enough = len(answers) == count and count * 0.05 < malformed < count * 0.5 and found > count
    return count - len(failed), len(failed) + (not enough)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=TOP + "/build")
    parser.add_argument("--records", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program = options.build + "/differential/format_fields"
    results = [
        compare(program, "json", JSON_NAMES, JsonWriter(random.Random(options.seed)), check_json, options.records),
        compare(program, "logfmt", LOGFMT_NAMES, LogfmtWriter(random.Random(options.seed)), check_logfmt, options.records)]
    passed, failed = (sum(counts) for counts in zip(*results))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
