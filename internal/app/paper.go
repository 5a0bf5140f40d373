package app

import (
	"context"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// paper builds the service that prints certificates.
func (a *App) paper(public blob.Store, words *i18n.Catalogue) *paper.Service {
	return &paper.Service{
		Store: a.DB.Paper(), Credentials: a.Credential, Profile: a.profile, Code: a.drawCode, Blobs: public,
		Words: words, Shipped: words.Has, RightToLeft: func(locale string) bool { return i18n.Dir(locale) == "rtl" },
		Fonts: &typeset.Library{Dir: a.Config.FontsDir}, Now: now,
	}
}

// profile is what an institution puts on its certificates.
func (a *App) profile(ctx context.Context, id identity.InstitutionID) (paper.Profile, error) {
	in, err := a.Institution.Find(ctx, id)
	if err != nil {
		return paper.Profile{}, err
	}
	p := paper.Profile{Name: in.Name, Names: in.Names, Logo: digestOf(in.Logo)}
	for _, s := range in.Signatories {
		p.Signatories = append(p.Signatories, paper.ProfileSignatory{ID: s.ID, Name: s.Name, Title: s.Title, Signature: digestOf(s.Signature)})
	}
	return p, nil
}

func digestOf(p *institution.Picture) blob.Digest {
	if p == nil {
		return ""
	}
	return p.Digest
}

// drawCode draws the code by which a certificate is checked without a network, else that of the address where it is checked with one.
func (a *App) drawCode(ctx context.Context, id credential.ID, address string) ([][]bool, error) {
	text, err := a.Forms.Code(ctx, id, true)
	if fault.Is(err, fault.Unavailable) {
		return paper.AddressCode(address)
	}
	if err != nil {
		return nil, err
	}
	return code.Draw(text)
}
