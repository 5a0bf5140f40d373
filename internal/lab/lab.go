// Package lab takes in what learners hand in for a practical task, and keeps what grading says of it.
package lab

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// SubmissionID is a UUIDv7 made by the client.
type SubmissionID string

// Submission is what was handed in for a lab.
type Submission struct {
	ID            SubmissionID
	EnrollmentID  learning.EnrollmentID
	UserID        identity.UserID
	InstitutionID identity.InstitutionID
	LabID         curriculum.ContentID
	VersionID     curriculum.VersionID
	Files         map[string]string // source by file name
	Locale        string            // language for feedback that is stored
	CreatedAt     time.Time
}

// Outcome is what grading found.
type Outcome string

// The outcomes. The first four count as attempts; the others cost the learner nothing.
const (
	Passed        Outcome = "passed"
	Failed        Outcome = "failed"
	Partial       Outcome = "partial"
	LearnerError  Outcome = "learner_error"
	AuthorError   Outcome = "author_error"
	PlatformError Outcome = "platform_error"
)

// Counts tells whether an outcome counts as an attempt.
func (o Outcome) Counts() bool {
	return o == Passed || o == Failed || o == Partial || o == LearnerError
}

// Verdict is the outcome of grading one submission.
type Verdict struct {
	SubmissionID SubmissionID
	Revision     int // 1 for the first verdict on a submission; a later one is in force in its place
	Outcome      Outcome
	Attempt      int     // 1, 2, 3 …; 0 when the outcome does not count
	Score        float64 // share of the checks' points, 0 to 1
	Checks       []CheckResult
	Message      string // message key for learner_error and the faults of others, "" else
	Traceback    string // of the learner's own lines only
	FaultCheck   string // of an author_error: id of the check at fault, "" when unknown
	Fault        string // of an author_error: what the author can use; never for the learner
	Output       string // what the code printed, records of the module banyan included, cut at the limit
	Runtime      blob.Digest
	LabDigest    blob.Digest          // labdef.Lab.Digest of the lab graded against
	VersionID    curriculum.VersionID // the course version that this lab is of
	RegradeID    RegradeID            // "" for the first verdict
	WallMS       int64
	CPUMS        int64
	CreatedAt    time.Time
}

// RegradeID is a UUIDv7 of a regrade: a new version of a lab applied to what was handed in for an older one.
type RegradeID string

// CheckResult is the judgement of one check. Of a hidden check it shows only
// what its author reveals, and which builtin exception was raised.
type CheckResult struct {
	ID       string  `json:"id"`
	Passed   bool    `json:"passed"`
	Score    float64 `json:"score"`              // 0 to 1; 1 when passed
	Got      string  `json:"got,omitempty"`      // what came, as Python writes it; a metric's figure
	Expected string  `json:"expected,omitempty"` // what was wanted, of a failed check that reveals it
	Error    string  `json:"error,omitempty"`    // exception raised by the call; or a message key, lab.check_error.…
	Says     string  `json:"says,omitempty"`     // key of what the judge script says: curriculum.Check.Says
}

// Message keys of the verdicts that cost the learner nothing.
const (
	MessageAuthor   = "lab.message.author"   // the lab is at fault
	MessagePlatform = "lab.message.platform" // we are
)

// Grader is what lab needs of grading.
type Grader interface {
	// Grade runs a learner's files against a lab's checks and gives a verdict without submission, version, attempt and time.
	// An error is the platform's.
	Grade(ctx context.Context, l labdef.Lab, files map[string]string) (Verdict, error)
	// Runtime is the Python that it grades with.
	Runtime() blob.Digest
}

// Store is what lab needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// Audit appends an entry to the institution's audit log, and gives it its place there. Within InTx it is part of the
	// transaction; call it last, because other appenders of the institution wait until that ends.
	Audit(ctx context.Context, e audit.Entry) error
	// Learning is the learning store in the same transaction.
	Learning() learning.Store
	// CreateSubmission stores a new submission; for a known id it changes nothing and gives created false.
	CreateSubmission(ctx context.Context, s Submission) (created bool, err error)
	FindSubmission(ctx context.Context, id SubmissionID) (Submission, error)
	// ListSubmissions lists newest first; before is "" at first.
	ListSubmissions(ctx context.Context, e learning.EnrollmentID, lab curriculum.ContentID, before SubmissionID, limit int) ([]Submission, error)
	// FindVerdict gives the verdict in force, or fault.NotFound while there is none.
	FindVerdict(ctx context.Context, id SubmissionID) (Verdict, error)
	// ListVerdicts gives the verdicts in force.
	ListVerdicts(ctx context.Context, ids []SubmissionID) (map[SubmissionID]Verdict, error)
	// AppendVerdict stores the first one. A platform_error gives way to a later verdict, so that an operator
	// can have the work done again; any other second verdict for one submission is fault.Conflict.
	AppendVerdict(ctx context.Context, v Verdict) error
	// CountAttempts counts the submissions of an enrollment on a lab whose verdict in force counts as an attempt.
	CountAttempts(ctx context.Context, e learning.EnrollmentID, lab curriculum.ContentID) (int, error)
	// CountWaiting counts the jobs that somebody waits for, up to a limit.
	CountWaiting(ctx context.Context, user identity.UserID, limit int) (int, error)
	// Place tells how far in line a submission waits to be graded: 1 is next; 0 when it does not wait, but runs or has ended.
	// Beyond 1000 it is not counted.
	Place(ctx context.Context, id SubmissionID) (int, error)
	RegradeStore
	AlertStore
	// Enqueue asks for work in this transaction.
	Enqueue(ctx context.Context, j job.Job) error
	// FinishJob marks a job done; false means that it was done before.
	FinishJob(ctx context.Context, id job.ID) (bool, error)
}

// GradeKind is the job that a submission causes; its payload is a GradePayload.
const GradeKind job.Kind = "lab.grade"

// GradePayload names the submission to grade.
type GradePayload struct {
	SubmissionID SubmissionID `json:"submission_id"`
}
