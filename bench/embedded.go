package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// embedded is the program as `make run` starts it: SQLite, jobs in the same process, demo accounts.
type embedded struct {
	*server
	data        string
	first, next time.Duration // from the start of the process to the first answer: on an empty folder, and on this one
}

// onSQLite gives the embedded program, and starts it at the first call: twice, for its first start makes the accounts and publishes the course.
func (b *bench) onSQLite(ctx context.Context) (*embedded, error) {
	if b.embedded != nil {
		return b.embedded, nil
	}
	data := filepath.Join(b.dir, "embedded")
	begin := func() (*server, error) {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		settings := map[string]string{"BANYAN_LISTEN": address, "BANYAN_DATA_DIR": data, "BANYAN_RUNTIME_DIR": b.runtimeDir}
		return startServer(ctx, b.command(settings, "serve", "--demo", "--examples"), address, "/api/health", filepath.Join(b.dir, "embedded.log"))
	}
	e := &embedded{data: data}
	s, err := begin()
	if err != nil {
		return nil, err
	}
	e.first = s.ready.Sub(s.began)
	if err := s.stop(); err != nil {
		return nil, err
	}
	if e.server, err = begin(); err != nil {
		return nil, err
	}
	e.next = e.ready.Sub(e.began)
	b.later(e.stop)
	b.embedded = e
	return e, nil
}

func start(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	return []Figure{
		{Name: "start", Value: float64(e.next.Milliseconds()), Unit: "ms", How: "The embedded program with --demo, from its start to its first answer, on a folder that it has used before."},
		{Name: "start-first", Value: float64(e.first.Milliseconds()), Unit: "ms", How: "The same on an empty folder: makes the database and the accounts, publishes the course."},
	}, nil
}

// memoryGoal is in megabytes (10^6).
const memoryGoal = 120

// memory measures the embedded program idle: after its start, and after work,
// when the child that graded has left (a minute after its last program).
func memory(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	time.Sleep(3 * time.Second)
	startRSS, startPSS, err := e.memoryOf()
	if err != nil {
		return nil, err
	}
	cookie, err := signInAs(ctx, e.server, e.data, "learner")
	if err != nil {
		return nil, err
	}
	for _, path := range []string{"/en/", "/ar/", "/en/courses/" + courseID, lessonPath, "/api/courses", "/api/courses/" + courseID, "/app/"} {
		if err := read(ctx, e.server, path, cookie); err != nil {
			return nil, err
		}
	}
	h, err := newHandIn(ctx, e.server, cookie)
	if err != nil {
		return nil, err
	}
	if _, err := h.once(ctx); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(90 * time.Second)
	for {
		n, err := e.children()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%d children of the program do not leave", n)
		}
		time.Sleep(500 * time.Millisecond)
	}
	time.Sleep(3 * time.Second)
	rss, pss, err := e.memoryOf()
	if err != nil {
		return nil, err
	}
	goal := func(f Figure) Figure {
		f.Unit, f.Goal, f.Met, f.GoalOf = "MB", new(float64(memoryGoal)), new(f.Value <= memoryGoal), "value, at most"
		return f
	}
	return []Figure{
		goal(Figure{Name: "memory", Value: rss, How: "Resident memory of the idle embedded program after pages, a sign-in and a graded lab, when the lab's child has left."}),
		goal(Figure{Name: "memory-start", Value: startRSS, How: "The same, three seconds after the start."}),
		{Name: "memory-pss", Value: pss, Unit: "MB", How: "As memory, but proportional set size."},
		{Name: "memory-start-pss", Value: startPSS, Unit: "MB", How: "As memory-start, but proportional set size."},
	}, nil
}

func read(ctx context.Context, s *server, path, cookie string) error {
	r, err := send(ctx, s, "GET", path, cookie, nil)
	if err == nil && r.status != 200 {
		err = fmt.Errorf("GET %s: %d", path, r.status)
	}
	return err
}

// handIn hands in the solution of a shipped lab.
type handIn struct {
	server     *server
	cookie     string
	enrollment string
	source     string
}

const labID = "check-the-guess"

func newHandIn(ctx context.Context, s *server, cookie string) (*handIn, error) {
	source, err := fs.ReadFile(content.Examples(), courseID+"/labs/"+labID+"/solution.py")
	if err != nil {
		return nil, err
	}
	var e openapi.Enrollment
	err = call(ctx, s, "POST", "/api/enrollments", cookie, map[string]string{"course_id": courseID}, &e)
	return &handIn{server: s, cookie: cookie, enrollment: e.ID, source: string(source)}, err
}

// once hands in and waits for the verdict as the page does.
func (h *handIn) once(ctx context.Context) (time.Duration, error) {
	id := uuid.Must(uuid.NewV7()).String()
	began := time.Now()
	err := call(ctx, h.server, "POST", "/api/submissions", h.cookie, map[string]any{
		"id": id, "enrollment_id": h.enrollment, "lab_id": labID, "files": map[string]string{"main.py": h.source},
	}, nil)
	if err != nil {
		return 0, err
	}
	var sub openapi.Submission
	if err := call(ctx, h.server, "GET", "/api/submissions/"+id+"?wait=25", h.cookie, nil, &sub); err != nil {
		return 0, err
	}
	if sub.Verdict == nil || sub.Verdict.Outcome != "passed" {
		return 0, fmt.Errorf("the solution of %s did not pass: %+v", labID, sub.Verdict)
	}
	return time.Since(began), nil
}

func verdict(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	cookie, err := signInAs(ctx, e.server, e.data, "learner")
	if err != nil {
		return nil, err
	}
	h, err := newHandIn(ctx, e.server, cookie)
	if err != nil {
		return nil, err
	}
	cold, err := h.once(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := newBareGrading(ctx, b)
	if err != nil {
		return nil, err
	}
	defer bare.engine.Close()
	var took, alone, ratios []float64
	for range 40 {
		d, err := h.once(ctx)
		if err != nil {
			return nil, err
		}
		n, err := bare.once(ctx)
		if err != nil {
			return nil, err
		}
		took, alone, ratios = append(took, milliseconds(d)), append(alone, milliseconds(n)), append(ratios, float64(d)/float64(n))
	}
	p50 := median(took)
	return []Figure{
		{
			Name: "verdict", Value: p50, Unit: "ms p50", Baseline: new(median(alone)), Ratio: new(median(ratios)),
			Goal: new(float64(verdictGoal)), Met: new(p50 <= verdictGoal), GoalOf: "value, at most",
			How: "From handing in a lab to the verdict, one after the other, on the idle embedded program with a warm child. Baseline: the same grading in a process of its own, without server and database.",
		},
		{Name: "verdict-cold", Value: milliseconds(cold), Unit: "ms", How: "The same when the child must be started first, unless one was left from the measurement before."},
	}, nil
}

// verdictGoal is how long a learner may wait on an idle server, in milliseconds.
const verdictGoal = 60

// bareGrading judges the same solution with nothing around it.
type bareGrading struct {
	engine *sandbox.WASM
	lab    labdef.Lab
	files  map[string]string
}

func newBareGrading(ctx context.Context, b *bench) (*bareGrading, error) {
	folder, err := fs.Sub(content.Examples(), courseID)
	if err != nil {
		return nil, err
	}
	compiled, err := compile.Course(folder, compile.Options{})
	if err != nil {
		return nil, err
	}
	var vault curriculum.VaultFile
	if err := json.Unmarshal(compiled.Vault, &vault); err != nil {
		return nil, err
	}
	cfg := sandbox.WASMConfig{Module: filepath.Join(b.runtimeDir, "python.wasm"), CacheDir: filepath.Join(b.runtimeDir, "cache"), Children: 1}
	if err := sandbox.Prepare(ctx, cfg); err != nil {
		return nil, err
	}
	engine, err := sandbox.NewWASM(cfg)
	if err != nil {
		return nil, err
	}
	l := vault.Labs[labID]
	g := &bareGrading{engine: engine, lab: l, files: map[string]string{l.Entry: l.Solution}}
	if _, err := g.once(ctx); err != nil { // the child is warm from here on
		return nil, errors.Join(err, engine.Close())
	}
	return g, nil
}

func (g *bareGrading) once(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	v, err := grading.Grade(ctx, g.engine, g.lab, g.files)
	if err == nil && v.Outcome != lab.Passed {
		err = fmt.Errorf("the solution of %s did not pass: %+v", labID, v)
	}
	return time.Since(began), err
}

func signIn(ctx context.Context, b *bench) ([]Figure, error) {
	e, err := b.onSQLite(ctx)
	if err != nil {
		return nil, err
	}
	var took []float64
	for range 20 {
		began := time.Now()
		if _, err := signInAs(ctx, e.server, e.data, "learner"); err != nil {
			return nil, err
		}
		took = append(took, milliseconds(time.Since(began)))
	}
	return []Figure{{Name: "sign-in", Value: median(took), Unit: "ms p50", How: "POST /api/sessions with a right password (argon2id), one after the other."}}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
