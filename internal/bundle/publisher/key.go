package publisher

import (
	"context"
	"fmt"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Key is a key with which an institution signs bundles. The private half is sealed under the operator's master key.
type Key struct {
	ID            string // UUIDv7
	InstitutionID identity.InstitutionID
	Publisher     string // the DID that it signs for
	Multikey      string
	Sealed        []byte
	CreatedAt     time.Time
	Until         time.Time
	RetiredAt     *time.Time
}

const (
	keyLife  = 5 * 365 * 24 * time.Hour // a key is announced for so long
	keyRest  = 365 * 24 * time.Hour     // with so little left, the next key takes over
	trustAge = 6 * time.Hour            // a publisher's word on issuers is signed anew after it
	tries    = 8                        // when another process was faster
)

// publisher is an institution that can sign.
type publisher struct {
	Kept
	key signing.Key
	row Key
}

// signs gives an institution's chain and its key in use. Both are made when they are first needed, and a key that nears its
// end is followed by the next.
func (s *Service) signs(ctx context.Context, in identity.InstitutionID) (publisher, error) {
	name, err := s.Name(ctx, in)
	if err != nil {
		return publisher{}, err
	}
	var last error
	for range tries {
		p, err := s.signer(ctx, in, name.ID)
		if err == nil && p.row.ID != "" && p.row.Until.Sub(s.Now()) > keyRest {
			return p, nil
		}
		if err == nil {
			_, err = s.handOver(ctx, in, name, p, false)
		}
		// Whoever was first made the key that counts: read it.
		if last = err; err != nil && !fault.Is(err, fault.Conflict) {
			return publisher{}, err
		}
	}
	return publisher{}, fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("institution %s gets no key to sign bundles: %w", in, last))
}

// signer reads what an institution signs with. Its row is empty when it has nothing yet. It is a conflict when keys changed meanwhile.
func (s *Service) signer(ctx context.Context, in identity.InstitutionID, id string) (p publisher, err error) {
	// Keys before documents: both are written at once, so that of a key which is seen the serial is seen as well.
	keys, err := s.Store.ListKeys(ctx, in)
	if err != nil {
		return publisher{}, err
	}
	if p.Kept, err = s.ours(ctx, id, keys); err != nil {
		return publisher{}, err
	}
	for _, k := range keys {
		if k.Publisher != id || k.RetiredAt != nil {
			continue
		}
		if p.key, err = s.Sealer.Open(ctx, owner(k), k.Sealed); err != nil {
			return publisher{}, fmt.Errorf("open publisher key %s: %w", k.ID, err)
		}
		if listed, _ := p.Documents.Newest().May(k.Multikey, s.Now()); !listed || p.key.Multikey() != k.Multikey {
			return publisher{}, fault.Wrap(fault.Conflict, "bundle.key_exists", fmt.Errorf("publisher key %s of %s does not stand in its documents", k.ID, id))
		}
		p.row = k
	}
	if serial := p.Documents.Newest().Serial; p.row.ID == "" && serial > 0 {
		return publisher{}, fault.Wrap(fault.Conflict, "bundle.key_exists", fmt.Errorf("the key of %s is gone; its serial %d cannot be followed", id, serial))
	}
	return p, nil
}

func owner(k Key) signing.Owner { return KeyOwner(k.InstitutionID, k.ID) }

// KeyOwner binds a sealed key to its row, and to its use: an issuer's key opens under another name.
func KeyOwner(in identity.InstitutionID, id string) signing.Owner {
	return signing.Owner{InstitutionID: string(in), KeyID: "publisher/" + id}
}

// handOver makes a new key and the serial that announces it. The old key is announced on unless it was lost to somebody.
func (s *Service) handOver(ctx context.Context, in identity.InstitutionID, name Name, p publisher, lost bool) (bundle.Publisher, error) {
	next, err := signing.Generate(s.Random)
	if err != nil {
		return bundle.Publisher{}, err
	}
	before := p.Documents.Newest()
	now := bundle.At(bundle.Later(s.Now(), before.SignedAt.Time))
	row := Key{
		ID: s.NewID(), InstitutionID: in, Publisher: name.ID, Multikey: next.Multikey(), CreatedAt: now.Time, Until: now.Add(keyLife),
	}
	doc := bundle.Publisher{Type: "publisher", Format: bundle.Format, ID: name.ID, Name: name.Names, Serial: before.Serial + 1, SignedAt: now}
	signers := []signing.Key{next}
	if before.Serial > 0 {
		doc.Previous = p.Documents.Documents[before.Serial-1].Digest()
		signers = append(signers, p.key)
		for _, k := range before.Keys {
			if k.Until.After(now.Time) && (!lost || k.Key != p.row.Multikey) {
				doc.Keys = append(doc.Keys, k)
			}
		}
	}
	doc.Keys = append(doc.Keys, bundle.PublisherKey{Key: row.Multikey, From: now, Until: bundle.At(row.Until)})
	text, err := bundle.Sign("publisher", doc, signers...)
	if err != nil {
		return bundle.Publisher{}, err
	}
	if err := p.Documents.Add(text.Text); err != nil {
		return bundle.Publisher{}, fmt.Errorf("what %s signed is not right: %w", name.ID, err)
	}
	if before.Serial == 0 {
		p.Chain = string(text.Digest())
	}
	if row.Sealed, err = s.Sealer.Seal(ctx, owner(row), next); err != nil {
		return bundle.Publisher{}, fmt.Errorf("seal key of %s: %w", name.ID, err)
	}
	return doc, s.Store.InTx(ctx, func(tx Store) error {
		if p.row.ID != "" {
			if err := tx.RetireKey(ctx, p.row.ID, now.Time); err != nil {
				return err
			}
		}
		if err := tx.CreateKey(ctx, row); err != nil {
			return err
		}
		added, err := tx.AddDocument(ctx, Document{Bearer: p.Bearer, Kind: PublisherDocument, Serial: doc.Serial, Text: text.Text, SignedAt: now.Time})
		if err == nil && !added {
			err = fault.New(fault.Conflict, "bundle.key_exists")
		}
		return err
	})
}

// Rotate gives an institution a new key to sign bundles. With lost the old one is left out of the new serial, and what it signed is
// taken by nobody any more. Bundles are signed anew when they are next asked for. For admins of the institution and the operator.
func (s *Service) Rotate(ctx context.Context, by identity.Actor, in identity.InstitutionID, lost bool) (bundle.Publisher, error) {
	if err := May(by, in); err != nil {
		return bundle.Publisher{}, err
	}
	p, err := s.signs(ctx, in)
	if err != nil {
		return bundle.Publisher{}, err
	}
	name, err := s.Name(ctx, in)
	if err != nil {
		return bundle.Publisher{}, err
	}
	return s.handOver(ctx, in, name, p, lost)
}

// May tells who may say whom an institution trusts, and the operator whom the server does (in is "").
func May(by identity.Actor, in identity.InstitutionID) error {
	if by.MayOperate() || in != "" && by.Has(in, identity.Admin) && by.Scoped(identity.ScopeAdmin) {
		return nil
	}
	if by.Anonymous() {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	return fault.New(fault.Denied, "bundle.trust_denied")
}
