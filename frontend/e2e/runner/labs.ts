// The shipped labs as files: whatever a learner, good or bad, may hand in.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folders = ['courses', 'examples'].map((name) => join(import.meta.dirname, '../../../content', name));

export interface Program {
  course: string;
  lab: string;
  name: string;
  source: string;
}

/** Solutions, starters and declared mistakes of all labs. */
export function shippedPrograms(): Program[] {
  const out: Program[] = [];
  for (const [courses, course] of folders.flatMap((folder) => readdirSync(folder).map((name) => [folder, name] as const))) {
    const labs = join(courses, course, 'labs');
    for (const lab of existsSync(labs) ? readdirSync(labs) : []) {
      const folder = join(labs, lab);
      const wrong = join(folder, 'wrong');
      const names = ['solution.py', 'starter.py', ...(existsSync(wrong) ? readdirSync(wrong).map((name) => `wrong/${name}`) : [])];
      for (const name of names) out.push({ course, lab, name, source: readFileSync(join(folder, name), 'utf8') });
    }
  }
  return out;
}

/** Programs that show what a Python is like. They run in the lab "nearest-leaf", whose checks find nothing of theirs. */
export const programs: Record<string, string> = {
  'text in many scripts': 'print("سلام", ["世界", "Привет"], "é".upper(), "x" * 3, f"{3.14159:.2f} {10:>5}|{True!r}")',
  'seeded chance': [
    'import random',
    'random.seed(7)',
    'print(random.random(), random.randint(1, 100), random.sample(range(50), 5), random.gauss(0, 1))',
    'a = list(range(10)); random.shuffle(a); print(a, random.choices("abc", k=4))',
    'random.seed("a text"); print(random.random())',
  ].join('\n'),
  'chance without a seed': 'import random\nprint(random.random(), random.choice("abcdef"), random.Random().random())',
  'time that stands': 'import time, datetime\nprint(time.time(), time.sleep(3600), time.time(), datetime.date.today(), datetime.datetime.now().isoformat())',
  'no input': 'try:\n    input("name? ")\nexcept EOFError as e:\n    print("end:", e)',
  'a file': 'with open("out.csv", "w") as f:\n    f.write("a,b\\n1,2\\n")\nimport csv\nprint(list(csv.DictReader(open("out.csv"))))',
  'no file': 'try:\n    open("nowhere.txt")\nexcept OSError as e:\n    print(type(e).__name__, e)',
  'a banyan table': 'import banyan\nbanyan.table([{"crop": "maize", "bags": 4}])\nprint("shown")',
  'collections': 'from collections import Counter, OrderedDict, defaultdict, deque, namedtuple\nprint(Counter("abca"), OrderedDict(a=1), dict(defaultdict(int, b=2)), deque([1, 2, 3], maxlen=2), namedtuple("P", "x y")(1, 2))',
  'json and statistics': 'import json, statistics\nprint(json.dumps({"ب": [1, 2.5, None]}, indent=1), statistics.mean([1, 2, 4]), round(statistics.stdev([1, 2, 4]), 6))',
  'an error': 'def f(n):\n    return 10 / n\n\nprint("before")\nfor n in (2, 0):\n    print(f(n))\n',
  'an unknown name': 'total = 1\nprint(totl)\n',
  'an index too far': 'rows = [1, 2]\nprint(rows[2])\n',
  'a key that is not there': 'ages = {"Ada": 3}\nprint(ages["Noor"])\n',
  'an exception of one\'s own': 'class Late(Exception):\n    pass\n\ndef check():\n    raise Late("too late", 3)\n\ncheck()\n',
  'no Python': 'def f(:\n    pass\n',
  'wrong indentation': 'def f():\nreturn 1\n',
  'an open bracket': 'print("a"\nx = 1\n',
  'leaving': 'import sys\nprint("bye")\nsys.exit(3)\n',
  'recursion without end': 'def f(n):\n    return f(n + 1)\n\ntry:\n    f(0)\nexcept RecursionError as e:\n    print(type(e).__name__)\n',
  'no such module': 'import nosuchmodule\n',
  'a large whole number': 'print(2 ** 200, 7 // 2, -7 // 2, -7 % 3, 0.1 + 0.2, 1e16, 10 ** 20)',
  'sets and sorting': 'print(sorted({3, 1, 2}), sorted("bca", reverse=True), {1, 2} | {3}, [*range(3)], {**{"a": 1}, "b": 2})',
  'a syntax error inside a text': "print('it''s \n",
  'a mistake with a type': 'def add(a, b):\n    return a + b\n\nprint(add(1, "2"))\n',
  'a missing argument': 'def add(a, b):\n    return a + b\n\nadd(1)\n',
  'a wrong number': 'int("twelve")\n',
  'an unknown method': '"a".upcase()\n',
  'nothing where something was': 'def f():\n    pass\n\nprint(f() + 1)\n',
  'unpacking too much': 'a, b = [1, 2, 3]\n',
  'an assertion': 'assert 1 == 2, "no"\n',
  'an error while another is handled': 'try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError("worse") from e\n',
  'match and walrus': 'match [1, 2]:\n    case [a, b]:\n        print(a, b)\nif (n := 3) > 2: print(n)\n',
  'data classes': 'from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int = 2\nprint(P(1), P(1) == P(1))\n',
  'generators': 'def g():\n    yield 1\n    yield from [2, 3]\nprint(list(g()), sum(x * x for x in range(4)))\n',
  'regular expressions': 'import re\nprint(re.findall(r"\\w+", "one two"), re.sub("o", "0", "foo"), re.match(r"(\\d+)-(\\d+)", "12-34").groups())\n',
  'formats': 'print(f"{1234567.891:,.2f} {0.5:.1%} {255:#x} {\'a\':^5}|", "%5.2f|%s" % (3.14159, [1]), "{:>8}".format("x"))\n',
  'dates': 'import datetime\nprint(datetime.date(2026, 1, 31) + datetime.timedelta(days=1), datetime.datetime(2026, 1, 1).strftime("%Y-%m-%d %H:%M"))\n',
  'time as a structure': 'import time\nprint(time.localtime())\n',
};
