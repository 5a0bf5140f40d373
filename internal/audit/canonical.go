package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxDepth bounds how deep data may be nested.
const maxDepth = 16

// canonical writes JSON as RFC 8785 does. It takes the part of JSON in which that is simple: names of members in ASCII, and whole
// numbers that every reader takes exactly.
func canonical(raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("data is no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data is more than one value")
	}
	var b bytes.Buffer
	if err := write(&b, v, 0); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func write(b *bytes.Buffer, v any, depth int) error {
	if depth > maxDepth {
		return errors.New("data is nested too deep")
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprint(b, v)
	case json.Number:
		return writeNumber(b, v)
	case string:
		writeString(b, v)
	case []any:
		b.WriteByte('[')
		for i, each := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := write(b, each, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) { // by byte, which for ASCII is RFC 8785's order
			for j := range len(name) {
				if name[j] >= utf8.RuneSelf {
					return errors.New("the name of a member is not in ASCII")
				}
			}
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, name)
			b.WriteByte(':')
			if err := write(b, v[name], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	}
	return nil
}

func writeNumber(b *bytes.Buffer, v json.Number) error {
	const most = 1 << 53
	n, err := v.Int64()
	if err != nil || n < -most || n > most {
		return fmt.Errorf("%.40s is not a whole number of at most 2^53", v)
	}
	fmt.Fprint(b, n)
	return nil
}

// writeString escapes what RFC 8785 does and no more. encoding/json escapes U+2028 and U+2029 too.
func writeString(b *bytes.Buffer, s string) {
	const digits = "0123456789abcdef"
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if r < 0x20 {
				b.WriteString(`\u00`)
				b.WriteByte(digits[r>>4])
				b.WriteByte(digits[r&15])
				continue
			}
			b.WriteRune(r) // bytes that are no UTF-8 become U+FFFD
		}
	}
	b.WriteByte('"')
}
