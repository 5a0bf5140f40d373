package sandbox_test

import (
	"os"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.RunChildIfAsked()
	breakOutIfAsked()
	os.Exit(m.Run())
}
