// Package trust knows whose word counts here.
package trust

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Trusted says that the operator, or an institution, trusts a publisher.
type Trusted struct {
	publisher.Bearer
	InstitutionID identity.InstitutionID // "" is the operator
	CreatedAt     time.Time
}

// Store is what trust needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// Audit appends an entry to the institution's audit log, and gives it its place there. Within InTx it is part of the
	// transaction; call it last, because other appenders of the institution wait until that ends.
	Audit(ctx context.Context, e audit.Entry) error

	// AddTrusted inserts, and leaves alone whom the same truster trusts by that name: only one bears it for them.
	AddTrusted(ctx context.Context, t Trusted) error
	RemoveTrusted(ctx context.Context, publisher string, in identity.InstitutionID) error
	// ListTrusted lists whom the operator (nothing named) or any of the institutions trusts, by publisher.
	ListTrusted(ctx context.Context, in ...identity.InstitutionID) ([]Trusted, error)
	IsTrusted(ctx context.Context, b publisher.Bearer) (bool, error) // by the operator or any institution

	// AddDocument and FindDocument are those of publisher.Store.
	AddDocument(ctx context.Context, d publisher.Document) (added bool, err error)
	FindDocument(ctx context.Context, b publisher.Bearer, kind publisher.DocumentKind, name string, serial int) (publisher.Document, error)
	// NewestTime is the latest time at which a stored document was signed, the zero time when there is none.
	NewestTime(ctx context.Context, b publisher.Bearer) (time.Time, error)
}

// Service is the door to whom is trusted.
type Service struct {
	Store     Store
	Publisher *publisher.Service // who signs here
	Open      bundle.Opener      // gives the blobs that words name
	Packs     *packing.Packer
	Now       func() time.Time
}

// Publishers lists whom a reader may trust: the institutions that publish here, whom the operator trusts, and whom an institution of the reader
// trusts. Anyone may ask.
func (s *Service) Publishers(ctx context.Context, by identity.Actor) ([]publisher.Stated, error) {
	own, err := s.Publisher.ListOwn(ctx)
	if err != nil {
		return nil, err
	}
	var out []publisher.Stated
	seen := map[string]bool{}
	for _, b := range own {
		st, err := s.Publisher.State(ctx, b)
		if err != nil {
			return nil, err
		}
		st.Own, seen[b.Publisher] = true, true
		out = append(out, st)
	}
	rows, err := s.Store.ListTrusted(ctx)
	if err != nil {
		return nil, err
	}
	if len(by.Memberships) > 0 {
		var in []identity.InstitutionID
		for _, m := range by.Memberships {
			in = append(in, m.InstitutionID)
		}
		more, err := s.Store.ListTrusted(ctx, in...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	for _, r := range rows {
		if seen[r.Publisher] {
			continue
		}
		seen[r.Publisher] = true
		st, err := s.Publisher.State(ctx, r.Bearer)
		if err != nil {
			return nil, err
		}
		st.InstitutionID = r.InstitutionID
		out = append(out, st)
	}
	return out, nil
}

// ListTrusted lists whom an institution, or with "" the operator, trusts. For those who may change it.
func (s *Service) ListTrusted(ctx context.Context, by identity.Actor, in identity.InstitutionID) ([]publisher.Stated, error) {
	if err := publisher.May(by, in); err != nil {
		return nil, err
	}
	var ids []identity.InstitutionID
	if in != "" {
		ids = []identity.InstitutionID{in}
	}
	rows, err := s.Store.ListTrusted(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := []publisher.Stated{}
	for _, r := range rows {
		st, err := s.Publisher.State(ctx, r.Bearer)
		if err != nil {
			return nil, err
		}
		st.InstitutionID = r.InstitutionID
		out = append(out, st)
	}
	return out, nil
}

// Trust makes an institution, or with in "" the operator, trust a publisher by its documents from serial 1 on. What is known of it already must not
// contradict them. Twice is no error: it is how a longer chain is brought by hand. What others took for this publisher counts for them alone.
// fault.Conflict bundle.other_bearer: they trust somebody else by that name, and must take that back first.
func (s *Service) Trust(ctx context.Context, by identity.Actor, in identity.InstitutionID, documents ...[]byte) (publisher.Stated, error) {
	if err := publisher.May(by, in); err != nil {
		return publisher.Stated{}, err
	}
	c, err := bundle.ReadChain(documents...)
	if err != nil {
		return publisher.Stated{}, err
	}
	if c.ID() == "" {
		return publisher.Stated{}, bundle.Refuse("not_a_bundle", errors.New("no document of a publisher"))
	}
	known, err := s.Publisher.FindBearer(ctx, c)
	if err != nil {
		return publisher.Stated{}, err
	}
	if _, err := c.Join(known.Documents); err != nil {
		return publisher.Stated{}, err
	}
	err = s.Store.InTx(ctx, func(tx Store) error {
		if err := publisher.Learn(ctx, tx, known.Bearer, c); err != nil {
			return err
		}
		_, before, err := trusted(ctx, tx, in, c.ID())
		if err != nil {
			return err
		}
		if err := tx.AddTrusted(ctx, Trusted{Bearer: known.Bearer, InstitutionID: in, CreatedAt: s.Now().UTC()}); err != nil {
			return err
		}
		// Whoever was first stands.
		if now, _, err := trusted(ctx, tx, in, c.ID()); err != nil || now != known.Bearer {
			return cmp.Or(err, error(fault.New(fault.Conflict, "bundle.other_bearer").With("Publisher", c.ID())))
		}
		if before {
			return nil
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, s.Now(), audit.PublisherTrusted, map[string]any{"publisher": c.ID()}))
	})
	if err != nil {
		return publisher.Stated{}, err
	}
	st, err := s.Publisher.State(ctx, known.Bearer)
	st.InstitutionID = in
	return st, err
}

// Distrust takes trust back. Installed courses stay as they are, and later versions of that publisher are refused. Its documents are
// kept: who trusts it again must not fall back to older keys.
func (s *Service) Distrust(ctx context.Context, by identity.Actor, in identity.InstitutionID, id string) error {
	if err := publisher.May(by, in); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.RemoveTrusted(ctx, id, in); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, s.Now(), audit.PublisherDistrusted, map[string]any{"publisher": id}))
	})
}

// trusted gives whom an institution, or with "" the operator, trusts by a name; false for nobody.
func trusted(ctx context.Context, tx Store, in identity.InstitutionID, id string) (publisher.Bearer, bool, error) {
	var ids []identity.InstitutionID
	if in != "" {
		ids = append(ids, in)
	}
	rows, err := tx.ListTrusted(ctx, ids...)
	if i := slices.IndexFunc(rows, func(r Trusted) bool { return r.InstitutionID == in && r.Publisher == id }); i >= 0 {
		return rows[i].Bearer, true, err
	}
	return publisher.Bearer{}, false, err
}

// FindTrusted gives whom an institution, or with "" the operator, trusts by a name; false for nobody.
func (s *Service) FindTrusted(ctx context.Context, in identity.InstitutionID, id string) (publisher.Bearer, bool, error) {
	return trusted(ctx, s.Store, in, id)
}

// Known is what this server knows of who bears a name here: who signs here, whomever somebody trusts by it, else whom the operator trusts. The bearer
// is empty when that is nobody.
func (s *Service) Known(ctx context.Context, id string) (b publisher.Bearer, k intake.Known, err error) {
	own, err := s.Publisher.ListOwn(ctx)
	if err != nil {
		return publisher.Bearer{}, intake.Known{}, err
	}
	if i := slices.IndexFunc(own, func(b publisher.Bearer) bool { return b.Publisher == id }); i >= 0 {
		b = own[i]
	} else if b, _, err = trusted(ctx, s.Store, "", id); err != nil {
		return publisher.Bearer{}, intake.Known{}, err
	}
	if b.Publisher == "" {
		return publisher.Bearer{}, intake.Known{}, nil
	}
	if k.Chain, err = s.Publisher.Chain(ctx, b); err != nil {
		return publisher.Bearer{}, intake.Known{}, err
	}
	// Of this publisher alone: another one's clock may be years ahead.
	k.Newest, err = s.Store.NewestTime(ctx, b)
	return b, k, err
}
