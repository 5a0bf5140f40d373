// Command services runs another command with throw-away servers:
//
//	go run ./internal/store/storetest/services postgres redis -- go test ./...
//
// The command finds them in TEST_DATABASE_URL and TEST_REDIS_URL. A variable
// that is set already is left as it is. The servers end with this program,
// and so does the command's exit code.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"

	"github.com/banyan-lms/banyan/internal/store/storetest"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
	}
	os.Exit(code)
}

var known = map[string]struct {
	variable string
	open     func() (*storetest.Server, error)
}{
	"postgres": {storetest.PostgresVar, storetest.OpenPostgres},
	"redis":    {storetest.RedisVar, storetest.OpenRedis},
}

// run returns the exit code of the command, or 2 and an error when it could not run it.
func run(args []string) (code int, err error) {
	split := slices.Index(args, "--")
	if split < 0 || split == len(args)-1 {
		return 2, errors.New("usage: services [postgres] [redis] -- command [argument ...]")
	}
	env := os.Environ()
	for _, name := range args[:split] {
		service, ok := known[name]
		if !ok {
			return 2, fmt.Errorf("%q is not a service: say postgres or redis", name)
		}
		if os.Getenv(service.variable) != "" {
			continue
		}
		server, err := service.open()
		if err != nil {
			return 2, err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		env = append(env, service.variable+"="+server.URL())
	}
	cmd := exec.Command(args[split+1], args[split+2:]...) //nolint:noctx // the command decides how long it runs
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, env
	// The command shares the terminal and gets Ctrl-C itself; this program
	// waits for it. What is sent to this program alone is handed on.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 2, err
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // gone already is as good
			}
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 2, err
	}
	return 0, nil
}
