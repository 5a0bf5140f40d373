package sandbox_test

import (
	"context"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// However many programs a child has run, and however they ended, it is not larger for it.
func TestMemoryStaysFlat(t *testing.T) {
	cfg := sandboxtest.Config(t)
	cfg.Children = 1
	e := sandboxtest.OpenWith(t, cfg)
	report, err := e.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	rounds := 60
	if !report.Snapshot {
		rounds = 10 // each program starts Python anew
	}
	deep := python("t = ()\nfor _ in range(500000): t = (t,)\nhash(t)") // takes the stack that there is
	programs := []sandbox.Program{
		python("print(1)"),
		python("1 / 0"),
		python("a = bytearray(20 << 20)\nfor i in range(0, len(a), 4096): a[i] = 1"),
		python("for i in range(60): open(f'f{i}', 'wb').write(bytes(60000))"),
		python("while True: print('x' * 1000)"),
		python("import os\nos.abort()"),
		python("import json\nprint(json.dumps(list(range(1000))))"),
		python("x = [str(i) for i in range(20000)]\nprint(len(x))"),
	}
	round := func() {
		for _, p := range programs {
			run(t, e, p)
		}
	}
	for range rounds / 10 {
		round()
	}
	early := resident(t, e.Pids()[0])
	for range rounds {
		round()
	}
	pids := e.Pids()
	if len(pids) != 1 {
		t.Fatalf("children %v, want one", pids)
	}
	run(t, e, deep)
	round()
	late := resident(t, pids[0])
	t.Logf("%.1f MiB, after %d programs %.1f MiB", early, rounds*len(programs), late)
	if late > early*1.25+8 || late > 64 && report.Snapshot {
		t.Errorf("the child grew from %.1f to %.1f MiB", early, late)
	}
}
