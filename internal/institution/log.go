package institution

import (
	"context"
	"fmt"
	"io"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Log is what institution needs of the audit logs to show them.
type Log interface {
	// Head gives the end of a chain, the zero Head for an empty one.
	Head(ctx context.Context, in string) (audit.Head, error)
	// List lists entries in order, those with numbers above after.
	List(ctx context.Context, in string, after int64, limit int) ([]audit.Entry, error)
	// ListBack lists entries from the newest to the oldest, those with numbers below before; 0 is the end.
	ListBack(ctx context.Context, in string, before int64, limit int) ([]audit.Entry, error)
}

// ListAudit lists what was done in the institution, newest first, those with numbers below before (0: from the newest), and tells the head of
// the chain. For its admins and the operator.
func (s *Service) ListAudit(ctx context.Context, by identity.Actor, in identity.InstitutionID, before int64, limit int) ([]audit.Entry, audit.Head, error) {
	if err := s.mayAudit(ctx, by, in); err != nil {
		return nil, audit.Head{}, err
	}
	// The head first: what comes in between is on nobody's page yet.
	head, err := s.Log.Head(ctx, string(in))
	if err != nil {
		return nil, audit.Head{}, err
	}
	list, err := s.Log.ListBack(ctx, string(in), before, limit)
	return list, head, err
}

// OpenAudit gives the whole audit log as an export (see package audit), from the oldest entry to the newest. For its admins and the operator.
// Who opens it closes it.
func (s *Service) OpenAudit(ctx context.Context, by identity.Actor, in identity.InstitutionID) (io.ReadCloser, error) {
	if err := s.mayAudit(ctx, by, in); err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(WriteAudit(ctx, s.Log, string(in), w)) }() // never fails
	return r, nil
}

func (s *Service) mayAudit(ctx context.Context, by identity.Actor, in identity.InstitutionID) error {
	if !mayAdminister(by, in) {
		return fault.New(fault.Denied, "audit.denied")
	}
	_, err := s.Store.FindInstitution(ctx, in)
	return err
}

// auditPage is how many entries are read at once.
const auditPage = 500

// WriteAudit writes a whole chain as an export.
func WriteAudit(ctx context.Context, log Log, in string, w io.Writer) error {
	return eachAudit(ctx, log, in, func(e audit.Entry) error {
		_, err := w.Write(append(e.Line(), '\n'))
		return err
	})
}

// VerifyAudit checks a stored chain, and that it ends where the head beside it says. Want is a head that was kept elsewhere, zero for none.
func VerifyAudit(ctx context.Context, log Log, in string, want audit.Head) (audit.Head, []audit.Finding, error) {
	stored, err := log.Head(ctx, in)
	if err != nil {
		return audit.Head{}, nil, err
	}
	given := want.N > 0
	if !given {
		want = stored
	}
	v := audit.Verifier{Want: want}
	err = eachAudit(ctx, log, in, func(e audit.Entry) error {
		v.Add(e)
		return nil
	})
	if err != nil {
		return audit.Head{}, nil, err
	}
	head, found := v.Done()
	if given && stored.N > max(head.N, want.N) { // the end was cut off, and want is older than that
		found = append(found, audit.Finding{N: stored.N, Line: head.N + 1, Flaw: audit.Short})
	}
	return head, found, nil
}

func eachAudit(ctx context.Context, log Log, in string, do func(audit.Entry) error) error {
	for after := int64(0); ; {
		page, err := log.List(ctx, in, after, auditPage)
		if err != nil {
			return fmt.Errorf("read the audit log of %s: %w", in, err)
		}
		for _, e := range page {
			if err := do(e); err != nil {
				return err
			}
		}
		if len(page) < auditPage {
			return nil
		}
		after = page[len(page)-1].N
	}
}
