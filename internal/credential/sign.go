package credential

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
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
	places      *statuslist.Places
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
	d.places = p.Lists.Places(id, d.row.Controller)
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
	list, index, err := d.places.Draw(ctx)
	if err != nil {
		return Credential{}, err
	}
	now := p.Keys.SigningTime(d.row)
	c := Credential{
		ID: ID(p.NewID()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
		CourseID: e.CourseID, VersionID: e.VersionID, Name: clean(cmp.Or(g.Name, u.DisplayName)),
		AchievementName: names(v.Manifest), Locale: pickLocale(u, v.Manifest),
		Assessment: cmp.Or(g.Assessment, Unsupervised), AIHelp: cmp.Or(g.AIHelp, Undeclared),
		StatusListID: list.ID, SuspensionListID: list.TwinID, StatusIndex: index, IssuedAt: now, ChangedAt: p.Now().UTC(),
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
