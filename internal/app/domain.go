package app

import (
	"context"
	"errors"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/institution"
)

// domains asks domains whose they are, through the guarded client.
type domains struct{ web *fetch.Client }

var _ institution.Domains = domains{}

// Texts implements institution.Domains.
func (d domains) Texts(ctx context.Context, name string) ([]string, error) {
	texts, err := d.web.Texts(ctx, name)
	return texts, off(err)
}

// File implements institution.Domains. A site that answers with something else than a short text says nothing.
func (d domains) File(ctx context.Context, url string) (string, error) {
	doc, err := d.web.Fetch(ctx, fetch.DomainRecord, url)
	if errors.Is(err, fetch.ErrAnswer) || doc.Stale {
		return "", nil
	}
	return string(doc.Body), off(err)
}

func off(err error) error {
	if errors.Is(err, fetch.ErrOff) {
		return institution.ErrFetchingIsOff
	}
	return err
}
