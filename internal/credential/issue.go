package credential

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/signing"
)

var _ job.Handler = (*Service)(nil).Issue

// tries is how often we begin anew when another worker was faster.
const tries = 8

// Issue implements job.Handler for learning.CompletedKind: it signs the
// credential of a finished enrollment. An enrollment gets one credential,
// however often and by however many workers its jobs are run; a job whose
// enrollment has its credential is marked done and nothing else.
func (s *Service) Issue(ctx context.Context, j job.Job) error {
	var p learning.CompletedPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	_, err := s.Store.FindCredentialOf(ctx, p.EnrollmentID)
	if err == nil {
		return s.finish(ctx, j.ID)
	}
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	for range tries {
		var c Credential
		if c, err = s.prepare(ctx, p.EnrollmentID); err != nil {
			return err
		}
		err = s.Store.InTx(ctx, func(tx Store) error {
			if fresh, err := tx.FinishJob(ctx, j.ID); err != nil || !fresh {
				return err
			}
			return tx.CreateCredential(ctx, c)
		})
		switch {
		case hasKey(err, "credential.index_taken"):
			continue
		case hasKey(err, "credential.exists"):
			return s.finish(ctx, j.ID)
		}
		return err
	}
	return err
}

// finish marks a job done whose work somebody else did.
func (s *Service) finish(ctx context.Context, id job.ID) error {
	return s.Store.InTx(ctx, func(tx Store) error {
		_, err := tx.FinishJob(ctx, id)
		return err
	})
}

func hasKey(err error, key string) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Key == key
}

// prepare makes and signs a credential but stores nothing of it. Signing stays
// outside the transaction: it takes milliseconds, and SQLite has one writer.
func (s *Service) prepare(ctx context.Context, id learning.EnrollmentID) (Credential, error) {
	e, err := s.Enrollments.FindEnrollment(ctx, id)
	if err != nil {
		return Credential{}, fmt.Errorf("find enrollment %s: %w", id, err)
	}
	v, err := s.Courses.FindVersion(ctx, e.VersionID)
	if err != nil {
		return Credential{}, fmt.Errorf("find course version %s: %w", e.VersionID, err)
	}
	u, err := s.People.FindUser(ctx, e.UserID)
	if err != nil {
		return Credential{}, fmt.Errorf("find user %s: %w", e.UserID, err)
	}
	in, err := s.Institutions.Find(ctx, e.InstitutionID)
	if err != nil {
		return Credential{}, fmt.Errorf("find institution %s: %w", e.InstitutionID, err)
	}
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return Credential{}, err
	}
	row, key, err := s.key(ctx, in, a.did(in.Slug))
	if err != nil {
		return Credential{}, err
	}
	list, index, err := s.place(ctx, in.ID, row.Controller)
	if err != nil {
		return Credential{}, err
	}
	now := s.signingTime(row)
	c := Credential{
		ID: ID(s.NewID()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
		CourseID: e.CourseID, VersionID: e.VersionID, Name: clean(u.DisplayName),
		AchievementName: names(v.Manifest), Locale: pickLocale(u, v.Manifest),
		StatusListID: list.ID, StatusIndex: index, IssuedAt: now,
	}
	if _, ok := c.AchievementName[c.Locale]; !ok {
		return Credential{}, fmt.Errorf("course version %s names no achievement in %s", v.ID, c.Locale)
	}
	if s.Validity > 0 {
		until := now.Add(s.Validity).Truncate(time.Second)
		c.ExpiresAt = &until
	}
	unsigned, err := build(a, c, in, v)
	if err != nil {
		return Credential{}, err
	}
	if c.Document, err = proof.Sign(unsigned, key, row.Method(), now); err != nil {
		return Credential{}, fmt.Errorf("sign credential of enrollment %s: %w", id, err)
	}
	return c, nil
}

// signingTime is now in whole seconds, but never before the key existed: the
// clocks of two workers differ, and a signature older than its key is refused for ever.
func (s *Service) signingTime(k Key) time.Time {
	now := s.Now().UTC()
	if now.Before(k.CreatedAt) {
		now = k.CreatedAt.UTC()
	}
	return now.Truncate(time.Second)
}

// key gives the institution's key for a DID and makes it at first use. Each
// DID has a key of its own: when the host changes its name, the old name's key stays
// with the old name and its credentials.
func (s *Service) key(ctx context.Context, in institution.Institution, did string) (Key, signing.Key, error) {
	for range tries {
		keys, err := s.Store.ListKeys(ctx, in.ID)
		if err != nil {
			return Key{}, signing.Key{}, err
		}
		if row, ok := live(keys, did); ok {
			k, err := s.open(ctx, row)
			return row, k, err
		}
		k, err := signing.Generate(s.Random)
		if err != nil {
			return Key{}, signing.Key{}, err
		}
		row := Key{
			ID: KeyID(s.NewID()), InstitutionID: in.ID, Controller: did,
			Multikey: k.Multikey(), CreatedAt: s.Now().UTC(),
		}
		if row.Sealed, err = s.Sealer.Seal(ctx, owner(row), k); err != nil {
			return Key{}, signing.Key{}, fmt.Errorf("seal key of institution %s: %w", in.ID, err)
		}
		if err := s.Store.CreateKey(ctx, row); err != nil && !hasKey(err, "credential.key_exists") {
			return Key{}, signing.Key{}, err
		}
		// Whoever was first made the key that counts: read it.
	}
	return Key{}, signing.Key{}, fmt.Errorf("institution %s gets no key", in.ID)
}

func live(keys []Key, did string) (Key, bool) {
	for _, k := range keys {
		if k.Controller == did && k.RetiredAt == nil {
			return k, true
		}
	}
	return Key{}, false
}

func owner(k Key) signing.Owner {
	return signing.Owner{InstitutionID: string(k.InstitutionID), KeyID: string(k.ID)}
}

func (s *Service) open(ctx context.Context, row Key) (signing.Key, error) {
	k, err := s.Sealer.Open(ctx, owner(row), row.Sealed)
	if err != nil {
		return signing.Key{}, fmt.Errorf("open key %s: %w", row.ID, err)
	}
	if k.Multikey() != row.Multikey {
		return signing.Key{}, fmt.Errorf("key %s has another public half than its row", row.ID)
	}
	return k, nil
}

// draws is how many places are tried before a list counts as full. A list is
// left at some 60 %; a random place hides who was before whom.
const draws = 16

// place finds a free place in a status list, and starts a list where there is none.
func (s *Service) place(ctx context.Context, in identity.InstitutionID, did string) (StatusList, int, error) {
	list, err := s.Store.FindLastList(ctx, in, did)
	if err == nil {
		for range draws {
			index, err := s.draw()
			if err != nil {
				return StatusList{}, 0, err
			}
			if taken, err := s.Store.IndexTaken(ctx, list.ID, index); err != nil || !taken {
				return list, index, err
			}
		}
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return StatusList{}, 0, err
	}
	// Two workers may each start one. Both lists are good.
	list = StatusList{ID: ListID(s.NewID()), InstitutionID: in, Issuer: did, CreatedAt: s.Now().UTC()}
	if err := s.Store.CreateList(ctx, list); err != nil {
		return StatusList{}, 0, err
	}
	index, err := s.draw()
	return list, index, err
}

func (s *Service) draw() (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return 0, fmt.Errorf("read randomness: %w", err)
	}
	return int(binary.BigEndian.Uint32(b[:]) % ListSize), nil // ListSize is a power of two
}
