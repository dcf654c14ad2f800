"""Numbers, sizes, durations and percent: what an independent reading in exact fractions says, to the last bit.

CASES=1000000 SEED=7 tests/differential/values.py asks more, and other, questions.
"""

import math
import re
import shutil
import struct
from fractions import Fraction

from peer import CASES, Count, ask, foreign_locale, hexed, mutated, rng

NUMBER = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?", re.A)
GROUPED = re.compile(r"([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]*)?", re.A)
PLAIN = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"

SIZES = {"": 1, "B": 1, "b": 1, "byte": 1, "bytes": 1, "Bytes": 1}
for power, letter in enumerate("KMGTPE", 1):
    SIZES[letter] = SIZES[letter + "i"] = SIZES[letter + "iB"] = 1024 ** power
    SIZES[letter + "B"] = 1000 ** power
    if letter in "KMGT":
        SIZES[letter.lower()] = SIZES[letter.lower() + "ib"] = 1024 ** power
        SIZES[letter.lower() + "b"] = 1000 ** power
SIZES["kB"], SIZES["kiB"] = 1000, 1024

TIMES = {}
for seconds, names in ((Fraction(1, 10 ** 9), "ns nsec nsecs nanosecond nanoseconds"),
                       (Fraction(1, 10 ** 6), "us µs μs usec usecs microsecond microseconds"),
                       (Fraction(1, 1000), "ms msec msecs millisecond milliseconds"),
                       (1, "s sec secs second seconds"), (60, "m min mins minute minutes"),
                       (3600, "h hr hrs hour hours"), (86400, "d day days"), (604800, "w week weeks")):
    TIMES.update(dict.fromkeys(names.split(), seconds))


def fraction(text):
    return Fraction(text.rstrip(".") if text != "." else "x")


def rounded(value, negative):
    """The closest double, with its sign also where it is 0."""
    try:
        number = float(abs(value))
    except OverflowError:
        number = math.inf
    return -number if negative or value < 0 else number


def decimal(found, shift):
    """What NUMBER found, times ten to the power of `shift`."""
    sign, digits, exponent = found.groups()
    exponent = int(exponent or 0) + shift
    if abs(exponent) > 3000:  # such fractions take long; float() is exact, too
        return float(f"{sign}{digits}e{exponent}")
    return rounded(fraction(digits) * Fraction(10) ** exponent, sign == "-")


def number(text):
    found = NUMBER.fullmatch(text)
    if found:
        return decimal(found, 0)
    if re.fullmatch(r"[+-]?(nan|inf|infinity)", text, re.A | re.I):
        return float(text)
    return None


def grouped(text):
    found = GROUPED.fullmatch(text)
    return rounded(fraction(found[2].replace(",", "") + (found[3] or "")), found[1] == "-") if found else None


def percent(text):
    if text.endswith("%"):
        text = text[:-1].rstrip(" ")
    found = NUMBER.fullmatch(text)
    return decimal(found, -2) if found else None


def size(text):
    found = re.fullmatch(r"([+-]?)([0-9.,]+)( *)([A-Za-z]*)", text, re.A)
    if not found or found[4] not in SIZES or (found[3] and not found[4]):
        return None
    digits = found[2]
    if not (GROUPED if "," in digits else re.compile(PLAIN)).fullmatch(digits):
        return None
    return rounded(fraction(digits.replace(",", "")) * SIZES[found[4]], found[1] == "-")


def clock(text):
    """Seconds as a fraction, without a sign."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(re.fullmatch("[0-9]+" if i < len(parts) - 1 else PLAIN, p, re.A) for i, p in enumerate(parts)):
        return None
    values = [fraction(p) for p in parts]
    if any(v >= 60 for v in values[1:]):
        return None
    total = Fraction(0)
    for v in values:
        total = total * 60 + v
    return total


def duration(text):
    negative = text[:1] == "-"
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return -0.0 if negative else 0.0
    days = re.fullmatch(f"({PLAIN}) *(?:d|days?),? +([+-]?)(.*)", body, re.A)
    if days and clock(days[3]) is not None:
        total = fraction(days[1]) * 86400 * (-1 if negative else 1)
        return rounded(total + clock(days[3]) * (-1 if days[2] == "-" else 1), False)
    if clock(body) is not None:
        value = rounded(clock(body), negative)
        return value if value else 0.0  # a clock at 0 has no sign
    part = f"({PLAIN}) *([^0-9 ,]+)"
    if not re.fullmatch(f"{part}(?:(?:,? +|){part})*", body, re.A):
        return None
    found = re.findall(part, body, re.A)
    units = [TIMES.get(unit) for _, unit in found]
    if None in units or any(a <= b for a, b in zip(units, units[1:])):
        return None
    parts = [fraction(digits) * unit for (digits, _), unit in zip(found, units)]
    if len(parts) > 1 and max(parts) >= 10 ** 19:
        return None  # 300 billion years
    total = sum(parts)
    value = rounded(total, negative)
    return value if value or len(found) == 1 else 0.0


# ---- random texts ----

def digits(r, most):
    return "".join(r.choice("0123456789") for _ in range(r.randint(1, most)))


def plain(r, most=12):
    return r.choice((digits(r, most), digits(r, most) + "." + digits(r, most), "." + digits(r, most), digits(r, most) + ".", "0", "0.0"))


def halfway(r):
    """Between two doubles, or a hair beside it: what is hard to round."""
    bits = r.getrandbits(63)
    x = struct.unpack("<d", struct.pack("<Q", bits % 0x7FE0000000000000))[0]
    middle = (Fraction(x) + Fraction(math.nextafter(x, math.inf))) / 2
    exponent = middle.denominator.bit_length() - 1  # 2^-e has e decimals
    text = str(middle.numerator * 5 ** exponent)
    return text + r.choice(("", "", "0" * 30 + "1")) + f"e-{exponent}" if r.random() < 0.5 else plain_of(text, exponent) + r.choice(("", "0001"))


def plain_of(integer, exponent):
    integer = integer.rjust(exponent + 1, "0")
    return integer[:-exponent] + "." + integer[-exponent:] if exponent else integer + "."


def some_number(r):
    how = r.randrange(10)
    if how == 0:
        return halfway(r)
    if how == 1:
        return repr(struct.unpack("<d", r.randbytes(8))[0])
    if how == 2:
        return r.choice(("nan", "-nan", "NaN", "inf", "-Inf", "+infinity", "1e999", "-1e-999", "5e-324", "2.5e-324", "1e23", "9007199254740993"))
    text = r.choice(("", "", "-", "+")) + plain(r, r.choice((3, 12, 25, 900)))
    return text + (f"e{r.choice(('', '-', '+'))}{r.randrange(340)}" if r.random() < 0.3 else "")


def some_grouped(r):
    text = digits(r, 3) + "".join("," + str(r.randrange(1000)).rjust(3, "0") for _ in range(r.randrange(6)))
    return r.choice(("", "-", "+")) + text + r.choice(("", ".", "." + digits(r, 20)))


def some_size(r):
    return r.choice((some_grouped(r), r.choice(("", "-")) + plain(r, 25))) + r.choice(("", " ", "  ")) + r.choice(sorted(SIZES))


def some_percent(r):
    return some_number(r) + r.choice(("", "%", " %", "   %"))


def some_duration(r):
    how = r.randrange(8)
    if how < 2:
        text = plain(r, r.choice((4, 25))) + r.choice(("", " ")) + r.choice(sorted(TIMES))
    elif how < 4:
        text = ":".join([digits(r, 3)] + [str(r.randrange(62)).rjust(2, "0") for _ in range(r.randrange(1, 3))]) + r.choice(("", "." + digits(r, 9)))
    elif how < 5:
        text = f"{r.randrange(40)} day{r.choice(('', 's'))}{r.choice((',', ''))} {r.choice(('', '', '-', '+'))}{r.randrange(24)}:{r.randrange(60):02}:{r.randrange(60):02}" \
               + r.choice(("", f".{r.randrange(10 ** 6):06}"))
    else:
        ordered = sorted(set(TIMES.values()), reverse=True)
        chosen = sorted(r.sample(range(len(ordered)), r.randint(2, 4)))
        text = r.choice(("", " ", ", ")).join(
            plain(r, 5) + r.choice(("", " ")) + r.choice([n for n, v in TIMES.items() if v == ordered[i]]) for i in chosen)
    return r.choice(("", "", "", "-", "+")) + text


KINDS = (("number", number, some_number, "0123456789.+-eE, naif"), ("grouped", grouped, some_grouped, "0123456789.,-+ e"),
         ("bytes", size, some_size, "0123456789.,-+ kKMiBbe"), ("percent", percent, some_percent, "0123456789.,-+e% "),
         ("duration", duration, some_duration, "0123456789.,:-+ dhms"))


def same_text(value):
    """NaN is itself; 0 and -0 are not the same."""
    return "-" if value is None else "nan" if math.isnan(value) else value.hex()


def cases(kind, env):
    name, parse, make, alphabet = kind
    r = rng(name)
    texts = [make(r) for _ in range(CASES)]
    texts = [mutated(r, text, alphabet) if i % 3 == 0 else text for i, text in enumerate(texts)]
    answers = ask([f"V\t{name}\t{hexed(text)}" for text in texts], env)
    for text, got in zip(texts, answers):
        got = same_text(None if got == "-" else float.fromhex(got.replace("-nan", "nan").replace(",", ".")))
        yield text, same_text(parse(text)), got


def main():
    count = Count()
    folder, env = foreign_locale()
    count.test("the locale has a comma", [("decimal point", ",", ask(["L"], env)[0])])
    for kind in KINDS:
        count.test(f"as: {kind[0]}", cases(kind, env))
    shutil.rmtree(folder)
    count.end()


if __name__ == "__main__":
    main()
