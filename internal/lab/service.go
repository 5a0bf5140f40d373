package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Courses is what lab needs of the curriculum. Versions never change, so it may cache them.
type Courses interface {
	FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error)
	FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error)
	OpenVault(ctx context.Context, v curriculum.Version) (curriculum.VaultFile, error)
}

// Recorder is what lab needs of learning: statements that become progress, in the caller's transaction.
type Recorder interface {
	Record(ctx context.Context, tx learning.Store, sts ...learning.Statement) error
	// Revise is for statements that may take back what earlier ones gave.
	Revise(ctx context.Context, tx learning.Store, sts ...learning.Statement) error
}

// Service is the door to labs.
type Service struct {
	Store    Store
	Learning Recorder
	Courses  Courses
	Grader   Grader
	Now      func() time.Time
	NewID    func() string

	settled bell
}

// NewSubmission is what a learner hands in.
type NewSubmission struct {
	ID           SubmissionID // made by the client
	EnrollmentID learning.EnrollmentID
	LabID        curriculum.ContentID
	Files        map[string]string // the lab's entry file
	Locale       string
}

// Graded is a submission with its verdict, once there is one, and with what
// its learner may know of the lab's checks.
type Graded struct {
	Submission
	Verdict      *Verdict
	Version      int               // number of the course version that the verdict is of
	Earlier      []Past            // verdicts that were in force before, oldest first
	Place        int               // in line, while it waits: see Store.Place
	Checks       []CheckView       // of a verdict about checks, in the lab's order
	SourceLocale curriculum.Locale // the language to fall back to
}

// Past is a verdict that a regrade has superseded, and the number of the course version that it is of.
type Past struct {
	Verdict
	Version int
}

// CheckView is one check as the learner sees it after grading.
type CheckView struct {
	CheckResult
	Title    Words
	Feedback Words  // of a check that did not pass
	Call     string // of a visible check
	Said     Words  // by the judge script of a check that did not pass in full
}

// Words are a text of a lab's, and in which language it is given to readers of another.
type Words struct {
	curriculum.Text
	Langs curriculum.Langs
}

// Submit takes a submission of the actor's own enrollment: the submission,
// its statement and the job that grades it are stored together or not at all.
// The same submission again changes nothing and gives the first one with created
// false. An id that stands for another submission is fault.Conflict.
func (s *Service) Submit(ctx context.Context, by identity.Actor, in NewSubmission) (sub Submission, created bool, err error) {
	if by.UserID == "" {
		return Submission{}, false, fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(identity.ScopeLearn) {
		return Submission{}, false, fault.New(fault.Denied, "token.scope_missing")
	}
	if !isV7(string(in.ID)) {
		return Submission{}, false, invalid("/id", "request.bad_id")
	}
	e, err := s.Store.Learning().FindEnrollment(ctx, in.EnrollmentID)
	if err != nil {
		return Submission{}, false, err
	}
	if !by.Is(e.UserID) {
		return Submission{}, false, fault.New(fault.NotFound, "enrollment.not_found")
	}
	l, _, err := s.lab(ctx, e.VersionID, in.LabID)
	if err != nil {
		return Submission{}, false, err
	}
	if err := checkFiles(l, in.Files); err != nil {
		return Submission{}, false, err
	}
	sub = Submission{
		ID: in.ID, EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
		LabID: in.LabID, VersionID: e.VersionID, Files: in.Files, Locale: in.Locale, CreatedAt: s.Now(),
	}
	work, err := job.New(job.ID(s.NewID()), GradeKind, GradePayload{SubmissionID: sub.ID})
	if err != nil {
		return Submission{}, false, err
	}
	work.About, work.Owner = string(sub.ID), string(sub.UserID)
	err = s.Store.InTx(ctx, func(tx Store) error {
		if created, err = tx.CreateSubmission(ctx, sub); err != nil || !created {
			return err
		}
		err := s.Learning.Record(ctx, tx.Learning(), s.statement(sub, learning.Submitted, learning.Result{}))
		if err != nil {
			return err
		}
		// Whoever hands in again and again waits behind those who wait for their first.
		waiting, err := tx.CountWaiting(ctx, sub.UserID, int(job.Backlog))
		if err != nil {
			return err
		}
		work.Priority = job.Waiting + job.Priority(waiting)
		return tx.Enqueue(ctx, work)
	})
	if err != nil {
		return Submission{}, false, err
	}
	if created {
		return sub, true, nil
	}
	first, err := s.Store.FindSubmission(ctx, sub.ID)
	if err != nil {
		return Submission{}, false, err
	}
	if first.UserID != sub.UserID || first.EnrollmentID != sub.EnrollmentID || first.LabID != sub.LabID || !maps.Equal(first.Files, sub.Files) {
		return Submission{}, false, fault.New(fault.Conflict, "submission.id_taken")
	}
	return first, false, nil
}

// checkFiles holds what was handed in against what the lab takes.
func checkFiles(l labdef.Lab, files map[string]string) error {
	size := 0
	for name, text := range files {
		at := "/files/" + pointerEscape.Replace(name)
		switch {
		case name != l.Entry:
			f := invalid(at, "submission.unknown_file")
			f.Details[0].Args = map[string]any{"Entry": l.Entry}
			return f
		case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			return invalid(at, "submission.bad_text")
		}
		size += len(text)
	}
	most := l.Limits.SourceKiB
	if most <= 0 {
		most = labdef.DefaultLimits.SourceKiB
	}
	if size > most<<10 {
		return fault.New(fault.TooLarge, "submission.too_large").With("KiB", most)
	}
	if _, ok := files[l.Entry]; !ok {
		f := invalid("/files", "submission.entry_missing")
		f.Details[0].Args = map[string]any{"Entry": l.Entry}
		return f
	}
	return nil
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

func invalid(pointer, key string) *fault.Error {
	return fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: pointer, Key: key})
}

func isV7(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.Version() == 7 && u.String() == id
}

// lab finds a lab in a course version.
func (s *Service) lab(ctx context.Context, version curriculum.VersionID, id curriculum.ContentID) (labdef.Lab, curriculum.Version, error) {
	v, err := s.Courses.FindVersion(ctx, version)
	if err != nil {
		return labdef.Lab{}, curriculum.Version{}, err
	}
	if it, ok := v.Manifest.Item(id); !ok || it.Kind != curriculum.Lab {
		return labdef.Lab{}, curriculum.Version{}, fault.New(fault.NotFound, "lab.not_found")
	}
	vault, err := s.Courses.OpenVault(ctx, v)
	if err != nil {
		return labdef.Lab{}, curriculum.Version{}, err
	}
	l, ok := vault.Labs[id]
	if !ok {
		return labdef.Lab{}, curriculum.Version{}, fault.Wrap(fault.Internal, "server.internal",
			fmt.Errorf("the vault of version %s lacks lab %s", version, id))
	}
	return l, v, nil
}

// statement tells learning what happened to a submission.
func (s *Service) statement(sub Submission, verb learning.Verb, r learning.Result) learning.Statement {
	now := s.Now()
	r.SubmissionID = string(sub.ID)
	return learning.Statement{
		ID: learning.StatementID(s.NewID()), EnrollmentID: sub.EnrollmentID, UserID: sub.UserID, InstitutionID: sub.InstitutionID,
		Verb: verb, ObjectID: sub.LabID, Result: r, At: now, ReceivedAt: now,
	}
}

// Grade implements job.Handler for GradeKind. The sandbox runs outside of any
// transaction; then the verdict, what follows from it and the end of the job are
// stored together. A job that is done, or whose submission has a verdict, is left
// as it is. An error is the platform's: nothing was stored, and the job may run again.
func (s *Service) Grade(ctx context.Context, j job.Job) error {
	sub, err := s.submissionOf(ctx, j)
	if err != nil {
		return err
	}
	done, err := s.judged(ctx, s.Store, sub.ID)
	if err != nil {
		return err
	}
	var v Verdict
	if len(sub.Files) == 0 {
		done = true // the learner was erased, and the work with them
	}
	if !done {
		l, _, err := s.lab(ctx, sub.VersionID, sub.LabID)
		if err != nil {
			return err
		}
		if v, err = s.Grader.Grade(ctx, l, sub.Files); err != nil {
			return fmt.Errorf("grade submission %s: %w", sub.ID, err)
		}
		v.VersionID = sub.VersionID
	}
	defer s.settled.ring(sub.ID) // after the commit; for nothing, should it fail
	return s.Store.InTx(ctx, func(tx Store) error {
		if mine, err := tx.FinishJob(ctx, j.ID); err != nil || !mine || done {
			return err
		}
		if judged, err := s.judged(ctx, tx, sub.ID); err != nil || judged {
			return err
		}
		return s.settle(ctx, tx, sub, v)
	})
}

// settle stores a verdict and what follows from it.
func (s *Service) settle(ctx context.Context, tx Store, sub Submission, v Verdict) error {
	v.SubmissionID, v.Revision, v.CreatedAt = sub.ID, 1, s.Now()
	if !v.Outcome.Counts() {
		return tx.AppendVerdict(ctx, v)
	}
	// Two submissions graded at the same time must not get the same number.
	if err := tx.Learning().LockEnrollment(ctx, sub.EnrollmentID); err != nil {
		return err
	}
	n, err := tx.CountAttempts(ctx, sub.EnrollmentID, sub.LabID)
	if err != nil {
		return err
	}
	v.Attempt = n + 1
	if err := tx.AppendVerdict(ctx, v); err != nil {
		return err
	}
	return s.Learning.Record(ctx, tx.Learning(), s.judgement(sub, v))
}

// judged tells whether a submission has a verdict that stands. A platform error gives way.
func (s *Service) judged(ctx context.Context, in Store, id SubmissionID) (bool, error) {
	v, err := in.FindVerdict(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && v.Outcome != PlatformError, err
}

func (s *Service) submissionOf(ctx context.Context, j job.Job) (Submission, error) {
	var p GradePayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return Submission{}, fmt.Errorf("payload of job %s: %w", j.ID, err)
	}
	return s.Store.FindSubmission(ctx, p.SubmissionID)
}

// Parked is called when a grading job was given up after its last try. The learner gets
// a platform_error, which costs no attempt, and may hand in again at once. When
// the operator has the job done again, its verdict takes this one's place.
func (s *Service) Parked(ctx context.Context, j job.Job, _ error) error {
	sub, err := s.submissionOf(ctx, j)
	if err != nil {
		return err
	}
	defer s.settled.ring(sub.ID)
	return s.Store.InTx(ctx, func(tx Store) error {
		if _, err := tx.FindVerdict(ctx, sub.ID); !fault.Is(err, fault.NotFound) {
			return err // there is one already, or the database fails
		}
		return s.settle(ctx, tx, sub, Verdict{
			Outcome: PlatformError, Message: MessagePlatform, Runtime: s.Grader.Runtime(), VersionID: sub.VersionID,
		})
	})
}

// maySee tells whether the actor is the learner, teaches where the learner learns, or runs the server.
func maySee(by identity.Actor, user identity.UserID, in identity.InstitutionID) bool {
	return by.Is(user) || by.Operates() || by.Has(in, identity.Trainer, identity.Admin)
}

// Find gives a submission to its learner, to trainers and admins of its
// institution and to the operator. For others it does not exist.
func (s *Service) Find(ctx context.Context, by identity.Actor, id SubmissionID) (Graded, error) {
	if by.Anonymous() {
		return Graded{}, fault.New(fault.Unauthenticated, "session.required")
	}
	sub, err := s.Store.FindSubmission(ctx, id)
	if err != nil {
		return Graded{}, err
	}
	if !maySee(by, sub.UserID, sub.InstitutionID) {
		return Graded{}, fault.New(fault.NotFound, "submission.not_found")
	}
	gs, err := s.withVerdicts(ctx, []Submission{sub})
	if err != nil {
		return Graded{}, err
	}
	return gs[0], nil
}

// Await is Find that waits for a verdict, for a time at most. Without a
// verdict by then it gives the submission without one; and before, when its place in line has changed.
func (s *Service) Await(ctx context.Context, by identity.Actor, id SubmissionID, wait time.Duration) (Graded, error) {
	rung, leave := s.settled.hear(id)
	defer func() { leave() }()
	g, err := s.Find(ctx, by, id)
	if err != nil || g.Verdict != nil || wait <= 0 {
		return g, err
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	// The bell rings when this process grades. The worker may be another one, so the database is
	// asked as well: soon at first, because most verdicts take a fraction of a second.
	look := lookAgain(g.Place)
	for pause, asked := 20*time.Millisecond, time.Duration(0); ; pause = min(pause+pause/2, 500*time.Millisecond) {
		next := time.NewTimer(pause)
		select {
		case <-next.C:
		case <-rung:
			next.Stop()
			leave()
			rung, leave = s.settled.hear(id) // it rings as well when a verdict could not be stored
		case <-late.C:
			next.Stop()
			return s.Find(ctx, by, id)
		case <-ctx.Done():
			next.Stop()
			return Graded{}, ctx.Err()
		}
		switch _, err := s.Store.FindVerdict(ctx, id); {
		case err == nil:
			return s.Find(ctx, by, id)
		case !fault.Is(err, fault.NotFound):
			return Graded{}, err
		}
		if asked += pause; asked < look {
			continue
		}
		asked = 0
		if place, err := s.Store.Place(ctx, id); err != nil || place != g.Place {
			g.Place = place
			return g, err
		}
	}
}

// lookAgain is how long a place in line is good for: the longer the line, the longer.
func lookAgain(place int) time.Duration {
	return min(2*time.Second+time.Duration(place)*200*time.Millisecond, 20*time.Second)
}

// Place tells how far in line a submission waits: see Store.Place.
func (s *Service) Place(ctx context.Context, id SubmissionID) (int, error) {
	return s.Store.Place(ctx, id)
}

// List gives what was handed in for a lab, newest first, to whom Find gives it. before is the
// last id of the page before, "" at first.
func (s *Service) List(ctx context.Context, by identity.Actor, id learning.EnrollmentID, labID curriculum.ContentID, before SubmissionID, limit int) ([]Graded, error) {
	if by.Anonymous() {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	e, err := s.Store.Learning().FindEnrollment(ctx, id)
	if err != nil {
		return nil, err
	}
	if !maySee(by, e.UserID, e.InstitutionID) {
		return nil, fault.New(fault.NotFound, "enrollment.not_found")
	}
	subs, err := s.Store.ListSubmissions(ctx, id, labID, before, limit)
	if err != nil {
		return nil, err
	}
	return s.withVerdicts(ctx, subs)
}

// withVerdicts joins submissions of one lab with their verdicts and the lab's checks.
func (s *Service) withVerdicts(ctx context.Context, subs []Submission) ([]Graded, error) {
	if len(subs) == 0 {
		return nil, nil
	}
	ids := make([]SubmissionID, len(subs))
	for i, sub := range subs {
		ids[i] = sub.ID
	}
	verdicts, err := s.Store.ListVerdicts(ctx, ids)
	if err != nil {
		return nil, err
	}
	var again []SubmissionID
	for _, v := range verdicts {
		if v.Revision > 1 {
			again = append(again, v.SubmissionID)
		}
	}
	earlier := map[SubmissionID][]Verdict{}
	if len(again) > 0 {
		if earlier, err = s.Store.ListEarlierVerdicts(ctx, again); err != nil {
			return nil, err
		}
	}
	gs := make([]Graded, len(subs))
	for i, sub := range subs {
		gs[i] = Graded{Submission: sub}
		v, ok := verdicts[sub.ID]
		if !ok {
			if gs[i].Place, err = s.Store.Place(ctx, sub.ID); err != nil {
				return nil, err
			}
			v.VersionID = sub.VersionID
		}
		// A verdict tells of the checks of the lab that it is of.
		l, version, err := s.lab(ctx, v.VersionID, sub.LabID)
		if err != nil {
			return nil, err
		}
		gs[i].SourceLocale = version.Manifest.SourceLocale
		if !ok {
			continue
		}
		gs[i].Verdict, gs[i].Version, gs[i].Checks = &v, version.Number, views(l, v)
		for _, past := range earlier[sub.ID] {
			version, err := s.Courses.FindVersion(ctx, past.VersionID)
			if err != nil {
				return nil, err
			}
			gs[i].Earlier = append(gs[i].Earlier, Past{Verdict: past, Version: version.Number})
		}
	}
	return gs, nil
}

// views tells the learner about each check what it may know.
func views(l labdef.Lab, v Verdict) []CheckView {
	results := make(map[string]CheckResult, len(v.Checks))
	for _, r := range v.Checks {
		results[r.ID] = r
	}
	var out []CheckView
	for _, c := range l.Checks {
		r, ok := results[c.ID]
		if !ok {
			continue
		}
		words := func(t curriculum.Text, end string) Words { return Words{t, l.Langs["check."+c.ID+"."+end]} }
		view := CheckView{CheckResult: r, Title: words(c.Title, "title"), Said: words(c.Says[r.Says], "says."+r.Says)}
		if !r.Passed {
			view.Feedback = words(c.Feedback, "feedback")
		}
		if c.Visible {
			view.Call = c.Rule.Call
		}
		out = append(out, view)
	}
	return out
}
