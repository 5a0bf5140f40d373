package app

import (
	"context"
	"errors"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

var (
	_ verifier.Recognisers = register{}
	_ verifier.Recognisers = Words{}
)

// Names gives the names of an institution of this host, or of the issuer behind a DID, by language; none when nobody knows it.
func (a *App) Names(ctx context.Context, id identity.InstitutionID, did string) map[string]string {
	if id != "" {
		in, err := a.Institution.Find(ctx, id)
		if err != nil {
			return nil
		}
		return in.AllNames()
	}
	if keys, err := a.DB.Keyring().ListKeysOf(ctx, did); err == nil && len(keys) > 0 {
		return a.Names(ctx, keys[0].InstitutionID, "")
	}
	for _, source := range a.Verifier.Issuers {
		if i, err := source.FindIssuer(ctx, did); err == nil {
			return i.Names
		}
	}
	return nil
}

// Recognised implements verifier.Recognisers: what institutions of this host recognise.
func (r register) Recognised(ctx context.Context, of verifier.Achievement) ([]verifier.Recognition, error) {
	list, err := r.Recognition.For(ctx, of.Issuer, of.ID)
	if of.ID == "" {
		list, err = r.Recognition.ForCourse(ctx, of.Issuer, of.Course)
	}
	if err != nil {
		return nil, err
	}
	at := now()
	var out []verifier.Recognition
	for _, one := range list {
		in, err := r.Institution.Find(ctx, one.InstitutionID)
		if err != nil {
			return nil, err
		}
		v := verifier.Recognition{
			Address: r.Config.PublicURL + "/api/recognitions/" + string(one.ID), By: one.By, Names: in.AllNames(), As: one.Terms.As, Scope: one.Terms.Scope,
			Conditions: one.Terms.Conditions, From: one.CreatedAt, Origin: verifier.Here, At: at,
		}
		if one.ValidUntil != nil {
			v.Until = *one.ValidUntil
		}
		out = append(out, v)
	}
	return out, nil
}

// Recognised implements verifier.Recognisers: what the words carry. Each document must hold by itself, by keys and lists that the words name: that a
// publisher says of somebody that they recognise something is not enough, and an older word brings nothing back that was ended since.
func (w Words) Recognised(ctx context.Context, of verifier.Achievement) ([]verifier.Recognition, error) {
	all, err := w.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []verifier.Recognition
	for _, t := range all {
		for _, row := range t.Recognitions {
			if row.Of.DID != of.Issuer || of.Course != "" && row.Of.Course != of.Course {
				continue
			}
			r, err := w.recognition(ctx, row, of)
			if err != nil {
				return nil, err
			}
			if r != nil {
				out = append(out, *r)
			}
		}
	}
	return out, nil
}

// recognition gives what a row names; nil when that does not hold, or is something else than the row says.
func (w Words) recognition(ctx context.Context, row bundle.Recognition, of verifier.Achievement) (*verifier.Recognition, error) {
	doc, err := w.Open(ctx, row.Digest)
	if fault.Is(err, fault.NotFound) || errors.Is(err, verifier.ErrUnknown) {
		return nil, nil // the carrier that brought the word had it not
	}
	if err != nil {
		return nil, err
	}
	said, ok := asSaid(doc, row, of)
	if !ok {
		return nil, nil
	}
	v := &verifier.Verifier{Issuers: []verifier.Issuers{w}, Lists: []verifier.Lists{w}, MaxAge: w.MaxAge, Now: w.Now}
	report, err := v.Verify(ctx, doc, verifier.Options{Offline: true})
	if err != nil || !holds(report) {
		return nil, err
	}
	out := &verifier.Recognition{
		Address: said.Address, By: said.By, Names: map[string]string{"und": said.ByName}, As: said.Terms.As, Scope: said.Terms.Scope, Conditions: said.Terms.Conditions,
		From: said.From, Origin: w.From, At: said.From,
	}
	if said.Until != nil {
		out.Until = *said.Until
	}
	for _, b := range report.RestsOn {
		if b.Kind == verifier.Status {
			out.At = b.At
		}
	}
	if i, err := w.FindIssuer(ctx, said.By); err == nil && len(i.Names) > 0 {
		out.Names = i.Names
	}
	out.Circle, err = w.by(ctx)
	return out, err
}

// asSaid reads an endorsement, and tells whether it is one, says what its row says, and is of what is asked for.
func asSaid(doc []byte, row bundle.Recognition, of verifier.Achievement) (recognition.Said, bool) {
	said, err := recognition.Read(doc)
	return said, err == nil && said.By == row.By && said.OfDID == of.Issuer && recognition.Course(said.OfAchievement) == row.Of.Course &&
		(of.ID == "" || said.OfAchievement == recognition.Address(of.ID))
}

// holds tells whether an endorsement holds, as far as is known: that its list is old is said beside it. What was signed by a key that was revoked
// since holds no more.
func holds(r verifier.Report) bool {
	for _, reason := range r.Reasons {
		if reason.Code != verifier.OldStatus {
			return false
		}
	}
	for _, note := range r.Notes {
		if note.Code == verifier.KeyLost || note.Code == verifier.Unlisted {
			return false
		}
	}
	return r.State == verifier.Valid || r.State == verifier.Unknown
}
