package learning

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning/wire"
)

// Courses is what learning needs of the curriculum. Versions never change, so it may cache them.
type Courses interface {
	FindLatest(ctx context.Context, id curriculum.CourseID) (curriculum.Version, error)
	FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error)
	FindVersionNumber(ctx context.Context, id curriculum.CourseID, number int) (curriculum.Version, error)
	OpenVault(ctx context.Context, v curriculum.Version) (curriculum.VaultFile, error)
}

// Service is the door to what learners do.
type Service struct {
	Store   Store
	Courses Courses
	Devices Devices // for Import
	Now     func() time.Time
	NewID   func() string
}

// NewEnrollment asks to take a course.
type NewEnrollment struct {
	ID            EnrollmentID // client-made; "" lets the server make one
	CourseID      curriculum.CourseID
	InstitutionID identity.InstitutionID // "" takes the first institution where the actor learns
	// Number is the version that the learner has on their device, and began to learn with while no network was there. 0, and a
	// number that is not known here, give the newest.
	Number int
}

// Enroll puts the actor into a version of a course and pins it. Who takes the
// course already gets the first enrollment and created false.
func (s *Service) Enroll(ctx context.Context, by identity.Actor, n NewEnrollment) (e Enrollment, created bool, err error) {
	if by.UserID == "" {
		return Enrollment{}, false, fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(identity.ScopeLearn) {
		return Enrollment{}, false, fault.New(fault.Denied, "token.scope_missing")
	}
	in, ok := learnsIn(by, n.InstitutionID)
	if !ok {
		return Enrollment{}, false, fault.New(fault.Denied, "enrollment.not_a_learner")
	}
	if n.ID != "" && !wire.IsV7(string(n.ID)) {
		return Enrollment{}, false, fault.New(fault.Invalid, "request.invalid").
			At(fault.Detail{Pointer: "/id", Key: "request.bad_id"})
	}
	if e, err := s.Store.FindEnrollmentIn(ctx, by.UserID, n.CourseID); err == nil || !fault.Is(err, fault.NotFound) {
		return e, false, err
	}
	v, err := s.wanted(ctx, n)
	if err != nil {
		return Enrollment{}, false, err
	}
	e = Enrollment{ID: n.ID, UserID: by.UserID, InstitutionID: in, CourseID: v.CourseID, VersionID: v.ID, CreatedAt: s.Now()}
	if e.ID == "" {
		e.ID = EnrollmentID(s.NewID())
	}
	err = s.Store.CreateEnrollment(ctx, e)
	if fault.Is(err, fault.Conflict) { // the same person, at the same time, in another tab
		if first, err := s.Store.FindEnrollmentIn(ctx, by.UserID, n.CourseID); err == nil {
			return first, false, nil
		}
		err = fault.New(fault.Conflict, "enrollment.id_taken")
	}
	return e, err == nil, err
}

func (s *Service) wanted(ctx context.Context, n NewEnrollment) (curriculum.Version, error) {
	if n.Number > 0 {
		if v, err := s.Courses.FindVersionNumber(ctx, n.CourseID, n.Number); err == nil || !fault.Is(err, fault.NotFound) {
			return v, err
		}
	}
	return s.Courses.FindLatest(ctx, n.CourseID)
}

func learnsIn(by identity.Actor, want identity.InstitutionID) (identity.InstitutionID, bool) {
	for _, m := range by.Memberships {
		if m.Role == identity.Learner && (want == "" || m.InstitutionID == want) {
			return m.InstitutionID, true
		}
	}
	return "", false
}

// Find gives an enrollment to its learner, to trainers and admins of its
// institution and to the operator. For others it does not exist.
func (s *Service) Find(ctx context.Context, by identity.Actor, id EnrollmentID) (Enrollment, error) {
	if by.Anonymous() {
		return Enrollment{}, fault.New(fault.Unauthenticated, "session.required")
	}
	e, err := s.Store.FindEnrollment(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	if !by.Is(e.UserID) && !by.Operates() && !by.Has(e.InstitutionID, identity.Trainer, identity.Admin) {
		return Enrollment{}, fault.New(fault.NotFound, "enrollment.not_found")
	}
	return e, nil
}

// ListOwn lists the actor's enrollments, oldest first.
func (s *Service) ListOwn(ctx context.Context, by identity.Actor, after EnrollmentID, limit int) ([]Enrollment, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.ListEnrollments(ctx, by.UserID, after, limit)
}

// ListIn lists an institution's enrollments for its trainers and admins and the operator.
func (s *Service) ListIn(ctx context.Context, by identity.Actor, in identity.InstitutionID, after EnrollmentID, limit int) ([]Enrollment, error) {
	if !by.Operates() && !by.Has(in, identity.Trainer, identity.Admin) {
		return nil, fault.New(fault.Denied, "enrollment.list_denied")
	}
	return s.Store.ListInstitutionEnrollments(ctx, in, after, limit)
}

// Progress gives how far a learner is, to those who may see the enrollment.
func (s *Service) Progress(ctx context.Context, by identity.Actor, id EnrollmentID) (Enrollment, []Progress, error) {
	e, err := s.Find(ctx, by, id)
	if err != nil {
		return Enrollment{}, nil, err
	}
	ps, err := s.Store.ListProgress(ctx, id)
	return e, ps, err
}

// Summary is an enrollment with its course version and how much of it is done.
type Summary struct {
	Enrollment
	Version   curriculum.Version
	Done      int  // items completed
	Total     int  // items of the course
	Completed bool // the course's criteria are met
}

// Summarize adds what lists show of enrollments that the caller may see.
func (s *Service) Summarize(ctx context.Context, es []Enrollment) ([]Summary, error) {
	ids := make([]EnrollmentID, len(es))
	for i, e := range es {
		ids[i] = e.ID
	}
	progress, err := s.Store.ListProgressOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Summary, len(es))
	for i, e := range es {
		v, err := s.Courses.FindVersion(ctx, e.VersionID)
		if err != nil {
			return nil, err
		}
		out[i] = Summary{Enrollment: e, Version: v}
		completed := map[curriculum.ContentID]bool{}
		for _, p := range progress[e.ID] {
			completed[p.ObjectID] = p.Completed
		}
		out[i].Completed = completed[curriculum.ContentID(e.CourseID)]
		for _, m := range v.Manifest.Modules {
			for _, it := range m.Items {
				out[i].Total++
				if completed[it.ID] {
					out[i].Done++
				}
			}
		}
	}
	return out, nil
}

// ListStatements lists what the actor did, in the order in which it arrived.
func (s *Service) ListStatements(ctx context.Context, by identity.Actor, after int64, limit int) ([]Statement, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.ListStatements(ctx, by.UserID, after, limit)
}

// Record appends statements that the server itself makes or has checked, folds
// those that are new into progress, and asks for the certificate when they meet
// the course's criteria. It is part of the caller's transaction.
func (s *Service) Record(ctx context.Context, tx Store, sts ...Statement) error {
	_, err := s.record(ctx, tx, sts)
	return err
}

func (s *Service) record(ctx context.Context, tx Store, sts []Statement) (map[StatementID]bool, error) {
	fresh, err := tx.AppendStatements(ctx, sts)
	if err != nil {
		return nil, err
	}
	news := make([]Statement, 0, len(fresh))
	for _, st := range sts {
		if fresh[st.ID] {
			news = append(news, st)
		}
	}
	if len(news) == 0 {
		return fresh, nil
	}
	deltas, err := s.deltas(ctx, tx, news)
	if err != nil {
		return nil, err
	}
	rising, err := s.rising(ctx, tx, deltas)
	if err != nil {
		return nil, err
	}
	if err := tx.MergeProgress(ctx, deltas); err != nil {
		return nil, err
	}
	for _, id := range rising {
		if err := s.settle(ctx, tx, id); err != nil {
			return nil, fmt.Errorf("settle %s: %w", id, err)
		}
	}
	return fresh, nil
}

// deltas are what new statements, which are in the record already, add to progress. What an attempt at a quiz that draws
// adds depends on those before and after it.
func (s *Service) deltas(ctx context.Context, tx Store, news []Statement) ([]Progress, error) {
	f := newFolder(len(news))
	fresh := map[StatementID]bool{}
	drawn := map[folded]bool{}
	for _, st := range news {
		if st.Result.Attempt == 0 {
			f.add(st)
			continue
		}
		fresh[st.ID] = true
		drawn[folded{st.EnrollmentID, st.ObjectID}] = true
	}
	for k := range drawn {
		then, now := newFolder(0), newFolder(0)
		err := tx.EachAnswer(ctx, k.e, k.o, func(st Statement) error {
			if now.add(st); !fresh[st.ID] {
				then.add(st)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		d := counted(now.drawn[k])
		d.Attempts -= counted(then.drawn[k]).Attempts
		f.merge(d)
	}
	return f.progress(), nil
}

// rising tells which enrollments come nearer to their criteria by deltas, which are
// sorted by enrollment. Most batches repeat what is done already and need no look at the whole: what was
// completed before is committed, and the transaction that did it has looked.
func (s *Service) rising(ctx context.Context, tx Store, deltas []Progress) ([]EnrollmentID, error) {
	var out []EnrollmentID
	for len(deltas) > 0 {
		id := deltas[0].EnrollmentID
		n := slices.IndexFunc(deltas, func(d Progress) bool { return d.EnrollmentID != id })
		if n < 0 {
			n = len(deltas)
		}
		mine := deltas[:n]
		deltas = deltas[n:]
		if !slices.ContainsFunc(mine, func(d Progress) bool { return d.Completed || d.Score != nil }) {
			continue
		}
		ps, err := tx.ListProgress(ctx, id)
		if err != nil {
			return nil, err
		}
		before := make(map[curriculum.ContentID]Progress, len(ps))
		for _, p := range ps {
			before[p.ObjectID] = p
		}
		if slices.ContainsFunc(mine, func(d Progress) bool {
			b := before[d.ObjectID]
			return d.Completed && !b.Completed || d.Score != nil && (b.Score == nil || *d.Score > *b.Score)
		}) {
			out = append(out, id)
		}
	}
	return out, nil
}

// settle finishes the course when its criteria are met for the first time.
func (s *Service) settle(ctx context.Context, tx Store, id EnrollmentID) error {
	// Two transactions that each bring one of the last two missing pieces would not see each other's;
	// but who appends has locked the learner.
	e, err := tx.FindEnrollment(ctx, id)
	if err != nil {
		return err
	}
	v, err := s.Courses.FindVersion(ctx, e.VersionID)
	if err != nil {
		return err
	}
	ps, err := tx.ListProgress(ctx, id)
	if err != nil {
		return err
	}
	course := curriculum.ContentID(e.CourseID)
	for _, p := range ps {
		if p.ObjectID == course && p.Completed {
			return s.tell(ctx, tx, e)
		}
	}
	if !Met(&v.Manifest, ps) {
		return s.tell(ctx, tx, e)
	}
	now := s.Now()
	st := Statement{
		ID: StatementID(s.NewID()), EnrollmentID: id, UserID: e.UserID, InstitutionID: e.InstitutionID,
		Verb: Completed, ObjectID: course, At: now, ReceivedAt: now,
	}
	if _, err := tx.AppendStatements(ctx, []Statement{st}); err != nil {
		return err
	}
	if err := tx.MergeProgress(ctx, Fold([]Statement{st})); err != nil {
		return err
	}
	j, err := job.New(job.ID(s.NewID()), CompletedKind, CompletedPayload{EnrollmentID: id})
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, j)
}

// tell asks for the job of those who want to hear of progress that does not finish a course.
func (s *Service) tell(ctx context.Context, tx Store, e Enrollment) error {
	watched, err := tx.Watched(ctx, e.InstitutionID, e.CourseID)
	if err != nil || !watched {
		return err
	}
	j, err := job.New(job.ID(s.NewID()), ProgressedKind, CompletedPayload{EnrollmentID: e.ID})
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, j)
}

// Rebuild derives all progress anew from statements and gives the number of
// enrollments done. For the operator's subcommand.
func (s *Service) Rebuild(ctx context.Context, by identity.Actor, done func(n int)) (int, error) {
	if !by.Operates() {
		return 0, fault.New(fault.Denied, "progress.rebuild_denied")
	}
	n := 0
	err := s.Store.EachEnrollment(ctx, func(e Enrollment) error {
		err := s.Store.InTx(ctx, func(tx Store) error {
			// Statements that arrive meanwhile wait, so that none is folded twice or missed.
			if err := tx.LockEnrollment(ctx, e.ID); err != nil {
				return err
			}
			return s.refold(ctx, tx, e.ID)
		})
		if err != nil {
			return fmt.Errorf("rebuild %s: %w", e.ID, err)
		}
		n++
		if done != nil {
			done(n)
		}
		return nil
	})
	return n, err
}

// refold derives the progress of an enrollment anew. Its learner is locked.
func (s *Service) refold(ctx context.Context, tx Store, id EnrollmentID) error {
	f := newFolder(0)
	if err := tx.EachStatement(ctx, id, func(st Statement) error { f.add(st); return nil }); err != nil {
		return err
	}
	return tx.ReplaceProgress(ctx, id, f.progress())
}

// Revise appends verdicts that take the place of earlier ones, and derives the progress of their enrollments anew,
// since they may take something back. What was completed stays so: a course once finished is not taken back, nor
// its certificate. It is part of the caller's transaction.
func (s *Service) Revise(ctx context.Context, tx Store, sts ...Statement) error {
	if _, err := s.record(ctx, tx, sts); err != nil {
		return err
	}
	var ids []EnrollmentID
	for _, st := range sts {
		ids = append(ids, st.EnrollmentID)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if err := s.refold(ctx, tx, id); err != nil {
			return fmt.Errorf("derive the progress of %s anew: %w", id, err)
		}
	}
	return nil
}
