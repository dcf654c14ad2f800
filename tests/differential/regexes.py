"""Named captures: what Python's re finds with the same pattern in the same text.

The patterns have what both engines understand alike.  CASES=1000000 SEED=7 tests/differential/regexes.py asks more, and
other, questions.
"""

import re

from peer import CASES, Count, ask, hexed, rng

LETTERS = "abcxyzAB01 -=.,:é日"


def atom(r, depth, names):
    how = r.randrange(12 if depth else 7)
    if how < 3:
        return re.escape("".join(r.choice(LETTERS) for _ in range(r.randrange(1, 4))))
    if how == 3:
        return r.choice((r"\d", r"\w", r"\s", r"\S", r"\D", r"\W", "."))
    if how < 6:
        inside = "".join(r.choice(("a-c", "x-z", "0-9", r"\d", r"\w", "é", "日", "_", ",", "%")) for _ in range(r.randrange(1, 4)))
        return f"[{r.choice(('', '^'))}{inside}]"
    if how == 6:
        return r.choice((r"\b", r"\B", "(?=" + re.escape(r.choice(LETTERS)) + ")", "(?!" + re.escape(r.choice(LETTERS)) + ")"))
    body = alternatives(r, depth - 1, names)
    if how < 10:
        names.append(f"n{len(names)}")
        return f"(?P<{names[-1]}>{body})"
    return f"(?:{body})"


def piece(r, depth, names):
    """A group is not repeated: what its captures are then differs."""
    text = atom(r, depth, names)
    if text[0] != "(" and not text.startswith(("\\b", "\\B")) and r.random() < 0.4:
        single = text if len(text) == 1 or text[0] == "[" or (text[0] == "\\" and len(text) == 2) else f"(?:{text})"
        return single + r.choice(("*", "+", "?", "{2}", "{1,3}", "{0,2}")) + r.choice(("", "", "?"))
    if text.startswith("(?P") and r.random() < 0.2:
        return text + "?"
    return text


def alternatives(r, depth, names):
    return "|".join("".join(piece(r, depth, names) for _ in range(r.randrange(1, 4))) for _ in range(r.choice((1, 1, 2, 3))))


def some_pattern(r):
    names = []
    text = alternatives(r, 3, names)
    return r.choice(("", "", "(?i)")) + r.choice(("", "", "^")) + (f"(?:{text})" if "|" in text else text) + r.choice(("", "", "$"))


def some_text(r):
    """Not empty: in an empty text Python's \\B does not match, against its documentation."""
    return "".join(r.choice(LETTERS) for _ in range(r.randrange(1, 30)))


def captures():
    r = rng("regexes")
    asked = []
    while len(asked) < CASES:
        pattern = some_pattern(r)
        try:
            compiled = re.compile(pattern, re.A)
        except re.error:
            continue
        asked += [(pattern, compiled, some_text(r)) for _ in range(5)]
    answers = ask([f"R\t{hexed(pattern)}\t{hexed(text)}" for pattern, _, text in asked])
    for (pattern, compiled, text), got in zip(asked, answers):
        found = compiled.search(text)
        expected = "-" if not found else {name: value for name, value in found.groupdict().items() if value is not None}
        if got != "-":
            got = {name: bytes.fromhex(value).decode() for name, value in (pair.split("=") for pair in got.split())}
        yield (pattern, text), expected, got


def main():
    count = Count()
    count.test("named captures", captures())
    count.end()


if __name__ == "__main__":
    main()
