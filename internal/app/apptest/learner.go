package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/lab/labtest"
)

// Course is a shipped course with its secrets.
type Course struct {
	Manifest curriculum.Manifest
	Vault    curriculum.VaultFile
}

// Shipped compiles a course that comes with the programs.
func Shipped(t testing.TB, id string) Course {
	t.Helper()
	folder, err := fs.Sub(content.Examples(), id)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := compile.Course(folder, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Course{Manifest: compiled.Manifest}
	if err := json.Unmarshal(compiled.Vault, &c.Vault); err != nil {
		t.Fatal(err)
	}
	return c
}

// Items lists the course's items of a kind, in order.
func (c Course) Items(kind curriculum.Kind) []curriculum.ContentID {
	var ids []curriculum.ContentID
	for _, m := range c.Manifest.Modules {
		for _, it := range m.Items {
			if it.Kind == kind {
				ids = append(ids, it.ID)
			}
		}
	}
	return ids
}

// prints is what programs print to please the checks of the labs' output.
const prints = "New leaf: sick\nLazy list: accuracy 0.8\nCareful list: accuracy 0.7"

// Right is a program that passes a lab in the fake sandbox, each of its two runs taking so long.
func (c Course) Right(lab curriculum.ContentID, run time.Duration) string {
	return slow(labtest.Source(c.Vault.Labs[lab], prints), run)
}

// Wrong is a program that fails a lab in the fake sandbox, each of its two runs taking so long.
func (c Course) Wrong(lab curriculum.ContentID, run time.Duration) string {
	return slow(labtest.Source(c.Vault.Labs[lab], "nothing", "no-check"), run)
}

// Stumbling is a program that passes a lab, but only after the sandbox has failed so many times. Each name is a program of its own.
func (c Course) Stumbling(lab curriculum.ContentID, name string, times int) string {
	first := fmt.Sprintf(`# fake: [{"first":%d,"error":"no child for %s"},`, times, name)
	return strings.Replace(labtest.Source(c.Vault.Labs[lab], prints), "# fake: [", first, 1)
}

func slow(source string, run time.Duration) string {
	return strings.ReplaceAll(source, `{"when":`, fmt.Sprintf(`{"delay_ms":%d,"when":`, run.Milliseconds()))
}

// answers are the right responses to an attempt at a quiz.
func answers(q quiz.Vault, of quiz.Seed) map[string]any {
	out := map[string]any{}
	for _, qu := range q.Asked(of) {
		switch k := qu.Key; qu.Type {
		case quiz.Single:
			out[qu.ID] = k.Correct[0]
		case quiz.Multiple, quiz.Order:
			out[qu.ID] = k.Correct
		case quiz.Match:
			pairs := map[string]string{}
			for right, pair := range qu.Rights {
				for left, want := range k.Pairs {
					if want == pair {
						pairs[left] = right
					}
				}
			}
			out[qu.ID] = pairs
		case quiz.Number:
			out[qu.ID] = *k.Number
		case quiz.ShortTxt:
			out[qu.ID] = k.Accept[0]
		}
	}
	return out
}

// Learner uses the API as a learner's page does: what was asked for with an id of its own
// is asked for again until there is an answer.
type Learner struct {
	Base       string
	Enrollment string
	Retries    atomic.Int64 // answers that were broken, and requests without one

	course Course
	http   http.Client
}

// NewID makes an id as clients do.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// SignUp makes an account and enrols it in the course.
func SignUp(t testing.TB, base, username string, c Course) *Learner {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &Learner{Base: base, course: c, http: http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{}}}
	t.Cleanup(l.http.CloseIdleConnections)
	err = l.ask(t.Context(), http.MethodPost, "/api/users", map[string]any{
		"username": username, "display_name": "Learner " + username, "password": "long enough for " + username + " 1",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		ID string `json:"id"`
	}
	err = l.ask(t.Context(), http.MethodPost, "/api/enrollments", map[string]any{"id": NewID(), "course_id": c.Manifest.CourseID}, &e)
	if err != nil {
		t.Fatal(err)
	}
	l.Enrollment = e.ID
	return l
}

// Study reads every lesson and answers the graded quizzes rightly: all that the course's criteria ask for but the labs.
func (l *Learner) Study(t testing.TB) {
	t.Helper()
	var sts []map[string]any
	add := func(verb string, id curriculum.ContentID, responses any) map[string]any {
		st := map[string]any{
			"id": NewID(), "enrollment_id": l.Enrollment, "verb": verb, "object_id": id, "at": time.Now().UTC().Format(time.RFC3339),
		}
		if responses != nil {
			st["responses"] = responses
		}
		sts = append(sts, st)
		return st
	}
	for _, id := range l.course.Items(curriculum.Lesson) {
		add("completed", id, nil)
	}
	for _, id := range l.course.Items(curriculum.Quiz) {
		q := l.course.Vault.Quizzes[id]
		st := add("answered", id, answers(q, quiz.Seed{Enrollment: l.Enrollment, Quiz: string(id), Attempt: 1}))
		if q.Draws() {
			st["attempt"] = 1
		}
	}
	var got struct {
		Answers []struct{ Status, Code string }
	}
	if err := l.ask(t.Context(), http.MethodPost, "/api/statements", sts, &got); err != nil {
		t.Fatal(err)
	}
	for i, a := range got.Answers {
		if a.Status == "rejected" {
			t.Fatalf("statement %v is rejected: %s", sts[i], a.Code)
		}
	}
}

// Submission is what the API tells of one.
type Submission struct {
	ID      string
	LabID   string `json:"lab_id"`
	Verdict *struct {
		Outcome string
		Attempt int
	}
}

// Submit hands in a lab, again and again until that is acknowledged.
func (l *Learner) Submit(ctx context.Context, id string, lab curriculum.ContentID, source string) error {
	return l.ask(ctx, http.MethodPost, "/api/submissions", map[string]any{
		"id": id, "enrollment_id": l.Enrollment, "lab_id": lab, "files": map[string]string{l.course.Vault.Labs[lab].Entry: source},
	}, nil)
}

// Find gives a submission, without waiting for its verdict.
func (l *Learner) Find(ctx context.Context, id string) (s Submission, err error) {
	return s, l.ask(ctx, http.MethodGet, "/api/submissions/"+id, nil, &s)
}

// Submissions lists all that was handed in for a lab.
func (l *Learner) Submissions(ctx context.Context, lab curriculum.ContentID) ([]Submission, error) {
	var all []Submission
	for cursor := ""; ; {
		var page struct {
			Items []Submission
			Next  string
		}
		q := url.Values{"enrollment_id": {l.Enrollment}, "lab_id": {string(lab)}, "limit": {"200"}, "cursor": {cursor}}
		if err := l.ask(ctx, http.MethodGet, "/api/submissions?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// Attempts gives how often the learner's progress says that each lab was tried, and whether the course is completed.
func (l *Learner) Attempts(ctx context.Context) (map[curriculum.ContentID]int, bool, error) {
	var p struct {
		Completed bool
		Items     []struct {
			ObjectID curriculum.ContentID `json:"object_id"`
			Attempts int
		}
	}
	err := l.ask(ctx, http.MethodGet, "/api/enrollments/"+l.Enrollment+"/progress", nil, &p)
	at := map[curriculum.ContentID]int{}
	for _, it := range p.Items {
		at[it.ObjectID] = it.Attempts
	}
	return at, p.Completed, err
}

// Credentials counts the learner's valid certificates.
func (l *Learner) Credentials(ctx context.Context) (int, error) {
	var list struct{ Items []struct{ Standing string } }
	err := l.ask(ctx, http.MethodGet, "/api/credentials", nil, &list)
	n := 0
	for _, c := range list.Items {
		if c.Standing == "valid" {
			n++
		}
	}
	return n, err
}

// ask sends a request until it has an answer. What is the server's fault, or
// the network's, is tried again; what is ours is an error.
func (l *Learner) ask(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	late := time.Now().Add(Patience)
	for {
		status, answer, err := l.once(ctx, method, path, body)
		switch {
		case err == nil && status < 300:
			if out == nil {
				return nil
			}
			return json.Unmarshal(answer, out)
		case err == nil && status < 500:
			return fmt.Errorf("%s %s: %d %s", method, path, status, answer)
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(late):
			return fmt.Errorf("%s %s: still no answer: %d %s %w", method, path, status, answer, err)
		}
		l.Retries.Add(1)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (l *Learner) once(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.Base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if method == http.MethodGet {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := l.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	answer, err := io.ReadAll(res.Body)
	if e := res.Body.Close(); err == nil {
		err = e
	}
	return res.StatusCode, answer, err
}

// Healthy tells whether a server answers and reaches its database.
func Healthy(ctx context.Context, base string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/health", http.NoBody)
	if err != nil {
		return false
	}
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
