package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

func TestFakeFollowsItsScript(t *testing.T) {
	var f sandbox.Fake
	ask := func(src, stdin string) (sandbox.Result, error) {
		return f.Run(context.Background(), sandbox.Program{
			Files: map[string][]byte{"a.py": []byte("import main"), "main.py": []byte(src)}, Main: "a.py", Stdin: []byte(stdin),
		})
	}
	tests := []struct {
		name, src, stdin string
		want             string
	}{
		{"no script", "print(1)", "", "exited 0 [] []"},
		{"a comment that is none", "x = 1\n# fake: {\"stdout\": \"a\"}", "", "exited 0 [] []"},
		{"result", `# fake: {"end": "timed_out", "stdout": "a", "stderr": "b", "exit_code": 2}`, "", "timed_out 2 [a] [b]"},
		{"input", `# fake: {"stdout": "<$STDIN1>", "stderr": "$STDIN1$STDIN1"}`, "one\ntwo", "exited 0 [<one>] [oneone]"},
		{"choice 1", `# fake: [{"when": "x", "stdout": "1"}, {"stdout": "2"}]`, "axb", "exited 0 [1] []"},
		{"choice 2", `# fake: [{"when": "x", "stdout": "1"}, {"stdout": "2"}]`, "ayb", "exited 0 [2] []"},
	}
	for _, tt := range tests {
		res, err := ask(tt.src, tt.stdin)
		if got := string(res.End) + " " + string(rune('0'+res.ExitCode)) + " [" + string(res.Stdout) + "] [" + string(res.Stderr) + "]"; err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
	for n := 1; n <= 3; n++ {
		_, err := ask(`# fake: [{"first": 2, "error": "no child"}, {}]`, "")
		if failed := err != nil; failed != (n <= 2) {
			t.Errorf("run %d: %v", n, err)
		}
	}
	if _, err := ask("# fake: {", ""); err == nil {
		t.Error("a broken script was taken")
	}
	began := time.Now()
	res, err := ask(`# fake: {"delay_ms": 30, "cpu_ms": 5}`, "")
	if err != nil || time.Since(began) < 30*time.Millisecond || res.Wall != 30*time.Millisecond || res.CPU != 5*time.Millisecond {
		t.Errorf("delay: %+v, %v", res, err)
	}
	if res, err := ask(`# fake: {"files": {"out.csv": "a,b"}}`, ""); err != nil || len(res.Files) != 1 || string(res.Files["out.csv"]) != "a,b" {
		t.Errorf("files: %v, %v", res.Files, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = f.Run(ctx, sandbox.Program{Files: map[string][]byte{"m.py": []byte(`# fake: {"delay_ms": 60000}`)}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
