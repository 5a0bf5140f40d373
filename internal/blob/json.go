package blob

import (
	"bytes"
	"encoding/json"

	"github.com/banyan-lms/banyan/internal/fault"
)

// JSON writes a value with sorted keys, no spaces and no HTML escapes, so that equal values have equal digests.
func JSON(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "server.internal", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fault.Wrap(fault.Internal, "server.internal", err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return nil, fault.Wrap(fault.Internal, "server.internal", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
