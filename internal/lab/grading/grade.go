// Package grading runs the checks of a lab over source files in a sandbox and says what they found.
package grading

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

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// The programs of the two rooms. Their names are none that a course or a learner can give a file.
var (
	//go:embed harness.py
	harness []byte
	//go:embed judge.py
	judgeRoom []byte
)

const (
	harnessName = "0-harness.py"
	judgeName   = "0-judge.py"
)

// Message keys of a verdict that is not about checks.
const (
	msgSyntax   = "lab.message.syntax"    // the code is not Python
	msgError    = "lab.message.error"     // it raised an exception while it loaded
	msgExit     = "lab.message.exit"      // it called sys.exit while it loaded
	msgTimeout  = "lab.message.timeout"   // it did not end
	msgFlood    = "lab.message.flood"     // it printed too much
	msgMemory   = "lab.message.memory"    // it needed too much memory
	msgNoResult = "lab.message.no_result" // it ended the interpreter before the checks
)

// What is kept of a value or an exception, and of a traceback, in bytes.
const (
	maxShown     = 2 << 10
	maxRevealed  = 200 // of a hidden call's value: the code that gives it has seen the other hidden calls
	maxTraceback = 16 << 10
)

// observations is the room for what the first room tells, beside the output of the learner's code.
const observations = 1 << 20

// Grader grades with an engine.
type Grader struct{ Engine sandbox.Engine }

var _ lab.Grader = Grader{}

// Runtime implements lab.Grader.
func (g Grader) Runtime() blob.Digest { return g.Engine.Runtime() }

// Grade implements lab.Grader; see the function Grade.
func (g Grader) Grade(ctx context.Context, l labdef.Lab, files map[string]string) (lab.Verdict, error) {
	return Grade(ctx, g.Engine, l, files)
}

// Grade runs the learner's files against a lab's checks and gives a verdict
// without submission, version, attempt and time. An error is the platform's.
//
// The learner's code meets the calls of the checks but never what they should
// give, so it cannot pass but by giving the right values. Hidden calls run in a
// second run of their own, of which nothing is shown but what their author reveals: code
// that looks for the calls around it, and prints them, finds the visible ones.
// Scripts of the author's judge in a run of their own, in which no code of the learner's is.
func Grade(ctx context.Context, eng sandbox.Engine, l labdef.Lab, files map[string]string) (lab.Verdict, error) {
	g := grading{eng: eng, lab: l, files: files, v: lab.Verdict{Runtime: eng.Runtime()}}
	var err error
	if g.v.LabDigest, err = l.Digest(); err != nil {
		return lab.Verdict{}, err
	}
	return g.grade(ctx)
}

func (g *grading) grade(ctx context.Context) (lab.Verdict, error) {
	l := g.lab
	if len(l.Checks) == 0 {
		return g.blame("", "the lab has no checks"), nil
	}
	seen, stopped, err := g.observe(ctx)
	if err != nil || stopped != nil {
		if stopped != nil {
			return *stopped, nil
		}
		return lab.Verdict{}, err
	}
	findings := make([]finding, len(l.Checks))
	for i, c := range l.Checks {
		f, err := finding{}, error(nil)
		if c.Rule.Kind == labdef.Judged {
			err = judgeable(c.Rule, &seen[i])
		} else {
			f, err = judge(c.Rule, seen[i].observation)
		}
		switch {
		case errors.Is(err, errNoFile):
			seen[i].missing = true
		case errors.Is(err, errAuthor):
			return g.blame(c.ID, err.Error()), nil
		case errors.Is(err, errValue): // not of the harness's making
			return g.stop(msgNoResult, ""), nil
		case err != nil:
			return lab.Verdict{}, err
		}
		findings[i] = f
	}
	answers, err := g.judges(ctx, seen)
	if err != nil {
		return lab.Verdict{}, err
	}
	for i, a := range answers {
		if a.Error != "" {
			return g.blame(l.Checks[i].ID, l.Checks[i].Rule.JudgeName+": "+a.Error), nil
		}
		findings[i].score, findings[i].passed = a.Score, a.Score == 1
		if a.Says != nil {
			findings[i].says = *a.Says
		}
	}
	g.conclude(seen, findings)
	return g.v, nil
}

// sight is what was seen for one check.
type sight struct {
	observation
	missing bool // the file to look at was not written
}

// observe lets the code run, once for what is shown and once for hidden calls, and
// gives what each check looks at; or the verdict when there is nothing to judge.
func (g *grading) observe(ctx context.Context) ([]sight, *lab.Verdict, error) {
	var visible, hidden []int
	for i, c := range g.lab.Checks {
		switch {
		case c.Rule.Observe != labdef.ObserveCall:
		case c.Visible:
			visible = append(visible, i)
		default:
			hidden = append(hidden, i)
		}
	}
	seen := make([]sight, len(g.lab.Checks))
	first, err := g.run(ctx, visible)
	if err != nil {
		return nil, nil, err
	}
	g.v.Output = first.output
	if v, ended := g.ended(first, visible, first.traceback); ended {
		return nil, &v, nil
	}
	for i, n := range visible {
		seen[n].observation = first.seen[i].ofCall()
	}
	for i, c := range g.lab.Checks {
		switch c.Rule.Observe {
		case labdef.ObserveOutput:
			seen[i].Output = &first.stdout
		case labdef.ObserveFile:
			if data, ok := first.files[c.Rule.File]; ok {
				text := validText(data)
				seen[i].File = &text
			}
		}
	}
	if len(hidden) == 0 {
		return seen, nil, nil
	}
	second, err := g.run(ctx, hidden)
	if err != nil {
		return nil, nil, err
	}
	if v, ended := g.ended(second, hidden, ""); ended { // its traceback could tell the calls
		return nil, &v, nil
	}
	for i, n := range hidden {
		seen[n].observation = second.seen[i].ofCall()
	}
	return seen, nil, nil
}

// ended gives the verdict of a run that left nothing to judge.
func (g *grading) ended(r report, checks []int, traceback string) (lab.Verdict, bool) {
	switch {
	case r.broken != nil:
		return g.blame(g.lab.Checks[checks[r.broken.call]].ID, r.broken.why), true
	case r.message != "":
		return g.stop(r.message, traceback), true
	}
	return lab.Verdict{}, false
}

// conclude turns findings into results, score and outcome.
func (g *grading) conclude(seen []sight, findings []finding) {
	var points, all float64
	passed := 0
	for i, c := range g.lab.Checks {
		f, o := findings[i], seen[i]
		r := lab.CheckResult{ID: c.ID, Passed: f.passed, Score: f.score, Says: f.says}
		switch {
		case o.missing:
			r.Error = "lab.check_error.no_file"
		case !c.Visible:
			r.Error = builtinName(o.Raised)
			if c.Rule.Reveal {
				r.Got = clip(f.got, maxRevealed)
			}
		case c.Rule.Kind == labdef.Measured && f.got != "":
			r.Got = f.got
			r.Error = clip(o.Raised, maxShown)
		case o.File != nil:
			r.Got = clip(*o.File, maxShown)
		default:
			r.Got, r.Error = clip(o.Repr, maxShown), clip(o.Raised, maxShown)
		}
		if c.Rule.Reveal && !f.passed {
			r.Expected = clip(expected(c.Rule), maxShown)
		}
		if f.passed {
			passed++
		}
		all += c.Points
		points += c.Points * f.score
		g.v.Checks = append(g.v.Checks, r)
	}
	switch {
	case passed == len(findings):
		g.v.Outcome, g.v.Score = lab.Passed, 1
	case points == 0:
		g.v.Outcome = lab.Failed
	default:
		g.v.Outcome, g.v.Score = lab.Partial, points/all
	}
}

// grading is one submission on its way through the sandbox.
type grading struct {
	eng   sandbox.Engine
	lab   labdef.Lab
	files map[string]string
	v     lab.Verdict
	most  time.Duration // of the processor's time that one run took
}

// stop ends grading with a verdict that is not about checks.
func (g *grading) stop(message, traceback string) lab.Verdict {
	g.v.Outcome, g.v.Message, g.v.Traceback = lab.LearnerError, message, clip(traceback, maxTraceback)
	return g.v
}

// blame ends grading with a fault of the lab, told to its author and to nobody else.
func (g *grading) blame(check, why string) lab.Verdict {
	g.v.Outcome, g.v.Message = lab.AuthorError, lab.MessageAuthor
	g.v.FaultCheck, g.v.Fault = check, clip(why, maxShown)
	return g.v
}

// report is what one run of the first room told.
type report struct {
	message   string // why there is nothing to judge, or ""
	broken    *brokenCall
	traceback string
	stdout    string // what the code printed while it loaded, without records of the module banyan
	output    string // the same with them, valid UTF-8 and cut at the lab's limit
	seen      []observation
	files     map[string][]byte // what it wrote
}

// brokenCall is a call of a check that is not Python.
type brokenCall struct {
	call int
	why  string
}

// order tells the harness what to do. Its JSON is Python too.
type order struct {
	Entry string   `json:"entry"`
	Calls []call   `json:"calls"`
	Files []string `json:"files"` // none: the sandbox gives them, which is more than the harness's word
}

type call struct {
	Call string       `json:"call"`
	Data *labdef.Rows `json:"data,omitempty"`
}

// run lets the learner's code and then the calls of the checks named run in a fresh interpreter.
func (g *grading) run(ctx context.Context, checks []int) (report, error) {
	o := order{Entry: g.lab.Entry, Calls: make([]call, len(checks)), Files: []string{}}
	for i, n := range checks {
		o.Calls[i] = call{g.lab.Checks[n].Rule.Call, g.lab.Checks[n].Rule.Data}
	}
	nonce := rand.Text()
	text, err := json.Marshal(o)
	if err != nil {
		return report{}, err
	}
	p := g.program(ctx, harnessName, harness, nonce, text)
	outputLimit := int(p.Limits.Output)
	p.Limits.Output += observations
	for name, text := range g.files {
		p.Files[name] = []byte(text)
	}
	for name, text := range g.lab.Files { // the author's data stand
		p.Files[name] = []byte(text)
	}
	p.Files[BanyanName] = Banyan
	res, err := g.sandbox(ctx, p)
	if err != nil {
		return report{}, err
	}
	return readReport(res, nonce, len(checks), outputLimit)
}

// program is one of the two rooms, under the limits, the seed and the clock of the lab.
func (g *grading) program(ctx context.Context, name string, source []byte, nonce string, text []byte) sandbox.Program {
	l := g.lab.Limits.OrDefault()
	return sandbox.Program{
		Files: roomFiles(ctx, g.eng, name, source),
		Main:  name,
		Stdin: []byte(nonce + "\n" + string(text)),
		Limits: sandbox.Limits{
			Wall: time.Duration(l.WallSeconds) * time.Second, Memory: int64(l.MemoryMiB) << 20, Output: int64(l.OutputKiB) << 10,
			Files: l.Files, FileBytes: int64(l.FileKiB) << 10,
		},
		Seed: g.lab.Seed, Clock: g.lab.Clock,
	}
}

func (g *grading) sandbox(ctx context.Context, p sandbox.Program) (sandbox.Result, error) {
	res, err := g.eng.Run(ctx, p)
	if err != nil {
		return res, fmt.Errorf("run in the sandbox: %w", err)
	}
	g.v.WallMS += res.Wall.Milliseconds()
	g.v.CPUMS += res.CPU.Milliseconds()
	g.most = max(g.most, res.CPU)
	return res, nil
}

// readReport takes the harness's word out of what a run left behind. All but the
// first line of it may have been written by the learner's code.
func readReport(res sandbox.Result, nonce string, calls, outputLimit int) (report, error) {
	stdout, _, _ := bytes.Cut(res.Stdout, []byte("\n"+nonce+"\n"))
	flooded := len(stdout) > outputLimit
	if flooded {
		stdout = stdout[:outputLimit]
	}
	r := report{stdout: withoutRecords(string(stdout)), output: validText(stdout), files: res.Files}
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
		var faults [][]any
		if err := json.Unmarshal([]byte(compiled), &faults); err != nil || len(faults) == 0 || len(faults[0]) != 2 {
			return report{}, fmt.Errorf("the harness says %.200q of the calls", compiled)
		}
		n, _ := faults[0][0].(float64)
		why, _ := faults[0][1].(string)
		if n < 0 || int(n) >= calls {
			return report{}, fmt.Errorf("the harness says %.200q of %d calls", compiled, calls)
		}
		r.broken = &brokenCall{int(n), why}
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
	case o.Load != nil && loadMessage(o.Load[0]) == "":
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
	case "error":
		return msgError
	}
	return ""
}

// withoutRecords takes off what the module banyan printed: from the byte RS to the end of its line.
func withoutRecords(s string) string {
	if !strings.Contains(s, "\x1e") {
		return s
	}
	var b strings.Builder
	for {
		before, record, found := strings.Cut(s, "\x1e")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, s, _ = strings.Cut(record, "\n")
	}
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
