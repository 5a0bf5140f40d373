package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/store/storetest"
)

func TestRun(t *testing.T) {
	t.Setenv(storetest.PostgresVar, "postgres://set.already")
	t.Setenv(storetest.RedisVar, "")
	out := filepath.Join(t.TempDir(), "out")
	tests := []struct {
		name string
		args []string
		code int
		want string // in what the command wrote, or in the error
	}{
		{"the command finds a server", []string{"redis", "--", "sh", "-c", "echo $TEST_REDIS_URL > " + out}, 0, "redis://:"},
		{"a variable that is set stays", []string{"postgres", "--", "sh", "-c", "echo $TEST_DATABASE_URL > " + out}, 0, "set.already"},
		{"the exit code is the command's", []string{"--", "sh", "-c", "exit 7"}, 7, ""},
		{"a command killed by a signal is a failure", []string{"--", "sh", "-c", "kill -9 $$"}, 2, "killed"},
		{"a command that is not there", []string{"--", "no-such-command"}, 2, "no-such-command"},
		{"an unknown service", []string{"mysql", "--", "true"}, 2, "mysql"},
		{"no command", []string{"redis"}, 2, "usage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, err := run(tt.args)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			got := ""
			if err != nil {
				got = err.Error()
			} else if text, err := os.ReadFile(out); err == nil {
				got = string(text)
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}
