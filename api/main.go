// Command api is Banyan's server and its operator's tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/banyan-lms/banyan/api/web"
	"github.com/banyan-lms/banyan/frontend"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// commands is the command line. Configuration comes from the environment alone; `config` prints it.
type commands struct {
	Serve       serveCmd       `cmd:"" help:"Serve the pages and the API; without Redis, run the jobs too."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the database to this program's schema."`
	Content     contentCmd     `cmd:"" help:"Check and publish courses."`
	Bundle      bundleCmd      `cmd:"" help:"Carry courses: build, check and import bundles."`
	Trust       trustCmd       `cmd:"" help:"Carry what is known of issuers of certificates, so that these can be checked without a network."`
	Credential  credentialCmd  `cmd:"" help:"Check credentials of any issuer, look into them, draw badges."`
	User        userCmd        `cmd:"" help:"Make accounts and set passwords."`
	Institution institutionCmd `cmd:"" help:"Add and list institutions, and confirm their domains."`
	Audit       auditCmd       `cmd:"" help:"Check and write audit logs."`
	Keys        keysCmd        `cmd:"" help:"Look after the keys of institutions."`
	Progress    progressCmd    `cmd:"" help:"Derive progress anew from statements."`
	Jobs        jobsCmd        `cmd:"" help:"Look after jobs that were given up."`
	Runtime     runtimeCmd     `cmd:"" help:"Prepare the Python that grades labs."`
	Config      configCmd      `cmd:"" help:"Print the configuration in force, with secrets hidden."`
	Health      healthCmd      `cmd:"" help:"Ask a running server whether it is well; for health checks."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

func main() {
	sandbox.RunChildIfAsked()
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == "help" {
		os.Args[1] = "--help"
	}
	var cmds commands
	parser := kong.Must(&cmds, kong.Name("banyan-api"),
		kong.Description("Banyan, a learning management system for AI literacy. All configuration is in the environment: see `config`."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if len(os.Args) < 2 {
		os.Args = append(os.Args, "--help")
	}
	kctx, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := kctx.Run(); err != nil {
		var said ended
		if errors.As(err, &said) {
			return int(said)
		}
		fmt.Fprintln(os.Stderr, "banyan:", app.Explain(err))
		return 1
	}
	return 0
}

// open reads the configuration, starts the log and builds the services.
func open(ctx context.Context) (*app.App, error) {
	cfg, err := config.FromEnv()
	if err != nil {
		return nil, err
	}
	app.Log(cfg)
	return build(ctx, cfg)
}

// build builds the services, and tells them what only the doors know.
func build(ctx context.Context, cfg config.Config) (*app.App, error) {
	a, err := app.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// Read when a bundle is first signed, and not at every start.
	a.Publisher.Runtimes = sync.OnceValue(func() map[string]blob.Digest { return web.Runtimes(frontend.Dist(), python(cfg)) })
	return a, nil
}

// python is the file of the runtime that grades labs, and that pages may run too.
func python(cfg config.Config) string { return filepath.Join(cfg.RuntimeDir, "python.wasm") }

// opened is open with the schema in step, for the subcommands.
func opened(ctx context.Context, do func(a *app.App) error) error {
	a, err := open(ctx)
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
	return do(a)
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return info.Main.Version
}
