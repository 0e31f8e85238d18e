# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random topologies, each on its own machine: converged and stable, a mistake that `check` finds, or a refusal that is reported
with its position. combine.py makes and tries them.

As a test it always tries the same ones. By hand: `test_combinations.py --seed 5000 --count 200` tries others; `--show` prints
topod's output for each.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import unittest

import lab

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=40)
parser.add_argument("--show", action="store_true")
OPTIONS, _ = parser.parse_known_args()

HERE = os.path.dirname(os.path.abspath(__file__))


def attempt(seed):
    command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-B", f"{HERE}/combine.py", str(seed), "--run"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"seed": seed, "outcome": "wrong", "why": "combine.py failed", "seconds": 0, "text": "", "said": [done.stderr]}
    return json.loads(done.stdout)


class Combinations(unittest.TestCase):
    def test_each_ends_well(self):
        counts, wrong, longest = {}, [], (0, OPTIONS.seed)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for result in pool.map(attempt, range(OPTIONS.seed, OPTIONS.seed + OPTIONS.count)):
                counts[result["outcome"]] = counts.get(result["outcome"], 0) + 1
                longest = max(longest, (result["seconds"], result["seed"]))
                print(f"seed {result['seed']}: {result['outcome']} after {result['seconds']:.2f} s", flush=True)
                if result["outcome"] == "wrong":
                    wrong.append(result)
                if result["outcome"] == "wrong" or OPTIONS.show:
                    print(f"---- seed {result['seed']}: {result['outcome']}: {result['why']}\n{result['text']}\n"
                          + "\n".join(result["said"]), flush=True)
        print(f"{OPTIONS.count} topologies from seed {OPTIONS.seed}: {counts}; the longest took {longest[0]:.2f} s (seed {longest[1]})",
              flush=True)
        self.assertEqual([], [(r["seed"], r["why"]) for r in wrong])
        for outcome in ("converged", "mistake"):
            self.assertGreater(counts.get(outcome, 0), 0, f"no topology ended as {outcome}: what is drawn is too tame or too wild")


if __name__ == "__main__":
    lab.enter()
    lab.furnish()
    program = unittest.main(argv=sys.argv[:1], testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2), exit=False)
    sys.exit(not program.result.wasSuccessful())
