package publisher

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// DocumentKind is what a stored document is.
type DocumentKind string

// The kinds: a serial of a publisher, its word on issuers, a root of a bundle that this server publishes.
const (
	PublisherDocument DocumentKind = "publisher"
	TrustDocument     DocumentKind = "trust"
	RootDocument      DocumentKind = "root"
)

// Bearer is one who bears a publisher's name. Anybody can write a first document under anybody's name: who wrote which is told apart by
// it, so that what one of them says is never taken for what another one says, and keeps it out no more than it replaces it.
type Bearer struct {
	Publisher string // the DID
	Chain     string // names the chain: the digest of its first document; "" of the one that a name had before chains were told apart
}

// Document is a signed document as it is stored.
type Document struct {
	Bearer
	Kind     DocumentKind
	Name     string // of a root the course
	Serial   int    // of a root the version's number, of a word on issuers 0
	Text     []byte
	SignedAt time.Time
}

// Kept is a chain as it is stored.
type Kept struct {
	Bearer
	Documents bundle.Chain
}

// Bearers reads the chains of all who bear a name here.
func (s *Service) Bearers(ctx context.Context, id string) ([]Kept, error) {
	if id == "" {
		return nil, nil
	}
	docs, err := s.Store.ListDocuments(ctx, id, PublisherDocument)
	if err != nil {
		return nil, err
	}
	var out []Kept
	for _, d := range docs {
		if len(out) == 0 || out[len(out)-1].Bearer != d.Bearer {
			out = append(out, Kept{Bearer: d.Bearer})
		}
		if err := out[len(out)-1].Documents.Add(d.Text); err != nil {
			return nil, fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("stored documents of %s: %w", id, err))
		}
	}
	return out, nil
}

// FindBearer finds who brings a chain among those who bear its name here; the chain is empty when nobody knows them yet.
func (s *Service) FindBearer(ctx context.Context, c bundle.Chain) (Kept, error) {
	all, err := s.Bearers(ctx, c.ID())
	if err != nil || len(c.Documents) == 0 {
		return Kept{}, err
	}
	for _, k := range all {
		if bytes.Equal(k.Documents.Documents[0].Text, c.Documents[0].Text) {
			return k, nil
		}
	}
	return Kept{Bearer: Bearer{c.ID(), string(c.Documents[0].Digest())}}, nil
}

// Chain reads the chain of a bearer, none when it is unknown.
func (s *Service) Chain(ctx context.Context, b Bearer) (bundle.Chain, error) {
	all, err := s.Bearers(ctx, b.Publisher)
	if err != nil {
		return bundle.Chain{}, err
	}
	for _, k := range all {
		if k.Bearer == b {
			return k.Documents, nil
		}
	}
	return bundle.Chain{}, nil
}

// ours finds the chain that an institution began for a name with keys of its own. Others may have written under the same name, even
// with its keys in their lists, but nobody else can have signed with them.
func (s *Service) ours(ctx context.Context, id string, keys []Key) (Kept, error) {
	all, err := s.Bearers(ctx, id)
	if err != nil {
		return Kept{}, err
	}
	for _, k := range all {
		for _, key := range keys {
			if key.Publisher == id && k.Documents.BegunBy(key.Multikey) {
				return k, nil
			}
		}
	}
	return Kept{Bearer: Bearer{Publisher: id}}, nil
}

// Adder is a store, or a transaction of one, that keeps documents.
type Adder interface {
	AddDocument(ctx context.Context, d Document) (added bool, err error)
}

// Learn keeps the serials of a chain.
func Learn(ctx context.Context, tx Adder, b Bearer, c bundle.Chain) error {
	for i, d := range c.Documents {
		p := c.Serials()[i]
		if _, err := tx.AddDocument(ctx, Document{Bearer: b, Kind: PublisherDocument, Serial: p.Serial, Text: d.Text, SignedAt: p.SignedAt.Time}); err != nil {
			return err
		}
	}
	return nil
}

// Stated is a publisher with the documents that prove its keys.
type Stated struct {
	ID            string
	Name          map[string]string
	Documents     []string               // serial 1 first
	InstitutionID identity.InstitutionID // who trusts it; "" is the operator, or this server's own institutions
	Own           bool                   // signs here
}

// State gives a publisher with its documents.
func (s *Service) State(ctx context.Context, b Bearer) (Stated, error) {
	c, err := s.Chain(ctx, b)
	if err != nil {
		return Stated{}, err
	}
	out := Stated{ID: b.Publisher, Name: c.Newest().Name}
	for _, d := range c.Documents {
		out.Documents = append(out.Documents, string(d.Text))
	}
	return out, nil
}
