package sandbox_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// What programs do with files works as on a disk.
func TestFiles(t *testing.T) {
	e := sandboxtest.Open(t)
	given := map[string][]byte{"data.csv": []byte("name,age\nMaya,7\n"), "empty.txt": nil}
	tests := []struct {
		name, src, stdout string
		files             map[string]string // what it made or changed
	}{
		{"read", "print(open('data.csv').read(4), open('/data.csv').readlines()[1])", "name Maya,7\n\n", nil},
		{"write and read back", "open('a.txt', 'w').write('سلام')\nprint(open('a.txt').read())", "سلام\n", map[string]string{"a.txt": "سلام"}},
		{
			"append", "open('data.csv', 'a').write('Omar,9\\n')\nwith open('data.csv') as f: print(len(f.readlines()))",
			"3\n",
			map[string]string{"data.csv": "name,age\nMaya,7\nOmar,9\n"},
		},
		{"overwrite", "open('data.csv', 'w').close()", "", map[string]string{"data.csv": ""}},
		{"fill an empty one", "open('empty.txt', 'w').write('x')", "", map[string]string{"empty.txt": "x"}},
		{"open to write and leave as it is", "open('data.csv', 'r+').close()", "", nil},
		{
			"seek and truncate",
			"f = open('b', 'wb+')\nf.write(b'0123456789')\nf.seek(4)\nf.truncate()\nf.seek(6)\nf.write(b'x')\nf.seek(0)\nprint(f.read())",
			"b'0123\\x00\\x00x'\n",
			map[string]string{"b": "0123\x00\x00x"},
		},
		{"exclusive", "open('n', 'x').close()\ntry: open('n', 'x')\nexcept FileExistsError: print('there')", "there\n", map[string]string{"n": ""}},
		{"missing", "try: open('nothing')\nexcept FileNotFoundError as e: print(e.filename)", "nothing\n", nil},
		{"read what is for writing", "f = open('w', 'w')\ntry: f.read()\nexcept OSError: print('no')", "no\n", map[string]string{"w": ""}},
		{"write what is for reading", "import os\nfd = os.open('data.csv', os.O_RDONLY)\ntry: os.write(fd, b'x')\nexcept OSError: print('no')", "no\n", nil},
		{
			"list", "import os\nopen('z', 'w').close()\nos.mkdir('d')\nopen('d/e', 'w').close()\nprint(os.listdir(), os.listdir('d'), os.listdir('/'))",
			"['d', 'data.csv', 'empty.txt', 'main.py', 'z'] ['e'] ['d', 'data.csv', 'empty.txt', 'main.py', 'z']\n",
			map[string]string{"z": ""},
		},
		{
			"list many", "import os\nfor i in range(60): open('f' + 'x' * 200 + f'{i:03}', 'w').close()\nprint(len(os.listdir()), len(set(os.listdir())))",
			"63 63\n", nil,
		},
		{
			"walk", "import os\nos.makedirs('a/b/c')\nopen('a/b/f', 'w').write('1')\nprint([(r, d, f) for r, d, f in os.walk('a')])",
			"[('a', ['b'], []), ('a/b', ['c'], ['f']), ('a/b/c', [], [])]\n", nil,
		},
		{
			"stat", "import os, stat\nopen('s', 'w').write('abc')\ni = os.stat('s')\nprint(i.st_size, stat.S_ISREG(i.st_mode), os.path.isdir('/'), os.path.exists('t'), os.path.isfile('s'))",
			"3 True True False True\n",
			map[string]string{"s": "abc"},
		},
		{"remove", "import os\nos.remove('data.csv')\nopen('t', 'w').close()\nos.remove('t')\nprint(os.listdir())", "['empty.txt', 'main.py']\n", nil},
		{
			"rename", "import os\nopen('t', 'w').write('1')\nos.rename('t', 'u')\nos.replace('u', 'data.csv')\nprint(open('data.csv').read(), os.path.exists('u'))",
			"1 False\n",
			map[string]string{"data.csv": "1"},
		},
		{"rename what was given", "import os\nos.rename('data.csv', 'new.csv')", "", map[string]string{"new.csv": "name,age\nMaya,7\n"}},
		{
			"folders", "import os\nos.mkdir('d')\nopen('d/f', 'w').close()\nfor f in (lambda: os.rmdir('d'), lambda: os.mkdir('d'), lambda: os.remove('d'), lambda: os.rename('d', 'd/e'), lambda: open('d'), lambda: os.listdir('data.csv'), lambda: open('data.csv/x')):\n try: f(); print('done')\n except OSError as e: print(type(e).__name__)\nos.remove('d/f'); os.rmdir('d'); print(os.path.exists('d'))",
			"OSError\nFileExistsError\nIsADirectoryError\nOSError\nIsADirectoryError\nNotADirectoryError\nNotADirectoryError\nFalse\n", nil,
		},
		{"a removed file lives while it is open", "import os\nf = open('t', 'w+')\nos.remove('t')\nf.write('abc')\nf.seek(0)\nprint(f.read(), os.path.exists('t'))", "abc False\n", nil},
		{
			"dots", "import os\nos.mkdir('d')\nprint(open('d/../data.csv').read(4), open('./data.csv').read(4))\ntry: open('d/../../data.csv')\nexcept PermissionError: print('no')",
			"name name\nno\n", nil,
		},
		{
			"csv and json", "import csv, json\nwith open('o.csv', 'w', newline='') as f: csv.writer(f).writerows([[1, 'a'], [2, 'b']])\nwith open('o.json', 'w') as f: json.dump({'x': [1, 2]}, f)\nprint(list(csv.reader(open('o.csv'))), json.load(open('o.json')))",
			"[['1', 'a'], ['2', 'b']] {'x': [1, 2]}\n",
			map[string]string{"o.csv": "1,a\r\n2,b\r\n", "o.json": `{"x": [1, 2]}`},
		},
		{"import what was written", "open('helper.py', 'w').write('X = 5')\nimport sys\nsys.path.insert(0, '/')\nimport helper\nprint(helper.X)", "5\n", map[string]string{"helper.py": "X = 5"}},
		{"no links", "import os\nfor f in (lambda: os.symlink('data.csv', 'l'), lambda: os.link('data.csv', 'l'), lambda: os.readlink('data.csv')):\n try: f(); print('done')\n except OSError: print('no')", "no\nno\nno\n", nil},
		{"its own source", "print(len(open(__file__).read()) > 10)\nopen('main.py', 'w').write('x')", "True\n", map[string]string{"main.py": "x"}},
		{"unclosed", "def f(): open('u', 'w').write('kept')\nf()", "", map[string]string{"u": "kept"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := python(tt.src)
			maps.Copy(p.Files, given)
			res := run(t, e, p)
			if res.End != sandbox.Exited || res.ExitCode != 0 || string(res.Stdout) != tt.stdout {
				t.Fatalf("%s %d\n%s\n%s\nwant %s", res.End, res.ExitCode, res.Stdout, res.Stderr, tt.stdout)
			}
			if tt.name == "list many" {
				return
			}
			for _, name := range slices.Sorted(maps.Keys(res.Files)) {
				if want, ok := tt.files[name]; !ok || want != string(res.Files[name]) {
					t.Errorf("file %s: %q, want %q", name, res.Files[name], want)
				}
			}
			if len(res.Files) != len(tt.files) {
				t.Errorf("%d files, want %d", len(res.Files), len(tt.files))
			}
		})
	}
	if string(given["data.csv"]) != "name,age\nMaya,7\n" {
		t.Errorf("what the caller gave was changed: %q", given["data.csv"])
	}
}

// Files have limits, which the program sees as an error of its own.
func TestFileLimits(t *testing.T) {
	e := sandboxtest.Open(t)
	const try = "\ndef attempt(f):\n try: f()\n except OSError as e: print(e.errno, e.strerror)\nimport os\n"
	tests := []struct{ name, src, stdout string }{
		{"too large", "attempt(lambda: os.write(os.open('a', os.O_CREAT | os.O_WRONLY), b'x' * 1001))", "51 No space left on device"},
		{"just fits", "attempt(lambda: os.write(os.open('a', os.O_CREAT | os.O_WRONLY), b'x' * 1000)); print('fits')", "fits"},
		{"in pieces", "f = open('a', 'wb', buffering=0)\nfor i in range(10): f.write(b'x' * 100)\nattempt(lambda: f.write(b'x'))", "51 No space left on device"},
		{"in several files", "for i in range(3): open(f'f{i}', 'wb').write(b'x' * 333)\nattempt(lambda: os.write(os.open('a', os.O_CREAT | os.O_WRONLY), b'xx'))", "51 No space left on device"},
		{"far behind the end", "f = os.open('a', os.O_CREAT | os.O_RDWR)\nos.lseek(f, 1 << 40, 0)\nattempt(lambda: os.write(f, b'x'))\nattempt(lambda: os.ftruncate(f, 1 << 62))", "51 No space left on device\n51 No space left on device"},
		{"what is removed is free again", "for i in range(20):\n open('a', 'wb').write(b'x' * 900)\n os.remove('a')\nprint('free')", "free"},
		{"what is cut is free again", "f = open('a', 'wb')\nfor i in range(20):\n f.write(b'x' * 900)\n f.flush()\n f.seek(0)\n f.truncate(0)\nprint('free')", "free"},
		{"removed but open counts", "f = open('a', 'wb', buffering=0)\nf.write(b'x' * 900)\nos.remove('a')\nattempt(lambda: os.write(os.open('b', os.O_CREAT | os.O_WRONLY), b'x' * 200))\nf.close()\nopen('c', 'wb').write(b'x' * 900)\nprint('free')", "51 No space left on device\nfree"},
		{"many files", "for i in range(5): open(f'f{i}', 'w').close()\nattempt(lambda: open('one more', 'w'))", "51 No space left on device"},
		{"many folders", "for i in range(5): os.mkdir(f'f{i}')\nattempt(lambda: os.mkdir('one more'))", "51 No space left on device"},
		{"given files count when they are changed", "attempt(lambda: os.truncate('big', 1500))\nattempt(lambda: open('big', 'ab', buffering=0).write(b'x'))\nopen('big', 'w').write('x')\nprint('cut')", "51 No space left on device\n51 No space left on device\ncut"},
		{"many open", "fs = []\ndef f():\n while True: fs.append(open('main.py'))\nattempt(f)\nprint(len(fs))", "33 No file descriptors available\n60"},
		{"long name", "attempt(lambda: open('x' * 256, 'w'))\nopen('x' * 255, 'w').close()\nattempt(lambda: open('x/' * 4096, 'w'))", "37 Filename too long\n37 Filename too long"},
		{"odd names", "attempt(lambda: open(b'\\xff\\xfe', 'w'))\nopen('ا b\\n\\'\"', 'w').close(); print('ok')", "25 Illegal byte sequence\nok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := python(try + tt.src)
			p.Files["big"] = []byte(strings.Repeat("b", 1200))
			p.Limits.Files, p.Limits.FileBytes = 5, 1000
			res := run(t, e, p)
			if res.End != sandbox.Exited || !strings.HasPrefix(string(res.Stdout), tt.stdout+"\n") {
				t.Errorf("%s %d\n%s\n%s\nwant %s", res.End, res.ExitCode, res.Stdout, res.Stderr, tt.stdout)
			}
			var sum int
			for _, data := range res.Files {
				sum += len(data)
			}
			if sum > 1000 || len(res.Files) > 5 {
				t.Errorf("%d files with %d bytes came out", len(res.Files), sum)
			}
		})
	}
}

// Time and chance are the program's own, and the same on every machine.
func TestSeedAndClock(t *testing.T) {
	e := sandboxtest.Open(t)
	const src = "import os\nprint(os.urandom(3).hex())"
	out := func(seed uint64) string {
		p := python(src)
		p.Seed = seed
		return string(run(t, e, p).Stdout)
	}
	a, same, other, again := out(0), out(sandbox.DefaultSeed), out(1), out(1)
	if a != same || a == other || other != again {
		t.Errorf("seed 0 gives %q, the default %q, 1 %q and %q", a, same, other, again)
	}
	p := python("import time\nprint(time.time(), time.time(), time.monotonic() < time.monotonic(), time.gmtime()[:3])")
	p.Clock = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	got := string(run(t, e, p).Stdout)
	report, err := e.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The portable runtime has looked at the clock while it started; a snapshot has not.
	want := ".0 " + strconv.FormatInt(p.Clock.Unix(), 10) + ".001 True (2031, 5, 6)\n"
	if report.Snapshot && got != strconv.FormatInt(p.Clock.Unix(), 10)+want || !strings.HasSuffix(got, "True (2031, 5, 6)\n") {
		t.Errorf("the clock says %q", got)
	}
}
