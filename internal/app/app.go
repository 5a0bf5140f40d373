// Package app builds the services once from a Config, for both doors.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/bake"
	"github.com/banyan-lms/banyan/internal/credential/forms"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

// App is a whole Banyan without its doors.
type App struct {
	Config      config.Config
	DB          *store.DB
	Identity    *identity.Service
	Institution *institution.Service
	Curriculum  *publishing.Service
	Learning    *learning.Service
	Lab         *lab.Service
	Keys        *keyring.Service // of issuers
	Lists       *statuslist.Service
	Credential  *credential.Service
	Forms       *forms.Service // of credentials
	Issuing     *issuing.Service
	Wallet      *wallet.Service
	Recognition *recognition.Service
	Paper       *paper.Service
	Publisher   *publisher.Service
	Trust       *trust.Service // of publishers
	Shelf       *shelf.Service // bundles from elsewhere
	Bundle      *serving.Service
	Verifier    *verifier.Verifier
	Badges      *bake.Drawer
	Desk        *job.Desk
	engine      sandbox.Engine // nil until Jobs
	safe        signing.Safe
}

// New opens the database, the blobs and the keys and builds the services. The
// schema is left as it is: Migrate changes it, CheckSchema compares it.
func New(ctx context.Context, cfg config.Config) (*App, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	db, err := store.Open(ctx, cfg.DatabaseURL, store.Conns(cfg.DatabaseConns))
	if err != nil {
		return nil, err
	}
	a, err := build(cfg, db)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return a, nil
}

func build(cfg config.Config, db *store.DB) (*App, error) {
	public, err := blob.OpenDir(filepath.Join(cfg.DataDir, "blobs"))
	if err != nil {
		return nil, err
	}
	vault, err := blob.OpenDir(filepath.Join(cfg.DataDir, "vault"))
	if err != nil {
		return nil, err
	}
	words, err := i18n.Load()
	if err != nil {
		return nil, err
	}
	sealer, err := safe(cfg)
	if err != nil {
		return nil, err
	}
	a := &App{Config: cfg, DB: db, safe: sealer}
	a.Identity = &identity.Service{Store: db.Identity(), Now: now, NewID: newID, Vault: sealer, Lease: time.Duration(cfg.LeaseDays) * 24 * time.Hour}
	a.Institution = &institution.Service{Store: db.Institution(), Identity: a.Identity, Now: now, NewID: newID, Log: db.Audits(), Public: public, PublicHost: cfg.PublicHost(), Draw: draw}
	a.Curriculum = &publishing.Service{Store: db.Curriculum(), Public: public, Vault: vault, Now: now, NewID: newID}
	a.Curriculum.Fallbacks = func(ctx context.Context, id string) (map[string][]string, error) {
		in, err := a.Institution.Find(ctx, identity.InstitutionID(id))
		return in.Fallbacks, err
	}
	a.Learning = &learning.Service{Store: db.Learning(), Devices: a.Identity, Courses: a.Curriculum, Now: now, NewID: newID}
	a.Lab = &lab.Service{Store: db.Lab(), Learning: a.Learning, Courses: a.Curriculum, Now: now, NewID: newID}
	a.Keys = &keyring.Service{
		Store: db.Keyring(), Institutions: a.Institution, Sealer: sealer, PublicURL: cfg.PublicURL, Now: now, NewID: newID, Random: rand.Reader,
	}
	a.Lists = &statuslist.Service{Store: db.StatusLists(), Keys: a.Keys, Now: now, NewID: newID, Random: rand.Reader}
	a.Credential = &credential.Service{
		Store: db.Credential(), Enrollments: db.Learning(), Courses: a.Curriculum, People: a.Identity, Institutions: a.Institution, Words: words,
		Keys: a.Keys, Lists: a.Lists, Now: now, NewID: newID,
	}
	a.Forms = &forms.Service{Codes: db.Credential(), Credentials: a.Credential, Keys: a.Keys}
	a.Institution.Claimed = a.Keys.ClaimedByAnother
	a.Recognition = &recognition.Service{Store: db.Recognition(), Press: a.Credential, Keys: a.Keys, Now: now, NewID: newID}
	a.Wallet = &wallet.Service{Store: db.Wallet(), People: a.Identity, Credentials: a.Credential, Now: now, NewID: newID, Random: rand.Reader}
	a.Issuing = &issuing.Service{
		Store: db.Issuing(), Learning: db.Learning(), Courses: a.Curriculum, People: a.Identity, Press: a.Credential,
		HolderName: a.Wallet.CertificateName, Now: now, NewID: newID,
	}
	a.Credential.Limits = a.Issuing.Limits
	a.Paper = a.paper(public, words)
	imported, err := blob.OpenDir(filepath.Join(cfg.DataDir, "bundles", "blobs"))
	if err != nil {
		return nil, err
	}
	a.bundles(public, imported, sealer)
	if a.Verifier, err = a.verifies(); err != nil {
		return nil, err
	}
	a.Badges = &bake.Drawer{Fonts: &typeset.Library{}}
	a.Wallet.Verifier = a.Verifier
	a.Desk = &job.Desk{Store: db.Outbox()}
	return a, nil
}

// safe gives what seals the issuers' keys, where the configuration says that the master key is.
func safe(cfg config.Config) (signing.Safe, error) {
	var first signing.Safe
	var err error
	switch {
	case cfg.VaultAddress != "":
		first, err = signing.NewTransit(signing.TransitConfig{
			Address: cfg.VaultAddress, Mount: cfg.VaultMount, Key: cfg.VaultKey, TokenFile: cfg.VaultToken, CAFile: cfg.VaultCA,
		})
	case cfg.MasterKey != "":
		first, err = signing.NewEnvironment(string(cfg.MasterKey))
	default:
		first, err = signing.OpenFile(cfg.MasterKeyFile)
	}
	if err != nil {
		return nil, err
	}
	var earlier []signing.Safe
	for _, path := range cfg.Earlier() {
		// An absent file would be created, and open nothing.
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("BANYAN_MASTER_KEY_EARLIER_FILES: %w", err)
		}
		f, err := signing.OpenFile(path)
		if err != nil {
			return nil, err
		}
		earlier = append(earlier, f)
	}
	if len(earlier) == 0 {
		return first, nil
	}
	return signing.NewSeveral(first, earlier...)
}

// Engine gives the sandbox that the configuration names.
func Engine(cfg config.Config) (sandbox.Engine, error) {
	if cfg.Sandbox == "fake" {
		return &sandbox.Fake{}, nil
	}
	walls, err := cfg.Walls(sandbox.Walls)
	if err != nil {
		return nil, err
	}
	wasm := WASM(cfg)
	wasm.Require = walls
	return sandbox.NewWASM(wasm)
}

// WASM says where the Python runtime is.
func WASM(cfg config.Config) sandbox.WASMConfig {
	dir := cfg.RuntimeDir
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs // the sandbox's child stands in another folder than we
	}
	return sandbox.WASMConfig{Module: filepath.Join(dir, "python.wasm"), CacheDir: filepath.Join(dir, "cache"), Children: cfg.Children}
}

// Jobs readies this process to do jobs and says who does which. Only then is
// the sandbox needed; a process that merely serves has none.
func (a *App) Jobs() (job.Table, error) {
	engine, err := Engine(a.Config)
	if err != nil {
		return job.Table{}, err
	}
	a.engine, a.Lab.Grader = engine, grading.Grader{Engine: engine}
	return job.Table{
		Handlers: map[job.Kind]job.Handler{
			lab.GradeKind:           a.Lab.Grade,
			lab.PlanRegradeKind:     a.Lab.PlanRegrade,
			lab.RegradeKind:         a.Lab.Regrade,
			lab.ApplyRegradeKind:    a.Lab.Apply,
			learning.CompletedKind:  a.Issuing.Weigh,
			learning.ProgressedKind: a.Issuing.Weigh,
			issuing.IssueKind:       a.Issuing.Issue,
			issuing.BatchKind:       a.Issuing.RunBatch,
			issuing.CriteriaKind:    a.Issuing.Reweigh,
			identity.ErasedKind:     a.Credential.EraseNames,
			keyring.RenewKind:       a.Credential.RunRenewal,
			purgeKind:               a.purge,
		},
		Parked: map[job.Kind]func(context.Context, job.Job, error) error{
			lab.GradeKind:   a.Lab.Parked,
			lab.RegradeKind: a.Lab.RegradeParked,
		},
	}, nil
}

// Concurrency is how many jobs may run at once.
func (a *App) Concurrency() int {
	if a.Config.Concurrency > 0 {
		return a.Config.Concurrency
	}
	return 2 * runtime.GOMAXPROCS(0)
}

// Background is how many jobs nobody waits for may run at once: no more than there are interpreters, so
// that who hands in a lab waits for one running job at most.
func (a *App) Background() int {
	children := a.Config.Children
	if children == 0 {
		children = runtime.GOMAXPROCS(0)
	}
	return max(1, min(children, a.Concurrency()/2))
}

// Now is the clock of the services.
func (a *App) Now() time.Time { return now() }

// Close stops the sandbox and closes the database.
func (a *App) Close() error {
	var err error
	if a.engine != nil {
		err = a.engine.Close()
	}
	return errors.Join(err, a.DB.Close())
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func newID() string { return uuid.Must(uuid.NewV7()).String() } // fails only when the system has no randomness left
