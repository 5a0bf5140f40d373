package credential

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/signing"
)

// tries is how often we begin anew when another worker was faster.
const tries = 8

// Grant is what an institution decided to attest.
type Grant struct {
	EnrollmentID learning.EnrollmentID
	Name         string // of the holder; "" is the account's display name
	Assessment   Assessment
	AIHelp       AIHelp
	Score        *float64 // 0 to 1; nil: not stated
	Months       int      // how long it holds; 0: Service.Validity
	Competences  []string // nil: all that the course attests
	// Items are what had to be passed and MinScore how well on average, where that is not what the course itself asks.
	Items    []curriculum.ContentID
	MinScore float64
}

// narrative tells what was asked: in the course's words, or, where the institution asks something else, as a list.
func (g Grant) narrative(w Words, locale curriculum.Locale, m curriculum.Manifest) string {
	if len(g.Items) == 0 && g.MinScore == 0 {
		return m.Achievement.Narrative.In(locale, m.SourceLocale)
	}
	var lines []string
	if len(g.Items) > 0 {
		lines = append(lines, w.T(locale, "credential.narrative.items", nil))
		for _, id := range g.Items {
			if it, ok := m.Item(id); ok {
				lines = append(lines, "- "+it.Title.In(locale, m.SourceLocale))
			}
		}
	} else {
		lines = append(lines, m.Achievement.Narrative.In(locale, m.SourceLocale))
	}
	if g.MinScore > 0 {
		lines = append(lines, w.T(locale, "credential.narrative.score", map[string]any{"Percent": math.Round(g.MinScore * 100)}))
	}
	return strings.Join(lines, "\n")
}

func (g Grant) competences(m curriculum.Manifest) []string {
	if g.Competences == nil {
		return m.Achievement.Competences
	}
	var out []string
	for _, id := range m.Achievement.Competences {
		if slices.Contains(g.Competences, id) {
			out = append(out, id)
		}
	}
	return out
}

// Prepare makes and signs credentials, in the order of the grants, but stores nothing of them. Signing stays
// outside of transactions: it takes milliseconds, and SQLite has one writer. Who stores one holds its key (keyring.Hold), and may find that it was
// withdrawn meanwhile, or its place in the status lists taken, credential.index_taken: then they prepare anew.
func (s *Service) Prepare(ctx context.Context, grants ...Grant) ([]Credential, error) {
	a, err := s.addresses()
	if err != nil {
		return nil, err
	}
	p := press{Service: s, host: a, desks: map[identity.InstitutionID]*desk{}}
	out := make([]Credential, len(grants))
	for i, g := range grants {
		if out[i], err = p.one(ctx, g); err != nil {
			return nil, fmt.Errorf("enrollment %s: %w", g.EnrollmentID, err)
		}
	}
	return out, nil
}

// press makes credentials of one call: what they share is looked up once.
type press struct {
	*Service
	host  addresses
	desks map[identity.InstitutionID]*desk
}

// desk is what an institution signs with.
type desk struct {
	institution institution.Institution
	row         keyring.Key
	key         signing.Key
	list        StatusList
	taken       map[int]bool // by credentials of this call
}

func (p press) desk(ctx context.Context, id identity.InstitutionID) (*desk, error) {
	if d := p.desks[id]; d != nil {
		return d, nil
	}
	in, err := p.Institutions.Find(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find institution %s: %w", id, err)
	}
	d := &desk{institution: in}
	if d.row, d.key, err = p.Keys.Live(ctx, in.ID, p.host.DIDOf(in)); err != nil {
		return nil, err
	}
	p.desks[id] = d
	return d, nil
}

func (p press) one(ctx context.Context, g Grant) (Credential, error) {
	e, err := p.Enrollments.FindEnrollment(ctx, g.EnrollmentID)
	if err != nil {
		return Credential{}, fmt.Errorf("find it: %w", err)
	}
	v, err := p.Courses.FindVersion(ctx, e.VersionID)
	if err != nil {
		return Credential{}, fmt.Errorf("find course version %s: %w", e.VersionID, err)
	}
	u, err := p.People.FindUser(ctx, e.UserID)
	if err != nil {
		return Credential{}, fmt.Errorf("find user %s: %w", e.UserID, err)
	}
	d, err := p.desk(ctx, e.InstitutionID)
	if err != nil {
		return Credential{}, err
	}
	index, err := p.place(ctx, d)
	if err != nil {
		return Credential{}, err
	}
	now := p.Keys.SigningTime(d.row)
	c := Credential{
		ID: ID(p.NewID()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
		CourseID: e.CourseID, VersionID: e.VersionID, Name: clean(cmp.Or(g.Name, u.DisplayName)),
		AchievementName: names(v.Manifest), Locale: pickLocale(u, v.Manifest),
		Assessment: cmp.Or(g.Assessment, Unsupervised), AIHelp: cmp.Or(g.AIHelp, Undeclared),
		StatusListID: d.list.ID, SuspensionListID: d.list.TwinID, StatusIndex: index, IssuedAt: now, ChangedAt: p.Now().UTC(),
		KeyID: d.row.ID, SignedAt: now,
	}
	if _, ok := c.AchievementName[c.Locale]; !ok {
		return Credential{}, fmt.Errorf("course version %s names no achievement in %s", v.ID, c.Locale)
	}
	switch {
	case g.Months > 0:
		until := now.AddDate(0, g.Months, 0)
		c.ExpiresAt = &until
	case p.Validity > 0:
		until := now.Add(p.Validity).Truncate(time.Second)
		c.ExpiresAt = &until
	}
	unsigned, err := build(p.host, p.Words, c, g, d.institution, v)
	if err != nil {
		return Credential{}, err
	}
	if c.Document, err = proof.Sign(unsigned, d.key, d.row.Method(), now); err != nil {
		return Credential{}, fmt.Errorf("sign: %w", err)
	}
	return c, nil
}

func hasKey(err error, key string) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Key == key
}

// draws is how many places are tried before a list counts as full. A list is
// left at some 60 %; a random place hides who was before whom.
const draws = 16

// place finds a free place in the institution's lists, and starts lists where there are none.
func (p press) place(ctx context.Context, d *desk) (int, error) {
	if d.list.ID == "" {
		list, err := p.Store.FindLastList(ctx, d.institution.ID, d.row.Controller)
		if fault.Is(err, fault.NotFound) {
			list, err = p.startLists(ctx, d.institution.ID, d.row.Controller)
		}
		if err != nil {
			return 0, err
		}
		d.list, d.taken = list, map[int]bool{}
	}
	for {
		for range draws {
			index, err := p.draw()
			if err != nil {
				return 0, err
			}
			taken := d.taken[index]
			if !taken {
				taken, err = p.Store.IndexTaken(ctx, d.list.ID, index)
			}
			if err != nil {
				return 0, err
			}
			if !taken {
				d.taken[index] = true
				return index, nil
			}
		}
		list, err := p.startLists(ctx, d.institution.ID, d.row.Controller)
		if err != nil {
			return 0, err
		}
		d.list, d.taken = list, map[int]bool{}
	}
}

// startLists makes a pair of lists. Two workers may each start one: both are good.
func (s *Service) startLists(ctx context.Context, in identity.InstitutionID, did string) (StatusList, error) {
	now := s.Now().UTC()
	off := StatusList{ID: ListID(s.NewID()), InstitutionID: in, Issuer: did, Purpose: Suspension, CreatedAt: now}
	list := StatusList{ID: ListID(s.NewID()), InstitutionID: in, Issuer: did, Purpose: Revocation, TwinID: off.ID, CreatedAt: now}
	if err := s.Store.CreateList(ctx, off); err != nil {
		return StatusList{}, err
	}
	return list, s.Store.CreateList(ctx, list)
}

func (s *Service) draw() (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return 0, fmt.Errorf("read randomness: %w", err)
	}
	return int(binary.BigEndian.Uint32(b[:]) % ListSize), nil // ListSize is a power of two
}
