package learning

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
)

var update = flag.Bool("update", false, "write testdata/fold.json anew")

// vector is one case of testdata/fold.json, which the page's fold reads too.
type vector struct {
	Name       string            `json:"name"`
	Criteria   vectorCriteria    `json:"criteria"`
	Items      []vectorItem      `json:"items"` // of the course, which both enrollments take
	Statements []vectorStatement `json:"statements"`
	Progress   []vectorProgress  `json:"progress"`
	Met        []EnrollmentID    `json:"met"` // the enrollments that meet the criteria
}

type vectorCriteria struct {
	Lessons bool    `json:"lessons"`
	Quizzes float64 `json:"quizzes"`
	Labs    bool    `json:"labs"`
}

type vectorItem struct {
	ID     curriculum.ContentID `json:"id"`
	Kind   curriculum.Kind      `json:"kind"`
	Graded bool                 `json:"graded,omitempty"`
}

type vectorStatement struct {
	ID           StatementID          `json:"id"`
	EnrollmentID EnrollmentID         `json:"enrollment_id"`
	Verb         Verb                 `json:"verb"`
	ObjectID     curriculum.ContentID `json:"object_id"`
	ReceivedAt   time.Time            `json:"received_at"`
	Score        *float64             `json:"score,omitempty"`
	Success      *bool                `json:"success,omitempty"`
	Attempt      int                  `json:"attempt,omitempty"`
	SubmissionID string               `json:"submission_id,omitempty"`
	Revision     int                  `json:"revision,omitempty"`
}

type vectorProgress struct {
	EnrollmentID EnrollmentID         `json:"enrollment_id"`
	ObjectID     curriculum.ContentID `json:"object_id"`
	Started      bool                 `json:"started"`
	Completed    bool                 `json:"completed"`
	Score        *float64             `json:"score,omitempty"`
	Attempts     int                  `json:"attempts"`
	UpdatedAt    time.Time            `json:"updated_at"`
}

var vectorItems = []vectorItem{
	{"read-one", curriculum.Lesson, false},
	{"read-two", curriculum.Lesson, false},
	{"practice", curriculum.Quiz, false},
	{"exam", curriculum.Quiz, true},
	{"drawn", curriculum.Quiz, true},
	{"lab", curriculum.Lab, false},
}

// plain turns a statement into what a vector has of it.
func plain(st Statement) vectorStatement {
	r := st.Result
	return vectorStatement{st.ID, st.EnrollmentID, st.Verb, st.ObjectID, st.ReceivedAt, r.Score, r.Success, r.Attempt, r.SubmissionID, r.Revision}
}

func (v vectorStatement) statement() Statement {
	return Statement{
		ID: v.ID, EnrollmentID: v.EnrollmentID, Verb: v.Verb, ObjectID: v.ObjectID, ReceivedAt: v.ReceivedAt,
		Result: Result{Score: v.Score, Success: v.Success, Attempt: v.Attempt, SubmissionID: v.SubmissionID, Revision: v.Revision},
	}
}

func (v vector) manifest() *curriculum.Manifest {
	m := &curriculum.Manifest{Criteria: curriculum.Criteria{Lessons: v.Criteria.Lessons, Quizzes: v.Criteria.Quizzes, Labs: v.Criteria.Labs}}
	m.Modules = []curriculum.Module{{}}
	for _, it := range v.Items {
		m.Modules[0].Items = append(m.Modules[0].Items, curriculum.Item{ID: it.ID, Kind: it.Kind, Graded: it.Graded})
	}
	return m
}

// settled fills in what Fold and Met say.
func (v vector) settled() vector {
	sts := make([]Statement, len(v.Statements))
	for i, st := range v.Statements {
		sts[i] = st.statement()
	}
	v.Progress, v.Met = []vectorProgress{}, []EnrollmentID{}
	by := map[EnrollmentID][]Progress{}
	for _, p := range Fold(sts) {
		v.Progress = append(v.Progress, vectorProgress(p))
		by[p.EnrollmentID] = append(by[p.EnrollmentID], p)
	}
	for _, e := range []EnrollmentID{"e1", "e2"} {
		if Met(v.manifest(), by[e]) {
			v.Met = append(v.Met, e)
		}
	}
	return v
}

// vectorStatements makes a life of two enrollments: lessons, quizzes, draws in any order and sometimes twice, labs with regrades.
func vectorStatements(r *rand.Rand, n int) []vectorStatement {
	began := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	out := make([]vectorStatement, 0, n)
	for i := range n {
		score := float64(r.IntN(5)) / 4
		success := score >= 0.5
		st := Statement{
			ID: StatementID(fmt.Sprintf("s%02d", i)), EnrollmentID: []EnrollmentID{"e1", "e2"}[r.IntN(2)],
			ReceivedAt: began.Add(time.Duration(r.IntN(8)) * 250 * time.Millisecond),
		}
		switch r.IntN(7) {
		case 0:
			st.Verb, st.ObjectID = Started, vectorItems[r.IntN(len(vectorItems))].ID
		case 1, 2:
			st.Verb, st.ObjectID = Completed, vectorItems[r.IntN(2)].ID
		case 3:
			st.Verb, st.ObjectID, st.Result = Answered, vectorItems[2+r.IntN(2)].ID, Result{Score: &score, Success: &success}
		case 4:
			st.Verb, st.ObjectID, st.Result = Answered, "drawn", Result{Score: &score, Success: &success, Attempt: 1 + r.IntN(3)}
		case 5:
			st.Verb, st.ObjectID, st.Result = Submitted, "lab", Result{SubmissionID: fmt.Sprint("h", r.IntN(3))}
		default:
			st.Verb, st.ObjectID = Failed, "lab"
			if success = score == 1; success {
				st.Verb = Passed
			}
			st.Result = Result{Score: &score, Success: &success, SubmissionID: fmt.Sprint(st.EnrollmentID, "h", r.IntN(2)), Revision: r.IntN(3)}
		}
		out = append(out, plain(st))
	}
	return out
}

func vectors() []vector {
	all := vectorCriteria{Lessons: true, Quizzes: 0.5, Labs: true}
	at := func(s int) time.Time { return time.Date(2026, 3, 1, 8, 0, s, 0, time.UTC) }
	half, one, zero, yes, no := 0.5, 1.0, 0.0, true, false
	say := func(id string, v Verb, o curriculum.ContentID, r Result, s int) vectorStatement {
		return plain(Statement{ID: StatementID(id), EnrollmentID: "e1", Verb: v, ObjectID: o, Result: r, ReceivedAt: at(s)})
	}
	whole := []vectorStatement{
		say("a", Completed, "read-one", Result{}, 1), say("b", Completed, "read-two", Result{}, 2), say("c", Answered, "exam", Result{Score: &half, Success: &yes}, 3),
		say("d", Answered, "drawn", Result{Score: &one, Success: &yes, Attempt: 1}, 4), say("e", Submitted, "lab", Result{SubmissionID: "h1"}, 5),
		say("f", Passed, "lab", Result{Score: &one, Success: &yes, SubmissionID: "h1"}, 6),
	}
	out := []vector{
		{Name: "nothing", Criteria: all},
		{Name: "opened", Criteria: all, Statements: []vectorStatement{say("a", Started, "exam", Result{}, 1)}},
		{Name: "everything done", Criteria: all, Statements: whole},
		{Name: "everything but a lesson", Criteria: all, Statements: whole[1:]},
		{Name: "everything but the draw before the good one", Criteria: all, Statements: append(slices.Clone(whole[:3]), append(whole[4:],
			say("g", Answered, "drawn", Result{Score: &one, Success: &yes, Attempt: 2}, 7))...)},
		{Name: "draws that arrive from the last to the first", Criteria: all, Statements: []vectorStatement{
			say("a", Answered, "drawn", Result{Score: &one, Success: &yes, Attempt: 3}, 1), say("b", Answered, "drawn", Result{Score: &half, Success: &yes, Attempt: 2}, 2),
			say("c", Answered, "drawn", Result{Score: &zero, Success: &no, Attempt: 1}, 3),
		}},
		{Name: "one draw answered on two devices: the first to arrive counts", Criteria: all, Statements: []vectorStatement{
			say("a", Answered, "drawn", Result{Score: &one, Success: &yes, Attempt: 1}, 2), say("b", Answered, "drawn", Result{Score: &half, Success: &yes, Attempt: 1}, 1),
		}},
		{Name: "a pass that a regrade takes back", Criteria: vectorCriteria{Labs: true}, Statements: []vectorStatement{
			say("a", Failed, "lab", Result{Score: &half, Success: &no, SubmissionID: "h1", Revision: 2}, 3), say("b", Passed, "lab", Result{Score: &one, Success: &yes, SubmissionID: "h1"}, 1),
		}},
		{Name: "a fail that a regrade mends", Criteria: vectorCriteria{Labs: true}, Statements: []vectorStatement{
			say("a", Failed, "lab", Result{Score: &half, Success: &no, SubmissionID: "h1"}, 1), say("b", Passed, "lab", Result{Score: &one, Success: &yes, SubmissionID: "h1", Revision: 1}, 9),
		}},
		{Name: "two verdicts of one revision: the greater id tells", Criteria: vectorCriteria{Labs: true}, Statements: []vectorStatement{
			say("b", Failed, "lab", Result{Score: &half, Success: &no, SubmissionID: "h1", Revision: 1}, 1), say("a", Passed, "lab", Result{Score: &one, Success: &yes, SubmissionID: "h1", Revision: 1}, 2),
		}},
		{Name: "the best score stays", Criteria: vectorCriteria{Quizzes: 0.75}, Statements: []vectorStatement{
			say("a", Answered, "exam", Result{Score: &one, Success: &yes}, 1), say("b", Answered, "exam", Result{Score: &zero, Success: &no}, 2),
			say("c", Answered, "drawn", Result{Score: &one, Success: &yes, Attempt: 1}, 3),
		}},
		{Name: "nothing asked is never met", Statements: whole},
	}
	for seed := range uint64(36) {
		r := rand.New(rand.NewPCG(seed, 13))
		c := vectorCriteria{Lessons: r.IntN(2) == 0, Quizzes: float64(r.IntN(3)) / 4, Labs: r.IntN(2) == 0}
		out = append(out, vector{Name: fmt.Sprint("by chance ", seed), Criteria: c, Statements: vectorStatements(r, 5+r.IntN(40))})
	}
	for i := range out {
		out[i].Items = vectorItems
		if out[i].Statements == nil {
			out[i].Statements = []vectorStatement{}
		}
		out[i] = out[i].settled()
	}
	return out
}

// TestVectors holds Fold and Met to testdata/fold.json, in any order of the statements. Batches that come one after another are held to it by TestDevices.
func TestVectors(t *testing.T) {
	name := filepath.Join("testdata", "fold.json")
	if *update {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		b.WriteString("[\n")
		for i, v := range vectors() {
			if i > 0 {
				b.Truncate(b.Len() - 1)
				b.WriteString(",\n")
			}
			if err := enc.Encode(v); err != nil {
				t.Fatal(err)
			}
		}
		b.WriteString("]\n")
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(raw, &vs); err != nil {
		t.Fatal(err)
	}
	met := 0
	for _, v := range vs {
		met += len(v.Met)
		for seed := range uint64(5) {
			got := v
			got.Statements = slices.Clone(v.Statements)
			rand.New(rand.NewPCG(seed, 14)).Shuffle(len(got.Statements), func(i, j int) {
				got.Statements[i], got.Statements[j] = got.Statements[j], got.Statements[i]
			})
			if got = got.settled(); !reflect.DeepEqual(got.Progress, v.Progress) || !slices.Equal(got.Met, v.Met) {
				t.Fatalf("%s, in order %d:\n%+v %v\nwant\n%+v %v", v.Name, seed, got.Progress, got.Met, v.Progress, v.Met)
			}
		}
	}
	if len(vs) < 45 || met < 10 {
		t.Errorf("%d vectors, %d enrollments that meet their criteria: too few to show anything", len(vs), met)
	}
}
