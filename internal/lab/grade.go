package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

//go:embed harness.py
var harness []byte

// harnessName is not a name that a course or a learner can give a file.
const harnessName = "0-harness.py"

// Message keys of a verdict that is not about checks.
const (
	msgSyntax   = "lab.message.syntax"    // the code is not Python
	msgError    = "lab.message.error"     // it raised an exception while it loaded
	msgExit     = "lab.message.exit"      // it called sys.exit while it loaded
	msgTimeout  = "lab.message.timeout"   // it did not end
	msgFlood    = "lab.message.flood"     // it printed too much
	msgMemory   = "lab.message.memory"    // it needed too much memory
	msgNoResult = "lab.message.no_result" // it ended the interpreter before the checks
	msgAuthor   = "lab.message.author"    // the lab is at fault
	msgPlatform = "lab.message.platform"  // we are
)

// What is kept of a value or an exception, and of a traceback, in bytes.
const (
	maxShown     = 2 << 10
	maxTraceback = 16 << 10
)

// The limits of a lab that does not name them, and room for the observations beside the output.
const (
	defaultWall   = 10 * time.Second
	defaultMemory = 128 << 20
	defaultOutput = 64 << 10
	observations  = 1 << 20
)

// Grade runs the learner's files against a lab's checks and gives a verdict
// without submission, attempt and time. An error is the platform's.
//
// The learner's code meets the calls of the checks but never what they should
// give, so it cannot pass but by giving the right values. Hidden calls run in a
// second run of their own, of which nothing is shown: code that looks for the
// calls around it, and prints them, finds the visible ones.
func Grade(ctx context.Context, eng sandbox.Engine, l curriculum.VaultLab, files map[string]string) (Verdict, error) {
	g := grading{eng: eng, lab: l, files: files, v: Verdict{Runtime: eng.Runtime()}}
	var visible, hidden []int
	for i, c := range l.Checks {
		switch {
		case c.Rule.Observe != curriculum.ObserveCall:
		case c.Visible:
			visible = append(visible, i)
		default:
			hidden = append(hidden, i)
		}
	}
	if len(l.Checks) == 0 {
		return g.stop(msgAuthor, ""), nil
	}
	results := make([]CheckResult, len(l.Checks))
	for i, c := range l.Checks {
		results[i].ID = c.ID
	}
	first, err := g.run(ctx, visible)
	if err != nil {
		return Verdict{}, err
	}
	g.v.Output = first.output
	if first.message != "" {
		return g.stop(first.message, first.traceback), nil
	}
	seen := map[int]observation{}
	for i, n := range visible {
		seen[n] = first.seen[i]
	}
	if len(hidden) > 0 {
		second, err := g.run(ctx, hidden)
		if err != nil {
			return Verdict{}, err
		}
		if second.message != "" {
			return g.stop(second.message, ""), nil // its traceback could tell the calls
		}
		for i, n := range hidden {
			seen[n] = second.seen[i]
		}
	}
	passed := 0
	for i, c := range l.Checks {
		o := seen[i]
		results[i].Passed, err = decide(c, o, first.stdout)
		switch {
		case errors.Is(err, errAuthor):
			return g.stop(msgAuthor, ""), nil
		case errors.Is(err, errValue): // not of the harness's making
			return g.stop(msgNoResult, ""), nil
		case err != nil:
			return Verdict{}, err
		}
		if results[i].Passed {
			passed++
		}
		if c.Visible {
			results[i].Got, results[i].Error = clip(o.Repr, maxShown), clip(o.Raised, maxShown)
		} else {
			results[i].Error = builtinName(o.Raised)
		}
	}
	g.v.Checks = results
	g.v.Outcome = Partial
	switch passed {
	case len(results):
		g.v.Outcome, g.v.Score = Passed, 1
	case 0:
		g.v.Outcome = Failed
	default:
		g.v.Score = float64(passed) / float64(len(results))
	}
	return g.v, nil
}

// decide judges one check on what was seen.
func decide(c curriculum.Check, o observation, stdout string) (bool, error) {
	if c.Rule.Observe == curriculum.ObserveOutput {
		return judgeStdout(c, stdout)
	}
	got := value{kind: "o"}
	if o.Raised == "" {
		var err error
		if got, err = parseValue(o.Value); err != nil {
			return false, err
		}
	}
	return judge(c, got)
}

// grading is one submission on its way through the sandbox.
type grading struct {
	eng   sandbox.Engine
	lab   curriculum.VaultLab
	files map[string]string
	v     Verdict
}

// stop ends grading with a verdict that is not about checks.
func (g *grading) stop(message, traceback string) Verdict {
	g.v.Message, g.v.Traceback = message, clip(traceback, maxTraceback)
	g.v.Outcome = LearnerError
	if message == msgAuthor {
		g.v.Outcome = AuthorError
	}
	return g.v
}

// report is what one run of the first room told.
type report struct {
	message   string // why there is nothing to judge, or ""
	traceback string
	stdout    string // what the code printed while it loaded
	output    string // the same, valid UTF-8 and cut at the lab's limit
	seen      []observation
}

// run lets the learner's code and then the calls of the checks named run in a fresh interpreter.
func (g *grading) run(ctx context.Context, checks []int) (report, error) {
	calls := make([]string, len(checks))
	for i, n := range checks {
		calls[i] = g.lab.Checks[n].Rule.Call
	}
	nonce := rand.Text()
	order, err := json.Marshal([]any{g.lab.Entry, calls})
	if err != nil {
		return report{}, err
	}
	p := sandbox.Program{
		Files:  map[string][]byte{harnessName: harness},
		Main:   harnessName,
		Stdin:  []byte(nonce + "\n" + string(order)),
		Limits: limitsOf(g.lab.Limits),
	}
	outputLimit := int(p.Limits.Output)
	p.Limits.Output += observations
	for name, text := range g.files {
		p.Files[name] = []byte(text)
	}
	for name, text := range g.lab.Files { // the author's data stand
		p.Files[name] = []byte(text)
	}
	res, err := g.eng.Run(ctx, p)
	if err != nil {
		return report{}, fmt.Errorf("run in the sandbox: %w", err)
	}
	g.v.WallMS += res.Wall.Milliseconds()
	g.v.CPUMS += res.CPU.Milliseconds()
	return readReport(res, nonce, len(calls), outputLimit)
}

// readReport takes the harness's word out of what a run left behind. All but the
// first line of it may have been written by the learner's code.
func readReport(res sandbox.Result, nonce string, calls, outputLimit int) (report, error) {
	stdout, _, _ := bytes.Cut(res.Stdout, []byte("\n"+nonce+"\n"))
	flooded := len(stdout) > outputLimit
	if flooded {
		stdout = stdout[:outputLimit]
	}
	r := report{stdout: string(stdout), output: validText(stdout)}
	switch {
	case res.End == sandbox.TimedOut:
		r.message = msgTimeout
		return r, nil
	case res.End == sandbox.Flooded || flooded:
		r.message = msgFlood
		return r, nil
	case res.End == sandbox.Memory:
		r.message = msgMemory
		return r, nil
	}
	compiled, seen, ok := harnessLines(res.Stderr, nonce)
	if !ok {
		return report{}, fmt.Errorf("the harness did not start, exit code %d: %.500s", res.ExitCode, res.Stderr)
	}
	if compiled != "[]" {
		r.message = msgAuthor
		return r, nil
	}
	var o struct {
		Load *[2]string    `json:"load"`
		Seen []observation `json:"seen"`
	}
	switch err := json.Unmarshal([]byte(seen), &o); {
	case err != nil && bytes.Contains(res.Stderr, []byte("MemoryError")):
		r.message = msgMemory
	case err != nil:
		r.message = msgNoResult
	case o.Load != nil:
		r.message, r.traceback = loadMessage(o.Load[0]), o.Load[1]
	case len(o.Seen) != calls:
		r.message = msgNoResult
	default:
		r.seen = o.Seen
	}
	return r, nil
}

// harnessLines gives the first C and the last O of the lines with the nonce. The
// first was written before any of the learner's code ran, and no code can unwrite it.
func harnessLines(stderr []byte, nonce string) (compiled, seen string, ok bool) {
	for line := range strings.Lines(string(stderr)) {
		line = strings.TrimSuffix(line, "\n")
		if c, found := strings.CutPrefix(line, nonce+" C "); found && !ok {
			compiled, ok = c, true
		}
		if o, found := strings.CutPrefix(line, nonce+" O "); found {
			seen = o
		}
	}
	return compiled, seen, ok
}

func loadMessage(kind string) string {
	switch kind {
	case "syntax":
		return msgSyntax
	case "exit":
		return msgExit
	case "memory":
		return msgMemory
	}
	return msgError
}

// limitsOf gives the sandbox a lab's limits, with the defaults of the course format.
func limitsOf(l curriculum.Limits) sandbox.Limits {
	s := sandbox.Limits{Wall: defaultWall, Memory: defaultMemory, Output: defaultOutput}
	if l.WallSeconds > 0 {
		s.Wall = time.Duration(l.WallSeconds) * time.Second
	}
	if l.MemoryMiB > 0 {
		s.Memory = int64(l.MemoryMiB) << 20
	}
	if l.OutputKiB > 0 {
		s.Output = int64(l.OutputKiB) << 10
	}
	return s
}

// validText makes bytes fit to be stored and shown: UTF-8 without NUL, which Postgres refuses.
func validText(b []byte) string {
	if utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 {
		return string(b)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "\uFFFD"), "\x00", "\uFFFD")
}

// clip makes text of the first room fit to be stored.
func clip(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return validText([]byte(s))
}

// builtinName gives the name of a builtin exception that a hidden call raised. Any other
// name is of the learner's making, and could carry the call out.
func builtinName(raised string) string {
	if raised == "" {
		return ""
	}
	name, _, _ := strings.Cut(raised, ":")
	if builtinExceptions[name] {
		return name
	}
	return "Exception"
}

var builtinExceptions = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`ArithmeticError AssertionError AttributeError EOFError FileNotFoundError
		FloatingPointError ImportError IndentationError IndexError KeyError LookupError MemoryError ModuleNotFoundError
		NameError NotImplementedError OSError OverflowError PermissionError RecursionError RuntimeError StopIteration
		SyntaxError SystemExit TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError
		ZeroDivisionError`) {
		names[name] = true
	}
	return names
}()
