package issuing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// Without criteria who finishes a course gets the certificate, and nobody is asked.
func TestNobodyIsAskedWithoutCriteria(t *testing.T) {
	o := newOffice(t)
	a := o.earned()
	if a.State != issuing.Ready || a.CriteriaID != "" || a.Score == nil || *a.Score != 0.9 {
		t.Fatalf("award %+v", a)
	}
	o.drain()
	st := o.held(a)
	if st.State != credential.Valid || st.Claims.Narrative != "Did everything." || st.Claims.Score != "" || st.Claims.ExpiresAt != nil ||
		st.Claims.Assessment != credential.Unsupervised || st.Claims.AIHelp != credential.Undeclared {
		t.Errorf("%s: %+v", st.State, st.Claims)
	}
	if got := o.award(a.ID); got.State != issuing.Issued || got.CredentialID != st.Credential.ID {
		t.Errorf("award %+v", got)
	}
	wantAudit(o, audit.CredentialIssued)
}

// wantAudit compares the kinds in the institution's log from the last setting of criteria on.
func wantAudit(o *office, want ...audit.Kind) []audit.Entry {
	o.Helper()
	es, err := o.db.Audits().List(o.Context(), string(o.in.ID), 0, 1000)
	o.must(err)
	for i, e := range es {
		if e.Kind == audit.CriteriaSet {
			es = es[i+1:]
			break
		}
	}
	es = slices.DeleteFunc(es, func(e audit.Entry) bool { return e.Kind == audit.KeyCreated }) // by whoever issues first
	var got []audit.Kind
	for _, e := range es {
		got = append(got, e.Kind)
	}
	if !slices.Equal(got, want) {
		o.Errorf("log has %v, want %v", got, want)
	}
	return es
}

func TestWhoMeetsCriteria(t *testing.T) {
	items := func(ids ...curriculum.ContentID) issuing.Terms { return issuing.Terms{Items: ids} }
	done := finished()
	tests := []struct {
		name  string
		terms issuing.Terms
		done  map[curriculum.ContentID]float64
		score float64 // -1: not met; -2: met, and nothing is scored
	}{
		{"nothing asked, all done", issuing.Terms{}, done, 0.9},
		{"nothing asked, course not finished", issuing.Terms{}, map[curriculum.ContentID]float64{"lesson": -1, "quiz": 1, "lab": 1}, -1},
		{"one item, passed", items("quiz"), map[curriculum.ContentID]float64{"quiz": 0.6}, 0.6},
		{"one item, another passed", items("quiz"), map[curriculum.ContentID]float64{"lab": 1}, -1},
		{"two items, one passed", items("quiz", "lab"), map[curriculum.ContentID]float64{"lab": 1}, -1},
		{"a lab without a score", items("lab", "quiz"), map[curriculum.ContentID]float64{"lab": -1, "quiz": 0.5}, 0.75},
		{"a lesson", items("lesson"), map[curriculum.ContentID]float64{"lesson": -1}, -2},
		{"a quiz for practice does not count", items("practice", "lab"), map[curriculum.ContentID]float64{"practice": 0.1, "lab": 1}, 1},
		{"score reached", issuing.Terms{MinScore: 0.9}, done, 0.9},
		{"score missed", issuing.Terms{MinScore: 0.91}, done, -1},
		{"score of the items asked", issuing.Terms{MinScore: 0.91, Items: []curriculum.ContentID{"lab"}}, done, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.ask(tt.terms)
			e := o.enroll(o.version)
			o.does(e, tt.done)
			j := o.completed(e)
			o.must(o.Weigh(t.Context(), j))
			a, err := o.db.Issuing().FindAwardOf(t.Context(), e.ID)
			switch {
			case tt.score == -1:
				wantFault(t, err, fault.NotFound, "award.not_found")
			case err != nil:
				t.Fatal(err)
			case tt.score == -2 && a.Score != nil, tt.score >= 0 && (a.Score == nil || *a.Score != tt.score):
				t.Errorf("score %v", a.Score)
			}
			o.drain() // the job is done either way: nothing is left that fails
		})
	}
}

// awaited says when somebody waits for what is being recorded.
type awaited struct {
	issuing.Learning
	now chan struct{}
}

func (a awaited) AwaitEnrollment(ctx context.Context, id learning.EnrollmentID) error {
	a.now <- struct{}{}
	return a.Learning.AwaitEnrollment(ctx, id)
}

// A learner takes the last step while an admin sets the criteria that are met by it: neither transaction sees the other's. SQLite
// has one writer, so that this cannot be there.
func TestCriteriaAreSetDuringAStep(t *testing.T) {
	o := openOffice(t, storetest.Postgres(t))
	svc := &learning.Service{Store: o.db.Learning(), Courses: vaults{o.db.Curriculum()}, Now: o.now, NewID: newV7}
	e := o.enroll(o.version)
	waits, reweighed := make(chan struct{}, 1), make(chan error, 1)
	o.Learning = awaited{o.Learning, waits}
	o.must(o.db.Learning().InTx(t.Context(), func(tx learning.Store) error {
		score, yes := 0.9, true
		st := learning.Statement{
			ID: learning.StatementID(newV7()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, Verb: learning.Answered, ObjectID: "quiz",
			At: o.now(), ReceivedAt: o.now(), Result: learning.Result{Score: &score, Success: &yes},
		}
		if err := svc.Record(t.Context(), tx, st); err != nil {
			return err
		}
		_, err := o.SetCriteria(t.Context(), o.admin, o.in.ID, course, issuing.Terms{Items: []curriculum.ContentID{"quiz"}})
		o.must(err)
		asked := o.due(issuing.CriteriaKind)
		go func() { reweighed <- o.Reweigh(t.Context(), asked[0]) }()
		select {
		case <-waits:
		case err := <-reweighed:
			t.Errorf("looked at the learner before the step was stored: %v", err)
			return nil
		}
		for range 50 {
			_, err := o.db.Issuing().FindCurrentCriteria(t.Context(), o.in.ID, course)
			o.must(err)
			if len(reweighed) > 0 {
				t.Error("did not wait for the step")
				break
			}
		}
		return nil
	}))
	o.must(<-reweighed)
	if _, err := o.db.Issuing().FindAwardOf(t.Context(), e.ID); err != nil {
		t.Errorf("the learner was missed: %v", err)
	}
}

// Criteria that a course does not have may be met before its end, or after; learning only tells that somebody came nearer.
func TestProgressIsWatchedWhereItMatters(t *testing.T) {
	o := newOffice(t)
	svc := &learning.Service{Store: o.db.Learning(), Courses: vaults{o.db.Curriculum()}, Now: o.now, NewID: newV7}
	e := o.enroll(o.version)
	score := 0.9
	record := func(id curriculum.ContentID, verb learning.Verb) {
		t.Helper()
		yes := true
		st := learning.Statement{
			ID: learning.StatementID(newV7()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, Verb: verb, ObjectID: id, At: o.now(), ReceivedAt: o.now(),
			Result: learning.Result{Score: &score, Success: &yes},
		}
		o.must(o.db.Learning().InTx(t.Context(), func(tx learning.Store) error { return svc.Record(t.Context(), tx, st) }))
	}
	waiting := func() int {
		t.Helper()
		jobs, err := o.db.Outbox().Claim(t.Context(), job.Housekeeping, 10, 0)
		o.must(err)
		return len(jobs)
	}
	record("practice", learning.Answered)
	if n := waiting(); n != 0 {
		t.Errorf("%d jobs though nobody wants to hear", n)
	}
	o.ask(issuing.Terms{Items: []curriculum.ContentID{"quiz"}})
	record("lab", learning.Passed)
	if n := waiting(); n != 1 {
		t.Errorf("%d jobs after a step", n)
	}
	o.drain()
	if _, err := o.db.Issuing().FindAwardOf(t.Context(), e.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("an award too early: %v", err)
	}
	record("quiz", learning.Answered)
	o.drain()
	a, err := o.db.Issuing().FindAwardOf(t.Context(), e.ID)
	if err != nil || a.State != issuing.Issued {
		t.Fatalf("%+v, %v", a, err)
	}
	if st := o.held(a); !strings.Contains(st.Claims.Narrative, "The quiz") || strings.Contains(st.Claims.Narrative, "Did everything") {
		t.Errorf("narrative %q", st.Claims.Narrative)
	}
}

// Who meets criteria before they are set gets an award too; an award keeps the criteria under which it was made.
func TestNewCriteriaLookBackAndOldAwardsKeepTheirs(t *testing.T) {
	o := newOffice(t)
	half := o.enroll(o.version)
	o.does(half, map[curriculum.ContentID]float64{"quiz": 1})
	first := o.ask(issuing.Terms{Items: []curriculum.ContentID{"quiz"}, Approval: true, Months: 6})
	a, err := o.db.Issuing().FindAwardOf(t.Context(), half.ID)
	if err != nil || a.State != issuing.Waiting || a.CriteriaID != first.ID {
		t.Fatalf("%+v, %v", a, err)
	}
	same := o.ask(issuing.Terms{Items: []curriculum.ContentID{"quiz"}, Approval: true, Months: 6})
	second := o.ask(issuing.Terms{})
	if same.ID != first.ID || second.Number != 2 {
		t.Errorf("the same again is %d, the next %d", same.Number, second.Number)
	}
	if got := o.award(a.ID); got.State != issuing.Waiting || got.CriteriaID != first.ID {
		t.Errorf("%+v", got)
	}
	_, err = o.Decide(t.Context(), o.issuer, o.in.ID, a.ID, true, "")
	o.must(err)
	o.drain()
	if c := o.held(a).Claims; c.ExpiresAt == nil || !c.ExpiresAt.Equal(c.IssuedAt.AddDate(0, 6, 0)) {
		t.Errorf("holds from %v to %v", c.IssuedAt, c.ExpiresAt)
	}
}

func TestCriteriaAreChecked(t *testing.T) {
	o := newOffice(t)
	for name, tt := range map[string]struct {
		terms   issuing.Terms
		pointer string
	}{
		"unknown item":       {issuing.Terms{Items: []curriculum.ContentID{"quiz", "gone"}}, "/items"},
		"unknown competence": {issuing.Terms{Competences: []string{"cfs.ethics.understand"}}, "/competences"},
		"level":              {issuing.Terms{Assessment: "strict"}, "/assessment"},
		"months":             {issuing.Terms{Months: 601}, "/months"},
		"score":              {issuing.Terms{MinScore: 1.01}, "/min_score"},
		"nothing scored":     {issuing.Terms{MinScore: 0.5, Items: []curriculum.ContentID{"lesson", "practice"}}, "/min_score"},
	} {
		_, err := o.SetCriteria(t.Context(), o.admin, o.in.ID, course, tt.terms)
		wantFault(t, err, fault.Invalid, "request.invalid")
		if !strings.Contains(fmt.Sprint(err), tt.pointer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := o.SetCriteria(t.Context(), o.admin, o.in.ID, "gone", issuing.Terms{})
	wantFault(t, err, fault.NotFound, "course.not_found")
	_, err = o.SetCriteria(t.Context(), o.issuer, o.in.ID, course, issuing.Terms{})
	wantFault(t, err, fault.Denied, "criteria.denied")
}

func everything() issuing.Terms {
	return issuing.Terms{
		MinScore: 0.5, Approval: true, ConfirmName: true, AskHelp: true, Assessment: credential.Supervised, Competences: []string{"cfs.ethics.apply"},
	}
}

func TestAnAwardSaysWhatItWaitsFor(t *testing.T) {
	o := newOffice(t)
	o.ask(everything())
	a := o.earned()
	ctx, learner := t.Context(), identity.Actor{UserID: a.UserID}
	o.names.Store(a.UserID, "أمينة")
	wants := func(s issuing.Shown, err error) func(want ...issuing.Want) {
		t.Helper()
		o.must(err)
		return func(want ...issuing.Want) {
			t.Helper()
			if !slices.Equal(s.Wants, want) {
				t.Errorf("waits for %v, want %v", s.Wants, want)
			}
		}
	}
	own, err := o.ListOwn(ctx, learner, "", 10)
	if err != nil || len(own) != 1 || own[0].Holder != "أمينة" || !own[0].Confirmed {
		t.Fatalf("own %+v, %v", own, err)
	}
	wants(own[0], nil)(issuing.WantApproval, issuing.WantAssessment, issuing.WantName, issuing.WantDeclaration)
	wants(o.Decide(ctx, o.issuer, o.in.ID, a.ID, true, ""))(issuing.WantAssessment, issuing.WantName, issuing.WantDeclaration)
	wants(o.Assess(ctx, o.admin, o.in.ID, a.ID, credential.OnSite))(issuing.WantName, issuing.WantDeclaration)
	_, err = o.ConfirmName(ctx, o.issuer, o.in.ID, a.ID, "Amina")
	wantFault(t, err, fault.Conflict, "award.name_changed")
	wants(o.ConfirmName(ctx, o.issuer, o.in.ID, a.ID, "أمينة"))(issuing.WantDeclaration)
	o.drain()
	if got := o.award(a.ID); got.State != issuing.Waiting {
		t.Fatalf("issued without a declaration: %+v", got)
	}
	o.names.Store(a.UserID, "Somebody else") // too late: staff has confirmed another
	wants(o.Declare(ctx, learner, a.ID, credential.SomeHelp))()
	o.drain()
	st := o.held(a)
	if c := st.Claims; st.State != credential.Valid || c.Name != "أمينة" || c.Assessment != credential.OnSite || c.AIHelp != credential.SomeHelp || c.Score != "90" {
		t.Errorf("%s: %+v", st.State, c)
	}
	var doc struct {
		Subject struct {
			Achievement struct {
				Alignment []struct {
					Code string `json:"targetCode"`
				} `json:"alignment"`
			} `json:"achievement"`
		} `json:"credentialSubject"`
	}
	o.must(json.Unmarshal(st.Credential.Document, &doc))
	if as := doc.Subject.Achievement.Alignment; len(as) != 1 || as[0].Code != "cfs.ethics.apply" {
		t.Errorf("attests %+v", as)
	}
	es := wantAudit(o, audit.AwardApproved, audit.AwardAssessed, audit.NameConfirmed, audit.AwardDeclared, audit.CredentialIssued)
	if es[1].By != string(o.admin.UserID) || es[3].By != string(a.UserID) || es[4].By != "" || !strings.Contains(string(es[4].Data), string(o.admin.UserID)) {
		t.Errorf("log %+v", es)
	}
	for name, err := range map[string]error{
		"decide":  second(o.Decide(ctx, o.issuer, o.in.ID, a.ID, false, "too late")),
		"assess":  second(o.Assess(ctx, o.issuer, o.in.ID, a.ID, credential.Supervised)),
		"declare": second(o.Declare(ctx, learner, a.ID, credential.NoHelp)),
	} {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s after it was issued: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhoMay(t *testing.T) {
	o := newOffice(t)
	o.ask(everything())
	a := o.earned()
	ctx := t.Context()
	learner := identity.Actor{UserID: a.UserID, Memberships: []identity.Membership{{InstitutionID: o.in.ID, Role: identity.Learner}}}
	elsewhere := identity.Actor{UserID: o.issuer.UserID, Memberships: []identity.Membership{{InstitutionID: identity.InstitutionID(newV7()), Role: identity.Admin}}}
	limited := o.issuer
	limited.Scopes = []identity.Scope{identity.ScopeAdmin, identity.ScopeLearn}
	acts := map[string]func(by identity.Actor) error{
		"decide": func(by identity.Actor) error { return second(o.Decide(ctx, by, o.in.ID, a.ID, true, "")) },
		"refuse": func(by identity.Actor) error { return second(o.Decide(ctx, by, o.in.ID, a.ID, false, "no")) },
		"assess": func(by identity.Actor) error { return second(o.Assess(ctx, by, o.in.ID, a.ID, credential.OnSite)) },
		"name":   func(by identity.Actor) error { return second(o.ConfirmName(ctx, by, o.in.ID, a.ID, "x")) },
		"batch": func(by identity.Actor) error {
			_, _, err := o.StartBatch(ctx, by, o.in.ID, issuing.NewBatch{ID: issuing.BatchID(newV7())})
			return err
		},
	}
	for name, act := range acts {
		for who, by := range map[string]identity.Actor{
			"the learner": learner, "another's admin": elsewhere, "a trainer": o.staff(identity.Trainer), "the operator": {UserID: o.admin.UserID, Operator: true}, "a token": limited,
		} {
			if err := act(by); !fault.Is(err, fault.Denied) {
				t.Errorf("%s as %s: %v", name, who, err)
			}
		}
		if err := act(identity.Actor{}); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s as nobody: %v", name, err)
		}
	}
	// Somebody else's award, and one under another institution's address, do not exist.
	_, err := o.Declare(ctx, identity.Actor{UserID: o.person().ID}, a.ID, credential.NoHelp)
	wantFault(t, err, fault.NotFound, "award.not_found")
	_, err = o.Declare(ctx, learner, a.ID, credential.Undeclared)
	wantFault(t, err, fault.Invalid, "request.invalid")
	_, err = o.Decide(ctx, identity.Actor{UserID: o.admin.UserID, Memberships: elsewhere.Memberships}, elsewhere.Memberships[0].InstitutionID, a.ID, true, "")
	wantFault(t, err, fault.NotFound, "award.not_found")
	if _, err := o.List(ctx, learner, o.in.ID, issuing.AwardFilter{}, "", 10); !fault.Is(err, fault.Denied) {
		t.Errorf("list as the learner: %v", err)
	}
	if list, err := o.List(ctx, identity.Actor{UserID: o.admin.UserID, Operator: true}, o.in.ID, issuing.AwardFilter{}, "", 10); err != nil || len(list) != 1 {
		t.Errorf("list as the operator: %v, %v", list, err)
	}
	if got := o.award(a.ID); got.Revision != 1 {
		t.Errorf("somebody changed it: %+v", got)
	}
}

// Whatever is run twice, by however many at once: one award, one credential.
func TestOneAwardAndOneCredential(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		ctx := t.Context()
		const learners, workers = 6, 8
		var jobs []job.Job
		for range learners {
			e := o.enroll(o.version)
			o.does(e, finished())
			jobs = append(jobs, o.completed(e), o.completed(e)) // two jobs of one enrollment
		}
		together := func(jobs []job.Job) {
			t.Helper()
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for _, j := range jobs {
						if err := o.handlers()[j.Kind](ctx, j); err != nil {
							t.Errorf("%s: %v", j.Kind, err)
						}
					}
				})
			}
			wg.Wait()
		}
		together(jobs)
		asked, err := o.db.Outbox().Claim(ctx, job.Housekeeping, 100, 0)
		o.must(err)
		if len(asked) != learners {
			t.Fatalf("%d jobs left, want one for each award", len(asked))
		}
		together(asked)
		issued := o.issued()
		if len(issued) != learners {
			t.Errorf("%d credentials for %d learners", len(issued), learners)
		}
		if left, err := o.db.Outbox().Claim(ctx, job.Housekeeping, 100, 0); err != nil || len(left) != 0 {
			t.Errorf("%d jobs left, %v", len(left), err)
		}
		wantAudit(o, slices.Repeat([]audit.Kind{audit.CredentialIssued}, learners)...)
	})
}

// issued lists the institution's credentials, each checked.
func (o *office) issued() []credential.Credential {
	o.Helper()
	var out []credential.Credential
	for {
		var after credential.ID
		if len(out) > 0 {
			after = out[len(out)-1].ID
		}
		page, err := o.credential.ListIssued(o.Context(), o.issuer, o.in.ID, credential.Filter{}, after, 100)
		o.must(err)
		for _, c := range page {
			st, err := o.credential.Check(o.Context(), c.ID)
			if err != nil || st.State == credential.Invalid {
				o.Errorf("%s is %s, %v", c.ID, st.State, err)
			}
		}
		if out = append(out, page...); len(page) < 100 {
			return out
		}
	}
}

// One that cannot be issued does not hold up its neighbours.
func TestNeighboursOfABrokenOne(t *testing.T) {
	o := newOffice(t)
	var ids []issuing.AwardID
	for range 3 {
		ids = append(ids, o.earned().ID)
	}
	broken := o.award(ids[1])
	press := o.Press
	o.Press = refusing{press, broken.EnrollmentID}
	j, err := job.New(job.ID(newV7()), issuing.IssueKind, map[string]any{"awards": ids})
	o.must(err)
	o.must(o.db.Learning().Enqueue(t.Context(), j))
	jobs, err := o.db.Outbox().Claim(t.Context(), job.Housekeeping, 100, 0)
	o.must(err)
	for _, j := range jobs {
		if strings.Contains(string(j.Payload), ",") {
			o.must(o.Issue(t.Context(), j))
		}
	}
	jobs, err = o.db.Outbox().Claim(t.Context(), job.Housekeeping, 100, 0)
	o.must(err)
	failed := 0
	for _, j := range jobs {
		if o.Issue(t.Context(), j) != nil {
			failed++
		}
	}
	if n := len(o.issued()); n != 2 || failed != 2 { // of the broken one, both its own job and the one that was split off
		t.Errorf("%d issued, %d jobs failed", n, failed)
	}
	o.Press = press
	o.drain()
	if n := len(o.issued()); n != 3 {
		t.Errorf("%d issued in the end", n)
	}
}

type refusing struct {
	issuing.Press
	of learning.EnrollmentID
}

func (r refusing) Prepare(ctx context.Context, gs ...credential.Grant) ([]credential.Credential, error) {
	for _, g := range gs {
		if g.EnrollmentID == r.of {
			return nil, fmt.Errorf("no ink")
		}
	}
	return r.Press.Prepare(ctx, gs...)
}

// What is taken back while it is being signed is not issued.
func TestRefusedWhileItIsSigned(t *testing.T) {
	o := newOffice(t)
	a := o.earned()
	o.Press = meanwhile{o.Press, func() {
		_, err := o.Decide(t.Context(), o.issuer, o.in.ID, a.ID, false, "copied")
		o.must(err)
	}}
	o.drain()
	if got := o.award(a.ID); got.State != issuing.Refused || len(o.issued()) != 0 {
		t.Errorf("%+v, %d issued", got, len(o.issued()))
	}
}

type meanwhile struct {
	issuing.Press
	do func()
}

func (m meanwhile) Prepare(ctx context.Context, gs ...credential.Grant) ([]credential.Credential, error) {
	if len(gs) > 0 {
		m.do()
	}
	return m.Press.Prepare(ctx, gs...)
}
