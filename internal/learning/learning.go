// Package learning keeps what a learner did, as statements, and derives how far they are.
package learning

import (
	"context"
	"encoding/json"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// EnrollmentID, StatementID and DeviceID are UUIDv7.
type (
	EnrollmentID string
	StatementID  string
	DeviceID     string
)

// Enrollment is a learner in a course version. The version is pinned.
type Enrollment struct {
	ID            EnrollmentID
	UserID        identity.UserID
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID
	VersionID     curriculum.VersionID
	CreatedAt     time.Time
}

// Verb is what happened.
type Verb string

// The verbs. A client may state Started, Completed and Answered; the others
// are the server's own.
const (
	Started   Verb = "started"   // lesson, quiz or lab opened
	Completed Verb = "completed" // lesson read to its end; the course, when its criteria are met
	Answered  Verb = "answered"  // a whole quiz, with its responses
	Submitted Verb = "submitted" // lab handed in
	Passed    Verb = "passed"    // verdict on a lab
	Failed    Verb = "failed"    // verdict on a lab that counts as an attempt but does not pass
)

// Statement is one thing that happened. It never changes.
type Statement struct {
	ID            StatementID
	EnrollmentID  EnrollmentID
	UserID        identity.UserID
	InstitutionID identity.InstitutionID
	Verb          Verb
	ObjectID      curriculum.ContentID // the course's own id for Completed of a course
	Result        Result
	At            time.Time // the device's clock: shown to people, never used to order
	ReceivedAt    time.Time
	// Arrival is the how-manieth of its learner's it is, from 1 and without gaps, in the order in which
	// they were stored. The store gives it.
	Arrival int64
	Stamp
}

// Stamp is where a device has put a statement: the sequences of an epoch run from 1 without gaps. A device that was restored from
// a backup, or cloned, uses sequences again; a new epoch keeps its two lives apart. The zero Stamp is
// that of statements that no device has stamped: the server's own, and those of older clients.
type Stamp struct {
	Device   DeviceID
	Epoch    int
	Sequence int
}

// Epoch is how far the server knows one epoch of a device.
type Epoch struct {
	Number  int
	Known   int // every sequence up to here has been answered
	Highest int // and none after this one
}

// Receipt says that a sequence has been answered although no statement is kept under it: it was
// rejected, or it repeats one that is kept elsewhere.
type Receipt struct {
	Stamp
	ID StatementID // "" when what came had no good one
}

// Kept is what the store knows of a statement's id.
type Kept struct {
	UserID identity.UserID
	Stamp
}

// Result is what a statement carries. Score and Success are always the server's.
type Result struct {
	Responses    map[string]json.RawMessage `json:"responses,omitempty"` // Answered: by question id, see quiz.Type
	Attempt      int                        `json:"attempt,omitempty"`   // Answered: which draw it was, from 1; 0 for a quiz that draws nothing
	Score        *float64                   `json:"score,omitempty"`     // 0 to 1
	Success      *bool                      `json:"success,omitempty"`
	SubmissionID string                     `json:"submission_id,omitempty"`
	// Revision orders the verdicts on one submission: 0 is the first, and a later one takes the place of those
	// before it. All of them stay in the record.
	Revision int `json:"revision,omitempty"`
	// AfterRevocation: it came in exported work of a device that had been revoked by then.
	AfterRevocation bool `json:"after_revocation,omitempty"`
}

// Progress is how far a learner is with one object. It is a fold of statements
// that does not depend on their order: booleans only turn true, scores only
// rise, counts count distinct statements. Of the verdicts on one submission the last revision alone
// tells; so what a lab was graded again with may take back what the verdict before it gave. An attempt at a
// quiz that draws its questions counts once every attempt before it is there too, whatever the order in which they come.
type Progress struct {
	EnrollmentID EnrollmentID
	ObjectID     curriculum.ContentID
	Started      bool
	Completed    bool // lesson read; quiz or lab passed; course finished
	Score        *float64
	Attempts     int // answers to a quiz that count; counted verdicts on a lab
	UpdatedAt    time.Time
}

// Store is what learning needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	CreateEnrollment(ctx context.Context, e Enrollment) error // fault.Conflict enrollment.exists
	FindEnrollment(ctx context.Context, id EnrollmentID) (Enrollment, error)
	FindEnrollments(ctx context.Context, ids []EnrollmentID) ([]Enrollment, error)
	FindEnrollmentIn(ctx context.Context, user identity.UserID, course curriculum.CourseID) (Enrollment, error)
	ListEnrollments(ctx context.Context, user identity.UserID, after EnrollmentID, limit int) ([]Enrollment, error)
	ListInstitutionEnrollments(ctx context.Context, in identity.InstitutionID, after EnrollmentID, limit int) ([]Enrollment, error)
	EachEnrollment(ctx context.Context, fn func(Enrollment) error) error
	// LockLearners makes transactions of the same learners wait for each other: appending statements and deriving progress
	// anew begin with it. Who locks several locks them in one call, or two may wait for each other.
	LockLearners(ctx context.Context, users ...identity.UserID) error
	// LockEnrollment locks the learner of an enrollment.
	LockEnrollment(ctx context.Context, id EnrollmentID) error
	// EachAnswer gives what was answered to a quiz, in the order of ids.
	EachAnswer(ctx context.Context, id EnrollmentID, quiz curriculum.ContentID, fn func(Statement) error) error
	// AppendStatements inserts those whose id is new, in the order in which they are given, and tells which these are. It
	// locks their learners.
	AppendStatements(ctx context.Context, sts []Statement) (fresh map[StatementID]bool, err error)
	// FindKept tells what is known of those ids that are known.
	FindKept(ctx context.Context, ids []StatementID) (map[StatementID]Kept, error)
	// ListStatements gives a learner's by arrival. A page of very long ones is cut short, but never empty while there are more.
	ListStatements(ctx context.Context, user identity.UserID, after int64, limit int) ([]Statement, error)
	// CountArrived tells how many statements of a learner there are: the newest arrival.
	CountArrived(ctx context.Context, user identity.UserID) (int64, error)
	// FindArrived gives one by its arrival, without its result.
	FindArrived(ctx context.Context, user identity.UserID, arrival int64) (Statement, error)
	// FindEpoch gives an epoch of a learner's device, zero but for its number when it is new, and the number of the device's last.
	FindEpoch(ctx context.Context, user identity.UserID, device DeviceID, number int) (e Epoch, last int, err error)
	KeepEpoch(ctx context.Context, user identity.UserID, device DeviceID, e Epoch) error
	// ListTaken tells which of some sequences of an epoch are taken, and by what.
	ListTaken(ctx context.Context, user identity.UserID, device DeviceID, epoch int, sequences []int) (map[int]StatementID, error)
	// ListSequences gives the sequences of an epoch that are taken, after one, in order.
	ListSequences(ctx context.Context, user identity.UserID, device DeviceID, epoch, after, limit int) ([]int, error)
	// AddReceipts adds those whose sequence has none.
	AddReceipts(ctx context.Context, user identity.UserID, rs []Receipt) error
	// FindReceipts gives the last receipts that a device has for these ids.
	FindReceipts(ctx context.Context, user identity.UserID, device DeviceID, ids []StatementID) (map[StatementID]Stamp, error)
	EachStatement(ctx context.Context, id EnrollmentID, fn func(Statement) error) error
	// MergeProgress folds deltas into the stored rows.
	MergeProgress(ctx context.Context, ps []Progress) error
	ReplaceProgress(ctx context.Context, id EnrollmentID, ps []Progress) error
	ListProgress(ctx context.Context, id EnrollmentID) ([]Progress, error)
	// ListProgressOf gives the progress of several enrollments in one query.
	ListProgressOf(ctx context.Context, ids []EnrollmentID) (map[EnrollmentID][]Progress, error)
	Enqueue(ctx context.Context, j job.Job) error
	// Watched tells whether somebody wants to hear each time that a learner of an institution comes nearer to the end of a course.
	Watched(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (bool, error)
}

// CompletedKind is the job that a finished course causes; its payload is a CompletedPayload.
const CompletedKind job.Kind = "course.completed"

// ProgressedKind is the job that is caused when an enrollment comes nearer to its end while Watched; its payload is a CompletedPayload.
const ProgressedKind job.Kind = "course.progressed"

// CompletedPayload names the enrollment that met its course's criteria.
type CompletedPayload struct {
	EnrollmentID EnrollmentID `json:"enrollment_id"`
}
