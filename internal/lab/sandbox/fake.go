package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// Fake is an engine that runs nothing: a program says itself how it ends. It
// is for tests of those who call a sandbox, and for a laptop without a runtime.
//
// A script is JSON behind "# fake:" on the first line of one of the program's
// files: one FakeRun, or a list of which the first that fits answers. A
// program without a script exits with 0 and prints nothing.
//
//	# fake: {"stdout": "hello\n", "cpu_ms": 12}
//	# fake: [{"first": 2, "error": "no child"}, {"end": "timed_out", "delay_ms": 50}]
//
// $STDIN1 in stdout and stderr stands for the first line of the program's input.
type Fake struct {
	mu   sync.Mutex
	runs map[string]int // by script: how often it was asked
}

var _ Engine = (*Fake)(nil)

// FakeRun is one scripted answer.
type FakeRun struct {
	When     string            `json:"when,omitempty"`  // fits only when the input contains this
	First    int               `json:"first,omitempty"` // fits only for the first so many runs of this script
	Error    string            `json:"error,omitempty"` // the platform fails
	End      End               `json:"end,omitempty"`   // "" is Exited
	ExitCode int               `json:"exit_code,omitempty"`
	Stdout   string            `json:"stdout,omitempty"`
	Stderr   string            `json:"stderr,omitempty"`
	Files    map[string]string `json:"files,omitempty"`    // what the program made
	DelayMS  int               `json:"delay_ms,omitempty"` // the answer comes so much later
	WallMS   int               `json:"wall_ms,omitempty"`  // what is reported; the delay when 0
	CPUMS    int               `json:"cpu_ms,omitempty"`
}

// FakeRuntime is what a Fake calls its interpreter: the digest of nothing.
const FakeRuntime blob.Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Runtime implements Engine.
func (*Fake) Runtime() blob.Digest { return FakeRuntime }

// Close implements Engine.
func (*Fake) Close() error { return nil }

// Run implements Engine. A script that cannot be read is an error.
func (f *Fake) Run(ctx context.Context, p Program) (Result, error) {
	run, err := f.script(p)
	if err != nil {
		return Result{}, err
	}
	if run.DelayMS > 0 {
		wait := time.NewTimer(time.Duration(run.DelayMS) * time.Millisecond)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
			return Result{}, ctx.Err()
		}
	}
	if run.Error != "" {
		return Result{}, errors.New(run.Error)
	}
	line, _, _ := bytes.Cut(p.Stdin, []byte("\n"))
	fill := strings.NewReplacer("$STDIN1", string(line))
	res := Result{
		End: run.End, ExitCode: run.ExitCode,
		Stdout: []byte(fill.Replace(run.Stdout)), Stderr: []byte(fill.Replace(run.Stderr)),
		Wall: time.Duration(max(run.WallMS, run.DelayMS)) * time.Millisecond,
		CPU:  time.Duration(run.CPUMS) * time.Millisecond,
	}
	if res.End == "" {
		res.End = Exited
	}
	for name, data := range run.Files {
		if res.Files == nil {
			res.Files = map[string][]byte{}
		}
		res.Files[name] = []byte(data)
	}
	return res, nil
}

// script finds the answer for a program and counts the run.
func (f *Fake) script(p Program) (FakeRun, error) {
	var names []string
	for name := range p.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line, _, _ := bytes.Cut(p.Files[name], []byte("\n"))
		text, ok := strings.CutPrefix(string(line), "# fake:")
		if !ok {
			continue
		}
		text = strings.TrimSpace(text)
		var runs []FakeRun
		if !strings.HasPrefix(text, "[") {
			text = "[" + text + "]"
		}
		if err := json.Unmarshal([]byte(text), &runs); err != nil {
			return FakeRun{}, fmt.Errorf("fake sandbox: script of %s: %w", name, err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.runs == nil {
			f.runs = map[string]int{}
		}
		f.runs[text]++
		for _, r := range runs {
			if (r.First == 0 || f.runs[text] <= r.First) && strings.Contains(string(p.Stdin), r.When) {
				return r, nil
			}
		}
	}
	return FakeRun{}, nil
}
