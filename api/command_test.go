package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/identity"
)

// command is what an operator types.
type command interface {
	Run(ctx context.Context) error
}

// simple is a command that takes no time worth stopping.
type simple func() error

func (f simple) Run(context.Context) error { return f() }

// newOffice gives the commands of this test a server of their own, in an empty folder. Nothing is asked for over the network.
func newOffice(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "BANYAN_") {
			t.Setenv(name, value) // which brings it back afterwards
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{
		"BANYAN_DATA_DIR": t.TempDir(), "BANYAN_SANDBOX": "fake", "BANYAN_LISTEN": "127.0.0.1:8080", "BANYAN_FETCH": "off", "BANYAN_PUBLIC_URL": "https://learn.example", "BANYAN_LOG_LEVEL": "error",
	} {
		t.Setenv(name, value)
	}
}

// try runs a command and gives what it printed.
func try(t *testing.T, c command) (string, error) {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "said")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	before := os.Stdout
	os.Stdout = out
	defer func() { os.Stdout = before }()
	ran := c.Run(t.Context())
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), ran
}

// says runs a command that may not fail.
func says(t *testing.T, c command) string {
	t.Helper()
	out, err := try(t, c)
	if err != nil {
		t.Fatalf("%T: %s", c, app.Explain(err))
	}
	return out
}

// newInstitution adds an institution.
func newInstitution(t *testing.T, slug string) identity.InstitutionID {
	t.Helper()
	_, id, _ := strings.Cut(says(t, &institutionCreateCmd{Slug: slug, Name: "The " + slug}), "(")
	id, _, ok := strings.Cut(id, ")")
	if !ok {
		t.Fatal("its id was not printed")
	}
	return identity.InstitutionID(id)
}
