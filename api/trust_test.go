package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/identity"
)

// What an institution trusts is written for it alone: others' files, and the server's, do not tell it.
func TestTrustExportOfAnInstitution(t *testing.T) {
	newOffice(t)
	const pack = "../internal/credential/code/testdata/airplane.banyan"
	const oasis = "did:web:learn.example.org:institutions:oasis"
	river := newInstitution(t, "river")
	newInstitution(t, "pond")
	says(t, &bundleTrustAddCmd{truster: truster{Institution: string(river)}, Path: pack})

	dir := t.TempDir()
	file := filepath.Join(dir, "river.trust")
	refused := func(c *trustExportCmd, want string) {
		t.Helper()
		if _, err := try(t, c); err == nil || !strings.Contains(app.Explain(err), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%+v left %v, %v", c, left, err)
		}
	}
	// Whom it trusts has not said anything yet.
	refused(&trustExportCmd{File: file, Institution: "river"}, "river trusts no publisher who says anything")
	says(t, &trustImportCmd{File: pack})
	refused(&trustExportCmd{File: file, Institution: "pond"}, "pond trusts no publisher who says anything")
	refused(&trustExportCmd{File: file, Institution: "lake"}, "")
	refused(&trustExportCmd{File: file}, "")

	if out := says(t, &trustExportCmd{File: file, Institution: "river"}); !strings.Contains(out, file) {
		t.Errorf("said %q", out)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out := says(t, &trustExportCmd{File: "-", Institution: "river"}); out != string(got) {
		t.Errorf("the standard output has %d bytes, the file %d", len(out), len(got))
	}
	if out := says(t, simple((&trustShowCmd{File: file}).Run)); !strings.HasPrefix(out, oasis+", signed ") || strings.Count(out, ", signed ") != 1 {
		t.Errorf("it says %s", out)
	}
	// Its members' devices get the same.
	if err := opened(t.Context(), func(a *app.App) error {
		member := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: river, Role: identity.Learner}}}
		p, err := a.Trust.CirclePack(t.Context(), member, river)
		if err != nil {
			return err
		}
		in, err := p.Open()
		if err != nil {
			return err
		}
		var same bytes.Buffer
		_, err = same.ReadFrom(in)
		if !bytes.Equal(same.Bytes(), got) {
			t.Errorf("a member gets %d other bytes than the %d of the file", same.Len(), len(got))
		}
		return errors.Join(err, in.Close())
	}); err != nil {
		t.Fatal(err)
	}
	// Another server takes it in, when it trusts the publisher.
	newOffice(t)
	if out := says(t, &trustImportCmd{File: file}); !strings.Contains(out, "left out: "+oasis) {
		t.Errorf("of a stranger it took %s", out)
	}
	says(t, &bundleTrustAddCmd{Path: pack})
	if out := says(t, &trustImportCmd{File: file}); !strings.HasPrefix(out, oasis) {
		t.Errorf("it took %s", out)
	}
}
