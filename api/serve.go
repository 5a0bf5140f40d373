package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/rest"
	"github.com/banyan-lms/banyan/api/web"
	"github.com/banyan-lms/banyan/frontend"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

type serveCmd struct {
	Demo     bool `help:"Listen on loopback only, make demo accounts and publish the shipped courses."`
	Examples bool `help:"With --demo: publish the example courses too, which are there to be copied."`
}

// How long a leaving server waits for requests and for jobs under way.
const (
	drainRequests = 10 * time.Second
	drainJobs     = 35 * time.Second // the longest a lab may run, and a little
)

// Run serves until a signal comes.
func (c *serveCmd) Run(ctx context.Context) error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	app.Log(cfg)
	if c.Demo {
		if strings.HasPrefix(cfg.Listen, ":") {
			cfg.Listen = "127.0.0.1" + cfg.Listen
		}
		if !config.Loopback(cfg.Listen) {
			return fmt.Errorf("--demo makes accounts with known passwords and listens on loopback only, not on %s", cfg.Listen)
		}
	}
	// The port first: it is what most often fails, and nothing has been touched yet.
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w. Is another server running? Set BANYAN_LISTEN to another address", cfg.Listen, err)
	}
	defer func() { _ = listener.Close() }()
	a, err := build(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if err := a.Close(); err != nil {
			slog.Error("close", "err", err)
		}
	}()
	if err := a.Schema(ctx); err != nil {
		return err
	}
	var runner *job.Runner
	if cfg.Embedded() {
		table, err := a.Jobs()
		if err != nil {
			return err
		}
		if err := a.CheckSandbox(ctx); err != nil {
			return err
		}
		n, err := a.DB.Outbox().Recover(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			slog.InfoContext(ctx, "jobs that an earlier process left unfinished run again", "jobs", n)
		}
		runner = &job.Runner{
			Outbox: a.DB.Outbox(), Table: table, Concurrency: a.Concurrency(), Background: a.Background(), Visibility: cfg.Visibility,
			Poll: time.Second, Now: a.Now,
		}
		a.DB.OnEnqueue(runner.Wake)
		keeping, stopKeeping := context.WithCancel(ctx)
		var kept sync.WaitGroup
		defer kept.Wait()
		defer stopKeeping() // also when the server cannot serve
		kept.Go(func() { a.Housekeeping(keeping) })
	}
	handler, err := newHandler(a)
	if err != nil {
		return err
	}
	if c.Demo {
		if err := prepareDemo(ctx, a, c.Examples); err != nil {
			return err
		}
	}
	spareCollector()
	return serve(ctx, cfg, runner, listener, handler)
}

// spareCollector gives back what the start has left behind and lets the heap
// grow further from now on before it is collected: what lives in it is small (some 10 MB), and the
// default would collect every few requests and take a quarter of the processor. GOGC, when set, stays in force.
func spareCollector() {
	debug.FreeOSMemory()
	if before := debug.SetGCPercent(gcPercent); before != defaultGCPercent {
		debug.SetGCPercent(before)
	}
}

const (
	gcPercent        = 200
	defaultGCPercent = 100
)

// newHandler puts the pages and the API behind one door.
func newHandler(a *app.App) (http.Handler, error) {
	words, err := i18n.Load()
	if err != nil {
		return nil, err
	}
	proxies, err := a.Config.Proxies()
	if err != nil {
		return nil, err
	}
	// The page of a certificate is the same for everybody: it rests on no institution's trust.
	recognised := func(ctx context.Context, of verifier.Achievement) ([]verifier.Recognition, error) {
		return a.Verifier.Recognised(ctx, of)
	}
	site, err := web.New(web.Config{
		Courses: a.Curriculum, Credentials: a.Credential, Keys: a.Keys, Verifier: a.Verifier, Shares: a.Wallet, Recognised: recognised, Recognitions: a.Recognition, Names: a.Names, Bundles: a.Bundle, Words: words, Dist: frontend.Dist(), Pages: frontend.Pages(), PublicURL: a.Config.PublicURL,
		Runtime: python(a.Config), Locale: a.Config.Locale,
		Person: func(r *http.Request) []string { return languagesOf(a, r) },
		Institutions: func(r *http.Request) []identity.InstitutionID {
			by, _ := whose(a, r)
			return by.Institutions()
		},
		Admit: func(r *http.Request) error {
			return rest.AdmitCheck(r.Context(), a.Identity, middleware.ClientAddress(r, proxies))
		},
	})
	if err != nil {
		return nil, err
	}
	api := &rest.Server{
		Identity: a.Identity, Institution: a.Institution, Curriculum: a.Curriculum, Learning: a.Learning, Lab: a.Lab, Keys: a.Keys, Lists: a.Lists, Credential: a.Credential, Forms: a.Forms, Issuing: a.Issuing, Wallet: a.Wallet, Recognition: a.Recognition, Paper: a.Paper,
		Bundle: a.Bundle, Shelf: a.Shelf, Trust: a.Trust, Verifier: a.Verifier, Badges: a.Badges, Desk: a.Desk, Words: words, Ping: a.DB.Ping, Version: version(), PublicURL: a.Config.PublicURL, Secure: a.Config.Secure(),
		SignupOpen: a.Config.Signup == "open", Locale: a.Config.Locale, Proxies: proxies, Now: a.Now,
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = site.ErrorHandler
	e.Use(site.Security())
	if err := api.Register(e); err != nil {
		return nil, err
	}
	site.Register(e)
	return e, nil
}

// languagesOf gives the languages of who is signed in: their own, then their institution's. Who cannot be found is nobody: a page
// opens without them too.
func languagesOf(a *app.App, r *http.Request) []string {
	if by, u := whose(a, r); !by.Anonymous() {
		return []string{u.Locale, u.InstitutionLocale}
	}
	return nil
}

// whose tells who is signed in; nobody when that cannot be found out.
func whose(a *app.App, r *http.Request) (identity.Actor, identity.User) {
	cookie, err := r.Cookie(middleware.CookieName(a.Config.Secure()))
	if err != nil || cookie.Value == "" {
		return identity.Actor{}, identity.User{}
	}
	by, u, err := a.Identity.ActorBySession(r.Context(), cookie.Value)
	if err != nil {
		return identity.Actor{}, identity.User{}
	}
	return by, u
}

// serve answers, and runs jobs when there is a runner, until ctx ends; then it lets requests and jobs under way finish.
func serve(ctx context.Context, cfg config.Config, runner *job.Runner, listener net.Listener, handler http.Handler) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 15 * time.Second,
		ReadTimeout:       5 * time.Minute, // 2G takes its time
		WriteTimeout:      10 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	jobs, stopJobs := context.WithCancel(context.WithoutCancel(ctx))
	defer stopJobs()
	var wg sync.WaitGroup
	if runner != nil {
		wg.Go(func() { runner.Run(jobs, drainJobs) })
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	slog.InfoContext(ctx, "serving", "address", listener.Addr().String(), "url", cfg.PublicURL, "jobs_here", runner != nil, "version", version())
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		signal.Reset(os.Interrupt, syscall.SIGTERM) // who is in a hurry asks twice
		slog.Info("leaving: requests and jobs under way may finish")
		// Long polls look at their request's context; Shutdown alone would wait for each.
		late, cancel := context.WithTimeout(context.Background(), drainRequests)
		err = srv.Shutdown(late)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close()
		}
	}
	stopJobs()
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
