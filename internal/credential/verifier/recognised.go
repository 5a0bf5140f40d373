package verifier

import (
	"context"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/identity"
)

// Recognition is an institution's signed word that it takes an achievement for one of its own. Who gives one has checked it.
type Recognition struct {
	Address    string            // of the signed document
	By         string            // DID
	Names      map[string]string // of who recognises, by language; "und" when that is not known
	As         map[string]string // what it counts as there, by language
	Scope      map[string]string
	Conditions map[string]string
	From       time.Time
	Until      time.Time // zero: it does not end
	Origin     Origin
	Circle     string    // the name of the institution on whose trust it is known; "" where that is nobody's or the operator's
	At         time.Time // when it was last known not to be ended
}

// Achievement is what may be recognised: its issuer's, and nobody else's of the same name.
type Achievement struct {
	Issuer string // DID
	ID     string // address; "" when only the course is known
	Course string // of a Banyan; "" when only the address is known
}

// Recognisers know what institutions recognise of an achievement now: what ended, expired, does not hold or was signed by a key that was revoked
// since is left out.
type Recognisers interface {
	Recognised(ctx context.Context, of Achievement) ([]Recognition, error)
}

// maxRecognised is how many are told beside one credential.
const maxRecognised = 20

// Recognised tells what institutions recognise of an achievement now, each once: as the server knows it, then as the institutions of who asks do.
func (v *Verifier) Recognised(ctx context.Context, of Achievement, in ...identity.InstitutionID) ([]Recognition, error) {
	return v.recognised(ctx, of, v.circlesOf(in))
}

func (v *Verifier) recognised(ctx context.Context, of Achievement, circles []Sources) ([]Recognition, error) {
	if of.Issuer == "" || of.ID == "" && of.Course == "" {
		return nil, nil
	}
	var out []Recognition
	seen := map[string]bool{}
	sources := slices.Clone(v.Recognisers)
	for _, circle := range circles {
		sources = append(sources, circle)
	}
	for _, source := range sources {
		list, err := source.Recognised(ctx, of)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if !seen[r.Address] && len(out) < maxRecognised {
				seen[r.Address] = true
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// worth adds who recognises what was achieved: of a credential that counts, whose issuer is certain.
func (c *check) worth(ctx context.Context) error {
	if c.State != Valid && c.State != Unknown || c.issuer.DID == "" || c.signed.IsZero() || c.issuer.DID != c.Claims.Issuer {
		return nil
	}
	var err error
	c.Recognitions, err = c.recognised(ctx, Achievement{Issuer: c.issuer.DID, ID: c.Claims.AchievementID, Course: c.course}, c.circles)
	return err
}
