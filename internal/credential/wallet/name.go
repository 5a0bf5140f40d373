package wallet

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

const maxName = 80

// CertificateName gives the name for the certificates of a learner and whether the learner has confirmed it. Before that it is the
// name of the account. For our own services: it checks nothing.
func (s *Service) CertificateName(ctx context.Context, user identity.UserID) (name string, confirmed bool, err error) {
	n, err := s.find(ctx, user)
	return n.Name, !n.ConfirmedAt.IsZero(), err
}

func (s *Service) find(ctx context.Context, user identity.UserID) (Name, error) {
	n, err := s.Store.FindName(ctx, user)
	if !fault.Is(err, fault.NotFound) {
		return n, err
	}
	u, err := s.People.FindUser(ctx, user)
	return Name{UserID: user, Name: u.DisplayName}, err
}

// OwnName gives the actor's name for certificates, confirmed or not.
func (s *Service) OwnName(ctx context.Context, by identity.Actor) (Name, error) {
	user, err := holder(by, false)
	if err != nil {
		return Name{}, err
	}
	return s.find(ctx, user)
}

// ConfirmName notes that certificates of the actor shall bear the name, in the script and the order in which it was typed. It holds for
// what is issued from now on: a certificate that was issued is signed and stays as it is. Confirming the same name again is no error
// and keeps its date.
func (s *Service) ConfirmName(ctx context.Context, by identity.Actor, name string) (Name, error) {
	user, err := holder(by, true)
	if err != nil {
		return Name{}, err
	}
	name = strings.TrimSpace(norm.NFC.String(name))
	visible := strings.ContainsFunc(name, unicode.IsLetter)
	if n := utf8.RuneCountInString(name); !visible || n > maxName || !identity.CleanText(name) {
		return Name{}, fault.New(fault.Invalid, "request.invalid").
			At(fault.Detail{Pointer: "/name", Key: "user.bad_display_name"})
	}
	before, err := s.find(ctx, user)
	if err != nil {
		return Name{}, err
	}
	if before.Name == name && !before.ConfirmedAt.IsZero() {
		return before, nil
	}
	n := Name{UserID: user, Name: name, ConfirmedAt: s.Now().UTC()}
	return n, s.Store.SaveName(ctx, n)
}
