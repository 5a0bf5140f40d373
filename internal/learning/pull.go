package learning

import (
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// MaxPage is how many statements a page of Pull holds at most.
const MaxPage = 500

// Page is what has arrived after a cursor.
type Page struct {
	Statements  []Statement
	Enrollments []Enrollment // all of the learner's, when they are others than at the cursor; else none
	Cursor      string
	More        bool
	// Reset says that the cursor is none of ours, as after a restore from a backup: the page is the first of all.
	Reset bool
	At    time.Time
}

// Pull gives the actor's own statements after a cursor, by arrival, and the enrollments when they have changed. The
// empty cursor is the beginning. Nothing that was stored before an answered page is ever
// missing in it: statements of a learner become visible in the order of their arrivals.
func (s *Service) Pull(ctx context.Context, by identity.Actor, after string, limit int) (Page, error) {
	if by.UserID == "" {
		return Page{}, fault.New(fault.Unauthenticated, "session.required")
	}
	p := Page{At: s.Now(), Statements: []Statement{}, Enrollments: []Enrollment{}}
	var from cursor
	if after != "" {
		var err error
		from, err = s.find(ctx, by.UserID, after)
		switch {
		case fault.Is(err, fault.NotFound):
			from, p.Reset = cursor{}, true
		case err != nil:
			return Page{}, err
		}
	}
	var err error
	if p.Statements, err = s.Store.ListStatements(ctx, by.UserID, from.arrival, min(limit, MaxPage)); err != nil {
		return Page{}, err
	}
	newest, err := s.Store.CountArrived(ctx, by.UserID)
	if err != nil {
		return Page{}, err
	}
	es, err := s.allEnrollments(ctx, by.UserID)
	if err != nil {
		return Page{}, err
	}
	to := from
	if n := len(p.Statements); n > 0 {
		to = cursorAt(p.Statements[n-1])
	}
	to.enrollments = digestOf(es)
	if to.enrollments != from.enrollments {
		p.Enrollments = es
	}
	p.Cursor, p.More = to.String(), to.arrival < newest
	return p, nil
}

func (s *Service) allEnrollments(ctx context.Context, user identity.UserID) ([]Enrollment, error) {
	all := []Enrollment{}
	for after := EnrollmentID(""); ; {
		es, err := s.Store.ListEnrollments(ctx, user, after, MaxPage)
		if err != nil {
			return nil, err
		}
		all = append(all, es...)
		if len(es) < MaxPage {
			return all, nil
		}
		after = es[len(es)-1].ID
	}
}

// cursor is how far a device has read. That the last statement arrived at this very moment tells this line of events from
// another: a server that was restored from a backup gives the same arrivals once more, to other statements or at another time.
type cursor struct {
	arrival     int64
	mark        uint64 // of the statement at arrival
	enrollments uint64 // digest of which there are
}

func cursorAt(st Statement) cursor {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %d", st.ID, st.ReceivedAt.UnixMicro())
	return cursor{arrival: st.Arrival, mark: h.Sum64()}
}

func digestOf(es []Enrollment) uint64 {
	h := fnv.New64a()
	for _, e := range es {
		_, _ = fmt.Fprintf(h, "%s %s\n", e.ID, e.VersionID)
	}
	return h.Sum64()
}

// String wraps a cursor, so that nobody builds on its form.
func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%x.%x", c.arrival, c.mark, c.enrollments))
}

func parseCursor(text string) (c cursor, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) > 64 {
		return cursor{}, false
	}
	n, err := fmt.Sscanf(string(raw), "%d.%x.%x", &c.arrival, &c.mark, &c.enrollments)
	return c, err == nil && n == 3 && c.arrival >= 0 && c.String() == text
}

// cursor gives the newest there is.
func (s *Service) cursor(ctx context.Context, user identity.UserID) (cursor, error) {
	newest, err := s.Store.CountArrived(ctx, user)
	if err != nil {
		return cursor{}, err
	}
	es, err := s.allEnrollments(ctx, user)
	if err != nil {
		return cursor{}, err
	}
	var c cursor
	if newest > 0 {
		st, err := s.Store.FindArrived(ctx, user, newest)
		if err != nil {
			return cursor{}, err
		}
		c = cursorAt(st)
	}
	c.enrollments = digestOf(es)
	return c, nil
}

// find reads a cursor that a device has sent. One that this server does not know is fault.NotFound.
func (s *Service) find(ctx context.Context, user identity.UserID, text string) (cursor, error) {
	c, ok := parseCursor(text)
	if !ok {
		return cursor{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "#query/after", Key: "request.bad_cursor"})
	}
	if c.arrival == 0 {
		return c, nil
	}
	st, err := s.Store.FindArrived(ctx, user, c.arrival)
	if err != nil {
		return cursor{}, err
	}
	if cursorAt(st).mark != c.mark {
		return cursor{}, fault.New(fault.NotFound, "request.not_found")
	}
	return c, nil
}
