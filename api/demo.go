package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// demoAccount is an account of the demo. Its password is made at the first
// start and kept in the data folder, so that later starts can print it again.
type demoAccount struct {
	Username string          `json:"username"`
	Password string          `json:"password"`
	Name     string          `json:"name"`
	Roles    []identity.Role `json:"roles"`
	Operator bool            `json:"operator,omitempty"`
}

const demoSlug = "banyan-demo"

// prepareDemo makes the demo's institution and accounts, publishes the shipped
// courses and prints where to go. What exists already is left as it is.
func prepareDemo(ctx context.Context, a *app.App, examples bool) error {
	in, err := a.Institution.FindBySlug(ctx, demoSlug)
	if fault.Is(err, fault.NotFound) {
		in, err = a.Institution.Create(ctx, identity.System(), demoSlug, "Banyan Demo School")
	}
	if err != nil {
		return fmt.Errorf("make the demo institution: %w", err)
	}
	accounts, err := demoAccounts(ctx, a, in)
	if err != nil {
		return err
	}
	// A course with faults does not keep the others from being shown.
	if err := publishAll(ctx, a, in, content.Courses(), func(string) {}); err != nil {
		slog.ErrorContext(ctx, "publish the shipped courses", "err", err)
	}
	if examples {
		if err := publishAll(ctx, a, in, content.Examples(), func(string) {}); err != nil {
			return err
		}
	}
	// The courses that are shipped change with the program only.
	a.Curriculum.Forget()
	fmt.Printf("\nBanyan runs at %s (only on this machine)\n\nDemo accounts:\n", a.Config.PublicURL)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	for _, acc := range accounts {
		roles := make([]string, len(acc.Roles))
		for i, r := range acc.Roles {
			roles[i] = string(r)
		}
		if acc.Operator {
			roles = append(roles, "operator of the server")
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", acc.Username, acc.Password, strings.Join(roles, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Print("\nCtrl-C ends it.\n\n")
	return nil
}

func demoAccounts(ctx context.Context, a *app.App, in institution.Institution) ([]demoAccount, error) {
	path := filepath.Join(a.Config.DataDir, "demo-accounts.json")
	accounts := []demoAccount{
		{Username: "learner", Name: "Amina Diallo", Roles: []identity.Role{identity.Learner}},
		{Username: "trainer", Name: "Rosa Quispe", Roles: []identity.Role{identity.Trainer}},
		{Username: "issuer", Name: "Layla Haddad", Roles: []identity.Role{identity.Issuer, identity.Admin}},
		{Username: "operator", Name: "Chen Wei", Operator: true},
	}
	raw, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(raw, &accounts); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	case errors.Is(err, fs.ErrNotExist):
		for i := range accounts {
			accounts[i].Password = identity.NewPassword()
		}
		// Written before the accounts are made: a start that dies between the two finds the same passwords again.
		raw, err := json.MarshalIndent(accounts, "", "  ")
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			return nil, fmt.Errorf("keep the demo accounts: %w", err)
		}
	default:
		return nil, fmt.Errorf("read the demo accounts: %w", err)
	}
	for _, acc := range accounts {
		ms := make([]identity.Membership, len(acc.Roles))
		for i, r := range acc.Roles {
			ms[i] = identity.Membership{InstitutionID: in.ID, Role: r}
		}
		if _, err := a.Identity.FindUserByName(ctx, identity.System(), acc.Username); !fault.Is(err, fault.NotFound) {
			if err != nil {
				return nil, err
			}
			continue
		}
		if _, err := a.Identity.CreateUser(ctx, identity.NewUser{
			Username: acc.Username, DisplayName: acc.Name, Password: acc.Password, Operator: acc.Operator, Memberships: ms,
		}); err != nil {
			return nil, fmt.Errorf("make the demo account %s: %w", acc.Username, err)
		}
	}
	return accounts, nil
}

// publishAll publishes every course of a folder of courses. One that fails does not keep the others back; the errors come together.
func publishAll(ctx context.Context, a *app.App, in institution.Institution, courses fs.FS, say func(string)) error {
	folders, err := fs.ReadDir(courses, ".")
	if err != nil {
		return err
	}
	var failed []error
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		folder, err := fs.Sub(courses, f.Name())
		if err != nil {
			return err
		}
		v, created, err := a.Curriculum.Publish(ctx, identity.System(), string(in.ID), folder)
		if err != nil {
			failed = append(failed, fmt.Errorf("publish the course %s: %w", f.Name(), err))
			continue
		}
		say(published(v, created))
	}
	return errors.Join(failed...)
}
