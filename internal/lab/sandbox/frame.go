package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// maxFrame bounds what crosses the pipe in either direction.
const maxFrame = 32 << 20

// readyFrame is the first thing that a child says.
type readyFrame struct {
	Error    string `json:"error,omitempty"`    // why it cannot work
	Walls    []Wall `json:"walls,omitempty"`    // what stands between it and the machine
	Snapshot bool   `json:"snapshot,omitempty"` // the interpreter is one
}

// jobFrame is what a child is given to do.
type jobFrame struct {
	Files  map[string][]byte `json:"files"`
	Main   string            `json:"main"`
	Stdin  []byte            `json:"stdin"`
	Limits Limits            `json:"limits"`
	Seed   uint64            `json:"seed"`
	Clock  int64             `json:"clock"` // ns since 1970
}

// doneFrame is what a child answers.
type doneFrame struct {
	Error    string            `json:"error,omitempty"` // the platform failed
	End      End               `json:"end"`
	ExitCode int               `json:"exit_code"`
	Stdout   []byte            `json:"stdout"`
	Stderr   []byte            `json:"stderr"`
	Files    map[string][]byte `json:"files,omitempty"`
	CPU      time.Duration     `json:"cpu"`
}

// writeFrame writes v as JSON behind its length in four bytes.
func writeFrame(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxFrame {
		return fmt.Errorf("frame of %d bytes is too large", len(body))
	}
	buf := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(buf, uint32(len(body)))
	_, err = w.Write(append(buf, body...))
	return err
}

// readFrame reads what writeFrame wrote.
func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return fmt.Errorf("frame of %d bytes is too large", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
