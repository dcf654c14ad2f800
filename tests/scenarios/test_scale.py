"""docs/scale.md is worked out again: each formula, with the values that the page gives for its names."""

import ast
import re
import subprocess
import tempfile
import unittest

from harness import TOP

UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def tables(text):
    """Each table as a list of rows, a row as a list of cells; the first is the heading."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        found.append([rows[0]] + rows[2:])
    return found


def number(cell):
    """2.3 GB, 1.4 M, 14,000, 7.37e-8, 16.1 MB/s, 0.067 cores."""
    match = re.match(r"([\d.,]+(?:e-?\d+)?)(?: ([kMGT]?)(?:B\b|B/s|\b|$))?", cell)
    return float(match[1].replace(",", "")) * UNITS[match[2] or ""]


def value(formula, names):
    """Numbers, names, + - * / and parentheses: nothing else."""
    tree = ast.parse(formula, mode="eval")
    allowed = (ast.Expression, ast.BinOp, ast.Constant, ast.Name, ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), formula
    return eval(compile(tree, formula, "eval"), {"__builtins__": {}}, names)  # pylint: disable=eval-used


class Scale(unittest.TestCase):
    def setUp(self):
        with open(TOP + "/docs/scale.md", encoding="utf-8") as f:
            self.text = f.read()
        self.tables = tables(self.text)
        self.names = {row[1].strip("`"): number(row[2]) for table in self.tables if table[0] == ["what", "name", "value"] for row in table[1:]}
        self.names["node_series"] = number(re.search(r"`node_series` is ([\d,]+)", self.text)[1])

    def close(self, cell, expected, what):
        """To the three digits that are printed."""
        self.assertLess(abs(number(cell) - expected), 0.006 * expected, f"{what}: {cell}, and not {expected:.4g}")

    def test_each_cell_is_what_its_formula_gives(self):
        cells = 0
        for table in self.tables:
            if table[0][:2] != ["what", "formula"]:
                continue
            for what, formula, *given in table[1:]:
                for heading, cell in zip(table[0][2:], given):
                    nodes = number(heading) if "nodes" in heading else None
                    self.close(cell, value(formula.strip("`"), dict(self.names, nodes=nodes)), f"{what} ({heading})")
                    cells += 1
        self.assertGreater(cells, 40)

    def test_a_nodes_series_are_those_of_the_table(self):
        row = next(row for table in self.tables for row in table if row[0].startswith("series, the daemon's own"))
        self.assertEqual(number(row[2]), self.names["node_series"])

    def test_the_figures_of_logtally_are_those_that_were_measured(self):
        with open(TOP + "/docs/performance.md", encoding="utf-8") as f:
            measured = f.read()
        rows = {cells[0]: cells for table in tables(measured) for cells in table}
        hundred_thousand = next(row for table in tables(measured) for row in table if row[:2] == ["100,000", "logtally"] and len(row) > 8)
        ten_thousand = next(row for table in tables(measured) for row in table if row[:2] == ["10,000", "logtally"] and len(row) > 8)
        self.close(rows["20"][2], self.names["read_rate"] / 1e6, "MB/s of CPU")
        self.close(rows["20"][3], self.names["base_bytes"] / 2**20, "peak MiB")
        self.close(hundred_thousand[4], self.names["scrape_cpu"] * 1e5 * 1e3, "CPU ms")
        self.close(hundred_thousand[5], self.names["scrape_bytes"] * 1e5 / 1e6, "gzip: MB")
        self.close(ten_thousand[8], self.names["series_bytes"], "bytes of memory a series")
        self.close(re.search(r"A followed file takes about ([\d,]+) bytes", measured)[1], self.names["file_bytes"], "a followed file")

    def test_prometheus_takes_the_configurations_and_rules(self):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", self.text, re.S | re.M)
        self.assertEqual(len(blocks), 4)
        for block in blocks:
            with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as f:
                # Debian's Prometheus is built without Kubernetes.
                f.write(block.replace("kubernetes_sd_configs: [{role: pod}]", "file_sd_configs: [{files: [targets.json]}]"))
                f.flush()
                kind = "rules" if block.startswith("groups:") else "config"
                done = subprocess.run(["promtool", "check", kind, f.name], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, block + done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
