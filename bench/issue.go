package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

// What issuing may cost.
const (
	manyAwards = 10_000
	issueGoal  = 150 // 1/s on one core
	listGoal   = 50  // ms
)

const benchCourse curriculum.CourseID = "ai-in-daily-life"

// office is what issues in this process, over a SQLite file of its own.
type office struct {
	db         *store.DB
	in         institution.Institution
	version    curriculum.Version
	staff      identity.UserID
	lists      *statuslist.Service
	credential *credential.Service
	issuing    *issuing.Service
}

func benchID() string { return uuid.Must(uuid.NewV7()).String() }

func benchNow() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

type holders struct{ *store.Identity }

func (h holders) name(ctx context.Context, id identity.UserID) (string, bool, error) {
	u, err := h.FindUser(ctx, id)
	return u.DisplayName, true, err
}

type schools struct{ *store.Institution }

func (s schools) Find(ctx context.Context, id identity.InstitutionID) (institution.Institution, error) {
	return s.FindInstitution(ctx, id)
}

func (s schools) FindBySlug(ctx context.Context, slug string) (institution.Institution, error) {
	return s.FindInstitutionBySlug(ctx, slug)
}

func (s schools) FindByDomain(ctx context.Context, domain string) (institution.Institution, error) {
	return s.FindInstitutionByDomain(ctx, domain)
}

type noWords struct{}

func (noWords) T(_, key string, _ map[string]any) string { return key }

// openOffice opens a migrated database with the demo's school and course in it.
func openOffice(ctx context.Context, path, url string, sealer signing.Sealer) (*office, error) {
	db, err := store.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	o := &office{db: db}
	if o.in, err = db.Institution().FindInstitutionBySlug(ctx, "banyan-demo"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if o.version, err = db.Curriculum().FindLatest(ctx, benchCourse); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	keys := &keyring.Service{
		Store: db.Keyring(), Institutions: schools{db.Institution()}, Sealer: sealer, PublicURL: url, Now: benchNow, NewID: benchID, Random: rand.Reader,
	}
	o.lists = &statuslist.Service{Store: db.StatusLists(), Keys: keys, Now: benchNow, NewID: benchID, Random: rand.Reader}
	o.credential = &credential.Service{
		Store: db.Credential(), Enrollments: db.Learning(), Courses: db.Curriculum(), People: db.Identity(), Institutions: schools{db.Institution()},
		Words: noWords{}, Keys: keys, Lists: o.lists, Now: benchNow, NewID: benchID,
	}
	o.issuing = &issuing.Service{
		Store: db.Issuing(), Learning: db.Learning(), Courses: db.Curriculum(), People: db.Identity(), Press: o.credential,
		HolderName: holders{db.Identity()}.name, Now: benchNow, NewID: benchID,
	}
	u := identity.User{ID: identity.UserID(benchID()), DisplayName: "Bench", CreatedAt: benchNow()}
	u.Username = "bench-" + string(u.ID)[24:]
	o.staff = u.ID
	if err := db.Identity().CreateUser(ctx, u, "x", nil); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// earn makes awards of learners who each finished the course, in a state.
func (o *office) earn(ctx context.Context, n int, state issuing.AwardState, criteria issuing.CriteriaID) ([]issuing.AwardID, error) {
	out := make([]issuing.AwardID, n)
	for i := range n {
		u := identity.User{ID: identity.UserID(benchID()), DisplayName: fmt.Sprintf("Amina Diallo %d", i), Locale: "ar", CreatedAt: benchNow()}
		u.Username = "b" + string(u.ID)[24:] + fmt.Sprint(i)
		if err := o.db.Identity().CreateUser(ctx, u, "x", nil); err != nil {
			return nil, err
		}
		e := learning.Enrollment{
			ID: learning.EnrollmentID(benchID()), UserID: u.ID, InstitutionID: o.in.ID, CourseID: o.version.CourseID, VersionID: o.version.ID, CreatedAt: benchNow(),
		}
		if err := o.db.Learning().CreateEnrollment(ctx, e); err != nil {
			return nil, err
		}
		out[i] = issuing.AwardID(benchID())
		err := o.db.Issuing().CreateAward(ctx, issuing.Award{
			ID: out[i], EnrollmentID: e.ID, UserID: u.ID, InstitutionID: o.in.ID, CourseID: o.version.CourseID, VersionID: o.version.ID, CriteriaID: criteria,
			State: state, AIHelp: credential.Undeclared, Assessment: credential.Unsupervised, Revision: 1, CreatedAt: benchNow(), ChangedAt: benchNow(),
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// issues measures issuing with all that belongs to it, a batch whose process is killed twice, and a status list.
func issues(ctx context.Context, b *bench) ([]Figure, error) {
	data := filepath.Join(b.dir, "issue")
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{"BANYAN_LISTEN": address, "BANYAN_DATA_DIR": data, "BANYAN_RUNTIME_DIR": b.runtimeDir}
	begin := func() (*server, error) {
		return startServer(ctx, b.command(settings, "serve", "--demo", "--examples"), address, "/api/health", filepath.Join(b.dir, "issue.log"))
	}
	s, err := begin()
	if err != nil {
		return nil, err
	}
	if err := s.stop(); err != nil {
		return nil, err
	}
	sealer, err := signing.OpenFile(filepath.Join(data, "master.key"))
	if err != nil {
		return nil, err
	}
	o, err := openOffice(ctx, filepath.Join(data, "banyan.db"), "http://"+address, sealer)
	if err != nil {
		return nil, err
	}
	defer o.db.Close()
	one, err := o.alone(ctx)
	if err != nil {
		return nil, err
	}
	list, err := o.list(ctx)
	if err != nil {
		return nil, err
	}
	batch, err := o.batch(ctx, begin)
	return append([]Figure{one, list}, batch...), err
}

func bounded(f Figure, goal float64, least bool) Figure {
	met, of := f.Value <= goal, "value, at most"
	if least {
		met, of = f.Value >= goal, "value, at least"
	}
	f.Goal, f.Met, f.GoalOf = &goal, &met, of
	return f
}

// alone issues in this process, one job of 25 after the other.
func (o *office) alone(ctx context.Context) (Figure, error) {
	const jobs, each = 16, 25
	ids, err := o.earn(ctx, jobs*each, issuing.Ready, "")
	if err != nil {
		return Figure{}, err
	}
	var used time.Duration
	for i := range jobs {
		j, err := job.New(job.ID(benchID()), issuing.IssueKind, map[string]any{"awards": ids[i*each : (i+1)*each]})
		if err != nil {
			return Figure{}, err
		}
		if err := o.db.Issuing().Enqueue(ctx, j); err != nil {
			return Figure{}, err
		}
		began, err := ownCPU()
		if err != nil {
			return Figure{}, err
		}
		if err := o.issuing.Issue(ctx, j); err != nil {
			return Figure{}, err
		}
		now, err := ownCPU()
		if err != nil {
			return Figure{}, err
		}
		used += now - began
	}
	return bounded(Figure{
		Name: "credential-issue", Value: jobs * each / used.Seconds(), Unit: "1/s",
		How: "Certificates issued for a second of processor time: looked up, signed twice (rdfc, jcs), a place in both status lists, stored with award and audit log in SQLite, 25 a job.",
	}, issueGoal, true), nil
}

// ownCPU is the processor time that this process has used.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// list builds and signs a list in which a certificate was revoked since the last time.
func (o *office) list(ctx context.Context) (Figure, error) {
	lists, err := o.db.Credential().ListInstitutionCredentials(ctx, o.in.ID, credential.Filter{}, "", 200)
	if err != nil || len(lists) == 0 {
		return Figure{}, errors.Join(err, errors.New("nothing was issued"))
	}
	by := identity.Actor{UserID: o.staff, Memberships: []identity.Membership{{InstitutionID: o.in.ID, Role: identity.Issuer}}}
	var best time.Duration
	for _, c := range lists[:20] {
		if err := o.credential.Revoke(ctx, by, c.ID, "bench"); err != nil {
			return Figure{}, err
		}
		began := time.Now()
		if _, err := o.lists.Document(ctx, c.StatusListID); err != nil {
			return Figure{}, err
		}
		if d := time.Since(began); best == 0 || d < best {
			best = d
		}
	}
	return bounded(Figure{
		Name: "status-list", Value: float64(best.Microseconds()) / 1000, Unit: "ms",
		How: "A status list of 131,072 places after a change: its bits read from SQLite, packed, signed twice. The best of 20.",
	}, listGoal, false), nil
}

// batch approves 10,000 awards in one act; the program that does the work is killed twice.
func (o *office) batch(ctx context.Context, begin func() (*server, error)) (_ []Figure, err error) {
	c := issuing.Criteria{
		ID: issuing.CriteriaID(benchID()), InstitutionID: o.in.ID, CourseID: o.version.CourseID, Number: 1,
		Terms: issuing.Terms{Approval: true, Assessment: credential.Supervised}, CreatedAt: benchNow(),
	}
	if err := o.db.Issuing().CreateCriteria(ctx, c); err != nil {
		return nil, err
	}
	if _, err := o.earn(ctx, manyAwards, issuing.Waiting, c.ID); err != nil {
		return nil, err
	}
	before, err := o.count(ctx)
	if err != nil {
		return nil, err
	}
	by := identity.Actor{UserID: o.staff, Memberships: []identity.Membership{{InstitutionID: o.in.ID, Role: identity.Issuer}}}
	s, err := begin()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	began := time.Now()
	b, _, err := o.issuing.StartBatch(ctx, by, o.in.ID, issuing.NewBatch{ID: issuing.BatchID(benchID()), Assessment: credential.Supervised})
	if err != nil {
		return nil, err
	}
	kills := []int{manyAwards / 4, manyAwards / 2}
	for !b.Done() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("a batch at %d of %d: %w", b.Issued, b.Total, err)
		}
		time.Sleep(50 * time.Millisecond)
		if b, err = o.db.Issuing().FindBatch(ctx, b.ID); err != nil {
			return nil, err
		}
		if len(kills) > 0 && b.Issued >= kills[0] {
			kills = kills[1:]
			if err := s.kill(); err != nil {
				return nil, err
			}
			if s, err = begin(); err != nil {
				return nil, err
			}
		}
	}
	took := time.Since(began)
	after, err := o.count(ctx)
	if err != nil {
		return nil, err
	}
	return []Figure{
		bounded(Figure{
			Name: "batch-issued", Value: float64(b.Issued), Unit: "certificates",
			How: "Of a batch of 10,000 awards, while the embedded program is killed (SIGKILL) twice.",
		}, manyAwards, true),
		bounded(Figure{
			Name: "batch-surplus", Value: float64(after - before - b.Issued), Unit: "certificates",
			How: "Certificates of the same batch beyond one an award.",
		}, 0, false),
		{
			Name: "batch-rate", Value: float64(b.Issued) / took.Seconds(), Unit: "1/s",
			How: fmt.Sprintf("The same batch from the request to the last signature, both restarts included: %.0f s.", took.Seconds()),
		},
	}, nil
}

// count walks through everything that was issued.
func (o *office) count(ctx context.Context) (int, error) {
	n := 0
	var after credential.ID
	for {
		page, err := o.db.Credential().ListInstitutionCredentials(ctx, o.in.ID, credential.Filter{}, after, 500)
		if err != nil {
			return 0, err
		}
		if n += len(page); len(page) < 500 {
			return n, nil
		}
		after = page[len(page)-1].ID
	}
}
