package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/banyan-lms/banyan/api/web"
	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

type migrateCmd struct{}

// Run migrates and says from where to where.
func (migrateCmd) Run(ctx context.Context) error {
	a, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	have, want, err := a.DB.Version(ctx)
	if err != nil {
		return err
	}
	if err := a.DB.Migrate(ctx); err != nil {
		return err
	}
	fmt.Printf("schema %d -> %d\n", have, want)
	return nil
}

type contentCmd struct {
	Check   checkCmd   `cmd:"" help:"Check course folders or zips; report every fault with file, line and cure."`
	Publish publishCmd `cmd:"" help:"Publish course folders or zips as course versions."`
	Report  reportCmd  `cmd:"" help:"Tell what each item weighs on its way to a phone and how hard it is to read, by language."`
	Encode  encodeCmd  `cmd:"" help:"Encode the recordings of course folders as Opus at speech rate, with opusenc or ffmpeg."`
	translateCmds
}

type checkCmd struct {
	Labs bool     `default:"true" negatable:"" help:"Also run every lab's solution, starter and wrong solutions in the sandbox."`
	Path []string `arg:"" help:"Course folders or zip files."`
}

// Run checks without a database.
func (c *checkCmd) Run(ctx context.Context) error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	var engine sandbox.Engine
	bad := 0
	for _, path := range c.Path {
		details, labs, err := checkCourse(ctx, path, func() (sandbox.Engine, error) {
			if !c.Labs {
				return nil, nil
			}
			if engine == nil {
				engine, err = app.Engine(cfg)
			}
			return engine, err
		})
		if err != nil {
			return err
		}
		if len(details) > 0 {
			bad++
			fmt.Fprintln(os.Stderr, app.Explain(fault.New(fault.Invalid, "course.invalid").At(inFolder(path, details)...)))
			continue
		}
		fmt.Printf("%s: well, %d labs tried\n", path, labs)
	}
	if engine != nil {
		if err := engine.Close(); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d courses have faults", bad, len(c.Path))
	}
	return nil
}

func checkCourse(ctx context.Context, path string, engine func() (sandbox.Engine, error)) ([]fault.Detail, int, error) {
	folder, err := courseFS(path)
	if err != nil {
		return nil, 0, err
	}
	compiled, err := compile.Course(folder, compile.Options{})
	var f *fault.Error
	if errors.As(err, &f) && f.Code == fault.Invalid {
		return f.Details, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	advise(path, compiled.Advice)
	var vault curriculum.VaultFile
	if err := json.Unmarshal(compiled.Vault, &vault); err != nil {
		return nil, 0, err
	}
	if len(vault.Labs) == 0 {
		return nil, 0, nil // nothing to run, so nobody misses the sandbox
	}
	eng, err := engine()
	if err != nil || eng == nil {
		return nil, 0, err
	}
	var details []fault.Detail
	for _, m := range compiled.Manifest.Modules {
		for _, it := range m.Items {
			if l, ok := vault.Labs[it.ID]; ok {
				details = append(details, grading.CheckLab(ctx, eng, it.ID, l)...)
			}
		}
	}
	return details, len(vault.Labs), ctx.Err()
}

// inFolder makes the files of faults clickable from where the operator stands.
func inFolder(path string, details []fault.Detail) []fault.Detail {
	if strings.HasSuffix(path, ".zip") {
		return details
	}
	out := make([]fault.Detail, len(details))
	for i, d := range details {
		d.File = filepath.Join(path, d.File)
		out[i] = d
	}
	return out
}

func courseFS(path string) (fs.FS, error) {
	if strings.HasSuffix(path, ".zip") {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return folder.OpenZip(data)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is neither a folder nor a .zip file", path)
	}
	return os.DirFS(path), nil
}

type publishCmd struct {
	Institution string   `required:"" help:"Short name of the institution that publishes."`
	Shipped     bool     `help:"Publish the courses that come with the program."`
	Path        []string `arg:"" optional:"" help:"Course folders or zip files."`
}

// Run publishes in the name of an institution.
func (c *publishCmd) Run(ctx context.Context) error {
	if !c.Shipped && len(c.Path) == 0 {
		return errors.New("name a course folder, or give --shipped")
	}
	return opened(ctx, func(a *app.App) error {
		in, err := a.Institution.FindBySlug(ctx, c.Institution)
		if err != nil {
			return err
		}
		if c.Shipped {
			if err := publishAll(ctx, a, in, content.Courses(), func(s string) { fmt.Println(s) }); err != nil {
				return err
			}
		}
		for _, path := range c.Path {
			folder, err := courseFS(path)
			if err != nil {
				return err
			}
			v, created, err := a.Curriculum.Publish(ctx, identity.System(), string(in.ID), folder)
			if err != nil {
				return err
			}
			fmt.Println(published(v, created))
			advise(path, v.Advice)
		}
		return nil
	})
}

func published(v curriculum.Version, created bool) string {
	if !created {
		return fmt.Sprintf("%s is version %d already", v.CourseID, v.Number)
	}
	return fmt.Sprintf("%s published as version %d", v.CourseID, v.Number)
}

type userCmd struct {
	Create   userCreateCmd   `cmd:"" help:"Make an account. The password is read from standard input, or made and printed."`
	Password userPasswordCmd `cmd:"" help:"Set a person's password and end all their sessions."`
}

type userCreateCmd struct {
	Username    string          `arg:"" help:"3 to 32 of a-z, digits, dot, underscore, hyphen."`
	Name        string          `required:"" help:"Name as it stands on certificates."`
	Institution string          `help:"Short name of the institution."`
	Role        []identity.Role `help:"learner, trainer, issuer, admin; several with commas." default:"learner"`
	Operator    bool            `help:"Runs the server."`
	Stdin       bool            `name:"password-stdin" help:"Read the password from standard input."`
}

// Run makes the account.
func (c *userCreateCmd) Run(ctx context.Context) error {
	password, made, err := readPassword(c.Stdin)
	if err != nil {
		return err
	}
	return opened(ctx, func(a *app.App) error {
		n := identity.NewUser{Username: c.Username, DisplayName: c.Name, Password: password, Operator: c.Operator}
		if c.Institution != "" {
			in, err := a.Institution.FindBySlug(ctx, c.Institution)
			if err != nil {
				return err
			}
			for _, r := range c.Role {
				if !r.Valid() {
					return fault.New(fault.Invalid, "institution.bad_role")
				}
				n.Memberships = append(n.Memberships, identity.Membership{InstitutionID: in.ID, Role: r})
			}
			n.Log = func(u identity.User) (out []audit.Entry) {
				for _, r := range c.Role {
					data := map[string]any{"user": string(u.ID), "role": string(r)}
					out = append(out, audit.New(in.ID, "", a.Now(), audit.MemberCreated, data))
				}
				return out
			}
		}
		u, err := a.Identity.CreateUser(ctx, n)
		if err != nil {
			return err
		}
		fmt.Printf("made %s (%s)\n", u.Username, u.ID)
		if made {
			fmt.Printf("password: %s\n", password)
		}
		return nil
	})
}

type userPasswordCmd struct {
	Username string `arg:"" help:"Whose password."`
	Stdin    bool   `name:"password-stdin" help:"Read the password from standard input."`
}

// Run sets the password.
func (c *userPasswordCmd) Run(ctx context.Context) error {
	password, made, err := readPassword(c.Stdin)
	if err != nil {
		return err
	}
	return opened(ctx, func(a *app.App) error {
		if err := a.Identity.ResetPassword(ctx, identity.System(), c.Username, password); err != nil {
			return err
		}
		fmt.Printf("set; all sessions of %s are ended\n", c.Username)
		if made {
			fmt.Printf("password: %s\n", password)
		}
		return nil
	})
}

// readPassword never takes a password from the command line, where others could read it.
func readPassword(stdin bool) (password string, made bool, err error) {
	if !stdin {
		return identity.NewPassword(), true, nil
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, err
	}
	return strings.TrimRight(line, "\r\n"), false, nil
}

type institutionCmd struct {
	Create institutionCreateCmd `cmd:"" help:"Add an institution."`
	List   institutionListCmd   `cmd:"" help:"List the institutions."`
	Domain domainCmd            `cmd:"" help:"See, check and confirm the domain that an institution issues under."`
}

type institutionCreateCmd struct {
	Slug string `arg:"" help:"Short name: 2 to 63 of a-z, digits and hyphens; it stands in addresses for ever."`
	Name string `arg:"" help:"Full name."`
}

// Run adds an institution.
func (c *institutionCreateCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		in, err := a.Institution.Create(ctx, identity.System(), c.Slug, c.Name)
		if err != nil {
			return err
		}
		fmt.Printf("added %s (%s)\n", in.Slug, in.ID)
		return nil
	})
}

type institutionListCmd struct{}

// Run lists institutions.
func (institutionListCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for after := identity.InstitutionID(""); ; {
			list, err := a.Institution.List(ctx, after, 100)
			if err != nil {
				return err
			}
			for _, in := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", in.Slug, in.ID, in.Name)
				after = in.ID
			}
			if len(list) < 100 {
				return w.Flush()
			}
		}
	})
}

type progressCmd struct {
	Rebuild rebuildCmd `cmd:"" help:"Drop progress and derive it anew from statements, to the same result."`
}

type rebuildCmd struct{}

// Run rebuilds while the server may go on.
func (rebuildCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		n, err := a.Learning.Rebuild(ctx, identity.System(), func(n int) {
			if n%1000 == 0 {
				fmt.Fprintf(os.Stderr, "%d enrollments\n", n)
			}
		})
		fmt.Printf("rebuilt the progress of %d enrollments\n", n)
		return err
	})
}

type jobsCmd struct {
	List  jobsListCmd  `cmd:"" help:"List jobs that were given up, with their last cause."`
	Retry jobsRetryCmd `cmd:"" help:"Make a job due again."`
}

type jobsListCmd struct{}

// Run lists parked jobs.
func (jobsListCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		n := 0
		for after := job.ID(""); ; {
			list, err := a.DB.Outbox().ListParked(ctx, after, 100)
			if err != nil {
				return err
			}
			for _, p := range list {
				cause, _, _ := strings.Cut(p.Cause, "\n")
				fmt.Printf("%s  %s  %s  %s\n", p.ID, p.Kind, p.ParkedAt.Format(time.RFC3339), cause)
				after = p.ID
				n++
			}
			if len(list) < 100 {
				fmt.Printf("%d jobs were given up\n", n)
				return nil
			}
		}
	})
}

type jobsRetryCmd struct {
	ID []string `arg:"" help:"Ids from jobs list."`
}

// Run releases parked jobs.
func (c *jobsRetryCmd) Run(ctx context.Context) error {
	return opened(ctx, func(a *app.App) error {
		for _, id := range c.ID {
			if err := a.DB.Outbox().Release(ctx, job.ID(id)); err != nil {
				return err
			}
			fmt.Println(id, "is due again")
		}
		return nil
	})
}

type runtimeCmd struct {
	Prepare prepareCmd `cmd:"" help:"Compile the Python runtime for this machine, once; it takes some seconds."`
	Pack    packCmd    `cmd:"" help:"Compress the Python runtime for pages that run it, once; it takes a minute."`
}

type prepareCmd struct{}

// Run fills the cache of compiled code, and tells which walls this machine has.
func (prepareCmd) Run(ctx context.Context) error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := sandbox.Prepare(ctx, app.WASM(cfg)); err != nil {
		return err
	}
	fmt.Printf("the Python runtime is ready (%.1f s)\n", time.Since(began).Seconds())
	engine, err := sandbox.NewWASM(app.WASM(cfg))
	if err != nil {
		return err
	}
	report, err := engine.Check(ctx)
	if err == nil {
		fmt.Println(report)
	}
	return errors.Join(err, engine.Close())
}

type packCmd struct{}

// Run puts python.wasm.br beside the runtime. Without it pages fetch half as much again.
func (packCmd) Run() error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	before, after, err := web.CompressRuntime(app.WASM(cfg).Module)
	if err != nil {
		return err
	}
	fmt.Printf("the exact pack: %.1f MB, %.1f MB on the wire\n", float64(before)/1e6, float64(after)/1e6)
	return nil
}

type configCmd struct{}

// Run prints the configuration.
func (configCmd) Run() error {
	cfg, err := config.FromEnv()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, s := range cfg.Settings() {
		fmt.Fprintf(w, "%s=%s\t# %s\n", s.Name, s.Value, s.Help)
	}
	if ferr := w.Flush(); err == nil {
		err = ferr
	}
	return err
}

type healthCmd struct{}

// Run asks the server that this configuration describes, on this machine.
func (healthCmd) Run(ctx context.Context) error {
	cfg, err := config.FromEnv()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return err
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/api/health", http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", res.Status)
	}
	fmt.Println("well")
	return nil
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	_, err := fmt.Println("banyan", version())
	return err
}
